"""Many datasets: Demsar's example, R, SciPy, baycomp, closed forms, mistakes."""

import json
from dataclasses import asdict
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats as reference

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.many_datasets.bayesian_signed_rank import (
    bayesian_signed_rank,
)
from clinicadl_trust.stats.many_datasets.friedman import friedman
from clinicadl_trust.stats.many_datasets.signed_rank import wilcoxon

#: Demsar (2006), table 6: AUC on 14 datasets. Its ranks for voting, 2 and 3, show that
#: the .975 printed twice were not the same before rounding.
DEMSAR = pd.DataFrame(
    [
        [0.763, 0.768, 0.771, 0.798],
        [0.599, 0.591, 0.590, 0.569],
        [0.954, 0.971, 0.968, 0.967],
        [0.628, 0.661, 0.654, 0.657],
        [0.882, 0.888, 0.886, 0.898],
        [0.936, 0.931, 0.916, 0.931],
        [0.661, 0.668, 0.609, 0.685],
        [0.583, 0.583, 0.563, 0.625],
        [0.775, 0.838, 0.866, 0.875],
        [1.000, 1.000, 1.000, 1.000],
        [0.940, 0.962, 0.965, 0.962],
        [0.619, 0.666, 0.614, 0.669],
        [0.972, 0.981, 0.9751, 0.9749],
        [0.957, 0.978, 0.946, 0.970],
    ],
    columns=["C4.5", "C4.5+m", "C4.5+cf", "C4.5+m+cf"],
)


#: R's friedman.test of the same table (reference/many_tests.R).
R_TESTS = json.loads(
    (Path(__file__).parent / "reference" / "many_tests.json").read_text()
)["friedman"]


def test_friedman_is_demsars():
    made = friedman(DEMSAR, tie_correction=False)
    assert_allclose(made.average_ranks, [3.143, 2.000, 2.893, 1.964], atol=5e-4)
    assert_allclose((made.chi2, made.statistic), (9.28, 3.69), atol=5e-3)
    assert (made.df, made.df_error) == (3, 39)
    assert_allclose(made.p_value, reference.f.sf(made.statistic, 3, 39))
    assert "tie_correction=True" in made.warnings[0]
    assert made.calibration == "approximate"


def test_pairs_are_demsars():
    pairs = friedman(DEMSAR).pairs.set_index(["first", "second"])
    with_c45 = pairs.loc["C4.5"]
    others = ["C4.5+m+cf", "C4.5+m", "C4.5+cf"]
    # He rounds ranks and standard error before he divides.
    assert_allclose(with_c45.loc[others, "statistic"], [2.416, 2.342, 0.512], atol=2e-3)
    assert_allclose(with_c45.loc[others, "p_value"], [0.016, 0.019, 0.607], atol=2e-3)
    assert_allclose(
        pairs.loc[("C4.5", "C4.5+m+cf"), "p_adjusted"],
        6 * pairs.loc[("C4.5", "C4.5+m+cf"), "p_value"],
    )


def test_friedman_is_that_of_scipy_and_r_with_ties():
    made = friedman(DEMSAR)
    expected = reference.friedmanchisquare(*DEMSAR.to_numpy().T)
    assert_allclose((made.chi2, made.chi2_p_value), expected)
    assert_allclose((made.chi2, made.chi2_p_value), (R_TESTS["chi2"], R_TESTS["p"]))
    assert made.warnings == () and made.calibration == "calibrated"


def test_friedman_is_scipys_without_ties():
    scores = np.random.default_rng(0).normal(size=(8, 5))
    made = friedman(scores)
    expected = reference.friedmanchisquare(*scores.T)
    assert_allclose((made.chi2, made.chi2_p_value), expected)
    error = friedman(-scores, higher_is_better=False)
    assert_allclose(error.average_ranks, made.average_ranks)


def test_the_other_pairs_are_those_of_wilcoxon():
    scores = np.random.default_rng(0).normal(size=(9, 3))
    pairs = friedman(scores, post_hoc="wilcoxon").pairs
    for row in pairs.itertuples():
        expected = reference.wilcoxon(scores[:, row.first], scores[:, row.second])
        assert_allclose(row.p_value, expected.pvalue)


