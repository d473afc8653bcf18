"""Random effects in coordinates in which any unit of the columns is as good.

A slope on a year (2000, 2001, ...) or on a dose in nanograms makes the criterion a long
narrow valley. The columns of a term are therefore made orthogonal and of length one per
row before the fit, and its covariance is turned back after it: the model is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from clinicadl_trust.stats.mixed.covariance import CovarianceFactor
from clinicadl_trust.stats.mixed.design import DesignMatrices
from clinicadl_trust.stats.mixed.grouping import Grouping, Term

__all__ = ["Rescaled"]

Array = NDArray[np.float64]

#: Below this share of its length a column is a combination of those before it.
_COLLINEAR = 1e-8


class Rescaled:
    """A design with rescaled random effects, and the way back.

    Parameters
    ----------
    design : DesignMatrices
        In the user's units.

    Attributes
    ----------
    design : DesignMatrices
        To be fitted.
    """

    def __init__(self, design: DesignMatrices) -> None:
        self._original = design.groupings
        self._turns = [
            linalg.block_diag(*[_turn(term.values) for term in grouping.terms])
            for grouping in design.groupings
        ]
        self.design = replace(
            design, groupings=tuple(map(_rescaled, design.groupings, self._turns))
        )

    def theta(self, theta: Array) -> Array:
        """Return the relative covariance parameters in the user's units."""
        factor, made = CovarianceFactor(self._original), []
        turned = [
            _lower(turn @ matrix)
            for turn, matrix in zip(self._turns, factor.matrices(theta), strict=True)
        ]
        for number, row, column in factor.places():
            made.append(turned[number][row, column])
        return np.array(made)

    def modes(self, modes: Sequence[Array]) -> tuple[Array, ...]:
        """Return random effects, shape (n_levels, n_effects), in the user's units."""
        return tuple(b @ turn.T for b, turn in zip(modes, self._turns, strict=True))


def _rescaled(grouping: Grouping, turn: Array) -> Grouping:
    terms, start = [], 0
    for term in grouping.terms:
        stop = start + term.values.shape[1]
        values = term.values @ turn[start:stop, start:stop]
        terms.append(Term(term.columns, values))
        start = stop
    return replace(grouping, terms=tuple(terms))


def _turn(values: Array) -> Array:
    """Return the matrix that makes columns orthogonal and of length one per row."""
    length = np.linalg.norm(values, axis=0)
    length[length == 0] = 1.0
    root = np.sqrt(len(values))
    r = np.asarray(np.linalg.qr(values / length, mode="r"), dtype=float)
    if len(r) < len(length) or np.abs(np.diag(r)).min() < _COLLINEAR:
        return np.diag(root / length)
    r = r * np.sign(np.diag(r))[:, None]
    return root * linalg.solve_triangular(r, np.eye(len(r))) / length[:, None]


def _lower(root: Array) -> Array:
    """Return the lower triangular root, its diagonal not negative, of root root'."""
    lower = np.asarray(np.linalg.qr(root.T, mode="r"), dtype=float).T
    return lower * np.where(np.diag(lower) < 0, -1.0, 1.0)
