"""Profiled likelihood of a linear mixed model.

The criterion is that of lme4 (Bates et al., J. Stat. Softw. 67(1), 2015, equations 34
and 41): the fixed effects and the residual variance are at their best for each theta.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from clinicadl_trust.stats.mixed.alike import alike_levels
from clinicadl_trust.stats.mixed.covariance import CovarianceFactor
from clinicadl_trust.stats.mixed.cross_products import CrossProducts
from clinicadl_trust.stats.mixed.elimination import Elimination, split_levels
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
    """

    log_det: float
    log_det_fixed: float
    rss: float
    beta: Array
    unscaled: Array


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
        self._root = np.sqrt(weights)
        self._q, self._r = np.linalg.qr(x * self._root[:, None])
        self._alike = alike_levels(self._products)
        self._respond(y)

    def with_response(self, y: Array) -> Profile:
        """Return the same model of another response, shape (n_rows,)."""
        made = copy(self)
        made._respond(y)
        return made

    def _respond(self, y: Array) -> None:
        y = y * self._root
        self._ols = self._q.T @ y
        dense = np.column_stack([self._q, y - self._q @ self._ols])
        self._dense = dense.T @ dense
        dense *= self._root[:, None]
        self._first, self._rest = self._products.transposed(dense)
        if self._alike is not None:
            self._sums, self._squares = self._alike.sums(self._first)

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
        log_det, explained = self._explained(theta)
        g = self._dense - explained
        p = self.p
        c = linalg.cholesky(g[:p, :p], lower=True)
        z = linalg.solve_triangular(c, g[:p, p], lower=True)
        shift = linalg.solve_triangular(c.T, z)
        back = linalg.solve_triangular(
            self._r, linalg.solve_triangular(c, np.eye(p), lower=True).T
        )
        diagonals = np.log(np.diag(c)).sum() + np.log(np.abs(np.diag(self._r))).sum()
        return Solution(
            log_det=log_det,
            log_det_fixed=2 * float(diagonals),
            rss=float(g[p, p] - z @ z),
            beta=linalg.solve_triangular(self._r, self._ols + shift),
            unscaled=back @ back.T,
        )

    def _explained(self, theta: Array) -> tuple[float, Array]:
        """Return the log-determinant, and what the random effects explain."""
        if self._alike is not None:
            made = Elimination(self._alike.products, theta)
            return made.log_det, made.explained(self._sums, self._rest, self._squares)
        made = Elimination(self._products, theta)
        first, rest = made.solve(self._first, self._rest)
        explained = np.einsum("qij,qik->jk", self._first, first) + self._rest.T @ rest
        return made.log_det, explained

    def modes(self, theta: Array, beta: Array) -> tuple[Array, ...]:
        """Return the random effects' conditional modes, shape (n_levels, n_effects).

        Parameters
        ----------
        theta : ndarray of float, shape (n_theta,)
            Relative covariance parameters.
        beta : ndarray of float, shape (n_fixed,)
            Fixed effects.

        Returns
        -------
        tuple of ndarray of float
            By grouping.
        """
        # The response less the fixed effects.
        left = np.append(self._ols - self._r @ beta, 1.0)[:, None]
        elimination = Elimination(self._products, theta)
        first, rest = elimination.solve(self._first @ left, self._rest @ left)
        return tuple(split_levels(self.factor, first[..., 0], rest[..., 0]))
