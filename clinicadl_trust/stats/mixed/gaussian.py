"""Linear mixed models by (restricted) maximum likelihood."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clinicadl_trust.stats.mixed.optimum import Derivatives, derivatives, minimize
from clinicadl_trust.stats.mixed.profile import Profile, Solution

__all__ = ["GaussianFit", "fit_gaussian"]

Array = NDArray[np.float64]

#: A step that would still lower the criterion by this much is no optimum.
_CONVERGED = 1e-6
#: Gain of a step that is left out, and of one after which the derivatives still hold.
_NOTHING, _SAME = 1e-11, 1e-9
_SINGULAR = 1e-4


@dataclass(frozen=True)
class GaussianFit:
    """An optimum, with what inference needs of its surroundings.

    Attributes
    ----------
    theta : ndarray of float, shape (n_theta,)
        Relative covariance parameters.
    sigma : float
        Residual standard deviation.
    solution : Solution
        Fixed effects at the optimum.
    criterion : float
        Minus twice the log-likelihood, or the REML criterion.
    reml : bool
        Which of both.
    jacobian : ndarray of float, shape (n_theta + 1, n_fixed, n_fixed)
        Derivative of the fixed effects' covariance by (theta, log(sigma)); by sigma
        itself it would depend on the response's unit.
    hessian : ndarray of float, shape (n_theta + 1, n_theta + 1)
        Of the criterion that is not profiled over sigma, by (theta, log(sigma)).
    singular : bool
        Whether a variance is 0 or a correlation 1.
    warnings : tuple of str
        What a reader must know.
    """

    theta: Array
    sigma: float
    solution: Solution
    criterion: float
    reml: bool
    jacobian: Array
    hessian: Array
    singular: bool
    warnings: tuple[str, ...]

    @property
    def covariance(self) -> Array:
        """Covariance of the fixed effects."""
        return self.sigma**2 * self.solution.unscaled


def fit_gaussian(profile: Profile, reml: bool) -> GaussianFit:
    """Find the optimum, polish it, and check it.

    Parameters
    ----------
    profile : Profile
        Cross-products of the model.
    reml : bool
        Restricted maximum likelihood.

    Returns
    -------
    GaussianFit
        Its ``warnings`` say where the optimum is not proven.
    """
    factor = profile.factor
    theta = minimize(
        lambda point: profile.deviance(point, reml),
        factor.start,
        factor.diagonal,
        factor.spread,
    )
    theta, around = _polished(profile, reml, theta)
    warnings = _doubts(profile, reml, theta, around)
    solution = profile.solve(theta)
    df = profile.n - profile.p * reml
    sigma = float(np.sqrt(solution.rss / df))
    jacobian, hessian = _around(profile, around, sigma)
    singular = _is_singular(profile, theta)
    if singular:
        warnings.append(
            "The fit is singular: a variance is estimated as 0, or a correlation as "
            "-1 or 1. The random effects may be too rich for the data."
        )
    return GaussianFit(
        theta=theta,
        sigma=sigma,
        solution=solution,
        criterion=profile.criterion(solution, reml),
        reml=reml,
        jacobian=jacobian,
        hessian=hessian,
        singular=singular,
        warnings=tuple(warnings),
    )


def _quantities(profile: Profile, reml: bool, theta: Array) -> Array:
    """Log-determinants, residual sum of squares, unscaled covariance."""
    solution = profile.solve(theta)
    log_det = solution.log_det + reml * solution.log_det_fixed
    return np.concatenate([[log_det, solution.rss], solution.unscaled.ravel()])


def _slopes(profile: Profile, reml: bool, around: Derivatives) -> tuple[Array, Array]:
    """Gradient and Hessian of the profiled criterion."""
    df = profile.n - profile.p * reml
    rss, slope = around.value[1], around.first[:, 1]
    gradient = around.first[:, 0] + df * slope / rss
    bend = around.second[..., 1] / rss - np.outer(slope, slope) / rss**2
    return gradient, around.second[..., 0] + df * bend


def _polished(profile: Profile, reml: bool, theta: Array) -> tuple[Array, Derivatives]:
    """Newton's steps from the optimum that was found without derivatives."""
    best = profile.deviance(theta, reml)
    around = derivatives(lambda t: _quantities(profile, reml, t), theta)
    for _ in range(5):
        gradient, hessian = _slopes(profile, reml, around)
        free = _free(profile, theta, gradient)
        if not free.any():
            break
        try:
            step = np.linalg.solve(hessian[np.ix_(free, free)], gradient[free])
        except np.linalg.LinAlgError:
            break
        gain = gradient[free] @ step
        if gain < _NOTHING:
            break
        moved = theta.copy()
        moved[free] -= step
        moved[profile.factor.diagonal] = np.maximum(moved[profile.factor.diagonal], 0.0)
        value = profile.deviance(moved, reml)
        if not value <= best + 1e-10 * abs(best):
            break
        theta, best = moved, value
        if gain < _SAME:
            break
        around = derivatives(lambda t: _quantities(profile, reml, t), theta)
    return theta, around


def _free(profile: Profile, theta: Array, gradient: Array) -> NDArray[np.bool_]:
    """Parameters that are not held at 0."""
    return ~(profile.factor.diagonal & (theta <= 0) & (gradient >= -1e-6))


def _doubts(
    profile: Profile, reml: bool, theta: Array, around: Derivatives
) -> list[str]:
    """Say where first and second order conditions of an optimum fail."""
    gradient, hessian = _slopes(profile, reml, around)
    free = _free(profile, theta, gradient)
    if not free.any():
        return []
    inner = hessian[np.ix_(free, free)]
    lowest = float(np.linalg.eigvalsh(inner)[0])
    if lowest <= 0:
        return [
            "The criterion is flat or bent downwards at the optimum (lowest eigenvalue "
            f"of the Hessian {lowest:.2g}): some (co)variances are not identified."
        ]
    gain = float(gradient[free] @ np.linalg.solve(inner, gradient[free])) / 2
    if gain > _CONVERGED * max(1.0, 1e-4 * profile.n):
        return [
            f"The fit has not converged: another step would gain {gain:.2g} in the "
            "criterion. Scale the columns, or simplify the random effects."
        ]
    return []


def _around(profile: Profile, around: Derivatives, sigma: float) -> tuple[Array, Array]:
    """Jacobian of the covariance and Hessian by (theta, log(sigma))."""
    size, p = len(around.first), profile.p
    rss = around.value[1]
    hessian = np.empty((size + 1, size + 1))
    hessian[:size, :size] = around.second[..., 0] + around.second[..., 1] / sigma**2
    hessian[:size, size] = hessian[size, :size] = -2 * around.first[:, 1] / sigma**2
    hessian[size, size] = 4 * rss / sigma**2
    jacobian = np.empty((size + 1, p, p))
    jacobian[:size] = sigma**2 * around.first[:, 2:].reshape(size, p, p)
    jacobian[size] = 2 * sigma**2 * around.value[2:].reshape(p, p)
    return jacobian, hessian


def _is_singular(profile: Profile, theta: Array) -> bool:
    """Whether a level's covariance has no full rank."""
    for factor in profile.factor.matrices(theta):
        scale = np.linalg.norm(factor, axis=1).max()
        if np.linalg.svd(factor, compute_uv=False).min() < _SINGULAR * max(scale, 1.0):
            return True
    return False
