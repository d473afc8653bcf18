"""Folds of participants for arrays: dealt, or checked where somebody else dealt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from clinicadl_trust.exceptions import StatisticsError

__all__ = ["Fold", "participant_folds", "tested_in"]

Rows = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Fold:
    """Row numbers to train and to test on."""

    train: Rows
    test: Rows


def participant_folds(
    cv: Any,
    features: Any,
    strata: npt.NDArray[np.generic] | None,
    member: npt.NDArray[np.int64],
    seed: int,
) -> list[Fold]:
    """Return folds in which no participant is trained on and tested.

    Parameters
    ----------
    cv : int, splitter or iterable of (train, test)
        How many folds to deal; or whoever deals them; or row numbers.
    features : array of shape (n_images, n_features)
        For a splitter.
    strata : numpy.ndarray of shape (n_images,), optional
        Classes, of which each fold is to have as many; a participant's is the first.
    member : numpy.ndarray of shape (n_images,)
        The participant of each image, numbered from 0.
    seed : int
        Of the deal.

    Raises
    ------
    StatisticsError
        If there are too few participants, nobody is tested, or somebody is on both
        sides.
    """
    if isinstance(cv, int):
        dealt = _deal(cv, strata, member, seed)[member]
        pairs = [
            (np.flatnonzero(dealt != k), np.flatnonzero(dealt == k)) for k in range(cv)
        ]
    elif hasattr(cv, "split"):
        pairs = list(cv.split(features, strata, member))
    else:
        pairs = list(cv)
    folds = [Fold(np.asarray(train), np.asarray(test)) for train, test in pairs]
    for number, fold in enumerate(folds):
        _check(number, fold, member)
    if not folds:
        raise StatisticsError("cv gives no fold. Give an int of 2 or more.")
    return folds


def tested_in(folds: Sequence[Fold], member: npt.NDArray[np.int64]) -> Rows:
    """Return the fold that tests each image's participant, -1 where none does.

    Raises
    ------
    StatisticsError
        If several folds test a participant: repeats add no participants.
    """
    found = np.full(member.max() + 1, -1)
    for number, fold in enumerate(folds):
        people = np.unique(member[fold.test])
        twice = int((found[people] >= 0).sum())
        if twice:
            raise StatisticsError(
                f"Fold {number} tests {twice} participants whom another fold tests "
                "too. Give one repeat: more of them add no participants."
            )
        found[people] = number
    return found[member]


def _deal(
    n_folds: int,
    strata: npt.NDArray[np.generic] | None,
    member: npt.NDArray[np.int64],
    seed: int,
) -> Rows:
    """Return the fold of each participant, each class dealt evenly."""
    n = int(member.max()) + 1
    if not 2 <= n_folds <= n:
        raise StatisticsError(
            f"{n} participants cannot be dealt to {n_folds} folds. Give 2 folds or "
            "more, and a participant for each."
        )
    order = np.random.default_rng(seed).permutation(n)
    if strata is not None:
        first = np.unique(member, return_index=True)[1]
        order = order[np.argsort(pd.factorize(strata[first])[0][order], kind="stable")]
    fold = np.empty(n, dtype=np.intp)
    fold[order] = np.arange(n) % n_folds
    return fold


def _check(number: int, fold: Fold, member: npt.NDArray[np.int64]) -> None:
    if not (fold.train.size and fold.test.size):
        raise StatisticsError(
            f"Fold {number} trains on {fold.train.size} images and tests "
            f"{fold.test.size}. Give folds that do both."
        )
    both = np.intersect1d(member[fold.train], member[fold.test])
    if both.size:
        raise StatisticsError(
            f"Fold {number} trains on and tests {both.size} of the same participants. "
            "Give an int, or a splitter that keeps groups together (GroupKFold)."
        )
