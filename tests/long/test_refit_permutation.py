"""Refit permutation against chance: size, power, and the shortcut that fails.

A ridge regression in 5 folds; participants have one to three visits that share half of
their variance. The shortcut permutes the labels of the out-of-fold scores, by
participant, without refitting. Run with ``-s`` to see the table. Measured:

============================  ===========  ===========  ==========
participants                  effect (SD)  refit        shortcut
============================  ===========  ===========  ==========
60, one to three visits each  0            .054         .112
60, one to three visits each  1.5          .60          .73
120, one visit each           0            .048         .117
120, one visit each           1            .85          .92
============================  ===========  ===========  ==========
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest, rankdata
from sklearn.base import BaseEstimator
from statistics_simulation import Study, predict, ridge, stratified_folds

from clinicadl_trust.stats import refit_permutation_test

pytestmark = pytest.mark.long

REPLICATES = 1000
N_PERMUTATIONS = 99


class Ridge(BaseEstimator):
    """``ridge`` as a scikit-learn regressor."""

    def fit(self, X, y):
        self.coefficients_ = ridge(X, y, 50.0)
        return self

    def predict(self, X):
        return predict(X, self.coefficients_)


def draw(rng, n, effect, is_repeated):
    """Features, labels and participants of a study."""
    features, label = Study(n, effect=effect).draw(rng)
    visits = rng.integers(1, 4, n) if is_repeated else np.ones(n, dtype=int)
    person = np.repeat(np.arange(n), visits)
    noise = rng.normal(size=(person.size, features.shape[1]))
    shared = features[person] if not is_repeated else np.sqrt(0.5) * features[person]
    return shared + np.sqrt(0.5) * noise * is_repeated, label, person


def shortcut(rng, features, label, person):
    """p-value of labels permuted by participant, scores left as they are."""
    fold = stratified_folds(label, 5, rng)[person]
    scores = np.empty(person.size)
    for k in range(5):
        train = fold != k
        model = Ridge().fit(features[train], label[person][train])
        scores[~train] = model.predict(features[~train])
    ranks = np.bincount(person, rankdata(scores))
    images = np.bincount(person)
    drawn = [label, *(rng.permutation(label) for _ in range(N_PERMUTATIONS))]
    first = np.array(drawn) @ images
    sums = np.array(drawn) @ ranks - first * (first + 1) / 2
    aucs = sums / (first * (person.size - first))
    return np.mean(aucs >= aucs[0] - 1e-12)


def within(hits, low, high):
    """Whether a share is between bounds, give or take what the replicates allow."""
    n = len(hits)
    above = binomtest(int(sum(hits)), n, low, "less").pvalue > 0.001
    return above and binomtest(int(sum(hits)), n, high, "greater").pvalue > 0.001


@pytest.mark.parametrize("effect", [0.0, 1.5])
@pytest.mark.parametrize(("n", "is_repeated"), [(60, True), (120, False)])
def test_refitting_keeps_its_size_and_the_shortcut_does_not(n, is_repeated, effect):
    rng = np.random.default_rng(1)
    refitted, short = [], []
    for replicate in range(REPLICATES):
        features, label, person = draw(rng, n, effect, is_repeated)
        made = refit_permutation_test(
            Ridge(),
            features,
            label[person],
            person,
            n_permutations=N_PERMUTATIONS,
            seed=replicate,
        )
        refitted.append(made.p_value <= 0.05)
        short.append(shortcut(rng, features, label, person) <= 0.05)
    print(
        f"\n{n} participants, repeated visits {is_repeated}, effect {effect}: refit "
        f"rejects {np.mean(refitted):.3f}, the shortcut {np.mean(short):.3f}"
    )
    if effect:
        assert np.mean(refitted) > 0.45
    else:
        assert within(refitted, 0.03, 0.07)
        assert np.mean(short) > 0.085
