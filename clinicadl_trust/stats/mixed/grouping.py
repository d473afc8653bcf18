"""Grouping factors, and what varies between their levels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["Grouping", "Term"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Term:
    """Effects that vary together between the levels of a grouping factor.

    Attributes
    ----------
    columns : tuple of str
        Names of the effects.
    values : ndarray of float, shape (n_rows, n_columns)
        Their model matrix.
    """

    columns: tuple[str, ...]
    values: Array


@dataclass(frozen=True)
class Grouping:
    """A grouping factor with all terms that vary between its levels.

    Attributes
    ----------
    name : str
        For example ``"batch:cask"``.
    levels : pandas.Index
        Levels seen in the data.
    codes : ndarray of int, shape (n_rows,)
        Position of each row's level.
    terms : tuple of Term
        Independent of each other.
    """

    name: str
    levels: pd.Index
    codes: NDArray[np.intp]
    terms: tuple[Term, ...]

    @cached_property
    def values(self) -> Array:
        """Columns of all terms, shape (n_rows, n_effects)."""
        return np.hstack([term.values for term in self.terms])
