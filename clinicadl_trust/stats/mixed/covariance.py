"""The relative covariance factor of random effects, and its parameters theta."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from clinicadl_trust.stats.mixed.grouping import Grouping

__all__ = ["CovarianceFactor"]

Array = NDArray[np.float64]


class CovarianceFactor:
    """Where each relative standard deviation and correlation stands.

    Parameters
    ----------
    groupings : sequence of Grouping
        Most levels first.

    Notes
    -----
    ``theta`` holds, term after term, the lower triangle of the relative covariance
    factor T of one level, column by column, as in lme4; the covariance of a level's
    effects is ``sigma ** 2 * T @ T.T``.
    """

    def __init__(self, groupings: Sequence[Grouping]) -> None:
        self.groupings = list(groupings)
        self._sizes: list[int] = []
        self._places: list[list[tuple[int, int]]] = []
        diagonal: list[bool] = []
        for grouping in groupings:
            places, start = [], 0
            for term in grouping.terms:
                size = term.values.shape[1]
                for column in range(size):
                    for row in range(column, size):
                        places.append((start + row, start + column))
                        diagonal.append(row == column)
                start += size
            self._places.append(places)
            self._sizes.append(start)
        self.diagonal = np.array(diagonal)

    @property
    def start(self) -> Array:
        """The identity."""
        return self.diagonal.astype(float)

    def matrices(self, theta: Array) -> list[Array]:
        """Return the lower triangular factor T of each grouping's levels."""
        made: list[Array] = []
        start = 0
        for size, places in zip(self._sizes, self._places, strict=True):
            factor = np.zeros((size, size))
            for row, column in places:
                factor[row, column] = theta[start]
                start += 1
            made.append(factor)
        return made

    def places(self) -> list[tuple[int, int, int]]:
        """Return (grouping, row, column) of each parameter."""
        return [
            (number, row, column)
            for number, places in enumerate(self._places)
            for row, column in places
        ]

    def rest(self, theta: Array) -> sparse.csr_matrix:
        """Return the factor of all levels of all groupings but the first."""
        blocks = [
            sparse.kron(sparse.eye(len(grouping.levels)), factor, format="csr")
            for factor, grouping in zip(
                self.matrices(theta)[1:], self.groupings[1:], strict=True
            )
        ]
        return sparse.csr_matrix(sparse.block_diag(blocks, format="csr"))

    def apply(self, theta: Array, spherical: Sequence[Array]) -> list[Array]:
        """Scale spherical effects, shape (n_levels, n_effects) each, by T."""
        return [
            u @ factor.T
            for factor, u in zip(self.matrices(theta), spherical, strict=True)
        ]
