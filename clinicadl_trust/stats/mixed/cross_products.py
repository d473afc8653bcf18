"""Cross-products of random effects, in the blocks that their elimination needs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from clinicadl_trust.stats.mixed.covariance import CovarianceFactor
from clinicadl_trust.stats.mixed.grouping import Grouping
from clinicadl_trust.stats.mixed.systems import Pairs

__all__ = ["CrossProducts"]

Array = NDArray[np.float64]

#: Multiplications up to which dense products cost less than making sparse matrices.
_SMALL = 2e7


class CrossProducts:
    """Z'WZ of all random effects, in the blocks that the elimination needs.

    Parameters
    ----------
    factor : CovarianceFactor
        Of the groupings, most levels first.
    """

    #: How many levels of the first grouping each block stands for; one by default.
    counts: Array | None = None

    def __init__(self, factor: CovarianceFactor) -> None:
        self.factor = factor
        first, *others = factor.groupings
        self.effects = first.values.shape[1]
        self._first = _matrix(first)
        none = sparse.csr_matrix((len(first.codes), 0))
        self._rest = sparse.hstack([none, *map(_matrix, others)], format="csr")
        self.n_rest = self._rest.shape[1]
        # Transposed once: a sparse matrix takes longer to turn than to multiply.
        self._first_transposed = self._first.T
        self._rest_transposed = self._rest.T
        n_first = len(first.levels) * self.effects
        self.is_dense = self.n_rest**2 * n_first < _SMALL
        if self.n_rest and self.is_dense:
            self._cross_pairs = Pairs(others, [first])
            self._rest_pairs = Pairs(others, others)

    def weigh(self, weights: Array) -> None:
        """Compute the cross-products.

        Parameters
        ----------
        weights : ndarray of float, shape (n_rows,)
            The diagonal of W.
        """
        self.blocks = _block_products(self.factor.groupings[0], weights)
        self.cross: Any = None
        self.rest: Any = None
        if not self.n_rest:
            return
        if self.is_dense:
            self.cross = self._cross_pairs.products(weights)
            self.rest = self._rest_pairs.products(weights)
        else:
            scaled = sparse.diags(weights) @ self._rest
            self.cross = sparse.csr_matrix(scaled.T @ self._first)
            self.rest = sparse.csr_matrix(scaled.T @ self._rest)

    def transposed(self, dense: Array) -> tuple[Array, Array]:
        """Return Z' times columns, shapes (n_levels, n_effects, k) and (n_rest, k)."""
        first = (self._first_transposed @ dense).reshape(
            -1, self.effects, dense.shape[1]
        )
        return first, self._rest_transposed @ dense

    def times(self, first: Array, rest: Array) -> Array:
        """Return Z times effects, shape (n_rows,)."""
        made = self._first @ first.ravel()
        return made + self._rest @ rest if self.n_rest else made


def _matrix(grouping: Grouping) -> sparse.csr_matrix:
    """Return the random effects' model matrix Z."""
    values = grouping.values
    n, effects = values.shape
    columns = grouping.codes[:, None] * effects + np.arange(effects)
    return sparse.csr_matrix(
        (values.ravel(), columns.ravel(), np.arange(n + 1) * effects),
        shape=(n, len(grouping.levels) * effects),
    )


def _block_products(grouping: Grouping, weights: Array) -> Array:
    """Return each level's cross-product, shape (n_levels, n_effects, n_effects)."""
    values = grouping.values
    levels, effects = len(grouping.levels), values.shape[1]
    made = np.empty((levels, effects, effects))
    for i in range(effects):
        for j in range(i + 1):
            product = values[:, i] * values[:, j] * weights
            sums = np.bincount(grouping.codes, product, levels)
            made[:, i, j] = made[:, j, i] = sums
    return made
