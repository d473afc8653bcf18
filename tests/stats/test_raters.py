"""Agreement of raters: published tables, closed forms, mistakes."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.metrics import cohen_kappa_score

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.agreement import cohen_kappa, icc

#: Shrout and Fleiss (1979), table 2: six targets, four judges.
SHROUT_FLEISS = np.array(
    [
        [9, 2, 5, 8],
        [6, 1, 3, 2],
        [8, 4, 6, 8],
        [7, 1, 2, 6],
        [10, 5, 6, 9],
        [6, 2, 4, 7],
    ]
)
#: R 4.2.2, psych 2.2.9: ICC(x, lmer = FALSE).
PSYCH = {
    "1": (0.16574177, -0.132932325, 0.72256006),
    "2": (0.28976378, 0.018786513, 0.76108437),
    "3": (0.71484071, 0.342464765, 0.94585826),
    "1k": (0.44279713, -0.884442155, 0.91241542),
    "2k": (0.62005055, 0.071136815, 0.92723204),
    "3k": (0.90931554, 0.675674714, 0.98589168),
}


@pytest.mark.parametrize("form", PSYCH)
def test_icc_is_that_of_shrout_and_fleiss(form):
    made = icc(SHROUT_FLEISS, form)
    assert_allclose([made.value, made.low, made.high], PSYCH[form], rtol=1e-7)
    assert made.n_clusters == 6 and made.n == 24
    # Form 2 covers .70 to .96, depending on how much raters differ.
    assert made.calibration == ("approximate" if form[0] == "2" else "calibrated")


def test_raters_who_agree_have_an_icc_of_one():
    ratings = np.repeat(np.arange(5.0)[:, None], 3, axis=1)
    for form in PSYCH:
        assert_allclose(icc(ratings, form).value, 1)


@pytest.mark.parametrize("weights", [None, "linear", "quadratic"])
def test_kappa_is_that_of_scikit_learn(weights):
    rng = np.random.default_rng(0)
    a = rng.integers(0, 4, 200)
    b = np.where(rng.uniform(size=200) < 0.6, a, rng.integers(0, 4, 200))
    made = cohen_kappa(a, b, weights=weights)
    assert_allclose(made.value, cohen_kappa_score(a, b, weights=weights))
    assert made.low < made.value < made.high


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: icc(SHROUT_FLEISS, "4"), "form='4' is unknown"),
        (lambda: icc([[1, 2]]), r"shape \(1, 2\)"),
        (lambda: icc([[1, np.nan], [1, 2]]), "1 targets lack a rating"),
        (lambda: icc(np.ones((3, 2))), "Every rating is 1"),
        (lambda: cohen_kappa([1, 2], [1]), "2 labels of one rater and 1"),
        (lambda: cohen_kappa([1, None], [1, 2]), "1 of 2 labels are missing"),
        (lambda: cohen_kappa(["a", "a"], ["a", "a"]), "Every label is a"),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(StatisticsError, match=message):
        call()


@pytest.mark.parametrize("written", ["ICC(2,k)", "ICC2k", "2,k", "icc(2, k)"])
def test_the_forms_of_shrout_and_fleiss_have_many_spellings(written):
    ratings = np.random.default_rng(0).normal(size=(12, 3)) + np.arange(12)[:, None]
    assert asdict(icc(ratings, written)) == asdict(icc(ratings, "2k"))
    assert asdict(icc(ratings, "ICC(3,1)")) == asdict(icc(ratings, "3"))
    with pytest.raises(StatisticsError, match="form='ICC"):
        icc(ratings, "ICC(4,1)")


#: R's psych (reference/raters.R).
R = json.loads((Path(__file__).parent / "reference" / "raters.json").read_text())


def images(table):
    """Return the labels of both raters that a table counts."""
    counts = np.asarray(table)
    places = np.indices(counts.shape).reshape(2, -1)
    return np.repeat(places, counts.ravel(), axis=1)


@pytest.mark.parametrize("weights", [None, "linear", "quadratic"])
def test_kappa_is_that_of_psych(weights):
    made = cohen_kappa(*images(R["table"]), weights=weights)
    value, low, high = R[weights or "plain"]
    assert_allclose(made.value, value, rtol=1e-10)
    # psych's weighted intervals are up to 4 % wider: see the next test for ours.
    rtol = 1e-9 if weights is None else 0.05
    assert_allclose([made.low, made.high], [low, high], rtol=rtol)


@pytest.mark.parametrize("weights", [None, "linear", "quadratic"])
def test_the_error_of_kappa_is_that_of_the_delta_method(weights):
    shares = np.asarray(R["table"]) / np.sum(R["table"])
    apart = np.abs(np.subtract.outer(range(3), range(3)))
    cost = {None: apart > 0, "linear": apart, "quadratic": apart**2}[weights]

    def kappa(p):
        return 1 - (cost * p).sum() / (cost * np.outer(p.sum(1), p.sum(0))).sum()

    slope, step = np.zeros((3, 3)), 1e-6
    for place in np.ndindex(3, 3):
        move = np.zeros((3, 3))
        move[place] = step
        slope[place] = (kappa(shares + move) - kappa(shares - move)) / (2 * step)
    square = (shares * slope**2).sum() - (shares * slope).sum() ** 2
    made = cohen_kappa(*images(R["table"]), weights=weights)
    assert_allclose(made.standard_error, (square / 100) ** 0.5, rtol=1e-7)
