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

from clinicadl_trust.stats.mixed.covariance import CovarianceFactor
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
        self._rest = (
            sparse.hstack([_matrix(g) for g in others], format="csr")
            if others
            else None
        )
        self.n_rest = self._rest.shape[1] if self._rest is not None else 0
        n_first = len(first.levels) * self.effects
        self.is_dense = self.n_rest**2 * n_first < _SMALL
        if self._rest is not None and self.is_dense:
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
        if self._rest is None:
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
        first = (self._first.T @ dense).reshape(-1, self.effects, dense.shape[1])
        if self._rest is None:
            return first, np.zeros((0, dense.shape[1]))
        return first, self._rest.T @ dense

    def times(self, first: Array, rest: Array) -> Array:
        """Return Z times effects, shape (n_rows,)."""
        made = self._first @ first.ravel()
        return made if self._rest is None else made + self._rest @ rest


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
        self.products = products
        self.first = products.factor.matrices(theta)[0]
        inner = np.einsum("ji,qjk,kl->qil", self.first, products.blocks, self.first)
        inner += np.eye(len(self.first))
        lower = np.linalg.cholesky(inner)
        diagonal = np.diagonal(lower, axis1=1, axis2=2)
        self.log_det = 2 * float(np.log(diagonal).sum())
        # T M^-1 T', by which a level's right side becomes its effects.
        half = np.linalg.solve(lower, np.broadcast_to(self.first.T, lower.shape))
        self._half = half
        self.kernel = np.einsum("qji,qjk->qik", half, half)
        self._lower = lower
        if products.n_rest:
            schur = products.rest - self._times_blocks(self.kernel) @ products.cross.T
            factor = products.factor.rest(theta)
            self.rest_factor: Any = factor.toarray() if products.is_dense else factor
            self.system = factorized(self.rest_factor.T @ schur @ self.rest_factor)
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
        _, u_rest = self._solve_rest(first, rest)
        b_rest = self.rest_factor @ u_rest if len(rest) else rest
        return self._back(first, b_rest, self.kernel), b_rest

    def spherical(self, first: Array, rest: Array) -> tuple[Array, Array]:
        """Return the spherical effects u, in the shapes of ``solve``."""
        _, u_rest = self._solve_rest(first, rest)
        b_rest = self.rest_factor @ u_rest if len(rest) else rest
        # M^-1 T' = (L'^-1) (L^-1 T').
        upper = np.swapaxes(self._lower, 1, 2)
        return self._back(first, b_rest, np.linalg.solve(upper, self._half)), u_rest

    def _solve_rest(self, first: Array, rest: Array) -> tuple[Array, Array]:
        """Return the reduced right side of the rest, and its spherical effects."""
        if not len(rest):
            return rest, rest
        reduced = np.einsum("qij,qjk->qik", self.kernel, first)
        flat = reduced.reshape(-1, first.shape[2])
        right = self.rest_factor.T @ (rest - self.products.cross @ flat)
        return right, self.system.solve(right)

    @cached_property
    def first_inverse(self) -> Array:
        """M^-1 of each level of the first grouping."""
        upper = np.swapaxes(self._lower, 1, 2)
        eye = np.broadcast_to(np.eye(len(self.first)), upper.shape)
        return np.linalg.solve(upper, np.linalg.solve(self._lower, eye))

    @cached_property
    def pushed(self) -> sparse.csc_matrix:
        """T' Z_rest' W Z_first T M^-1, what a level of the first pushes to the rest."""
        blocks = np.einsum("ij,qjk->qik", self.first, self.first_inverse)
        return sparse.csc_matrix(self.rest_factor.T @ self._times_blocks(blocks))

    def _times_blocks(self, blocks: Array) -> Any:
        """Return Z_rest' W Z_first times a block-diagonal matrix."""
        cross = self.products.cross
        if not self.products.is_dense:
            return cross @ _block_sparse(blocks)
        apart = cross.reshape(len(cross), *blocks.shape[:2])
        return np.einsum("rqi,qij->rqj", apart, blocks).reshape(cross.shape)

    def _back(self, first: Array, b_rest: Array, kernel: Array) -> Array:
        if len(b_rest):
            first = first - (self.products.cross.T @ b_rest).reshape(first.shape)
        return np.einsum("qij,qjk->qik", kernel, first)


def split_levels(factor: CovarianceFactor, first: Array, rest: Array) -> list[Array]:
    """Return effects by grouping, shape (n_levels, n_effects) each."""
    made, start = [first], 0
    for grouping in factor.groupings[1:]:
        levels, effects = len(grouping.levels), grouping.values.shape[1]
        made.append(rest[start : start + levels * effects].reshape(levels, effects))
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


def _block_sparse(blocks: Array) -> sparse.spmatrix:
    n, size, _ = blocks.shape
    if size == 1:
        return sparse.diags(blocks[:, 0, 0], format="csr")
    return sparse.bsr_matrix(
        (blocks, np.arange(n), np.arange(n + 1)), shape=(n * size, n * size)
    )
