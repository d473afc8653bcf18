"""Shares and their differences: statsmodels, exact tests, clusters, mistakes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import binomtest
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.mcnemar import mcnemar
from clinicadl_trust.stats.proportions import proportion


@pytest.mark.parametrize("count", [0, 1, 9, 10])
def test_intervals_are_those_of_the_binomial(count):
    for method, theirs in (("wilson", "wilson"), ("clopper-pearson", "exact")):
        made = proportion(count, 10, method)
        expected = binomtest(count, 10).proportion_ci(method=theirs)
        assert_allclose([made.low, made.high], expected, atol=1e-12)
    answers = np.arange(10) < count
    assert proportion(answers).low == proportion(count, 10).low


@pytest.mark.parametrize(
    ("count", "n", "label"),
    [(8, 16, "calibrated"), (192, 200, "calibrated"), (193, 200, "approximate")],
)
def test_wilson_is_calibrated_from_eight_of_the_rarer_answer_on(count, n, label):
    assert proportion(count, n).calibration == label
    assert proportion(n - count, n).calibration == label
    assert proportion(count, n, "clopper-pearson").calibration == "conservative"


@pytest.mark.parametrize(
    ("wrong", "participants", "label"),
    [(8, 40, "calibrated"), (7, 40, "conservative"), (8, 19, "approximate")],
)
def test_clustered_labels_count_the_participants_that_differ(
    wrong, participants, label
):
    who = np.repeat(np.arange(participants), 2)
    right = (who >= wrong).astype(float)
    share, opposite = (proportion(x, cluster=who) for x in (right, 1 - right))
    test = mcnemar(np.ones_like(right), right, who)
    assert share.calibration == opposite.calibration == label
    assert test.calibration == label.replace("conservative", "approximate")


def test_clusters_widen_the_interval_and_are_counted():
    rng = np.random.default_rng(0)
    who = np.repeat(np.arange(40), 5)
    right = (rng.uniform(size=40) < 0.7)[who]
    clustered = proportion(right, cluster=who)
    plain = proportion(right)
    assert clustered.high - clustered.low > 1.8 * (plain.high - plain.low)
    assert clustered.n_clusters == 40 and clustered.calibration == "calibrated"
    sums = np.bincount(who, right - right.mean())
    assert_allclose(
        clustered.standard_error, np.sqrt(40 / 39 * (sums**2).sum()) / 200, rtol=1e-12
    )


def test_all_right_is_never_certain():
    assert 0 < proportion(np.ones(30), cluster=np.repeat(np.arange(10), 3)).low < 0.8


@pytest.mark.parametrize("n", [30, 400])
def test_mcnemar_is_that_of_statsmodels(n):
    rng = np.random.default_rng(n)
    a, b = rng.uniform(size=(2, n)) < [[0.8], [0.65]]
    made = mcnemar(a, b)
    table = [[(a & b).sum(), (a & ~b).sum()], [(~a & b).sum(), (~a & ~b).sum()]]
    few = table[0][1] + table[1][0] < 25
    theirs = statsmodels_mcnemar(table, exact=few, correction=False)
    assert_allclose(made.p_value, theirs.pvalue)
    assert_allclose(made.effect, a.mean() - b.mean())
    assert made.calibration == ("conservative" if few else "calibrated")
    back = mcnemar(b, a)
    assert_allclose(
        [back.effect, back.low, back.high], [-made.effect, -made.high, -made.low]
    )


def test_an_interval_that_leaves_0_out_of_a_test_that_does_not_reject_is_told():
    both = np.ones(32)
    a, b = np.r_[both, np.ones(10), np.zeros(2)], np.r_[both, np.zeros(10), np.ones(2)]
    c, d = np.r_[both, np.ones(5)], np.r_[both, np.zeros(5)]
    clear, border = mcnemar(a, b), mcnemar(c, d)
    assert clear.low > 0 and clear.p_value < 0.05 and clear.warnings == ()
    assert border.low > 0 and border.p_value > 0.05
    assert "leaves 0 out and the exact test does not reject" in border.warnings[0]


def test_clustered_mcnemar_counts_participants():
    rng = np.random.default_rng(1)
    who = np.repeat(np.arange(50), 6)
    a = (rng.uniform(size=50) < 0.75)[who]
    b = (rng.uniform(size=50) < 0.6)[who]
    clustered, naive = mcnemar(a, b, who), mcnemar(a, b)
    assert clustered.standard_error > 2 * naive.standard_error
    assert clustered.p_value > naive.p_value
    alone = mcnemar(a, b, np.arange(300))
    assert alone == naive


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: proportion(3), "Give n, too"),
        (lambda: proportion(11, 10), "11 successes of 10"),
        (lambda: proportion(2.5, 10), "whole numbers"),
        (lambda: proportion([1, 0], 2), "not both"),
        (lambda: proportion([1, 2]), "such as 2"),
        (lambda: proportion([]), "at least one"),
        (lambda: proportion(3, 10, cluster=[1]), "not counts"),
        (lambda: proportion([1, 0], cluster=["a", "a"]), "one cluster"),
        (lambda: proportion(3, 10, "wald"), "unknown"),
        (lambda: mcnemar([1, 0], [1]), "2 answers of the first model and 1"),
        (lambda: mcnemar([1, 0], [1, 0.5]), r"such as 0\.5"),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(StatisticsError, match=message):
        call()
