"""Profiled likelihood of a linear mixed model.

The criterion is that of lme4 (Bates et al., J. Stat. Softw. 67(1), 2015, equations 34
and 41): the fixed effects and the residual variance are at their best for each theta.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from clinicadl_trust.stats.mixed.covariance import CovarianceFactor
from clinicadl_trust.stats.mixed.elimination import (
    CrossProducts,
    Elimination,
    split_levels,
)
from clinicadl_trust.stats.mixed.grouping import Grouping

__all__ = ["Profile", "Solution"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Solution:
    """What the model's parameters are at given relative covariances.

    Attributes
    ----------
    log_det : float
        Of the random effects' penalised cross-product.
    log_det_fixed : float
        Of the fixed effects' cross-product, random effects eliminated.
    rss : float
        Penalised residual sum of squares.
    beta : ndarray of float, shape (n_fixed,)
        Fixed effects.
    unscaled : ndarray of float, shape (n_fixed, n_fixed)
        Their covariance over the residual variance.
    modes : tuple of ndarray of float, shape (n_levels, n_effects)
        Conditional modes of the random effects, by grouping.
    """

    log_det: float
    log_det_fixed: float
    rss: float
    beta: Array
    unscaled: Array
    modes: tuple[Array, ...]


class Profile:
    """A linear mixed model with its fixed effects and residual variance profiled out.

    Parameters
    ----------
    y : ndarray of float, shape (n_rows,)
        Response less offset.
    x : ndarray of float, shape (n_rows, n_fixed)
        Fixed effects, of full rank.
    groupings : sequence of Grouping
        Most levels first.
    weights : ndarray of float, shape (n_rows,)
        Prior weights.
    """

    def __init__(
        self, y: Array, x: Array, groupings: Sequence[Grouping], weights: Array
    ) -> None:
        self.n, self.p = x.shape
        self.factor = CovarianceFactor(groupings)
        self._products = CrossProducts(self.factor)
        self._products.weigh(weights)
        self._log_weights = float(np.log(weights).sum())
        # An orthogonal basis and the residuals of least squares: sums of squares of
        # numbers far from 0 would lose the digits that the likelihood lives of.
        root = np.sqrt(weights)
        q, self._r = np.linalg.qr(x * root[:, None])
        self._ols = q.T @ (y * root)
        dense = np.column_stack([q, y * root - q @ self._ols])
        self._first, self._rest = self._products.transposed(dense * root[:, None])
        self._dense = dense.T @ dense

    def deviance(self, theta: Array, reml: bool) -> float:
        """Return minus twice the profiled log-likelihood, or the REML criterion."""
        return self.criterion(self.solve(theta), reml)

    def criterion(self, solution: Solution, reml: bool) -> float:
        """Return the criterion of a solution."""
        df = self.n - self.p * reml
        value = solution.log_det + df * (1 + np.log(2 * np.pi * solution.rss / df))
        return float(value + reml * solution.log_det_fixed - self._log_weights)

    def solve(self, theta: Array) -> Solution:
        """Eliminate the random effects, then the fixed ones."""
        elimination = Elimination(self._products, theta)
        first, rest = elimination.solve(self._first, self._rest)
        explained = np.einsum("qij,qik->jk", self._first, first)
        g = self._dense - explained - self._rest.T @ rest
        p = self.p
        c = linalg.cholesky(g[:p, :p], lower=True)
        z = linalg.solve_triangular(c, g[:p, p], lower=True)
        shift = linalg.solve_triangular(c.T, z)
        back = linalg.solve_triangular(
            self._r, linalg.solve_triangular(c, np.eye(p), lower=True).T
        )
        diagonals = np.log(np.diag(c)).sum() + np.log(np.abs(np.diag(self._r))).sum()
        left = np.append(-shift, 1.0)  # the response less the fixed effects
        return Solution(
            log_det=elimination.log_det,
            log_det_fixed=2 * float(diagonals),
            rss=float(g[p, p] - z @ z),
            beta=linalg.solve_triangular(self._r, self._ols + shift),
            unscaled=back @ back.T,
            modes=tuple(split_levels(self.factor, first @ left, rest @ left)),
        )