def test_ranks_that_never_differ_are_certain():
    made = friedman(np.tile([1.0, 2, 3], (6, 1)) + np.arange(6)[:, None])
    assert made.statistic == np.inf and made.p_value == 0
    assert_allclose(made.average_ranks, [3, 2, 1])


def test_friedman_is_shown_as_text_and_as_a_row():
    made = friedman(DEMSAR, tie_correction=False)
    assert "F(3, 39) = 3.69" in str(made) and "C4.5+m+cf 1.964" in str(made)
    assert made.to_frame()["p_value"][0] == made.p_value


#: R 4.2.2, wilcox.test(conf.int = TRUE, exact = TRUE): V, p, pseudo-median, interval.
DEPRESSION = np.array([1.83, 0.5, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.3]) - np.array(
    [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]
)
R = [
    (DEPRESSION, 0.95, (40, 0.0390625, 0.46, 0.01, 0.786)),
    (
        np.sin(np.arange(1, 26)) + 0.3,
        0.9,
        (
            232,
            0.0626264214515686,
            0.297625290316363,
            0.026597105289309,
            0.574376160935495,
        ),
    ),
    (
        np.sin(np.arange(1, 121)) + 0.1,
        0.95,
        (
            4344,
            0.0615222026083674,
            0.101894932944644,
            -0.00711322275252163,
            0.216300249331334,
        ),
    ),
]


@pytest.mark.parametrize(("differences", "level", "expected"), R)
def test_wilcoxon_is_that_of_r(differences, level, expected):
    made = wilcoxon(differences, confidence_level=level)
    n = len(differences)
    assert made.statistic == min(expected[0], n * (n + 1) / 2 - expected[0])
    assert_allclose((made.p_value, made.effect, made.low, made.high), expected[1:])
    assert made.calibration == "calibrated"


@pytest.mark.parametrize("zero_method", ["wilcox", "pratt"])
def test_wilcoxon_is_exact_with_ties_and_zeros(zero_method):
    differences = [0, 1, 1, 2, -2, 3, 3, -1, 5, 0]
    made = wilcoxon(differences, zero_method=zero_method)
    array = np.array(differences, dtype=float)
    if zero_method == "wilcox":
        array = array[array != 0]
    ranks = reference.rankdata(np.abs(array))[array != 0]
    signs = np.array(list(product([0, 1], repeat=ranks.size)))
    sums = signs @ ranks
    observed = ranks[array[array != 0] > 0].sum()
    expected = 2 * min((sums <= observed).mean(), (sums >= observed).mean())
    assert_allclose(made.p_value, expected)
    assert "2 of 10 differences are 0" in made.warnings[0]


def test_an_interval_that_holds_0_beside_a_test_that_rejects_is_told():
    made = wilcoxon([0.11, 0.71, 0.01, 0.01, -0.19, 0.01, 0.61, 0.11, 0.51])
    assert made.low < 0 and made.p_value < 0.05
    assert "holds 0 and the exact test rejects" in made.warnings[-1]


def test_wilcoxon_of_demsars_models():
    # Table 2: the ranks of the 2 zeros are split, which leaves 12 and 93.
    made = wilcoxon(DEMSAR["C4.5"] - DEMSAR["C4.5+m"], zero_method="pratt")
    assert made.statistic + 1.5 == 12
    assert made.p_value < 0.05


def test_many_differences_are_scipys_normal_approximation():
    differences = np.round(np.random.default_rng(0).normal(0.1, 1, 300), 1)
    made = wilcoxon(differences)
    expected = reference.wilcoxon(differences, method="approx")
    assert_allclose((made.statistic, made.p_value), expected)
    assert made.low < made.effect < made.high


def test_five_differences_cannot_reject_and_it_says_so():
    made = wilcoxon([1.0, 2, 3, 4, 5])
    assert_allclose(made.p_value, 0.0625)
    assert np.isnan(made.low) and made.calibration == "conservative"
    assert "smallest possible p-value is 0.0625" in made.warnings[0]


def test_no_difference_at_all():
    made = wilcoxon([0.0] * 8)
    assert made.p_value == 1 and made.effect == 0


