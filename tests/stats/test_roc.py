"""ROC AUC: pROC's numbers, independent groups, mistakes."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats as distributions

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats import compare_roc_auc, roc_auc

FOLDER = Path(__file__).parent / "reference"
TABLE = pd.read_csv(FOLDER / "aSAH.tsv", sep="\t")
THEIRS = json.loads((FOLDER / "roc.json").read_text(encoding="utf-8"))
PAIRS = np.arange(len(TABLE)) // 2


@pytest.mark.parametrize("curve", THEIRS["curves"], ids=lambda c: c["name"])
def test_delong_is_that_of_proc(curve):
    ours = roc_auc(TABLE["label"], TABLE[curve["name"]], transform=None)
    assert_allclose(
        [ours.value, ours.standard_error**2, ours.low, ours.high],
        [curve[k] for k in ("value", "variance", "low", "high")],
        rtol=1e-8,
    )


@pytest.mark.parametrize("test", THEIRS["paired"], ids=lambda t: t["other"])
def test_the_paired_test_is_that_of_proc(test):
    ours = compare_roc_auc(TABLE["label"], TABLE["s100b"], TABLE[test["other"]])
    assert_allclose(ours.statistic, test["z"], rtol=1e-8)
    assert_allclose(2 * distributions.norm.sf(abs(ours.statistic)), test["p"], 1e-8)
    variances = {curve["name"]: curve["variance"] for curve in THEIRS["curves"]}
    both = variances["s100b"] + variances[test["other"]] - 2 * test["covariance"]
    assert_allclose(ours.standard_error**2, both, rtol=1e-8)
    assert ours.p_value > test["p"]  # t, not z


@pytest.mark.parametrize("curve", THEIRS["clustered"], ids=lambda c: c["name"])
def test_obuchowski_is_the_published_formula(curve):
    ours = roc_auc(TABLE["label"], TABLE[curve["name"]], PAIRS)
    assert_allclose(ours.standard_error**2, curve["variance"], rtol=1e-8)


def groups():
    men = TABLE["gender"] == "Male"
    return [TABLE[men], TABLE[~men]]


def test_independent_groups_have_the_statistic_of_proc():
    men, women = groups()
    labels = (men["label"], women["label"])
    ours = compare_roc_auc(labels, men["s100b"], women["s100b"], paired=False)
    assert_allclose(ours.statistic, THEIRS["unpaired"]["d"], rtol=1e-8)
    # pROC counts all images of a group as degrees of freedom, we its smaller class.
    assert ours.df < THEIRS["unpaired"]["df"]
    assert_allclose(ours.p_value, THEIRS["unpaired"]["p"], atol=0.003)
    apart = [roc_auc(g["label"], g["s100b"]) for g in (men, women)]
    assert min(e.df for e in apart) <= ours.df <= sum(e.df for e in apart)
    back = compare_roc_auc(labels[::-1], women["s100b"], men["s100b"], paired=False)
    assert_allclose([back.effect, back.low], [-ours.effect, -ours.high])


def test_independent_groups_have_clusters_of_their_own():
    men, women = groups()
    who = [np.arange(len(g)) // 2 + 1000 * i for i, g in enumerate((men, women))]
    given = (men["label"], women["label"]), men["ndka"], women["ndka"]
    ours = compare_roc_auc(*given, tuple(who), paired=False)
    alone = [
        roc_auc(g["label"], g["ndka"], c)
        for g, c in zip((men, women), who, strict=True)
    ]
    assert_allclose(
        ours.standard_error, np.hypot(*[e.standard_error for e in alone]), rtol=1e-12
    )
    assert ours.n_clusters == sum(e.n_clusters for e in alone)


def test_two_perfect_groups_still_have_an_interval():
    label = np.repeat([0, 1], 10)
    ours = compare_roc_auc((label, label), label, label, paired=False)
    assert ours.effect == 0 and ours.p_value == 1
    assert ours.low < -0.1 and ours.high > 0.1 and ours.warnings


def test_independent_groups_keep_their_level():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 30), np.repeat([0, 1], [60, 20])
    rejected = [
        compare_roc_auc(
            labels, *(y + rng.normal(size=y.size) for y in labels), paired=False
        ).p_value
        < 0.05
        for _ in range(400)
    ]
    assert 0.02 < np.mean(rejected) < 0.085


@pytest.mark.parametrize(
    ("label", "cluster", "paired", "message"),
    [
        ([0, 1, 0, 1], None, False, "label is a pair of lists"),
        (([0, 1, 0, 1], [0, 1, 0, 1]), None, True, "add paired=False"),
        (([0, 1, 0, 1], [0, 1, 0, 1]), [1, 2, 3, 4], False, "cluster is a pair"),
        (
            ([0, 1, 0, 1], [0, 1, 0, 1]),
            ([1, 2, 3, 4], [4, 5, 6, 7]),
            False,
            "1 participants are in both groups, such as 4",
        ),
        (([0, 1, 0, 1], [0, 0, 0, 0]), None, False, "no positive image"),
        (([0, 1, 0], [0, 1, 0, 1]), None, False, "3 labels and 4 scores"),
    ],
)
def test_mistakes_are_named(label, cluster, paired, message):
    with pytest.raises(StatisticsError, match=message):
        compare_roc_auc(label, [1, 2, 3, 4], [4, 2, 3, 1], cluster, paired)
