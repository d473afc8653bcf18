"""A fold: who trains, who validates, who is tested."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

__all__ = ["GROUPS", "Fold", "HeldOut"]

#: The groups of a fold, and the names of their tables.
GROUPS = ("train", "validation", "test")


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
    directory : pathlib.Path or None
        The ``split-K`` folder it was written to or read from.
    notes : tuple of str
        What a reader must know, for example who was left out and why.
    """

    repeat: int
    split: int
    name: str
    train: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame
    inner: tuple[Fold, ...] = ()
    directory: Path | None = None
    notes: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """Its place in words: ``repeat 0, split 2 (site-C)``."""
        name = f" ({self.name})" if self.name else ""
        return f"repeat {self.repeat}, split {self.split}{name}"


@dataclass(frozen=True)
class HeldOut:
    """One test fold, as the hook of a strategy proposes it.

    Attributes
    ----------
    test : numpy.ndarray of bool, shape (n_images,)
        The images to test on.
    name : str
        What they are, for example the left-out site.
    development : numpy.ndarray of bool, shape (n_images,), optional
        The images to train and validate on; by default all the others. Whoever
        is in ``test`` is taken out of it.
    notes : tuple of str
        What a reader must know.
    """

    test: np.ndarray
    name: str = ""
    development: np.ndarray | None = None
    notes: tuple[str, ...] = ()
