"""Laplace's approximation of a logistic mixed model's likelihood, with its gradient."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clinicadl_trust.stats.mixed.conditional_mode import ConditionalMode, Mode
from clinicadl_trust.stats.mixed.design import DesignMatrices
from clinicadl_trust.stats.mixed.elimination import split_levels
from clinicadl_trust.stats.mixed.local_inverse import local_inverse

__all__ = ["LaplaceLikelihood"]

Array = NDArray[np.float64]


class LaplaceLikelihood:
    """Minus twice the log-likelihood as a function of (theta, beta).

    Parameters
    ----------
    design : DesignMatrices
        Response between 0 and 1, weights the number of trials.
    """

    def __init__(self, design: DesignMatrices) -> None:
        self.design = design
        self._modes = ConditionalMode(design)
        self.factor = self._modes.factor
        self.constant = self._modes.rows.constant
        self.n_theta = len(self.factor.diagonal)

    def mode(self, point: Array) -> Mode:
        """Return the random effects' mode at (theta, beta)."""
        return self._modes.find(point[: self.n_theta], point[self.n_theta :])

    def deviance(self, point: Array) -> float:
        """Return minus twice the log-likelihood."""
        return self._deviance(self.mode(point))

    def _deviance(self, mode: Mode) -> float:
        return mode.elimination.log_det - 2 * (mode.penalized + self.constant)

    def fixed_information(self, point: Array) -> Array:
        """Return the information on beta, shape (n_fixed, n_fixed), theta known."""
        mode, x = self.mode(point), self.design.x
        weighted = mode.rows.variance[:, None] * x
        right = self._modes.pull(mode.theta, weighted)
        solved = mode.elimination.spherical(*right)
        known = np.einsum("qij,qik->jk", right[0], solved[0]) + right[1].T @ solved[1]
        return x.T @ weighted - known

    def deviance_and_gradient(self, point: Array) -> tuple[float, Array]:
        """Return the deviance and its derivative by (theta, beta).

        The mode moves with the parameters, and the determinant with the mode: the
        derivative has a third part beside those of the likelihood and the determinant.
        """
        mode = self.mode(point)
        rows, modes = mode.rows, self._modes
        inverse = local_inverse(mode.elimination, self.factor, mode.theta)
        # How the log-determinant changes with each row's linear predictor.
        bend = -0.5 * inverse.leverage * rows.variance * (1 - 2 * rows.mean)
        v = mode.elimination.spherical(*modes.pull(mode.theta, bend[:, None]))
        slope = rows.residuals + bend - rows.variance * modes.spread(mode.theta, v)
        by_beta = self.design.x.T @ slope
        by_theta = np.empty(self.n_theta)
        u_levels = split_levels(self.factor, *mode.spherical)
        v_levels = split_levels(self.factor, *v)
        for number, (g, row, column) in enumerate(self.factor.places()):
            grouping = self.factor.groupings[g]
            u = u_levels[g][grouping.codes, column, 0]
            w = v_levels[g][grouping.codes, column, 0]
            inner = u * slope - rows.variance * inverse.solved(g, column)
            inner += rows.residuals * w
            by_theta[number] = grouping.values[:, row] @ inner
        return self._deviance(mode), -2 * np.concatenate([by_theta, by_beta])
