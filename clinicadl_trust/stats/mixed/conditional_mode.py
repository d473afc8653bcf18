"""The conditional mode of a logistic mixed model's random effects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.mixed.covariance import CovarianceFactor
from clinicadl_trust.stats.mixed.cross_products import CrossProducts
from clinicadl_trust.stats.mixed.design import DesignMatrices
from clinicadl_trust.stats.mixed.elimination import Elimination
from clinicadl_trust.stats.mixed.logistic import LogisticRows, Moments

__all__ = ["ConditionalMode", "Effects", "Mode"]

Array = NDArray[np.float64]
#: Effects of the first grouping and of the rest, the last axis of length one.
Effects = tuple[Array, Array]

_MAX_STEPS = 100
#: Newton's decrement at which the mode is found (the determinant's error is its square
#: root), and the relative gain that may be rounding alone.
_FOUND, _ROUNDED = 1e-22, 1e-13
#: Change of a linear predictor up to which the mode's derivative helps.
_NEAR = 2.0


@dataclass(frozen=True)
class Mode:
    """The random effects at their conditional mode.

    Attributes
    ----------
    theta, beta : ndarray of float
        Where.
    spherical : tuple of ndarray
        u, as (first grouping, rest); the random effects are T u.
    rows : Moments
        Of the response.
    elimination : Elimination
        Of the system at the mode.
    penalized : float
        Log-likelihood of the data less half the squared length of u.
    """

    theta: Array
    beta: Array
    spherical: Effects
    rows: Moments
    elimination: Elimination
    penalized: float


@dataclass(frozen=True)
class _Place:
    """Random effects on the way to the mode."""

    spherical: Effects
    rows: Moments
    penalized: float


class ConditionalMode:
    """Finds modes by penalised iteratively reweighted least squares.

    The first guess is the last mode, moved along its derivative to the new parameters
    (implicit function theorem) where they are near.

    Parameters
    ----------
    design : DesignMatrices
        Response between 0 and 1, weights the number of trials.
    """

    def __init__(self, design: DesignMatrices) -> None:
        self.design = design
        self.rows = LogisticRows(design.y, design.weights)
        self.factor = CovarianceFactor(design.groupings)
        self.products = CrossProducts(self.factor)
        self._last: Mode | None = None

    def find(self, theta: Array, beta: Array) -> Mode:
        """Return the mode.

        Raises
        ------
        StatisticsError
            If it does not converge.
        """
        fixed = self.design.x @ beta + self.design.offset
        place = self._first_guess(theta, beta, fixed)
        gain = before = np.inf
        for _ in range(_MAX_STEPS):
            self.products.weigh(place.rows.variance)
            elimination = Elimination(self.products, theta)
            slope = self._slope(theta, place)
            step = elimination.spherical(*slope)
            decrement = float((slope[0] * step[0]).sum() + (slope[1] * step[1]).sum())
            rounded = gain <= _ROUNDED * (1 + abs(place.penalized))
            if decrement <= _FOUND or (rounded and decrement > before / 100):
                self._last = Mode(
                    theta.copy(), beta.copy(), place.spherical, place.rows,
                    elimination, place.penalized,
                )  # fmt: skip
                return self._last
            moved = self._moved(theta, fixed, place, step)
            gain, before = moved.penalized - place.penalized, decrement
            place = moved
        raise StatisticsError(
            "The random effects do not converge. Are the classes perfectly "
            "separated by a fixed effect or within every level?"
        )

    def _first_guess(self, theta: Array, beta: Array, fixed: Array) -> _Place:
        last = self._last
        if last is None:
            first = self.factor.groupings[0]
            shape = (len(first.levels), first.values.shape[1], 1)
            zeros = np.zeros(shape), np.zeros((self.products.n_rest, 1))
            return self._at(theta, fixed, zeros)
        shift = self.design.x @ (beta - last.beta)
        shift += self.spread(theta - last.theta, last.spherical)
        spherical = last.spherical
        if np.abs(shift).max() < _NEAR:
            rows = last.rows
            pull = self.pull(last.theta, -(rows.variance * shift)[:, None])
            turn = self.pull(theta - last.theta, rows.residuals[:, None])
            both = pull[0] + turn[0], pull[1] + turn[1]
            spherical = _along(spherical, last.elimination.spherical(*both), 1.0)
        return self._at(theta, fixed, spherical)

    def _slope(self, theta: Array, place: _Place) -> Effects:
        """Return the gradient of the penalised log-likelihood by u."""
        pull = self.pull(theta, place.rows.residuals[:, None])
        return pull[0] - place.spherical[0], pull[1] - place.spherical[1]

    def pull(self, theta: Array, rows: Array) -> Effects:
        """Return T'Z' times columns, shape (n_rows, k)."""
        summed = self.products.transposed(rows)
        return self.factor.times(theta, summed, transposed=True)

    def spread(self, theta: Array, spherical: Effects) -> Array:
        """Return Z T u, shape (n_rows,)."""
        first, rest = self.factor.times(theta, spherical)
        return self.products.times(first[..., 0], rest[..., 0])

    def _moved(
        self, theta: Array, fixed: Array, place: _Place, step: Effects
    ) -> _Place:
        """Take a Newton's step, halved until it loses nothing."""
        size, least = 1.0, place.penalized - 1e-12 * abs(place.penalized)
        while True:
            moved = self._at(theta, fixed, _along(place.spherical, step, size))
            if moved.penalized >= least or size < 1e-6:
                return moved
            size /= 2

    def _at(self, theta: Array, fixed: Array, spherical: Effects) -> _Place:
        rows = self.rows.at(fixed + self.spread(theta, spherical))
        length = sum(float((u**2).sum()) for u in spherical)
        return _Place(spherical, rows, float(rows.log_likelihoods.sum()) - length / 2)


def _along(start: Effects, step: Effects, size: float) -> Effects:
    return start[0] + size * step[0], start[1] + size * step[1]
