"""Kenward and Roger's covariance and degrees of freedom of fixed effects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.mixed.covariance import CovarianceFactor
from clinicadl_trust.stats.mixed.design import DesignMatrices
from clinicadl_trust.stats.mixed.gaussian import GaussianFit

__all__ = ["KenwardRoger", "kenward_roger"]

Array = NDArray[np.float64]

#: Rows up to which matrices of rows by rows are made.
MAX_ROWS = 3000


@dataclass(frozen=True)
class KenwardRoger:
    """What the approximation needs for any contrast.

    Attributes
    ----------
    plain, adjusted : ndarray of float, shape (n_fixed, n_fixed)
        Covariance of the fixed effects, before and after the adjustment.
    slopes : ndarray of float, shape (n_components, n_fixed, n_fixed)
        Derivatives of the inverse of ``plain`` by the variance components.
    spread : ndarray of float, shape (n_components, n_components)
        Covariance of the variance components.
    """

    plain: Array
    adjusted: Array
    slopes: Array
    spread: Array

    def degrees(self, contrast: Array) -> float:
        """Return the degrees of freedom of one contrast, shape (n_fixed,)."""
        theta = np.outer(contrast, contrast) / (contrast @ self.plain @ contrast)
        inner = np.einsum("ij,kjl,lm->kim", theta @ self.plain, self.slopes, self.plain)
        traces = np.einsum("kii->k", inner)
        a1 = float(traces @ self.spread @ traces)
        a2 = float(np.einsum("kl,kij,lji->", self.spread, inner, inner))
        b = (a1 + 6 * a2) / 2
        g = (2 * a1 - 5 * a2) / (3 * a2)
        scale = 3 + 2 * (1 - g)
        v0, v1, v2 = 1 + g / scale * b, 1 - (1 - g) / scale * b, 1 - (3 - g) / scale * b
        v0 = 0.0 if abs(v0) < 1e-10 else v0
        rho = ((1 - a2) / v1) ** 2 * v0 / v2 if abs(v1) > 1e-14 else v0 / v2
        return float(4 + 3 / (rho - 1))


def kenward_roger(design: DesignMatrices, fit: GaussianFit) -> KenwardRoger:
    """Adjust the covariance of the fixed effects for small samples.

    Parameters
    ----------
    design : DesignMatrices
        The model, of at most 3,000 rows.
    fit : GaussianFit
        By restricted maximum likelihood.

    Returns
    -------
    KenwardRoger
        Covariance, and degrees of freedom by contrast.

    Raises
    ------
    StatisticsError
        If there are too many rows, or the fit is by maximum likelihood.

    References
    ----------
    Kenward and Roger, Biometrics 53(3), 1997; Halekoh and Hojsgaard, pbkrtest, J. Stat.
    Softw. 59(9), 2014.
    """
    n = len(design.y)
    if n > MAX_ROWS:
        raise StatisticsError(
            f"Kenward-Roger needs matrices of rows by rows, and there are {n:,} rows "
            f"(at most {MAX_ROWS:,}). With so many, use df='satterthwaite'."
        )
    if not fit.reml:
        raise StatisticsError("Kenward-Roger needs a fit with reml=True.")
    parts = _components(design, fit)
    sigma = sum((value * matrix for value, matrix in parts), sparse.csr_matrix((n, n)))
    inverse = linalg.inv(sigma.toarray())
    x, plain = design.x, fit.covariance
    back = inverse @ x
    pushed = [matrix @ inverse for _, matrix in parts]
    moved = [matrix @ back for _, matrix in parts]
    slopes = np.stack([-part.T @ back for part in moved])
    size = len(parts)
    curves = np.empty((size, size, *plain.shape))
    information = np.empty((size, size))
    for i in range(size):
        for j in range(i + 1):
            curves[i, j] = moved[i].T @ inverse @ moved[j]
            curves[j, i] = curves[i, j].T
            trace = float(np.sum(pushed[i].T * pushed[j]))
            both = float(np.sum((plain @ slopes[i]) * (plain @ slopes[j]).T))
            value = trace - 2 * float(np.sum(plain * curves[i, j])) + both
            information[i, j] = information[j, i] = value
    spread = 2 * linalg.pinvh(information, rtol=1e-10)
    bend = np.einsum(
        "ij,ijkl->kl",
        spread,
        curves - np.einsum("iab,bc,jcd->ijad", slopes, plain, slopes),
    )
    adjusted = plain + 2 * plain @ ((bend + bend.T) / 2) @ plain
    return KenwardRoger(plain, adjusted, slopes, spread)


def _components(
    design: DesignMatrices, fit: GaussianFit
) -> list[tuple[float, sparse.csr_matrix]]:
    """Return (value, matrix) whose sum of products is the response's covariance."""
    factor = CovarianceFactor(design.groupings)
    matrices = factor.matrices(fit.theta)
    parts = []
    for grouping, matrix in zip(design.groupings, matrices, strict=True):
        covariance = fit.sigma**2 * matrix @ matrix.T
        n, levels = len(design.y), len(grouping.levels)
        columns = [
            sparse.csr_matrix(
                (values, (np.arange(n), grouping.codes)), shape=(n, levels)
            )
            for values in grouping.values.T
        ]
        start = 0
        for term in grouping.terms:
            for row in range(start, start + term.values.shape[1]):
                for column in range(start, row + 1):
                    product = columns[row] @ columns[column].T
                    if row != column:
                        product = product + product.T
                    parts.append((float(covariance[row, column]), product.tocsr()))
            start += term.values.shape[1]
    residual = sparse.diags(1 / design.weights, format="csr")
    return [*parts, (fit.sigma**2, sparse.csr_matrix(residual))]