#: baycomp 1.0.3, SignedRankTest.probs, 1,000,000 draws: C4.5 or C4.5+m, then C4.5+m+cf.
BAYCOMP = {
    ("C4.5", 0): (0.00296, 0, 0.99704),
    ("C4.5", 0.00313): (0.00194, 0.00016, 0.99789),
    ("C4.5", 0.01017): (0.00028, 0.03861, 0.96111),
    ("C4.5+m", 0): (0.21313, 0, 0.78687),
    ("C4.5+m", 0.00313): (0.08933, 0.15228, 0.75839),
    ("C4.5+m", 0.01017): (0.00169, 0.78725, 0.21105),
}


@pytest.mark.parametrize(("model", "rope"), BAYCOMP)
def test_signed_rank_probabilities_are_those_of_baycomp(model, rope):
    made = bayesian_signed_rank(DEMSAR["C4.5+m+cf"] - DEMSAR[model], rope, seed=1)
    found = (made.p_worse, made.p_equivalent, made.p_better)
    assert_allclose(found, BAYCOMP[model, rope], atol=0.008)  # 4 Monte Carlo errors
    assert_allclose(sum(found), 1)


def test_equal_differences_are_a_beta_distribution():
    # Above the ROPE only if the prior's weight w has (1 - w)^2 > 1 / 2.
    made = bayesian_signed_rank([0.015] * 3, 0.01, seed=0, n_draws=200_000)
    expected = reference.beta.cdf(1 - 0.5**0.5, 0.5, 3)
    assert_allclose(made.p_better, expected, atol=0.005)
    assert_allclose(made.p_equivalent, 1 - expected, atol=0.005)
    assert made.p_worse == 0


def test_the_pseudo_median_of_each_draw_is_found():
    # One dataset: the mean of two is d with (1 - w)^2 and d / 2 or 0 otherwise.
    made = bayesian_signed_rank([1.0], seed=0, n_draws=200_000)
    top = reference.beta.cdf(1 - 0.5**0.5, 0.5, 1)
    zero = reference.beta.sf(0.5**0.5, 0.5, 1)
    assert_allclose(made.mean, top + 0.5 * (1 - top - zero), atol=0.005)
    assert (made.low, made.high) == (0, 1)


def test_no_difference_is_shared_by_both_sides_or_equivalent():
    made = bayesian_signed_rank([0.0] * 4)
    assert (made.p_worse, made.p_equivalent, made.p_better) == (0.5, 0, 0.5)
    assert bayesian_signed_rank([0.0] * 4, 0.01).p_equivalent == 1


def test_the_seed_makes_the_draws():
    differences = DEMSAR["C4.5"] - DEMSAR["C4.5+m"]
    same = [bayesian_signed_rank(differences, seed=3, n_draws=500) for _ in range(2)]
    assert str(same[0]) == str(same[1])
    assert "500 draws" in str(same[0])
    assert_allclose(*(each.draws for each in same))
    assert "draws" not in same[0].to_frame()
    assert_allclose(same[0].draws.mean(), same[0].mean)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: friedman(np.ones((3, 2))), "got 3 x 2. For two models"),
        (lambda: friedman(np.ones((4, 3))), "All 3 models have the same score"),
        (lambda: friedman([[1, 2, np.nan], [1, 2, 3]]), "1 scores are missing"),
        (
            lambda: friedman(pd.DataFrame(np.eye(3), columns=list("aab"))),
            "share a name in .*'a', 'a'",
        ),
        (lambda: friedman(DEMSAR, post_hoc="rank"), "post_hoc='rank' is unknown"),
        (lambda: wilcoxon([1, 2], zero_method="zsplit"), "zero_method='zsplit'"),
        (lambda: wilcoxon([np.nan]), "1 of 1 values are missing"),
        (lambda: wilcoxon([1.0], confidence_level=95), "Write 0.95"),
        (lambda: bayesian_signed_rank([1.0], -1), "rope=-1"),
        (lambda: bayesian_signed_rank([1.0], prior_strength=0), "prior_strength=0"),
        (lambda: bayesian_signed_rank([]), "at least one"),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(StatisticsError, match=message):
        call()


def test_two_models_or_their_differences():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 12))
    assert asdict(wilcoxon(first, second)) == asdict(wilcoxon(first - second))
    with pytest.raises(StatisticsError, match="12 values and the second 11"):
        wilcoxon(first, second[:-1])
