"""The three intervals of a cross-validation on the same studies, and the naive one.

A ridge regression learns from 20 features of half patients, half controls, that differ
in nothing or in five of them. Of the AUC: corrected on fold values, pooled within
folds, and DeLong's on all out-of-fold scores together. Of the share of errors: nested
(ten repeats), corrected and pooled. The truth is the mean of the estimates, or, for
nested, the mean error of models of all participants. Run with ``-s`` to see the table.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest, norm
from statistics_simulation import Study, predict, ridge, stratified_folds

from clinicadl_trust.stats import (
    NestedLosses,
    cross_validation_interval,
    nested_cross_validation,
    roc_auc,
)
from clinicadl_trust.stats.influence import roc_auc as auc_of

pytestmark = pytest.mark.long

REPLICATES = 2000
PENALTY = 50.0
N_REPEATS = 10


class Ridge:
    """``ridge`` as a scikit-learn estimator of -1 and 1."""

    def get_params(self, deep=False):
        return {}

    def fit(self, X, y):
        self.coefficients_ = ridge(X, y, PENALTY)
        return self

    def predict(self, X):
        return predict(X, self.coefficients_) > 0.5


def wrong(label, predicted):
    return (label != predicted).astype(float)


def fits_without(features, label, fold, n_folds):
    """Ridge regressions without each two folds, [a, a] without a alone.

    What ``ridge`` gives, from sums over folds: 20 times as fast.
    """
    one_hot = (fold[:, None] == np.arange(n_folds)).astype(float)
    full = np.column_stack([features, label])
    sums, counts = one_hot.T @ full, one_hot.sum(axis=0)
    grams = np.stack([full[fold == k].T @ full[fold == k] for k in range(n_folds)])
    first, second = np.indices((n_folds, n_folds))
    twice = (first != second)[..., None]

    def left(values):
        shape = values.shape[1:]
        both = twice.reshape(n_folds, n_folds, *(1,) * len(shape))
        return values.sum(axis=0) - values[first] - both * values[second]

    n, total, gram = left(counts), left(sums), left(grams)
    mean = total / n[..., None]
    gram = gram - n[..., None, None] * mean[..., :, None] * mean[..., None, :]
    penalty = PENALTY * np.eye(features.shape[1])
    slope = np.linalg.solve(gram[..., :-1, :-1] + penalty, gram[..., :-1, -1:])[..., 0]
    intercept = mean[..., -1] - (mean[..., :-1] * slope).sum(axis=-1)
    return slope, intercept


def nested_losses(features, label, folds, n_folds):
    """What ``nested_cross_validation`` gives for these deals."""
    outer, inner = [], []
    people = np.arange(label.size)
    for fold in folds:
        slope, intercept = fits_without(features, label, fold, n_folds)
        scores = np.einsum("ij,abj->iab", features, slope) + intercept
        losses = wrong(label[:, None, None], scores > 0.5)[people, fold]
        outer.append(losses[people, fold].copy())
        losses[people, fold] = np.nan
        inner.append(losses)
    return NestedLosses(np.array(outer), np.array(inner), np.array(folds))


def test_the_fast_fits_are_those_of_the_library():
    features, label = Study(60, effect=1.0).draw(np.random.default_rng(3))
    slow = nested_cross_validation(
        Ridge(), features, label, wrong, None, n_folds=5, n_repeats=2, seed=0
    )
    fast = nested_losses(features, label, slow.folds, 5)
    assert np.array_equal(fast.outer, slow.outer)
    assert np.array_equal(fast.inner, slow.inner, equal_nan=True)


def error(features, label, effect):
    """Error in the population of a model of all participants."""
    coefficients = ridge(features, label, PENALTY)
    slope, intercept = coefficients[:-1], coefficients[-1] - 0.5
    spread = np.linalg.norm(slope)
    case = effect / np.sqrt(5) * slope[:5].sum() + intercept
    return (norm.cdf(-case / spread) + norm.cdf(intercept / spread)) / 2


def fold_values(label, score, fold):
    return [
        (auc_of(label[here], score[here])[0], balanced(label[here], score[here]))
        for here in (fold == k for k in np.unique(fold))
    ]


def balanced(label, score):
    right = (score >= 0.5) == (label == 1)
    return (right[label == 1].mean() + right[label == 0].mean()) / 2


def intervals(rng, n, n_folds, effect):
    """All intervals of one study, by name; nested ones of the share that is right."""
    features, label = Study(n, effect=effect).draw(rng)
    fold = stratified_folds(label, n_folds, rng)
    slope, intercept = fits_without(features, label, fold, n_folds)
    score = (features * slope[fold, fold]).sum(axis=1) + intercept[fold, fold]
    table = pd.DataFrame(
        {
            "participant_id": [f"sub-{i}" for i in range(n)],
            "fold": fold.astype(str),
            "label": label,
            "score": np.clip(score, 0, 1),
        }
    )
    made = {"AUC, DeLong on pooled scores": roc_auc(label, score)}
    for place, metric in enumerate(("roc_auc", "balanced_accuracy")):
        title = ("AUC", "accuracy")[place]
        made[f"{title}, corrected"] = cross_validation_interval(
            [v[place] for v in fold_values(label, score, fold)],
            n - n / n_folds,
            n / n_folds,
            bounds=(0, 1),
        )
        made[f"{title}, pooled"] = cross_validation_interval(
            table, method="pooled", metric=metric
        )
    deals = [rng.permutation(np.arange(n) % n_folds) for _ in range(N_REPEATS)]
    losses = nested_losses(features, label, deals, n_folds)
    made["error, nested"] = cross_validation_interval(
        losses, method="nested", bounds=(0, 1)
    )
    return made, error(features, label, effect)


def within(hits, low, high):
    """Whether a share is between bounds, give or take what the replicates allow."""
    n = len(hits)
    above = binomtest(int(sum(hits)), n, low, "less").pvalue > 0.001
    return above and binomtest(int(sum(hits)), n, high, "greater").pvalue > 0.001


@pytest.mark.parametrize("effect", [0.0, 1.0])
@pytest.mark.parametrize("n_folds", [5, 10])
@pytest.mark.parametrize("n", [60, 120, 600])
def test_the_intervals_cover_what_their_labels_say(n, n_folds, effect):
    rng = np.random.default_rng(1)
    made = [intervals(rng, n, n_folds, effect) for _ in range(REPLICATES)]
    errors = np.mean([truth for _, truth in made])
    covered = {}
    for name in made[0][0]:
        each = [estimates[name] for estimates, _ in made]
        value = errors if name == "error, nested" else np.mean([e.value for e in each])
        if name.startswith("AUC, DeLong"):
            value = np.mean([e["AUC, corrected"].value for e, _ in made])
        covered[name] = [e.low <= value <= e.high for e in each]
        print(
            f"\n{n} participants, {n_folds} folds, effect {effect}: {name} covers "
            f"{np.mean(covered[name]):.3f}, mean {np.mean([e.value for e in each]):.3f}"
            f", truth {value:.3f}, width {np.mean([e.high - e.low for e in each]):.3f}",
            end="",
        )
    for name, hits in covered.items():
        if "corrected" in name:
            assert within(hits, 0.93, 1.0), name
        elif "nested" in name:
            assert within(hits, 0.93, 0.985), name
        else:
            assert within(hits, 0.82, 0.96), name
    if n == 600 and not effect:  # the more people, the plainer
        assert np.mean(covered["AUC, pooled"]) < 0.9
    assert {e.calibration for n, e in made[0][0].items() if "DeLong" not in n} == {
        "approximate"
    }
