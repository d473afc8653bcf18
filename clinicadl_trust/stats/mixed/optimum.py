"""The optimum of a profiled criterion, and proof that it is one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

__all__ = ["Derivatives", "derivatives", "minimize", "upright"]

Array = NDArray[np.float64]

#: A relative standard deviation below this is tried at 0, as lme4 does (1e-5 there).
_BOUNDARY = 1e-4
#: Below this 0 is tried, and kept where the criterion is no better beside it: an
#: optimum at 0 may be so flat that the search stops at any such value.
_NEAR = 1e-2
#: Relative step of the search's differences.
_STEP = 1e-4
#: Parameters up to which second derivatives are extrapolated.
_EXTRAPOLATED = 8


@dataclass(frozen=True)
class Derivatives:
    """Derivatives of several quantities by some parameters.

    Attributes
    ----------
    value : ndarray of float, shape (n_quantities,)
        At the point.
    first : ndarray of float, shape (n_parameters, n_quantities)
        Gradient.
    second : ndarray of float, shape (n_parameters, n_parameters, n_quantities)
        Hessian.
    """

    value: Array
    first: Array
    second: Array


def minimize(
    function: Callable[[Array], float],
    start: Array,
    diagonal: NDArray[np.bool_],
    scale: Array,
) -> Array:
    """Minimise by L-BFGS with differences.

    Parameters
    ----------
    function : callable
        Of the parameters.
    start : ndarray of float, shape (n_parameters,)
        First guess.
    diagonal : ndarray of bool, shape (n_parameters,)
        Where a column of a triangular factor begins. Its sign is free, so the search
        has no boundary to be stuck at, and is set to + at the end.

    Returns
    -------
    ndarray of float, shape (n_parameters,)
        The best of the optima found from several starts where a standard deviation is
        0, where false optima are.
    """
    best = _from(function, start, diagonal, scale)
    if (best[diagonal] < _BOUNDARY).any():
        for size in (0.2, 3.0):
            again = _from(function, start * size, diagonal, scale)
            if function(again) < function(best) - 1e-9:
                best = again
    for place in np.flatnonzero(diagonal & (best < _NEAR) & (best > 0)):
        at_zero = best.copy()
        at_zero[place] = 0.0
        if function(at_zero) <= function(best) + 1e-9:
            best = at_zero
    return best


def _from(
    function: Callable[[Array], float],
    start: Array,
    diagonal: NDArray[np.bool_],
    scale: Array,
) -> Array:
    if len(start) == 1:
        return _one_parameter(function, float(start[0]))

    def value_and_slope(scaled: Array) -> tuple[float, Array]:
        point = scale * scaled
        slope = np.empty(len(point))
        for place, step in enumerate(_STEP * np.maximum(np.abs(point), 0.25)):
            move = np.zeros(len(point))
            move[place] = step
            slope[place] = (function(point + move) - function(point - move)) / step / 2
        return function(point), scale * slope

    found = optimize.minimize(
        value_and_slope,
        start / scale,
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 1000, "maxfun": 10_000, "ftol": 1e-13, "gtol": 1e-4},
    )
    return upright(scale * found.x, diagonal)


def upright(theta: Array, diagonal: NDArray[np.bool_]) -> Array:
    """Return the same covariance with no standard deviation below 0.

    Parameters
    ----------
    theta : ndarray of float, shape (n_theta,)
        Triangular factors, column by column.
    diagonal : ndarray of bool, shape (n_theta,)
        Where a column begins, whose sign is free.

    Returns
    -------
    ndarray of float, shape (n_theta,)
        With columns turned over where their first element is negative.
    """
    begun = np.flatnonzero(diagonal)[np.cumsum(diagonal) - 1]
    return np.asarray(theta * np.where(theta[begun] < 0, -1.0, 1.0), dtype=float)


def _one_parameter(function: Callable[[Array], float], start: float) -> Array:
    """Bracket on a logarithmic grid, then refine."""
    grid = np.concatenate([[0.0], np.geomspace(0.01, 100, 13) * start])
    values = [function(np.array([point])) for point in grid]
    place = int(np.argmin(values))
    low, high = grid[max(place - 1, 0)], grid[min(place + 1, len(grid) - 1)]
    found = optimize.minimize_scalar(
        lambda point: function(np.array([point])),
        bounds=(low, high),
        method="bounded",
        options={"xatol": 1e-7},
    )
    point = found.x if found.fun < values[place] else grid[place]
    return np.array([float(point)])


def derivatives(function: Callable[[Array], Array], point: Array) -> Derivatives:
    """Differentiate by central differences, extrapolated (Richardson).

    Parameters
    ----------
    function : callable
        Returns several quantities, smooth also beyond the bounds of the parameters.
    point : ndarray of float, shape (n_parameters,)
        Where.

    Returns
    -------
    Derivatives
        To about eight digits.
    """
    step = 4e-3 * np.maximum(np.abs(point), 0.25)
    size = len(point)
    value = np.asarray(function(point), dtype=float)
    first = np.empty((size, len(value)))
    second = np.empty((size, size, len(value)))

    def at(*moves: tuple[int, float]) -> Array:
        there = point.copy()
        for place, times in moves:
            there[place] += times * step[place]
        return np.asarray(function(there), dtype=float)

    for i in range(size):
        near, far = (at((i, 1)), at((i, -1))), (at((i, 2)), at((i, -2)))
        slope = [(near[0] - near[1]) / 2, (far[0] - far[1]) / 4]
        bend = [near[0] - 2 * value + near[1], (far[0] - 2 * value + far[1]) / 4]
        first[i] = _extrapolated(slope) / step[i]
        second[i, i] = _extrapolated(bend) / step[i] ** 2
    scales = (1, 2) if size <= _EXTRAPOLATED else (1,)
    for i, j in combinations(range(size), 2):
        twist = [
            (at((i, s), (j, s)) - at((i, s), (j, -s))
             - at((i, -s), (j, s)) + at((i, -s), (j, -s))) / (4 * s**2)
            for s in scales
        ]  # fmt: skip
        mixed = _extrapolated(twist) if len(twist) == 2 else twist[0]
        second[i, j] = second[j, i] = mixed / (step[i] * step[j])
    return Derivatives(value, first, second)


def _extrapolated(estimates: list[Array]) -> Array:
    near, far = estimates
    return (4 * near - far) / 3
