"""The contract of a split strategy, and what it makes."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

__all__ = ["Fold"]


@dataclass(frozen=True)
class Fold:
    """One outer fold.

    Attributes
    ----------
    repeat, split : int
        Its place: repetition, and fold within it, both from 0.
    name : str
        What the test fold is, for example the left-out site; may be empty.
    train, validation, test : pandas.DataFrame
        ``participant_id`` and ``session_id`` of the images, sorted, index 0..n-1.
        The validation set serves early stopping and choices; only the test fold is
        reported on.
    inner : tuple of Fold
        The nested form: folds of ``train`` and ``validation`` put together.
    """

    repeat: int
    split: int
    name: str
    train: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame
    inner: tuple[Fold, ...] = ()
