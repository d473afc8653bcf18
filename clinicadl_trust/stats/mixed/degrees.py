"""Degrees of freedom of a linear mixed model's fixed effects."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clinicadl_trust.stats.mixed.gaussian import GaussianFit

__all__ = ["satterthwaite"]

Array = NDArray[np.float64]


def satterthwaite(fit: GaussianFit, contrast: Array) -> float:
    """Return Satterthwaite's degrees of freedom of a contrast.

    Parameters
    ----------
    fit : GaussianFit
        The model.
    contrast : ndarray of float, shape (n_fixed,)
        Weights of the fixed effects.

    Returns
    -------
    float
        Degrees of freedom of the t distribution.

    References
    ----------
    Kuznetsova et al., lmerTest package, J. Stat. Softw. 82(13), 2017, equation 8.
    """
    variance = contrast @ fit.covariance @ contrast
    gradient = np.einsum("i,kij,j->k", contrast, fit.jacobian, contrast)
    values, vectors = np.linalg.eigh(fit.hessian)
    # Directions in which the criterion is flat carry no information.
    keep = values > max(values.max(), 0) * 1e-8
    along = vectors[:, keep].T @ gradient
    spread = 2 * float(np.sum(along**2 / values[keep]))
    return float(2 * variance**2 / spread) if spread > 0 else float("inf")
