"""Laplace's approximation of a logistic mixed model's likelihood, with its gradient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, gammaln

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.mixed.covariance import CovarianceFactor
from clinicadl_trust.stats.mixed.design import DesignMatrices
from clinicadl_trust.stats.mixed.elimination import (
    CrossProducts,
    Elimination,
    split_levels,
)
from clinicadl_trust.stats.mixed.local_inverse import local_inverse

__all__ = ["LaplaceLikelihood", "Mode"]

Array = NDArray[np.float64]
#: Effects of the first grouping and of the rest.
Effects = tuple[Array, Array]

_MAX_STEPS = 100
_TOLERANCE = 1e-13


@dataclass(frozen=True)
class Mode:
    """The random effects at their conditional mode.

    Attributes
    ----------
    spherical, effects : tuple of ndarray
        u, and b = T u, each as (first grouping, rest).
    eta, weights : ndarray of float, shape (n_rows,)
        Linear predictor, and the variance of the response there.
    elimination : Elimination
        Of the system at the mode.
    penalized : float
        Log-likelihood of the data less half the squared length of u.
    """

    spherical: Effects
    effects: Effects
    eta: Array
    weights: Array
    elimination: Elimination
    penalized: float


class LaplaceLikelihood:
    """Minus twice the log-likelihood as a function of (theta, beta).

    Parameters
    ----------
    design : DesignMatrices
        Response between 0 and 1, weights the number of trials.
    """

    def __init__(self, design: DesignMatrices) -> None:
        self.design = design
        self.factor = CovarianceFactor(design.groupings)
        self.products = CrossProducts(self.factor)
        self.n_theta = len(self.factor.diagonal)
        self._start: Effects | None = None
        trials, successes = design.weights, design.weights * design.y
        self.constant = float(
            (gammaln(trials + 1) - gammaln(successes + 1)).sum()
            - gammaln(trials - successes + 1).sum()
        )

    # --- mode -------------------------------------------------------------------------

    def mode(self, point: Array) -> Mode:
        """Find the mode by penalised iteratively reweighted least squares.

        Raises
        ------
        StatisticsError
            If it does not converge.
        """
        theta, beta = point[: self.n_theta], point[self.n_theta :]
        design = self.design
        fixed = design.x @ beta + design.offset
        spherical = self._start or self._zeros()
        best = self._at(theta, fixed, spherical)
        for _ in range(_MAX_STEPS):
            eta, penalized = best
            weights, residuals = self._moments(eta)
            self.products.weigh(weights)
            elimination = Elimination(self.products, theta)
            right = weights * (eta - fixed) + residuals
            new = elimination.spherical(*self.products.transposed(right[:, None]))
            step = (new[0] - spherical[0], new[1] - spherical[1])
            size = 1.0
            while True:
                moved = (
                    spherical[0] + size * step[0],
                    spherical[1] + size * step[1],
                )
                trial = self._at(theta, fixed, moved)
                if trial[1] >= penalized - 1e-12 * abs(penalized) or size < 1e-6:
                    break
                size /= 2
            gain = trial[1] - penalized
            spherical, best = moved, trial
            if abs(gain) <= _TOLERANCE * (abs(penalized) + 1):
                break
        else:
            raise StatisticsError(
                "The random effects do not converge. Are the classes perfectly "
                "separated by a fixed effect or within every level?"
            )
        self._start = spherical
        weights, _ = self._moments(best[0])
        self.products.weigh(weights)
        elimination = Elimination(self.products, theta)
        return Mode(
            spherical, self._effects(theta, spherical), best[0], weights,
            elimination, best[1],
        )  # fmt: skip

    def _zeros(self) -> Effects:
        first = self.factor.groupings[0]
        shape = (len(first.levels), first.values.shape[1], 1)
        return np.zeros(shape), np.zeros((self.products.n_rest, 1))

    def _effects(self, theta: Array, spherical: Effects) -> tuple[Array, Array]:
        first = np.einsum("ij,qjk->qik", self.factor.matrices(theta)[0], spherical[0])
        if not self.products.n_rest:
            return first, spherical[1]
        return first, self.factor.rest(theta) @ spherical[1]

    def _at(
        self, theta: Array, fixed: Array, spherical: Effects
    ) -> tuple[Array, float]:
        first, rest = self._effects(theta, spherical)
        eta = fixed + self.products.times(first, rest[:, 0])
        length = sum(float((u**2).sum()) for u in spherical)
        return eta, self.log_likelihood(eta) - length / 2

    def log_likelihood(self, eta: Array) -> float:
        """Log-likelihood of the response given its linear predictor."""
        design = self.design
        return float(design.weights @ (design.y * eta - np.logaddexp(0, eta)))

    def _moments(self, eta: Array) -> tuple[Array, Array]:
        """Variance of the response, and its residuals."""
        mean = expit(eta)
        weights = self.design.weights
        floor = np.maximum(mean * (1 - mean), 1e-14)
        return weights * floor, weights * (self.design.y - mean)

    # --- criterion --------------------------------------------------------------------

    def deviance(self, point: Array) -> float:
        """Return minus twice the log-likelihood."""
        return self._deviance(self.mode(point))

    def _deviance(self, mode: Mode) -> float:
        return mode.elimination.log_det - 2 * (mode.penalized + self.constant)

    def deviance_and_gradient(self, point: Array) -> tuple[float, Array]:
        """Return the deviance and its derivative by (theta, beta).

        The mode moves with the parameters, and the determinant with the mode: the
        derivative has a third part beside those of the likelihood and the determinant.
        """
        theta = point[: self.n_theta]
        mode = self.mode(point)
        design, products = self.design, self.products
        mean = expit(mode.eta)
        residuals = design.weights * (design.y - mean)
        rows = local_inverse(mode.elimination, self.factor, theta)
        # How the log-determinant changes with each row's linear predictor.
        bend = -0.5 * rows.leverage * mode.weights * (1 - 2 * mean)
        right = products.transposed(bend[:, None])
        v = mode.elimination.spherical(*right)
        pull = products.times(*_flat(self._effects(theta, v)))
        slope = residuals + bend - mode.weights * pull
        by_beta = design.x.T @ slope
        by_theta = np.empty(self.n_theta)
        u_levels = split_levels(self.factor, *_flat(mode.spherical))
        v_levels = split_levels(self.factor, *_flat(v))
        for number, (g, row, column) in enumerate(self.factor.places()):
            grouping = self.factor.groupings[g]
            u = u_levels[g][grouping.codes, column]
            w = v_levels[g][grouping.codes, column]
            inner = u * slope - mode.weights * rows.solved(g, column) + residuals * w
            by_theta[number] = grouping.values[:, row] @ inner
        return self._deviance(mode), -2 * np.concatenate([by_theta, by_beta])


def _flat(effects: Effects) -> tuple[Array, Array]:
    return effects[0][..., 0], effects[1][..., 0]
