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
from clinicadl_trust.stats.mixed.cross_products import CrossProducts
from clinicadl_trust.stats.mixed.systems import factorized

__all__ = ["Elimination", "split_levels"]

Array = NDArray[np.float64]


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
        logs = np.log(np.diagonal(lower, axis1=1, axis2=2)).sum(axis=1)
        counts = products.counts
        self.log_det = 2 * float(logs.sum() if counts is None else logs @ counts)
        #: M^-1 of each level of the first grouping.
        self.first_inverse = _inverse(lower)
        #: T M^-1 T', by which a level's right side becomes its effects.
        self.kernel = _sandwich(self.first.T, self.first_inverse)
        if products.n_rest:
            kernel = self.kernel
            if counts is not None:
                kernel = kernel * counts[:, None, None]
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

    def explained(self, first: Array, rest: Array, squares: Array) -> Array:
        """Return d' T H^-1 T' d, what the effects explain of the right sides d.

        Parameters
        ----------
        first : ndarray of float, shape (n_levels, n_effects, k)
            The right side, summed where levels are taken together.
        rest : ndarray of float, shape (n_rest, k)
            The right side of the rest.
        squares : ndarray of float, shape (n_levels, n_effects, k, n_effects, k)
            Products of the right sides of the first grouping's levels.

        Returns
        -------
        ndarray of float, shape (k, k)
            A sum over all levels.
        """
        made = np.einsum("qij,qikjl->kl", self.kernel, squares)
        if not len(rest):
            return made
        pushed = small_product(self.kernel, first).reshape(-1, first.shape[2])
        left = rest - self.products.cross @ pushed
        left = self.rest_factor.times(left, transposed=True)
        return made + left.T @ self.system.solve(left)

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
