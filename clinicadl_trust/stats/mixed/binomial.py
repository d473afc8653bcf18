"""Logistic mixed models by maximum likelihood."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize
from scipy.special import expit, logit

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.mixed.design import DesignMatrices
from clinicadl_trust.stats.mixed.elimination import split_levels
from clinicadl_trust.stats.mixed.laplace import LaplaceLikelihood
from clinicadl_trust.stats.mixed.optimum import derivatives
from clinicadl_trust.stats.mixed.quadrature import QuadratureLikelihood

__all__ = ["BinomialFit", "fit_binomial"]

Array = NDArray[np.float64]

#: Rows a level below which Laplace's approximation is biased (own simulations).
_FEW_ROWS = 10
_BOUNDARY = 5e-3
_SINGULAR = 1e-4
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
    point = _optimum(laplace, _start(laplace))
    likelihood = laplace
    if n_nodes > 1:
        likelihood = QuadratureLikelihood(design, n_nodes)
        point = _refined(likelihood, point)
    point = _at_boundary(likelihood, point)
    return _fit(likelihood, point, n_nodes)


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


def _start(likelihood: LaplaceLikelihood) -> Array:
    """Start from a logistic regression, kept from infinity."""
    design = likelihood.design
    x, y, trials = design.x, design.y, design.weights
    beta = np.zeros(x.shape[1])
    for _ in range(8):
        eta = x @ beta + design.offset
        mean = np.clip(expit(eta), 1e-3, 1 - 1e-3)
        weights = trials * mean * (1 - mean)
        target = logit(mean) - design.offset + (y - mean) / (mean * (1 - mean))
        root = np.sqrt(weights)[:, None]
        beta = np.linalg.lstsq(x * root, target * root[:, 0], rcond=None)[0]
    return np.concatenate([likelihood.factor.start, beta])


def _bounds(likelihood: LaplaceLikelihood) -> list[tuple[float | None, None]]:
    low = [0.0 if d else None for d in likelihood.factor.diagonal]
    return [(bound, None) for bound in [*low, *[None] * likelihood.design.x.shape[1]]]


def _optimum(likelihood: LaplaceLikelihood, start: Array) -> Array:
    found = optimize.minimize(
        likelihood.deviance_and_gradient,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=_bounds(likelihood),
        options={"maxiter": 500, "ftol": 1e-13, "gtol": 1e-6},
    )
    return found.x


def _refined(likelihood: LaplaceLikelihood, start: Array) -> Array:
    """Newton's steps from the Laplace optimum, derivatives by differences."""
    point, best = start, likelihood.deviance(start)
    for _ in range(20):
        around = derivatives(lambda p: np.array([likelihood.deviance(p)]), point)
        gradient, hessian = around.first[:, 0], around.second[..., 0]
        values, vectors = np.linalg.eigh(hessian)
        values = np.maximum(np.abs(values), 1e-3 * np.abs(values).max())
        step = vectors @ ((vectors.T @ gradient) / values)
        if gradient @ step < 1e-9:
            break
        size = 1.0
        while size > 1e-4:
            moved = point - size * step
            moved[: likelihood.n_theta] = np.maximum(moved[: likelihood.n_theta], 0)
            value = likelihood.deviance(moved)
            if value < best:
                break
            size /= 2
        else:
            break
        point, best = moved, value
    return point


def _at_boundary(likelihood: LaplaceLikelihood, point: Array) -> Array:
    """Try variances near 0 at 0, where the likelihood is flat."""
    for place in np.flatnonzero(likelihood.factor.diagonal):
        if 0 < point[place] < _BOUNDARY:
            at_zero = point.copy()
            at_zero[place] = 0.0
            if likelihood.deviance(at_zero) <= likelihood.deviance(point) + 1e-6:
                point = at_zero
    return point


def _fit(likelihood: LaplaceLikelihood, point: Array, n_nodes: int) -> BinomialFit:
    design, n_theta = likelihood.design, likelihood.n_theta
    warnings = []
    gradient, hessian = _second_order(likelihood, point, n_nodes)
    held = likelihood.factor.diagonal & (point[:n_theta] <= 0)
    free = np.append(~held, np.ones(design.x.shape[1], dtype=bool))
    inner = hessian[np.ix_(free, free)]
    values, vectors = np.linalg.eigh(inner)
    if values[0] <= 1e-8 * values[-1]:
        warnings.append(
            "The likelihood is flat at the optimum: some parameters are not identified."
        )
    keep = values > 1e-8 * values[-1]
    inverse = (vectors[:, keep] / values[keep]) @ vectors[:, keep].T
    gain = float(gradient[free] @ inverse @ gradient[free]) / 2
    if gain > 1e-4:
        warnings.append(
            f"The fit has not converged: another step would gain {gain:.2g} in the "
            "deviance. Scale the columns, or simplify the random effects."
        )
    covariance = 2 * inverse[-design.x.shape[1] :, -design.x.shape[1] :]
    mode = likelihood.mode(point)
    modes = split_levels(likelihood.factor, *(b[..., 0] for b in mode.effects))
    singular = any(
        np.linalg.svd(factor, compute_uv=False).min() < _SINGULAR
        for factor in likelihood.factor.matrices(point[:n_theta])
    )
    if singular:
        warnings.append(
            "The fit is singular: a variance is estimated as 0, or a correlation as "
            "-1 or 1. The random effects may be too rich for the data."
        )
    if np.abs(design.x @ point[n_theta:]).max() > _EXTREME:
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
    return BinomialFit(
        theta=point[:n_theta],
        beta=point[n_theta:],
        covariance=covariance,
        modes=tuple(modes),
        fitted=expit(mode.eta),
        deviance=likelihood.deviance(point),
        n_nodes=n_nodes,
        singular=singular,
        warnings=tuple(warnings),
    )


def _second_order(
    likelihood: LaplaceLikelihood, point: Array, n_nodes: int
) -> tuple[Array, Array]:
    if n_nodes > 1:
        around = derivatives(lambda p: np.array([likelihood.deviance(p)]), point)
        return around.first[:, 0], around.second[..., 0]
    gradient = likelihood.deviance_and_gradient(point)[1]
    step = 1e-3 * np.maximum(np.abs(point), 0.25)
    columns = []
    for place in range(len(point)):
        move = np.zeros_like(point)
        move[place] = step[place]
        up, down = (
            likelihood.deviance_and_gradient(point + sign * move)[1] for sign in (1, -1)
        )
        columns.append((up - down) / (2 * step[place]))
    hessian = np.column_stack(columns)
    return gradient, (hessian + hessian.T) / 2
