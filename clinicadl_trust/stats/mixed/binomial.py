"""Logistic mixed models by maximum likelihood."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.mixed.design import DesignMatrices
from clinicadl_trust.stats.mixed.elimination import split_levels
from clinicadl_trust.stats.mixed.laplace import LaplaceLikelihood
from clinicadl_trust.stats.mixed.logistic_optimum import (
    Optimum,
    find_optimum,
    rough_optimum,
)
from clinicadl_trust.stats.mixed.quadrature import QuadratureLikelihood

__all__ = ["BinomialFit", "fit_binomial"]

Array = NDArray[np.float64]

#: Rows a level below which Laplace's approximation is biased (own simulations).
_FEW_ROWS = 10
_SINGULAR = 1e-4
#: A step that would still lower the deviance by this much is no optimum.
_CONVERGED = 1e-6
_EXTREME = 12.0


@dataclass(frozen=True)
class BinomialFit:
    """An optimum of the likelihood.

    Attributes
    ----------
    theta : ndarray of float, shape (n_theta,)
        Covariance parameters.
    beta : ndarray of float, shape (n_fixed,)
        Fixed effects, on the logit scale.
    covariance : ndarray of float, shape (n_fixed, n_fixed)
        From the Hessian by all parameters.
    modes : tuple of ndarray of float, shape (n_levels, n_effects)
        Conditional modes, by grouping.
    fitted : ndarray of float, shape (n_rows,)
        Probabilities at the modes.
    deviance : float
        Minus twice the log-likelihood.
    n_nodes : int
        Of the quadrature; 1 is Laplace's approximation.
    singular : bool
        Whether a variance is 0 or a correlation 1.
    warnings : tuple of str
        What a reader must know.
    """

    theta: Array
    beta: Array
    covariance: Array
    modes: tuple[Array, ...]
    fitted: Array
    deviance: float
    n_nodes: int
    singular: bool
    warnings: tuple[str, ...]


def fit_binomial(design: DesignMatrices, n_nodes: int | None = None) -> BinomialFit:
    """Fit a logistic mixed model.

    Parameters
    ----------
    design : DesignMatrices
        Response 0 or 1, or a share with the number of trials as weights.
    n_nodes : int, optional
        Nodes of adaptive Gauss-Hermite quadrature; by default 25 for one scalar random
        effect, and 1 (Laplace's approximation) for others.

    Returns
    -------
    BinomialFit
        Its ``warnings`` say where it is not to be trusted.

    Raises
    ------
    StatisticsError
        If the response is no share, constant, or quadrature is asked for more than one
        scalar random effect.
    """
    _check(design)
    scalar = len(design.groupings) == 1 and design.groupings[0].values.shape[1] == 1
    if n_nodes is None:
        n_nodes = 25 if scalar else 1
    if n_nodes > 1 and not scalar:
        raise StatisticsError(
            f"n_quadrature={n_nodes} needs one scalar random effect, such as "
            "(1 | participant_id). Leave it out for Laplace's approximation."
        )
    laplace = LaplaceLikelihood(design)
    if n_nodes == 1:
        return _fit(laplace, find_optimum(laplace), n_nodes)
    likelihood = QuadratureLikelihood(design, n_nodes)
    return _fit(likelihood, find_optimum(likelihood, rough_optimum(laplace)), n_nodes)


def _check(design: DesignMatrices) -> None:
    y = design.y
    if ((y < 0) | (y > 1)).any():
        raise StatisticsError(
            f"The response goes from {y.min():g} to {y.max():g}. The binomial family "
            "needs 0 and 1, shares with weights, or cbind(successes, failures)."
        )
    counts = y * design.weights
    if np.abs(counts - np.rint(counts)).max() > 1e-6:
        raise StatisticsError(
            "A share times its weight is no whole number of successes. Give the number "
            "of trials as weights."
        )
    if y.min() == y.max():
        raise StatisticsError(
            f"Every response is {y[0]:g}: there is nothing to explain."
        )


def _fit(likelihood: LaplaceLikelihood, optimum: Optimum, n_nodes: int) -> BinomialFit:
    n_theta = likelihood.n_theta
    theta, beta = optimum.point[:n_theta], optimum.point[n_theta:]
    inverse, warnings = _inverted(likelihood, optimum)
    singular = any(
        np.linalg.svd(factor, compute_uv=False).min() < _SINGULAR
        for factor in likelihood.factor.matrices(theta)
    )
    mode = likelihood.mode(optimum.point)
    effects = likelihood.factor.times(theta, mode.spherical)
    return BinomialFit(
        theta=theta,
        beta=beta,
        covariance=2 * inverse[n_theta:, n_theta:],
        modes=tuple(b[..., 0] for b in split_levels(likelihood.factor, *effects)),
        fitted=mode.rows.mean,
        deviance=optimum.deviance,
        n_nodes=n_nodes,
        singular=singular,
        warnings=(
            *warnings,
            *_unbounded(likelihood, theta),
            *_doubts(likelihood.design, beta, n_nodes, singular),
        ),
    )


def _inverted(
    likelihood: LaplaceLikelihood, optimum: Optimum
) -> tuple[Array, list[str]]:
    """Invert the Hessian; say where it, or the gradient, shows no optimum."""
    n_theta, warnings = likelihood.n_theta, []
    held = likelihood.factor.diagonal & (optimum.point[:n_theta] <= 0)
    free = np.append(~held, np.ones(len(optimum.point) - n_theta, dtype=bool))
    values, vectors = np.linalg.eigh(optimum.curvature[np.ix_(free, free)])
    if values[0] <= 1e-8 * values[-1]:
        warnings.append(
            "The likelihood is flat at the optimum: some parameters are not identified."
        )
    keep = values > 1e-8 * values[-1]
    along = vectors[:, keep] / np.sqrt(values[keep])
    gain = float(((along.T @ optimum.slope[free]) ** 2).sum()) / 2
    if gain > _CONVERGED:
        warnings.append(
            f"The fit has not converged: another step would gain {gain:.2g} in the "
            "deviance. Scale the columns, or simplify the random effects."
        )
    reach = optimum.scale[:, free] @ along
    return reach @ reach.T, warnings


def _unbounded(likelihood: LaplaceLikelihood, theta: Array) -> list[str]:
    """Say where levels differ by more than the data can tell."""
    factor = likelihood.factor
    return [
        f"Levels of '{grouping.name}' differ without bound: most have responses of one "
        "class only, and the estimates depend on where the search ended."
        for grouping, t in zip(factor.groupings, factor.matrices(theta), strict=True)
        if np.linalg.norm(t, axis=1).max() > _EXTREME
    ]


def _doubts(
    design: DesignMatrices, beta: Array, n_nodes: int, singular: bool
) -> list[str]:
    """Say why the estimates may mislead although they are the optimum."""
    warnings = []
    if singular:
        warnings.append(
            "The fit is singular: a variance is estimated as 0, or a correlation as "
            "-1 or 1. The random effects may be too rich for the data."
        )
    if np.abs(design.x @ beta).max() > _EXTREME:
        warnings.append(
            "Fixed effects reach a probability of 0 or 1: the classes may be perfectly "
            "separated, and then estimates and p-values mean nothing."
        )
    rows = design.weights.sum() / max(len(g.levels) for g in design.groupings)
    if n_nodes == 1 and rows < _FEW_ROWS:
        warnings.append(
            f"Laplace's approximation with {rows:.1f} rows a level is biased where "
            "levels differ much; fewer random effects would allow quadrature."
        )
    return warnings
