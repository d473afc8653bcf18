"""Random effects eliminated from a penalised least squares problem.

The grouping factor with most levels, whose cross-product is block-diagonal, is
eliminated level by level; what is left is a small symmetric matrix (its Schur
complement), dense or sparse. This is the blocked Cholesky factor of MixedModels.jl.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from clinicadl_trust.stats.mixed.covariance import CovarianceFactor, small_product
from clinicadl_trust.stats.mixed.grouping import Grouping
from clinicadl_trust.stats.mixed.systems import Pairs, factorized

__all__ = ["CrossProducts", "Elimination", "split_levels"]

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


class Elimination:
    """The system ``(T' Z'WZ T + I) u = T' d`` at one theta.

    Parameters
    ----------
    products : CrossProducts
        Weighed.
    theta : ndarray of float, shape (n_theta,)
        Relative covariance parameters.

    Attributes
    ----------
    log_det : float
        Of the system's matrix.
    """

    def __init__(self, products: CrossProducts, theta: Array) -> None:
        self.products, self.theta = products, theta
        self.first = products.factor.matrices(theta)[0]
        inner = _sandwich(self.first, products.blocks) + np.eye(len(self.first))
        scalar = len(self.first) == 1
        lower: Any = np.sqrt(inner) if scalar else np.linalg.cholesky(inner)
        diagonal = np.diagonal(lower, axis1=1, axis2=2)
        self.log_det = 2 * float(np.log(diagonal).sum())
        #: M^-1 of each level of the first grouping.
        self.first_inverse = _inverse(lower)
        if products.n_rest:
            kernel = _sandwich(self.first.T, self.first_inverse)
            schur = products.rest - self._times_blocks(kernel) @ products.cross.T
            self.rest_factor = products.factor.rest(theta)
            self.system = factorized(self.rest_factor.sandwich(schur))
            self.log_det += self.system.log_det

    def solve(self, first: Array, rest: Array) -> tuple[Array, Array]:
        """Return the effects b = T u.

        Parameters
        ----------
        first, rest : ndarray of float
            The right side d, as ``CrossProducts.transposed`` returns it.

        Returns
        -------
        first, rest : ndarray of float
            Of the same shapes.
        """
        factor, theta = self.products.factor, self.theta
        right = factor.times(theta, (first, rest), transposed=True)
        return factor.times(theta, self.spherical(*right))

    def spherical(self, first: Array, rest: Array) -> tuple[Array, Array]:
        """Return the system's inverse times columns, in the shapes of ``solve``."""
        if not len(rest):
            return small_product(self.first_inverse, first), rest
        cross, columns = self.products.cross, first.shape[2]
        inner = small_product(self.first, small_product(self.first_inverse, first))
        pushed = cross @ inner.reshape(-1, columns)
        u_rest = self.system.solve(
            rest - self.rest_factor.times(pushed, transposed=True)
        )
        back = (cross.T @ self.rest_factor.times(u_rest)).reshape(first.shape)
        left = first - small_product(self.first.T, back)
        return small_product(self.first_inverse, left), u_rest

    @cached_property
    def pushed(self) -> Array | sparse.csc_matrix:
        """T' Z_rest' W Z_first T M^-1, what a level of the first pushes to the rest."""
        made = self._times_blocks(small_product(self.first, self.first_inverse))
        if self.products.is_dense:
            return self.rest_factor.times(made, transposed=True)
        return sparse.csc_matrix(self.rest_factor.sparse.T @ made)

    def _times_blocks(self, blocks: Array) -> Any:
        """Return Z_rest' W Z_first times a block-diagonal matrix."""
        cross = self.products.cross
        if not self.products.is_dense:
            return cross @ _block_sparse(blocks)
        if blocks.shape[1] == 1:
            return cross * blocks[:, 0, 0]
        apart = cross.reshape(len(cross), *blocks.shape[:2])
        return np.einsum("rqi,qij->rqj", apart, blocks).reshape(cross.shape)


def split_levels(factor: CovarianceFactor, first: Array, rest: Array) -> list[Array]:
    """Return effects by grouping, shape (n_levels, n_effects, ...) each."""
    made, start = [first], 0
    for grouping in factor.groupings[1:]:
        levels, effects = len(grouping.levels), grouping.values.shape[1]
        part = rest[start : start + levels * effects]
        made.append(part.reshape(levels, effects, *rest.shape[1:]))
        start += levels * effects
    return made


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


def _sandwich(factor: Array, blocks: Array) -> Array:
    """Return T' M T of each block."""
    return small_product(small_product(factor.T, blocks), factor)


def _inverse(lower: Array) -> Array:
    """Return the inverse of the matrices that the triangles are the roots of."""
    if lower.shape[1] == 1:
        return 1 / lower**2
    half = np.linalg.inv(lower)
    return np.swapaxes(half, 1, 2) @ half


def _block_sparse(blocks: Array) -> sparse.spmatrix:
    n, size, _ = blocks.shape
    if size == 1:
        return sparse.diags(blocks[:, 0, 0], format="csr")
    return sparse.bsr_matrix(
        (blocks, np.arange(n), np.arange(n + 1)), shape=(n * size, n * size)
    )
