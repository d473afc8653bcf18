"""The relative covariance factor of random effects, and its parameters theta."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from clinicadl_trust.stats.mixed.grouping import Grouping

__all__ = ["BlockDiagonal", "CovarianceFactor", "small_product"]

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

    @property
    def spread(self) -> Array:
        """About the standard error of each parameter where there is no other noise."""
        levels = [len(self.groupings[number].levels) for number, *_ in self.places()]
        return np.asarray(1 / np.sqrt(levels), dtype=float)

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

    @cached_property
    def positions(self) -> NDArray[np.intp]:
        """Each row's columns among the effects of all groupings but the first."""
        made, start = [], 0
        for grouping in self.groupings[1:]:
            effects = grouping.values.shape[1]
            made.append(start + grouping.codes[:, None] * effects + np.arange(effects))
            start += len(grouping.levels) * effects
        return np.hstack(made)

    def times(
        self, theta: Array, effects: tuple[Array, Array], *, transposed: bool = False
    ) -> tuple[Array, Array]:
        """Return T (or T') of all levels times columns.

        Parameters
        ----------
        theta : ndarray of float, shape (n_theta,)
            Relative covariance parameters.
        effects : ndarray of float, shapes (n_levels, n_effects, k) and (n_rest, k)
            Of the first grouping, and of all others.
        transposed : bool
            T' instead of T.

        Returns
        -------
        first, rest : ndarray of float
            Of the same shapes.
        """
        own = self.matrices(theta)[0]
        first = small_product(own.T if transposed else own, effects[0])
        if not len(effects[1]):
            return first, effects[1]
        return first, self.rest(theta).times(effects[1], transposed=transposed)

    def rest(self, theta: Array) -> BlockDiagonal:
        """Return the factor of all levels of all groupings but the first."""
        return BlockDiagonal(
            self.matrices(theta)[1:], [len(g.levels) for g in self.groupings[1:]]
        )


class BlockDiagonal:
    """The factors T of several groupings, each repeated for every level.

    Parameters
    ----------
    factors : list of ndarray of float, shape (n_effects, n_effects)
        Of one level, by grouping.
    levels : list of int
        How many, by grouping.
    """

    def __init__(self, factors: list[Array], levels: list[int]) -> None:
        self.factors = factors
        self.levels = levels

    def times(self, columns: Array, *, transposed: bool = False) -> Array:
        """Return the product with columns, shape (n_rest, k)."""
        made = np.empty(columns.shape)
        start = 0
        for factor, levels in zip(self.factors, self.levels, strict=True):
            size = len(factor)
            part = columns[start : start + levels * size]
            square = factor.T if transposed else factor
            product = small_product(square, part.reshape(levels, size, -1))
            made[start : start + len(part)] = product.reshape(part.shape)
            start += len(part)
        return made

    def sandwich(self, matrix: Any) -> Any:
        """Return T' M T of a symmetric matrix, dense or sparse as it is."""
        if isinstance(matrix, np.ndarray):
            return self.times(self.times(matrix, transposed=True).T, transposed=True)
        whole = self.sparse
        return whole.T @ matrix @ whole

    @cached_property
    def sparse(self) -> sparse.csr_matrix:
        """The whole matrix."""
        blocks = [
            sparse.kron(sparse.eye(levels), factor, format="csr")
            for factor, levels in zip(self.factors, self.levels, strict=True)
        ]
        return sparse.csr_matrix(sparse.block_diag(blocks, format="csr"))


def small_product(blocks: Array, columns: Array) -> Array:
    """Return products of small matrices, of which numbers are commonest by far."""
    return blocks * columns if blocks.shape[-1] == 1 else blocks @ columns
