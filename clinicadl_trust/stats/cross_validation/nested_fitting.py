"""Nested cross-validation of a scikit-learn estimator, split by participant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.cross_validation.nested import NestedLosses

__all__ = ["nested_cross_validation", "number_participants"]

Array = npt.NDArray[np.float64]


def nested_cross_validation(
    estimator: Any,
    X: npt.ArrayLike | pd.DataFrame,
    y: npt.ArrayLike,
    loss: Callable[[np.ndarray, np.ndarray], npt.ArrayLike],
    groups: Sequence[Any] | np.ndarray | None,
    *,
    n_folds: int = 10,
    n_repeats: int = 10,
    seed: int,
    method: str = "predict",
) -> NestedLosses:
    """Fit a scikit-learn estimator without each fold and without each two folds.

    Parameters
    ----------
    estimator : scikit-learn estimator
        Cloned for every fit, n_repeats * n_folds * (n_folds + 1) / 2 of them.
    X : array-like of shape (n_images, n_features)
        Features.
    y : array-like of shape (n_images,)
        Labels or values.
    loss : callable
        ``loss(y_true, prediction)`` gives one number an image.
    groups : sequence of length n_images, or None
        The participant of each image. A participant's images stay together and their
        losses are averaged. None says that each image is another participant.
    n_folds, n_repeats : int
        At least 3 folds. Participants are dealt anew in each repeat.
    seed : int
        Of the deal.
    method : str
        Of the estimator, which makes the predictions: ``predict_proba`` for a Brier
        score.

    Returns
    -------
    NestedLosses
        One loss a participant, in order of first appearance.

    Raises
    ------
    StatisticsError
        If lengths disagree, there are too few participants for the folds, or the loss
        does not give one number an image.

    References
    ----------
    Bates, Hastie, Tibshirani (2024), JASA 119, 1434-1445, Algorithm 1.
    """
    names, member = number_participants(groups, y)
    features = X if isinstance(X, pd.DataFrame) else np.asarray(X)
    if len(features) != len(member):
        raise StatisticsError(
            f"X has {len(features)} images and y {len(member)}. Give a row of X for "
            "each label."
        )
    if n_folds < 3 or names < 2 * n_folds or n_repeats < 1:
        raise StatisticsError(
            f"{n_folds} folds x {n_repeats} repeats of {names} participants cannot be "
            "made: give at least 3 folds of at least 2 participants, and 1 repeat."
        )
    fit = _Fit(estimator, features, np.asarray(y), loss, method, member)
    rng = np.random.default_rng(seed)
    deals = [rng.permutation(np.arange(names) % n_folds) for _ in range(n_repeats)]
    made = [_one_repeat(fit, folds, n_folds) for folds in deals]
    outer, inner = zip(*made, strict=True)
    return NestedLosses(np.array(outer), np.array(inner), np.array(deals))


@dataclass(frozen=True)
class _Fit:
    estimator: Any
    features: Any
    target: np.ndarray
    loss: Callable[[np.ndarray, np.ndarray], npt.ArrayLike]
    method: str
    member: npt.NDArray[np.int64]

    def without(self, left_out: npt.NDArray[np.bool_]) -> Array:
        """Return each left-out participant's loss, nan for those trained on."""
        from sklearn.base import clone

        test = left_out[self.member]
        model = clone(self.estimator).fit(self.features[~test], self.target[~test])
        predicted = getattr(model, self.method)(self.features[test])
        losses = np.asarray(self.loss(self.target[test], predicted), dtype=float)
        if losses.shape != (test.sum(),):
            raise StatisticsError(
                f"loss gave an array of shape {losses.shape} for {test.sum()} images. "
                "It must give one number an image, not their mean."
            )
        sums = np.bincount(self.member[test], losses, minlength=left_out.size)
        images = np.bincount(self.member[test], minlength=left_out.size)
        return np.where(left_out, sums / np.maximum(images, 1), np.nan)


def _one_repeat(
    fit: _Fit, folds: npt.NDArray[np.int64], n_folds: int
) -> tuple[Array, Array]:
    """Return outer and inner losses; one fit without two folds serves both of them."""
    outer, inner = np.empty(folds.size), np.full((folds.size, n_folds), np.nan)
    for one in range(n_folds):
        outer[folds == one] = fit.without(folds == one)[folds == one]
        for other in range(one):
            losses = fit.without((folds == one) | (folds == other))
            inner[folds == one, other] = losses[folds == one]
            inner[folds == other, one] = losses[folds == other]
    return outer, inner


def number_participants(
    groups: Sequence[Any] | np.ndarray | None, y: npt.ArrayLike
) -> tuple[int, npt.NDArray[np.int64]]:
    """Return how many participants there are, and each image's, numbered from 0.

    Raises
    ------
    StatisticsError
        If there is not one for each image.
    """
    n_images = len(np.asarray(y))
    if groups is None:
        return n_images, np.arange(n_images)
    if len(groups) != n_images:
        raise StatisticsError(
            f"{len(groups)} groups for {n_images} images. Give each image's "
            "participant_id."
        )
    member, names = pd.factorize(np.asarray(groups))
    if (member < 0).any():
        raise StatisticsError(
            f"{(member < 0).sum()} images have no participant_id in groups. Fill them "
            "in or leave these images out."
        )
    return len(names), member
