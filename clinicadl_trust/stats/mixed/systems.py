"""Small matrices that are made again and again: their products and factors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse

from clinicadl_trust.stats.mixed.grouping import Grouping

__all__ = ["DenseSystem", "Pairs", "SparseSystem", "factorized"]

Array = NDArray[np.float64]

#: Rows from which a matrix with few entries is worth a sparse factor.
_LARGE, _FEW = 400, 0.05


class DenseSystem:
    """A small positive definite matrix."""

    def __init__(self, matrix: Array) -> None:
        self._factor = linalg.cho_factor(matrix, lower=True, overwrite_a=True)
        self.log_det = 2 * float(np.log(np.diag(self._factor[0])).sum())

    def solve(self, right: Array) -> Array:
        """Return the matrix' inverse times columns."""
        return linalg.cho_solve(self._factor, right)


class SparseSystem:
    """A large positive definite matrix with few entries."""

    def __init__(self, matrix: sparse.csc_matrix) -> None:
        from scipy.sparse.linalg import splu

        self._factor = splu(
            matrix,
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.0,
            options={"SymmetricMode": True},
        )
        self.log_det = float(np.log(self._factor.U.diagonal()).sum())

    def solve(self, right: Array) -> Array:
        """Return the matrix' inverse times columns."""
        return self._factor.solve(np.ascontiguousarray(right))


def factorized(matrix: Any) -> DenseSystem | SparseSystem:
    """Factorize a matrix plus the identity."""
    rows = matrix.shape[0]
    is_dense = isinstance(matrix, np.ndarray)
    entries = np.count_nonzero(matrix) if is_dense else matrix.nnz
    if rows > _LARGE and entries < _FEW * rows**2:
        return SparseSystem(sparse.csc_matrix(matrix) + sparse.eye(rows, format="csc"))
    return DenseSystem((matrix if is_dense else matrix.toarray()) + np.eye(rows))


class Pairs:
    """Where each row adds to the cross-product of two sets of groupings."""

    def __init__(self, left: Sequence[Grouping], right: Sequence[Grouping]) -> None:
        a, b = (_columns(groupings) for groupings in (left, right))
        self.shape = (a[2], b[2])
        self._index = [i * b[2] + j for i in a[0] for j in b[0]]
        self._values = [u * v for u in a[1] for v in b[1]]

    def products(self, weights: Array) -> Array:
        """Return the dense cross-product with weighted rows.

        Parameters
        ----------
        weights : ndarray of float, shape (n_rows,)
            Of the rows.

        Returns
        -------
        ndarray of float, shape (n_left, n_right)
            Columns of the left groupings by those of the right.
        """
        made = np.zeros(self.shape[0] * self.shape[1])
        for index, values in zip(self._index, self._values, strict=True):
            made += np.bincount(index, values * weights, len(made))
        return made.reshape(self.shape)


def _columns(
    groupings: Sequence[Grouping],
) -> tuple[list[NDArray[np.intp]], list[Array], int]:
    """Return column numbers and values of each effect, and how many columns."""
    places, values, start = [], [], 0
    for grouping in groupings:
        effects = grouping.values.shape[1]
        for effect in range(effects):
            places.append(start + grouping.codes * effects + effect)
            values.append(grouping.values[:, effect])
        start += len(grouping.levels) * effects
    return places, values, start
