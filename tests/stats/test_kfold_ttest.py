"""The corrected t-test of a k-fold cross-validation and its Bayesian twin."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats as reference

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.cross_validation.bayesian import bayesian_correlated_ttest
from clinicadl_trust.stats.cross_validation.corrected import (
    corrected_kfold_ttest,
    corrected_resampled_ttest,
)

#: Ten folds of one repeat, or five of two.
A = np.array([0.83, 0.80, 0.84, 0.80, 0.79, 0.85, 0.80, 0.83, 0.82, 0.80])
B = np.array([0.81, 0.79, 0.84, 0.77, 0.80, 0.83, 0.78, 0.82, 0.80, 0.79])

#: baycomp 1.0.3, CorrelatedTTest.probs(B, A, rope, runs).
BAYCOMP = {
    (0, 1): (0.01867774748561546, 0, 0.9813222525143845),
    (0, 2): (0.04529565575199368, 0, 0.9547043442480063),
    (0.01, 1): (0.0009705754372899933, 0.2925851129501065, 0.7064443116126036),
    (0.01, 2): (0.004242078641391423, 0.3318447116641313, 0.6639132096944772),
}
#: baycomp 1.0.3, CorrelatedTTest.compute_statistics(B, A, runs): the variance.
VARIANCE = {1: 2.838271604938269e-05, 2: 4.7055555555555514e-05}


@pytest.mark.parametrize(("rope", "runs"), BAYCOMP)
def test_probabilities_are_those_of_baycomp(rope, runs):
    made = bayesian_correlated_ttest(A - B, 10 // runs - 1, 1, rope)
    expected = BAYCOMP[rope, runs]
    assert_allclose(
        [made.p_worse, made.p_equivalent, made.p_better], expected, atol=1e-12
    )
    assert_allclose([made.mean, made.scale], [0.013, VARIANCE[runs] ** 0.5])
    assert made.df == 9 and made.n == 10


@pytest.mark.parametrize("n_repeats", VARIANCE)
def test_the_kfold_test_is_the_closed_form(n_repeats):
    made = corrected_kfold_ttest(A - B, 10 // n_repeats, n_repeats)
    t = 0.013 / VARIANCE[n_repeats] ** 0.5
    assert_allclose(made.statistic, t)
    assert_allclose(made.p_value, 2 * reference.t.sf(t, 9))
    assert_allclose(
        (made.low, made.high),
        reference.t.interval(0.95, 9, 0.013, VARIANCE[n_repeats] ** 0.5),
    )
    assert ("Repeats do not add" in " ".join(made.warnings)) == (n_repeats > 1)
    assert made.n == 10 and made.n_clusters == 10 // n_repeats
    assert corrected_kfold_ttest(A - B, 10, n_participants=120).n_clusters == 120


def test_the_kfold_test_is_the_resampled_one_with_equal_folds():
    made = corrected_kfold_ttest(A - B, 10)
    other = corrected_resampled_ttest(A - B, 108, 12)
    assert_allclose(made.p_value, other.p_value)


def test_p_worse_is_half_the_p_value_and_intervals_agree():
    test = corrected_kfold_ttest(A - B, 10)
    posterior = bayesian_correlated_ttest(A - B, 9, 1)
    assert_allclose(2 * posterior.p_worse, test.p_value)
    assert_allclose((posterior.low, posterior.high), (test.low, test.high))
    assert posterior.estimand == test.estimand


def test_the_other_way_round_is_the_mirror_image():
    one = bayesian_correlated_ttest(A - B, 9, 1, 0.01)
    other = bayesian_correlated_ttest(B - A, 9, 1, 0.01)
    assert_allclose(one.p_better, other.p_worse)
    assert_allclose(one.p_equivalent, other.p_equivalent)


@pytest.mark.parametrize(
    ("value", "rope", "expected"),
    [
        (0.0, 0.0, (0.5, 0, 0.5)),
        (0.0, 0.01, (0, 1, 0)),
        (0.02, 0.01, (0, 0, 1)),
        (-0.02, 0.0, (1, 0, 0)),
    ],
)
def test_equal_differences_are_a_point_with_a_warning(value, rope, expected):
    made = bayesian_correlated_ttest([value] * 5, 4, 1, rope)
    assert (made.p_worse, made.p_equivalent, made.p_better) == expected
    assert made.low == made.mean == made.high
    assert "a single point" in made.warnings[0]


def test_a_posterior_is_shown_as_text_and_as_a_row():
    made = bayesian_correlated_ttest(A - B, 9, 1, 0.01)
    assert "P(better) = 0.706" in str(made) and "ROPE of +-0.01" in str(made)
    frame = made.to_frame()
    assert len(frame) == 1 and frame["p_better"][0] == made.p_better


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: corrected_kfold_ttest(A, 5), "5 folds x 1 repeats make 5 diff.* 10"),
        (lambda: corrected_kfold_ttest(A, 1, 10), "n_folds=1 makes no sense"),
        (lambda: corrected_kfold_ttest(A, 10, unit="site"), "stats.unit_ttest"),
        (lambda: corrected_kfold_ttest(A, 10, unit="scanner"), "each scanner differs"),
        (lambda: corrected_kfold_ttest(A, 10, unit="dataset"), "left-out datasets"),
        (lambda: corrected_kfold_ttest([np.nan] * 10, 10), "missing or infinite"),
        (lambda: bayesian_correlated_ttest(A, 9, 1, -0.1), "rope=-0.1"),
        (lambda: bayesian_correlated_ttest([0.1], 9, 1), "at least two differences"),
        (lambda: bayesian_correlated_ttest(A, 0, 1), "participants to train"),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(StatisticsError, match=message):
        call()
