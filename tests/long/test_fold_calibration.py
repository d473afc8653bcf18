"""Folds and many datasets, no effect or a known one: coverage and size.

Nested cross-validation: sign of a ridge regression, ten repeats, two classes that
differ in one of 20 features; the loss is 1 for a wrong label, the truth is the mean
error over all training sets of this size. Friedman, signed ranks: independent normal
scores. Run with ``-s`` to see the table.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.base import BaseEstimator

from clinicadl_trust.stats.cross_validation.corrected import corrected_kfold_ttest
from clinicadl_trust.stats.cross_validation.nested import (
    nested_cross_validation_interval,
)
from clinicadl_trust.stats.cross_validation.nested_fitting import (
    nested_cross_validation,
)
from clinicadl_trust.stats.many_datasets.bayesian_signed_rank import (
    bayesian_signed_rank,
)
from clinicadl_trust.stats.many_datasets.friedman import friedman
from clinicadl_trust.stats.many_datasets.signed_rank import wilcoxon

pytestmark = pytest.mark.long

N_REPLICATES = 2000


class RidgeSign(BaseEstimator):
    """The sign of a ridge regression of -1 and 1, solved in closed form."""

    def __init__(self, alpha=10.0):
        self.alpha = alpha

    def fit(self, X, y):
        centred = X - X.mean(axis=0)
        target = 2 * y - 1
        gram = centred.T @ centred + self.alpha * np.eye(X.shape[1])
        self.slope_ = np.linalg.solve(gram, centred.T @ (target - target.mean()))
        self.intercept_ = target.mean() - X.mean(axis=0) @ self.slope_
        return self

    def predict(self, X):
        return (X @ self.slope_ + self.intercept_ > 0).astype(float)

    def error(self, effect):
        """Error in the population, of which half are cases."""
        reach = np.sqrt(self.slope_ @ self.slope_)
        apart = self.slope_[0] * effect / 2
        cases = norm.cdf(-(apart + self.intercept_) / reach)
        return (cases + norm.cdf(-(apart - self.intercept_) / reach)) / 2


def wrong(truth, predicted):
    return (truth != predicted).astype(float)


def draw(rng, n, effect):
    label = np.arange(n) % 2 * 1.0
    features = rng.normal(size=(n, 20))
    features[:, 0] += effect * (label - 0.5)
    return features, label


@pytest.mark.parametrize(
    ("n", "effect", "n_folds"), [(120, 0.0, 5), (120, 1.0, 5), (60, 0.0, 5)]
)
def test_the_nested_interval_covers_and_the_naive_one_does_not(n, effect, n_folds):
    rows = []
    for seed in range(N_REPLICATES):
        features, label = draw(np.random.default_rng(seed), n, effect)
        losses = nested_cross_validation(
            RidgeSign(),
            features,
            label,
            wrong,
            None,
            n_folds=n_folds,
            n_repeats=10,
            seed=seed,
        )
        made = nested_cross_validation_interval(losses, bounds=(0, 1))
        once = losses.outer[0]
        half = 1.96 * once.std(ddof=1) / n**0.5
        truth = RidgeSign().fit(features, label).error(effect)
        rows.append(
            (truth, made.low, made.high, once.mean() - half, once.mean() + half)
        )
    truth, low, high, naive_low, naive_high = np.array(rows).T
    truth = truth.mean()
    nested = np.mean((low <= truth) & (truth <= high))
    naive = np.mean((naive_low <= truth) & (truth <= naive_high))
    print(f"\nn {n}, effect {effect}: nested {nested:.3f}, naive {naive:.3f}")
    assert 0.925 <= nested <= 0.975
    assert naive < 0.9


@pytest.mark.parametrize(("n_folds", "n_repeats"), [(5, 1), (10, 1), (5, 10)])
def test_the_kfold_test_keeps_its_size_with_one_repeat_only(n_folds, n_repeats):
    rejected = []
    for seed in range(N_REPLICATES):
        rng = np.random.default_rng(seed)
        features, label = draw(rng, 120, 1.0)
        noise = rng.normal(size=(120, 1))
        other = np.hstack([features[:, :1], rng.normal(size=(120, 18)), noise])
        differences = []
        for _ in range(n_repeats):
            folds = rng.permutation(np.arange(120) % n_folds)
            for fold in range(n_folds):
                errors = [
                    wrong(
                        label[folds == fold],
                        RidgeSign()
                        .fit(x[folds != fold], label[folds != fold])
                        .predict(x[folds == fold]),
                    ).mean()
                    for x in (features, other)
                ]
                differences.append(errors[1] - errors[0])
        made = corrected_kfold_ttest(differences, n_folds, n_repeats)
        rejected.append(made.p_value <= 0.05)
    size = np.mean(rejected)
    print(f"\n{n_folds} folds x {n_repeats}: rejects {size:.3f}")
    assert size <= (0.08 if n_repeats == 1 else 0.2)


@pytest.mark.parametrize(("n", "n_models"), [(6, 4), (14, 4), (20, 10)])
def test_friedman_and_its_pairs_keep_their_size(n, n_models):
    rng = np.random.default_rng(0)
    made = [friedman(rng.normal(size=(n, n_models))) for _ in range(N_REPLICATES)]
    size = np.mean([m.p_value <= 0.05 for m in made])
    pairs = np.mean([m.pairs["p_adjusted"].min() <= 0.05 for m in made])
    print(f"\n{n} datasets, {n_models} models: F {size:.3f}, pairs {pairs:.3f}")
    assert 0.03 <= size <= 0.07
    assert pairs <= 0.065


@pytest.mark.parametrize("n", [6, 10, 30])
def test_signed_ranks_keep_their_size(n):
    rng = np.random.default_rng(0)
    draws = [rng.standard_t(2, size=n) for _ in range(N_REPLICATES)]
    tests = [wilcoxon(d) for d in draws]
    posteriors = [
        bayesian_signed_rank(d, seed=i, n_draws=1000) for i, d in enumerate(draws)
    ]
    size = np.mean([t.p_value <= 0.05 for t in tests])
    covers = np.mean([t.low <= 0 <= t.high for t in tests])
    credible = np.mean([p.low <= 0 <= p.high for p in posteriors])
    print(f"\n{n}: rejects {size:.3f}, covers {covers:.3f}, credible {credible:.3f}")
    assert 0.02 <= size <= 0.065
    assert 0.935 <= covers <= 0.985
    assert credible > 0.85
