"""Likelihood of a logistic mixed model by adaptive Gauss-Hermite quadrature."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clinicadl_trust.stats.mixed.conditional_mode import Mode
from clinicadl_trust.stats.mixed.design import DesignMatrices
from clinicadl_trust.stats.mixed.laplace import LaplaceLikelihood

__all__ = ["QuadratureLikelihood"]

Array = NDArray[np.float64]


class QuadratureLikelihood(LaplaceLikelihood):
    """Integrates one scalar random effect, level by level, about its mode.

    Parameters
    ----------
    design : DesignMatrices
        With one grouping factor and one effect.
    n_nodes : int
        Nodes of the quadrature; one is Laplace's approximation.

    References
    ----------
    Pinheiro and Chao, J. Comput. Graph. Stat. 15(1), 2006.
    """

    def __init__(self, design: DesignMatrices, n_nodes: int) -> None:
        super().__init__(design)
        nodes, weights = np.polynomial.hermite_e.hermegauss(n_nodes)
        self._nodes = nodes
        self._log_weights = np.log(weights) + nodes**2 / 2 - np.log(2 * np.pi) / 2
        self._z = design.groupings[0].values[:, 0]

    def deviance(self, point: Array) -> float:
        """Return minus twice the log-likelihood."""
        return self.deviance_and_gradient(point)[0]

    def deviance_and_gradient(self, point: Array) -> tuple[float, Array]:
        """Return the deviance and its derivative by (theta, beta).

        The nodes move with the mode and its spread, which move with the parameters.
        """
        mode = self.mode(point)
        theta, u = float(point[0]), mode.spherical[0][:, 0, 0]
        spread = np.sqrt(mode.elimination.first_inverse[:, 0, 0])
        best = self._by_level(mode.rows.log_likelihoods) - u**2 / 2
        scale, codes = theta * self._z, self.design.groupings[0].codes
        total, along, across, own = (np.zeros(len(u)) for _ in range(4))
        mean_residuals = np.zeros(len(scale))
        for node, log_weight in zip(self._nodes, self._log_weights, strict=True):
            place = u + spread * node
            eta = mode.rows.eta + scale * (spread * node)[codes]
            rows = self._modes.rows.at(eta)
            value = self._by_level(rows.log_likelihoods) - place**2 / 2
            # The mode is where the integrand is largest: nothing overflows.
            share = np.exp(value - best + log_weight)
            pull = self._by_level(self._z * rows.residuals)
            total += share
            mean_residuals += share[codes] * rows.residuals
            own += share * pull * place
            along += share * (theta * pull - place)
            across += share * (theta * pull - place) * node
        moved, widened = self._motion(mode, theta, u, spread)
        by_level = np.log(total) + best + np.log(spread)
        gradient = self.design.x.T @ (mean_residuals / total[codes])
        gradient = np.append((own / total).sum(), gradient)
        gradient += (along / total) @ moved
        gradient += (across / total + 1 / spread) @ widened
        return -2 * float(by_level.sum() + self.constant), -2 * gradient

    def _motion(
        self, mode: Mode, theta: float, u: Array, spread: Array
    ) -> tuple[Array, Array]:
        """Return how mode and spread move, shape (n_levels, n_parameters) each."""
        codes, z, rows = self.design.groupings[0].codes, self._z, mode.rows
        # How each row's linear predictor moves while u is held.
        direct = np.column_stack([z * u[codes], self.design.x])
        pull = -theta * self._by_level((z * rows.variance)[:, None] * direct)
        pull[:, 0] += self._by_level(z * rows.residuals)
        moved = spread[:, None] ** 2 * pull
        direct += theta * z[:, None] * moved[codes]
        bend = z**2 * rows.variance * (1 - 2 * rows.mean)
        precision = theta**2 * self._by_level(bend[:, None] * direct)
        precision[:, 0] += 2 * theta * self._by_level(z**2 * rows.variance)
        return moved, -0.5 * spread[:, None] ** 3 * precision

    def _by_level(self, rows: Array) -> Array:
        """Sum rows by level."""
        grouping = self.design.groupings[0]
        codes, levels = grouping.codes, len(grouping.levels)
        columns = rows.reshape(len(rows), -1).T
        made = np.column_stack([np.bincount(codes, c, levels) for c in columns])
        return made.reshape(levels, *rows.shape[1:]).astype(float, copy=False)
