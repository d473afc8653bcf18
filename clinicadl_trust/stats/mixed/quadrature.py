"""Likelihood of a logistic mixed model by adaptive Gauss-Hermite quadrature."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

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

    def deviance(self, point: Array) -> float:
        """Return minus twice the log-likelihood."""
        mode = self.mode(point)
        design, grouping = self.design, self.design.groupings[0]
        theta = point[0]
        u = mode.spherical[0][:, 0, 0]
        spread = np.sqrt(mode.elimination.first_inverse[:, 0, 0])
        places = u[:, None] + spread[:, None] * self._nodes
        values = np.empty_like(places)
        scale = theta * grouping.values[:, 0]
        levels = len(u)
        fixed = mode.eta - scale * u[grouping.codes]
        for node in range(len(self._nodes)):
            eta = fixed + scale * places[grouping.codes, node]
            each = design.weights * (design.y * eta - np.logaddexp(0, eta))
            values[:, node] = np.bincount(grouping.codes, each, levels)
        values += self._log_weights - places**2 / 2
        by_level = logsumexp(values, axis=1) + np.log(spread)
        return -2 * float(by_level.sum() + self.constant)
