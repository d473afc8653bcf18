"""The optimum of a logistic mixed model's likelihood, and what surrounds it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize
from scipy.special import expit, logit

from clinicadl_trust.stats.mixed.laplace import LaplaceLikelihood
from clinicadl_trust.stats.mixed.optimum import upright

__all__ = ["Optimum", "find_optimum", "rough_optimum"]

Array = NDArray[np.float64]

#: A standard deviation below this is tried at 0, where the likelihood is flat.
_BOUNDARY = 5e-3
#: One below this may be a false optimum.
_SMALL = 0.1
#: Gain of a Newton's step in the deviance: nothing is left to gain, and the Hessian
#: from before the step still holds.
_DONE, _SAME = 1e-10, 1e-5
#: Step of the differences, in standard errors.
_STEP = 0.05
_MAX_STEPS = 8


@dataclass(frozen=True)
class Optimum:
    """An optimum and the deviance about it, in coordinates near standard errors.

    Attributes
    ----------
    point : ndarray of float, shape (n_parameters,)
        (theta, beta).
    deviance : float
        Minus twice the log-likelihood.
    scale : ndarray of float, shape (n_parameters, n_parameters)
        From the coordinates to (theta, beta).
    slope : ndarray of float, shape (n_parameters,)
        Gradient of the deviance.
    curvature : ndarray of float, shape (n_parameters, n_parameters)
        Its Hessian.
    gain : float
        What another of Newton's steps would lower the deviance by.
    """

    point: Array
    deviance: float
    scale: Array
    slope: Array
    curvature: Array
    gain: float


def rough_optimum(likelihood: LaplaceLikelihood) -> Array:
    """Return (theta, beta) near the optimum, shape (n_parameters,)."""
    start = _start(likelihood)
    return _descended(likelihood, start, _scale(likelihood, start), tolerance=0.1)


def find_optimum(likelihood: LaplaceLikelihood, start: Array | None = None) -> Optimum:
    """Minimise the deviance.

    Parameters
    ----------
    likelihood : LaplaceLikelihood
        Any approximation.
    start : ndarray of float, shape (n_parameters,), optional
        Near the optimum.

    Returns
    -------
    Optimum
        The best that was found; several starts are tried where a variance is 0.
    """
    best = _from(likelihood, _start(likelihood) if start is None else start)
    theta, rest = np.split(best.point, [likelihood.n_theta])
    diagonal, identity = likelihood.factor.diagonal, likelihood.factor.start
    if (theta[diagonal] < _SMALL).any():
        # False optima are where a variance is nearly 0.
        lifted = np.where(diagonal, np.maximum(theta, 0.3), theta)
        for other in (0.2 * identity, identity, lifted):
            again = _from(likelihood, np.append(other, rest))
            if again.deviance < best.deviance - 1e-7:
                best = again
    return best


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


def _scale(likelihood: LaplaceLikelihood, point: Array) -> Array:
    """Return coordinates in which the deviance is nearly round."""
    information = likelihood.fixed_information(point)
    size = np.sqrt(np.maximum(np.diag(information), np.finfo(float).tiny))
    values, vectors = np.linalg.eigh(information / np.outer(size, size))
    round_ = vectors / np.sqrt(2 * np.maximum(values, 1e-8))
    return linalg.block_diag(np.diag(likelihood.factor.spread), round_ / size[:, None])


def _descended(
    likelihood: LaplaceLikelihood, start: Array, scale: Array, tolerance: float
) -> Array:
    """Minimise by L-BFGS, the signs of standard deviations left free."""
    inverse = linalg.inv(scale)

    def function(z: Array) -> tuple[float, Array]:
        value, slope = likelihood.deviance_and_gradient(scale @ z)
        return value, scale.T @ slope

    found = optimize.minimize(
        function,
        inverse @ start,
        jac=True,
        method="L-BFGS-B",
        options={
            "maxiter": 500,
            "ftol": tolerance / len(likelihood.design.y),
            "gtol": 1e-6,
        },
    )
    return _upright(likelihood, scale @ found.x)


def _from(likelihood: LaplaceLikelihood, start: Array) -> Optimum:
    scale = _scale(likelihood, start)
    # Where an effect hardly varies the likelihood has a curved valley, and Newton's
    # steps are short: the search goes on then.
    for tolerance in (1e-4, 1e-9):
        start = _descended(likelihood, start, scale, tolerance)
        made = _polished(likelihood, _at_boundary(likelihood, start), scale)
        if made.gain < _SAME:
            break
        start = made.point
    return made


def _upright(likelihood: LaplaceLikelihood, point: Array) -> Array:
    """Turn standard deviations below 0 over."""
    theta = upright(point[: likelihood.n_theta], likelihood.factor.diagonal)
    return np.append(theta, point[likelihood.n_theta :])


def _at_boundary(likelihood: LaplaceLikelihood, point: Array) -> Array:
    """Try standard deviations near 0 at 0, where the likelihood is flat."""
    for place in np.flatnonzero(likelihood.factor.diagonal):
        if 0 < point[place] < _BOUNDARY:
            at_zero = point.copy()
            at_zero[place] = 0.0
            if likelihood.deviance(at_zero) <= likelihood.deviance(point) + 1e-6:
                point = at_zero
    return point


def _polished(likelihood: LaplaceLikelihood, point: Array, scale: Array) -> Optimum:
    """Take Newton's steps until nothing is left to gain."""
    curvature, gain = np.empty(0), np.inf
    for left in reversed(range(_MAX_STEPS)):
        value, gradient = likelihood.deviance_and_gradient(point)
        slope = scale.T @ gradient
        if gain > _SAME:
            curvature = _curvature(likelihood, point, scale)
        step = _step(slope, curvature, _free(likelihood, point))
        gain = float(slope @ step) / 2
        if gain < _DONE or not left:
            break
        moved = _better(likelihood, point, value, scale @ step)
        if moved is None:
            break
        point = moved
    return Optimum(point, value, scale, slope, curvature, gain)


def _free(likelihood: LaplaceLikelihood, point: Array) -> NDArray[np.bool_]:
    """Parameters that are not held at 0."""
    held = likelihood.factor.diagonal & (point[: likelihood.n_theta] <= 0)
    return np.append(~held, np.ones(len(point) - len(held), dtype=bool))


def _step(slope: Array, curvature: Array, free: NDArray[np.bool_]) -> Array:
    """Return Newton's step downhill, also where the deviance is bent the wrong way."""
    values, vectors = np.linalg.eigh(curvature[np.ix_(free, free)])
    values = np.maximum(np.abs(values), 1e-6 * np.abs(values).max())
    made = np.zeros(len(slope))
    made[free] = vectors @ ((vectors.T @ slope[free]) / values)
    return made


def _better(
    likelihood: LaplaceLikelihood, point: Array, value: float, step: Array
) -> Array | None:
    """Return the first of shorter and shorter steps that gains."""
    for halvings in range(12):
        moved = _upright(likelihood, point - step / 2**halvings)
        if likelihood.deviance(moved) <= value:
            return moved
    return None


def _curvature(likelihood: LaplaceLikelihood, point: Array, scale: Array) -> Array:
    """Return the Hessian by central differences of the gradient."""
    columns = []
    for move in _STEP * scale.T:
        up, down = (
            likelihood.deviance_and_gradient(point + sign * move)[1] for sign in (1, -1)
        )
        columns.append(scale.T @ (up - down) / (2 * _STEP))
    made = np.column_stack(columns)
    return (made + made.T) / 2
