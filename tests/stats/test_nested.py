"""Nested cross-validation: the authors' own numbers, closed forms, mistakes."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.base import BaseEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.cross_validation.nested import (
    NestedLosses,
    nested_cross_validation_interval,
)
from clinicadl_trust.stats.cross_validation.nested_fitting import (
    nested_cross_validation,
)

#: R 4.2.2 and nested_cv of github.com/stephenbates19/nestedcv (version 0.1.0), least
#: squares, 2 repeats, bias_reps = 0: folds, features, inflation of the naive standard
#: error, mean and standard deviation of the inner losses; then each image's fold.
AUTHORS = [
    (
        (5, 8, 1.74187662744914, 2.78536685027936, 3.57289841955349),
        "0211300302443232442310111041230422413304",
        "1214011423423210033214043433012001202434",
    ),
    (
        (5, 3, 1.0, 1.85456777989029, 2.46027371327977),
        "4414343312020024010034422012303123412113",
        "3104242423323114332240211410410000324103",
    ),
    (
        (4, 12, 2.0, 4.10862832461288, 5.39133025171590),
        "0312322110223231331101323000203210031201",
        "3213100221221013203010332033112321012003",
    ),
]


def squared_losses(n_features, *deals):
    """Losses of least squares, fold by fold, without the code under test."""
    row = np.arange(1, 41)[:, None]
    column = np.arange(1, n_features + 1)
    features = np.sin(row * column**2 + column)
    target = features[:, 0] + 2 * np.sin(row[:, 0] ** 2)
    folds = np.array([[int(c) for c in deal] for deal in deals])
    n_folds = folds.max() + 1
    outer, inner = np.empty(folds.shape), np.full((*folds.shape, n_folds), np.nan)
    for r, deal in enumerate(folds):
        for i, own in enumerate(deal):
            for k in range(n_folds):
                kept = (deal != own) & (deal != k)
                model = LinearRegression().fit(features[kept], target[kept])
                loss = (model.predict(features[[i]])[0] - target[i]) ** 2
                if k == own:
                    outer[r, i] = loss
                else:
                    inner[r, i, k] = loss
    return NestedLosses(outer, inner, folds), features, target


@pytest.mark.parametrize(("expected", "one", "two"), AUTHORS)
def test_the_width_is_that_of_the_authors(expected, one, two):
    n_folds, n_features, inflation, mean, deviation = expected
    losses, *_ = squared_losses(n_features, one, two)
    made = nested_cross_validation_interval(losses)
    assert_allclose(np.nanmean(losses.inner), mean)
    assert_allclose(np.nanstd(losses.inner, ddof=1), deviation)
    assert_allclose(made.standard_error, inflation * deviation / 40**0.5)
    ordinary = losses.outer.mean()
    assert_allclose(made.value, mean - (2 - 2 / n_folds) * (mean - ordinary))
    assert_allclose(made.high - made.low, 2 * 1.959963984540054 * made.standard_error)
    assert made.n == 80 and made.n_clusters == 40
    assert made.calibration == "approximate"


def test_the_correction_undoes_a_loss_that_falls_as_one_over_n():
    # Error .2 + 3 / n with n participants to train on, 60 in all and 5 folds.
    folds = np.tile(np.arange(5), 12)[None]
    rng = np.random.default_rng(0)
    noise = rng.normal(size=60)
    noise -= noise.mean()
    outer = 0.2 + 3 / 48 + noise[None]
    inner = np.repeat((0.2 + 3 / 36 + noise)[None, :, None], 5, axis=2)
    inner[folds[..., None] == np.arange(5)] = np.nan
    losses = NestedLosses(outer, inner, folds)
    made = nested_cross_validation_interval(losses)
    assert_allclose(made.value, 0.2 + 3 / 60)
    ten = NestedLosses(*(np.repeat(a, 10, axis=0) for a in (outer, inner, folds)))
    assert nested_cross_validation_interval(ten).warnings == ()
    assert "With 1 repeats" in made.warnings[0]


def absolute(truth, predicted):
    return np.abs(truth - predicted)


def test_fitting_makes_the_losses_fold_by_fold():
    expected, one, two = AUTHORS[0]
    _, features, target = squared_losses(expected[1], one, two)
    losses = nested_cross_validation(
        LinearRegression(),
        features,
        target,
        lambda truth, predicted: (truth - predicted) ** 2,
        None,
        n_folds=5,
        n_repeats=2,
        seed=0,
    )
    deals = ["".join(map(str, deal)) for deal in losses.folds]
    again, *_ = squared_losses(expected[1], *deals)
    assert_allclose(losses.outer, again.outer)
    assert_allclose(losses.inner, again.inner)
    assert (losses.folds[0] != losses.folds[1]).any()


class Memory(BaseEstimator):
    """Predicts 0 for whom it has seen and 1 for others."""

    def fit(self, X, y):
        self.seen_ = set(X["participant"])
        return self

    def predict(self, X):
        return np.array([float(p not in self.seen_) for p in X["participant"]])


def test_no_participant_is_on_both_sides_and_each_has_one_loss():
    rng = np.random.default_rng(0)
    participant = rng.permutation(np.repeat(np.arange(12), [1, 2, 3] * 4))
    table = pd.DataFrame({"participant": participant})
    losses = nested_cross_validation(
        Memory(),
        table,
        np.zeros(24),
        absolute,
        participant,
        n_folds=4,
        n_repeats=3,
        seed=1,
    )
    assert losses.outer.shape == (3, 12)
    assert (losses.outer == 1).all() and np.nanmin(losses.inner) == 1


def test_the_loss_of_a_participant_is_the_mean_of_its_images():
    class Zero(Memory):
        def predict(self, X):
            return np.zeros(len(X))

    groups = np.repeat(list("abcdef"), 2)
    losses = nested_cross_validation(
        Zero(),
        pd.DataFrame({"participant": groups}),
        np.arange(12.0),
        absolute,
        groups,
        n_folds=3,
        n_repeats=1,
        seed=0,
    )
    assert_allclose(losses.outer[0], np.arange(6) * 2 + 0.5)


def test_probabilities_and_the_seed():
    rng = np.random.default_rng(0)
    label = np.arange(30) % 2
    features = rng.normal(size=(30, 2)) + label[:, None]

    def brier(truth, probability):
        return (truth - probability[:, 1]) ** 2

    def make(seed):
        return nested_cross_validation(
            LogisticRegression(),
            features,
            label,
            brier,
            None,
            n_folds=3,
            n_repeats=2,
            seed=seed,
            method="predict_proba",
        )

    assert_allclose(make(1).inner, make(1).inner)
    assert (make(1).folds != make(2).folds).any()
    made = nested_cross_validation_interval(make(1), bounds=(0, 1))
    assert 0 <= made.low < made.value < made.high <= 1


def test_losses_as_a_table_and_as_text():
    losses, *_ = squared_losses(3, *AUTHORS[1][1:])
    frame = losses.to_frame()
    assert len(frame) == 2 * 40 * 5 and not frame["loss"].isna().any()
    ordinary = frame[frame["fold"] == frame["without"]]
    assert_allclose(ordinary["loss"].mean(), losses.outer.mean())
    assert "40 participants, 5 folds x 2 repeats" in str(losses)


LOSSES, *_ = squared_losses(3, *AUTHORS[1][1:])


def fitted(y=(0.0,) * 12, groups=None, loss=absolute, n_folds=3):
    table = pd.DataFrame({"participant": np.arange(12)})
    return nested_cross_validation(
        Memory(), table, y, loss, groups, n_folds=n_folds, n_repeats=1, seed=0
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: interval(outer=LOSSES.outer[:1]), r"\(1, 40\), \(2, 40\)"),
        (lambda: interval(outer=LOSSES.outer * np.nan), "80 losses are missing"),
        (lambda: interval(folds=LOSSES.folds + 1), "numbered from 0"),
        (lambda: interval(inner=LOSSES.inner[..., :2]), "at least 3 folds"),
        (lambda: fitted(y=[0.0] * 11), "12 images and y 11"),
        (lambda: fitted(groups=[1, 2]), "2 groups for 12 images"),
        (lambda: fitted(groups=[None] + [1] * 11), "1 images have no participant_id"),
        (lambda: fitted(groups=[1, 2, 3] * 4), "3 folds x 1 repeats of 3 part"),
        (lambda: fitted(n_folds=2), "2 folds x 1 repeats of 12 part"),
        (lambda: fitted(loss=lambda a, b: 0.5), r"array of shape \(\) for 4 images"),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(StatisticsError, match=message):
        call()


def interval(**changes):
    return nested_cross_validation_interval(replace(LOSSES, **changes))


def test_losses_that_are_all_the_same_have_no_interval():
    same = replace(LOSSES, outer=LOSSES.outer * 0, inner=LOSSES.inner * 0)
    made = nested_cross_validation_interval(same)
    assert made.value == 0 and np.isnan(made.low)
    assert "Every loss is the same" in made.warnings[0]
