"""Differences between sites: agreement with metafor, limits, mistakes."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.heterogeneity import heterogeneity

REFERENCE = json.loads(
    (Path(__file__).parent / "reference" / "meta_analysis.json").read_text()
)


@pytest.mark.parametrize("theirs", REFERENCE["fits"], ids=lambda fit: fit["method"])
def test_it_agrees_with_metafor(theirs):
    ours = heterogeneity(
        REFERENCE["estimates"], np.sqrt(REFERENCE["variances"]), theirs["method"]
    )
    assert_allclose(ours.tau2, theirs["tau2"], rtol=1e-6)
    assert_allclose(ours.i2, theirs["i2"], rtol=1e-6)
    assert_allclose([ours.q, ours.q_p_value], [theirs["q"], theirs["q_p"]], rtol=1e-8)
    assert_allclose(ours.value, theirs["value"], rtol=1e-7)
    assert_allclose(ours.standard_error, theirs["se"], rtol=1e-7)
    assert_allclose([ours.low, ours.high], [theirs["low"], theirs["high"]], rtol=1e-7)
    assert_allclose(
        [ours.prediction_low, ours.prediction_high],
        [theirs["prediction_low"], theirs["prediction_high"]],
        rtol=1e-6,
    )
    assert_allclose(ours.influence["value_without"], theirs["without"], rtol=1e-6)
    assert_allclose(ours.influence["tau2_without"], theirs["tau2_without"], rtol=1e-5)


def test_equal_errors_have_the_closed_form():
    y = np.array([0.1, 0.4, 0.35, 0.8, 0.2])
    for method in ("reml", "dl", "pm"):
        made = heterogeneity(y, np.full(5, 0.05), method)
        assert_allclose(made.tau2, y.var(ddof=1) - 0.05**2, rtol=1e-8)
        assert_allclose(made.value, y.mean())
        assert_allclose(made.standard_error, y.std(ddof=1) / 5**0.5)


def test_without_a_site_is_a_meta_analysis_of_the_others():
    y, se = np.array([0.8, 0.9, 0.7, 0.85]), np.array([0.05, 0.04, 0.06, 0.05])
    made = heterogeneity(y, se, transform="logit", confidence_level=0.9)
    for place, row in made.influence.iterrows():
        keep = np.arange(4) != place
        rest = heterogeneity(y[keep], se[keep], transform="logit", confidence_level=0.9)
        found = row[["value_without", "low_without", "high_without", "tau2_without"]]
        expected = [rest.value, rest.low, rest.high, rest.tau2]
        assert_allclose(found.to_numpy(float), expected)


def test_without_one_of_two_sites_nothing_is_known():
    made = heterogeneity([0.8, 0.9], [0.05, 0.05])
    assert made.influence.filter(like="without").isna().all(axis=None)


def test_alike_sites_have_no_variance_and_say_what_that_shows():
    made = heterogeneity([0.80, 0.81, 0.79, 0.80, 0.80], [0.05] * 5)
    assert made.tau2 == 0 and made.i2 == 0
    assert any("does not show that they are alike" in w for w in made.warnings)
    assert made.prediction_low == made.low


def test_sites_at_an_auc_of_one_are_kept():
    values, errors = [0.8, 0.9, 1.0, 0.85], [0.05, 0.05, 0.04, 0.06]
    made = heterogeneity(values, errors, transform="logit", sites=list("abcd"))
    assert made.n_sites == 4 and any("moved in" in w for w in made.warnings)
    assert 0 < made.prediction_low <= made.low < made.value < made.high < 1
    assert list(made.influence["site"]) == list("abcd")
    assert made.influence["value"].tolist() == values
    assert made.influence["value_without"][2] < made.value
    assert "Hartung and Knapp, approximate)" in str(made)
    assert "(logit scale), I2" in str(made)
    assert "scale), I2" not in str(heterogeneity(values, errors))
    assert "at a new site" in str(made) and made.to_frame()["tau2"][0] == made.tau2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.8], [0.1]), "1 site with an estimate"),
        (([0.8, 0.9], [0.1]), r"shape \(2,\), standard errors \(1,\)"),
        (([0.8, 1.0], [0.1, 0.0]), "site 2 has estimate 1 and standard error 0"),
        (([0.8, np.nan], [0.1, 0.1]), "site 2 has estimate nan"),
        (([0.8, 0.9], [0.1, 0.1], "remm"), "Did you mean 'reml'"),
    ],
)
def test_mistakes_are_named(arguments, message):
    with pytest.raises(StatisticsError, match=message):
        heterogeneity(*arguments)


def test_options_are_checked():
    with pytest.raises(StatisticsError, match="transform='log'"):
        heterogeneity([0.8, 0.9], [0.1, 0.1], transform="log")
    with pytest.raises(StatisticsError, match=r"from 0\.8 to 1\.9"):
        heterogeneity([0.8, 1.9], [0.1, 0.1], transform="logit")
    with pytest.raises(StatisticsError, match="1 names of 2 sites"):
        heterogeneity([0.8, 0.9], [0.1, 0.1], sites=["a"])
    with pytest.raises(StatisticsError, match="between 0 and 1"):
        heterogeneity([0.8, 0.9], [0.1, 0.1], confidence_level=95)
