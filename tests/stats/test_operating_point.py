"""Sensitivity at a specificity: pROC's value, its spread, coverage, mistakes."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import special

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats import proportion, sensitivity_at_specificity

FOLDER = Path(__file__).parent / "reference"
TABLE = pd.read_csv(FOLDER / "aSAH.tsv", sep="\t")
THEIRS = json.loads((FOLDER / "roc.json").read_text(encoding="utf-8"))["sensitivity"]


def draw(seed, n=60, images=1, icc=0.5, shift=1.5):
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(2 * n), images)
    label = (who < n).astype(float)
    shared, own = rng.normal(size=2 * n)[who], rng.normal(size=who.size)
    return label, shift * label + icc**0.5 * shared + (1 - icc) ** 0.5 * own, who


@pytest.mark.parametrize("name", ["s100b", "ndka", "wfns"])
def test_the_value_is_that_of_proc(name):
    ours = [
        sensitivity_at_specificity(TABLE["label"], TABLE[name], at).value
        for at in (0.8, 0.9, 0.95)
    ]
    assert_allclose(ours, THEIRS[name], rtol=1e-12)


def test_the_standard_error_is_the_spread_from_sample_to_sample():
    made = [sensitivity_at_specificity(*draw(s, 150)[:2]) for s in range(300)]
    spread = np.std([each.value for each in made])
    assert 0.9 < np.mean([each.standard_error for each in made]) / spread < 1.2


@pytest.mark.parametrize("images", [1, 4])
def test_the_interval_covers(images):
    truth = special.ndtr(1.5 - special.ndtri(0.9))
    hits, naive = [], []
    for seed in range(300):
        label, score, who = draw(seed, 60, images)
        ours = sensitivity_at_specificity(label, score, cluster=who)
        threshold = np.quantile(score[label == 0], 0.9)
        fixed = proportion(score[label == 1] > threshold, cluster=who[label == 1])
        hits.append(ours.low <= truth <= ours.high)
        naive.append(fixed.low <= truth <= fixed.high)
    assert np.mean(hits) > 0.93 and np.mean(naive) < 0.9


def test_clusters_widen_it_and_order_and_scale_do_not_matter():
    label, score, who = draw(0, 60, 5, 0.9)
    ours = sensitivity_at_specificity(label, score, cluster=who)
    alone = sensitivity_at_specificity(label, score)
    assert ours.value == alone.value and ours.n_clusters == 120
    assert ours.high - ours.low > 1.5 * (alone.high - alone.low)
    order = np.random.default_rng(1).permutation(label.size)
    again = sensitivity_at_specificity(
        label[order], np.exp(score[order]), cluster=[f"p{i}" for i in who[order]]
    )
    assert_allclose([again.low, again.high], [ours.low, ours.high], rtol=1e-10)
    assert_allclose(
        alone.low,
        sensitivity_at_specificity(label, score, cluster=np.arange(label.size)).low,
    )


def test_perfect_scores_are_never_certain_and_ties_are_no_trouble():
    label = np.repeat([0, 1], 60)
    ours = sensitivity_at_specificity(label, label)
    assert ours.value == 1 and 0.9 < ours.low < 0.97 and ours.high == 1
    constant = sensitivity_at_specificity(label, np.zeros(120))
    assert_allclose(constant.value, 0.1)  # chance: a tie counts linearly
    assert constant.low < 0.1 < constant.high


def test_the_label_says_when_too_few_are_beyond_the_threshold():
    label, score, _ = draw(0, 60)
    assert sensitivity_at_specificity(label, score).calibration == "conservative"
    few = sensitivity_at_specificity(label, score, 0.98)
    assert few.calibration == "approximate" and "1.2 negative" in few.warnings[-1]
    assert "score >=" in few.method


@pytest.mark.parametrize(
    ("label", "score", "specificity", "message"),
    [
        ([0, 1], [0, 1], 90, r"between 0 and 1, not 90. Write 0.9"),
        ([0, 1], [0, 1], 1, "not 1"),
        ([0, 0], [0, 1], 0.9, "no positive image"),
        ([0, 2], [0, 1], 0.9, "0 or 1, and some are not, such as 2"),
        ([0, 1], [0, np.nan], 0.9, "1 scores are not finite"),
        ([0, 1, 1], [0, 1], 0.9, "3 labels and 2 scores"),
        ([], [], 0.9, "at least one"),
    ],
)
def test_mistakes_are_named(label, score, specificity, message):
    with pytest.raises(StatisticsError, match=message):
        sensitivity_at_specificity(label, score, specificity)
