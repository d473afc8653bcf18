"""The made-up study is what it says: its table is accepted, its truth is found."""

import pytest
from scipy.stats import norm

from clinicadl_trust import stats
from clinicadl_trust.exceptions import ConfigError
from clinicadl_trust.predictions import check_predictions
from clinicadl_trust.testing import synthetic_study


@pytest.mark.parametrize("design", ["held-out", "cross-validation", "sites-left-out"])
def test_the_table_has_the_design_it_was_asked_for(design):
    table = synthetic_study({"cnn": 2.0, "svm": 1.5}, design)
    check_predictions(table)
    (found,) = stats.infer_designs(table).values()
    assert found.kind == design
    assert found.is_result and not found.leak


def test_the_auc_is_that_of_the_skill():
    table = synthetic_study({"cnn": 1.5}, participants=4000, visits=1)
    found = stats.roc_auc(table["label"], table["score"])
    assert abs(found.value - norm.cdf(1.5 / 2**0.5)) < 3 * found.standard_error


def test_probabilities_are_calibrated_unless_stretched():
    for confidence in (1.0, 2.0):
        table = synthetic_study(
            {"cnn": 1.5}, participants=4000, visits=1, confidence=confidence
        )
        slope = stats.calibration_slope(table["label"], table["score"])
        assert slope.low < 1 / confidence < slope.high


def test_sites_differ_as_much_as_asked():
    spread = []
    for site_sd in (0.0, 0.8):
        table = synthetic_study(
            {"cnn": 2.0}, "sites-left-out", participants=3000, site_sd=site_sd, sites=10
        )
        sites = stats.site_metrics(table, ["roc_auc"])
        spread.append(sites["value"].std())
    assert spread[1] > 3 * spread[0]


def test_the_seed_makes_the_study():
    first, same = (synthetic_study({"cnn": 1.0}, seed=3) for _ in range(2))
    assert first.equals(same)
    assert not first.equals(synthetic_study({"cnn": 1.0}, seed=4))


def test_an_unknown_design_or_no_visit_is_refused():
    with pytest.raises(ConfigError, match="design='loo'"):
        synthetic_study({"cnn": 1.0}, "loo")
    with pytest.raises(ConfigError, match="120, 0, 6"):
        synthetic_study({"cnn": 1.0}, visits=0)
