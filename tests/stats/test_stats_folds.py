"""Values of folds and of sites: intervals and tests that know their training data."""

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats import (
    corrected_resampled_ttest,
    cross_validation_interval,
    unit_interval,
    unit_ttest,
)

VALUES = [0.80, 0.72, 0.91, 0.85, 0.77]


def test_the_corrected_interval_by_hand():
    # mean .81, variance .0214 / 4 = .00535, n_test / n_train = 20 / 80 = 1 / 4, df 4:
    # standard error sqrt((1 / 5 + 1 / 4) * .00535) = .0490663, t = 2.7764451
    estimate = cross_validation_interval(VALUES, n_train=80, n_test=20)
    assert estimate.value == pytest.approx(0.81)
    assert estimate.standard_error == pytest.approx(0.0490663, abs=1e-7)
    assert estimate.low == pytest.approx(0.81 - 2.7764451 * 0.0490663, abs=1e-6)
    assert estimate.high == pytest.approx(0.81 + 2.7764451 * 0.0490663, abs=1e-6)
    assert (estimate.calibration, estimate.df, estimate.n) == ("approximate", 4, 5)
    assert estimate.n_clusters == 100


def test_the_corrected_test_by_hand():
    # mean .02, variance .004 / 3, J = 4, n_test / n_train = 30 / 90 = 1 / 3:
    # t = .02 / sqrt((1 / 4 + 1 / 3) * .004 / 3) = .7171372
    differences = [0.0, 0.06, 0.04, -0.02]
    comparison = corrected_resampled_ttest(differences, n_train=90, n_test=30)
    statistic = 0.02 / math.sqrt((1 / 4 + 1 / 3) * 0.004 / 3)
    assert comparison.statistic == pytest.approx(statistic)
    assert comparison.statistic == pytest.approx(0.7171372, abs=1e-7)
    assert comparison.p_value == pytest.approx(2 * scipy_stats.t.sf(statistic, 3))
    assert comparison.estimand.startswith("a retrained model")


def test_repeats_gain_less_than_their_number():
    once = cross_validation_interval(VALUES, 80, 20)
    often = cross_validation_interval(VALUES * 10, 80, 20)
    naive = np.std(VALUES * 10, ddof=1) / math.sqrt(50)
    assert naive < 0.3 * often.standard_error < 0.3 * once.standard_error


def test_sites_are_students_t():
    result = scipy_stats.ttest_1samp(VALUES, 0).confidence_interval()
    estimate = unit_interval(VALUES)
    assert (estimate.low, estimate.high) == pytest.approx((result.low, result.high))
    other = [0.7, 0.71, 0.92, 0.7, 0.75]
    expected = scipy_stats.ttest_rel(VALUES, other)
    comparison = unit_ttest(np.subtract(VALUES, other))
    assert comparison.p_value == pytest.approx(expected.pvalue)
    assert comparison.statistic == pytest.approx(expected.statistic)
    assert comparison.df == 4
    assert comparison.estimand == "a retrained model in a new hospital"
    assert "scanner" in unit_ttest([0.1, 0.2], unit="scanner").estimand


def test_an_interval_is_cut_at_what_the_metric_cannot_exceed():
    estimate = unit_interval([0.99, 0.7, 0.97], bounds=(0.0, 1.0))
    assert estimate.high == 1.0
    assert estimate.low > 0


def test_a_single_fold_has_no_interval():
    estimate = cross_validation_interval([0.8], 80, 20)
    assert estimate.value == 0.8
    assert math.isnan(estimate.low)
    assert "single value" in estimate.warnings[0]
    assert math.isnan(unit_ttest([0.1]).p_value)


def test_folds_that_are_all_perfect_still_have_an_interval():
    estimate = cross_validation_interval(
        [1.0] * 5, 80, 20, bounds=(0.0, 1.0), n_clusters=30
    )
    assert estimate.high == 1.0
    assert estimate.low == pytest.approx(0.025 ** (1 / 30))
    worst = cross_validation_interval([0.0] * 5, 80, 20, bounds=(0.0, 1.0))
    assert (worst.low, worst.high) == (0.0, pytest.approx(1 - 0.025 ** (1 / 5)))


def test_equal_values_elsewhere_have_no_interval():
    estimate = unit_interval([0.7, 0.7, 0.7], bounds=(0.0, 1.0))
    assert math.isnan(estimate.low)
    assert "no interval" in estimate.warnings[0]


def test_equal_differences_are_a_sign_test():
    comparison = unit_ttest([0.5] * 5)
    assert comparison.p_value == pytest.approx(2 * 0.5**5)
    assert unit_ttest([0.0] * 5).p_value == 1
    assert "sign test" in comparison.warnings[0]


@pytest.mark.parametrize(
    ("values", "sizes", "message"),
    [
        ([], (80, 20), "at least one"),
        ([0.8, np.nan], (80, 20), "finite"),
        ([[0.8, 0.9]], (80, 20), "shape"),
        ([0.8, 0.9], (0, 20), "not 0 and 20"),
        ([0.8, 0.9], (80, -1), "not 80 and -1"),
    ],
)
def test_nonsense_is_refused(values, sizes, message):
    with pytest.raises(StatisticsError, match=message):
        cross_validation_interval(values, *sizes)
    with pytest.raises(StatisticsError, match=message):
        corrected_resampled_ttest(values, *sizes)
