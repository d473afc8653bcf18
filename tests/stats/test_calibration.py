"""Calibration: identities, scikit-learn, statsmodels with clusters, mistakes."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose
from scipy.special import expit, logit
from scipy.stats import norm
from sklearn.metrics import brier_score_loss

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats import brier_score, calibration_curve
from clinicadl_trust.stats.calibration.error import expected_calibration_error
from clinicadl_trust.stats.calibration.reliability import (
    brier_decomposition,
    reliability_curve,
)
from clinicadl_trust.stats.calibration.slope import (
    calibration_intercept,
    calibration_slope,
)


def calibrated(rng, participants=60, images=3, icc=0.5):
    """Draw labels from perfect probabilities, correlated within participants."""
    who = np.repeat(np.arange(participants), images)
    shared, own = (
        rng.normal(size=(2, participants))[:, who],
        rng.normal(size=(2, who.size)),
    )
    score = expit(1.5 * (np.sqrt(0.7) * shared[0] + np.sqrt(0.3) * own[0]))
    chance = norm.cdf(np.sqrt(icc) * shared[1] + np.sqrt(1 - icc) * own[1])
    return (chance < score).astype(float), score, who


@pytest.mark.parametrize("bins", ["quantile", "uniform"])
@pytest.mark.parametrize("n_bins", [1, 2, 10, 1000])
def test_the_parts_of_the_brier_score_add_up(bins, n_bins):
    label, score, _ = calibrated(np.random.default_rng(0))
    parts = brier_decomposition(label, score, n_bins, bins=bins)
    assert_allclose(parts.brier, brier_score_loss(label, score), rtol=1e-12)
    total = parts.reliability - parts.resolution + parts.uncertainty
    total += parts.within_bin_variance - parts.within_bin_covariance
    assert_allclose(parts.brier, total, rtol=1e-12)
    assert_allclose(parts.uncertainty, label.var())
    assert parts.n_bins <= n_bins
    if n_bins == 1:
        assert_allclose(parts.resolution, 0, atol=1e-15)
        assert_allclose(parts.reliability, (score.mean() - label.mean()) ** 2)


def test_murphys_identity_holds_for_few_values():
    score = np.repeat([0.1, 0.4, 0.8], [10, 10, 20])
    label = np.r_[np.arange(10) < 2, np.arange(10) < 4, np.arange(20) < 15]
    parts = brier_decomposition(label, score)
    assert_allclose(
        [parts.within_bin_variance, parts.within_bin_covariance], 0, atol=1e-15
    )
    assert_allclose(parts.reliability, (10 * 0.1**2 + 10 * 0 + 20 * 0.05**2) / 40)
    share = 21 / 40
    expected = (10 * (0.2 - share) ** 2 + 10 * (0.4 - share) ** 2) / 40
    assert_allclose(parts.resolution, expected + 20 * (0.75 - share) ** 2 / 40)
    assert "= reliability" in str(parts)
    assert parts.to_frame()["n_bins"][0] == 3


def test_a_bin_of_one_image_is_pointed_out():
    label, score, _ = calibrated(np.random.default_rng(0), 20, 1)
    (warning,) = brier_decomposition(label, score, 100).warnings
    assert warning.startswith("20 of 20 bins hold a single image")


@pytest.mark.parametrize("seed", range(3))
def test_slope_and_intercept_are_those_of_statsmodels(seed):
    label, score, who = calibrated(np.random.default_rng(seed))
    family, factor = sm.families.Binomial(), 60 / 59
    options = {
        "cov_type": "cluster",
        "cov_kwds": {"groups": who, "use_correction": False},
    }
    both = sm.GLM(label, sm.add_constant(logit(score)), family).fit(**options)
    slope = calibration_slope(label, score, who)
    assert_allclose(slope.value, both.params[1], rtol=1e-8)
    assert_allclose(slope.standard_error, both.bse[1] * factor**0.5, rtol=1e-7)
    ones = np.ones(label.size)
    large = sm.GLM(label, ones, family, offset=logit(score)).fit(**options)
    made = calibration_intercept(label, score, who)
    assert_allclose(made.value, large.params[0], rtol=1e-8, atol=1e-12)
    assert_allclose(made.standard_error, large.bse[0] * factor**0.5, rtol=1e-7)
    assert made.n_clusters == 60 and made.calibration == "calibrated"


def test_clusters_may_be_renamed_and_a_cluster_per_row_is_none():
    label, score, who = calibrated(np.random.default_rng(1))
    plain = calibration_slope(label, score)
    assert calibration_slope(label, score, np.arange(label.size)) == plain
    order = np.random.default_rng(2).permutation(label.size)
    names = np.array([f"sub-{99 - n}" for n in who])
    made = calibration_slope(label[order], score[order], names[order])
    expected = calibration_slope(label, score, who)
    assert_allclose([made.value, made.low], [expected.value, expected.low], rtol=1e-9)


def test_a_wrong_slope_and_shift_are_found():
    rng = np.random.default_rng(3)
    label, score, who = calibrated(rng, 4000, 2)
    extreme = expit(2 * logit(score) + 1)
    slope = calibration_slope(label, extreme, who)
    assert slope.low < 0.5 < slope.high < 0.6
    shifted = calibration_intercept(label, expit(logit(score) + 1), who)
    assert shifted.low < -1 < shifted.high < -0.8


def test_intervals_keep_their_level_in_a_short_simulation():
    rng = np.random.default_rng(4)
    covered = np.zeros(2)
    for _ in range(300):
        label, score, who = calibrated(rng)
        slope = calibration_slope(label, score, who)
        large = calibration_intercept(label, score, who)
        covered += [slope.low <= 1 <= slope.high, large.low <= 0 <= large.high]
    assert (covered > 0.91 * 300).all() and (covered < 0.99 * 300).all()


def test_certain_scores_are_refused_or_moved_in():
    label, score, _ = calibrated(np.random.default_rng(5))
    score[:3] = [0, 1, 1]
    with pytest.raises(StatisticsError, match="3 of 180 scores are exactly 0 or 1"):
        calibration_slope(label, score)
    made = calibration_slope(label, score, clip=0.001)
    same = calibration_slope(label, np.clip(score, 0.001, 0.999))
    assert made.value == same.value
    assert "moved in to 0.001" in made.warnings[0] and not same.warnings


def test_few_participants_are_pointed_out():
    label, score, who = calibrated(np.random.default_rng(6), 20, 6)
    made = calibration_slope(label, score, who)
    assert made.calibration == "approximate" and "weigh like" in made.warnings[0]
    alone = calibration_intercept([0, 1, 1], [0.2, 0.3, 0.4], ["a", "a", "a"])
    assert np.isnan(alone.low) and np.isnan(alone.standard_error)


def test_ece_is_the_mean_gap_of_bins():
    score = np.repeat([0.15, 0.85], 10)
    label = np.r_[np.arange(10) < 3, np.arange(10) < 8].astype(float)
    made = expected_calibration_error(label, score, n_simulations=4000)
    assert_allclose(made.value, (0.15 + 0.05) / 2)
    few = np.abs(np.random.default_rng(0).binomial(10, 0.15, 100_000) / 10 - 0.15)
    assert made.expected_if_calibrated == pytest.approx(few.mean(), rel=0.03)
    assert not hasattr(made, "low") and "never 0" in made.warnings[0]
    assert "perfect probabilities would show" in str(made)
    again = expected_calibration_error(label, score, n_simulations=4000)
    assert made == again
    other = expected_calibration_error(label, score, n_simulations=4000, seed=1)
    assert made.expected_if_calibrated != other.expected_if_calibrated
    assert made.to_frame().shape == (1, 12) and made.calibration == "calibrated"


def test_participants_make_chance_larger():
    label, score, who = calibrated(np.random.default_rng(7), 60, 5)
    alone = expected_calibration_error(label, score)
    made = expected_calibration_error(label, score, who)
    assert made.value == alone.value and made.n_clusters == 60
    assert made.expected_if_calibrated > 1.2 * alone.expected_if_calibrated
    assert "give cluster" in alone.warnings[1] and "one draw" in made.warnings[1]
    each = expected_calibration_error(label, score, np.arange(300))
    assert len(each.warnings) == 1
    assert each.expected_if_calibrated == alone.expected_if_calibrated


def test_perfect_probabilities_have_uniform_p_values_and_wrong_ones_small():
    rng = np.random.default_rng(8)
    p_values = []
    for _ in range(300):
        label, score, _ = calibrated(rng, 100, 1)
        made = expected_calibration_error(label, score, n_simulations=199)
        p_values.append(made.p_value)
    assert 0.02 < np.mean(np.array(p_values) <= 0.05) < 0.09
    assert np.mean(p_values) == pytest.approx(0.5, abs=0.06)
    extreme = expit(4 * logit(score))
    assert expected_calibration_error(label, extreme).p_value < 0.01


def test_the_reliability_curve_is_that_of_a_table():
    label, score, who = calibrated(np.random.default_rng(9))
    table = pd.DataFrame(
        {
            "participant_id": [f"sub-{n}" for n in who],
            "session_id": [f"ses-{n % 3}" for n in range(who.size)],
            "label": label,
            "score": score,
        }
    )
    ours, theirs = reliability_curve(label, score, who), calibration_curve(table)
    for name in ("predicted", "observed", "low", "high", "n_images"):
        assert_allclose(ours[name], theirs[name])
    assert (ours["n_clusters"] == theirs["n_participants"]).all()
    uniform = reliability_curve(label, score, who, bins="uniform", n_bins=4)
    edges = np.searchsorted([0.25, 0.5, 0.75], score)
    assert_allclose(uniform["observed"], pd.Series(label).groupby(edges).mean())


GOOD = ([0, 1, 0, 1], [0.2, 0.7, 0.6, 0.4])


@pytest.mark.parametrize(
    "function",
    [
        brier_decomposition,
        calibration_intercept,
        calibration_slope,
        expected_calibration_error,
        reliability_curve,
    ],
)
@pytest.mark.parametrize(
    ("label", "score", "message"),
    [
        ([0, 1, 2, 1], GOOD[1], "such as 2"),
        ([1, 1, 1, 1], GOOD[1], "All 4 labels are 1"),
        ([], [], "at least one"),
        (GOOD[0], [0.2, 0.7, 0.6], "4 labels and 3 scores"),
        (GOOD[0], [0.2, 0.7, 1.6, 0.4], r"outside 0 to 1 \(the first is 1\.6"),
        (GOOD[0], [0.2, np.nan, 0.6, 0.4], r"missing .*the first is nan"),
    ],
)
def test_bad_data_are_named(function, label, score, message):
    with pytest.raises(StatisticsError, match=message):
        function(label, score)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: brier_decomposition(*GOOD, 0), "n_bins=0"),
        (lambda: brier_decomposition(*GOOD, bins="quantiles"), "mean 'quantile'"),
        (lambda: calibration_slope(*GOOD, clip=0.7), r"clip=0\.7"),
        (lambda: calibration_slope(*GOOD, confidence_level=95), "0.95"),
        (lambda: calibration_slope([0, 1, 0, 1], [0.3] * 4), "All 4 scores"),
        (lambda: calibration_slope([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.9]), "separate"),
        (lambda: calibration_slope([1, 1, 0, 0], [0.1, 0.2, 0.3, 0.9]), "separate"),
        (lambda: expected_calibration_error(*GOOD, n_simulations=0), "=0 makes"),
        (lambda: reliability_curve(*GOOD, ["a", "b"]), "4 labels and 2 cluster"),
    ],
)
def test_wrong_options_are_named(call, message):
    with pytest.raises(StatisticsError, match=message):
        call()


def test_scores_that_nearly_separate_still_converge():
    score = np.r_[np.linspace(1e-12, 0.4, 50), np.linspace(0.39, 1 - 1e-12, 50)]
    label = np.r_[np.zeros(50), np.ones(50)]
    theirs = sm.GLM(label, sm.add_constant(logit(score)), sm.families.Binomial()).fit(
        maxiter=200, tol=1e-14
    )
    assert_allclose(calibration_slope(label, score).value, theirs.params[1], rtol=1e-5)


def test_the_brier_score_has_a_clustered_interval():
    rng = np.random.default_rng(0)
    who = np.repeat(np.arange(60), 4)
    label = np.repeat(rng.integers(0, 2, 60), 4)
    score = np.clip(0.5 + 0.2 * (2 * label - 1) + 0.2 * rng.normal(size=240), 0, 1)
    made, naive = brier_score(label, score, who), brier_score(label, score)
    assert made.value == pytest.approx(np.mean((score - label) ** 2))
    losses = pd.Series((score - label) ** 2).groupby(who).sum() / 4 - made.value
    expected = (losses**2).sum() / 59 / 60
    assert made.standard_error == pytest.approx(expected**0.5)
    assert made.n_clusters == 60 and naive.n_clusters == 240
    assert made.low < made.value < made.high
    with pytest.raises(StatisticsError):
        brier_score(label, 2 * score, who)
