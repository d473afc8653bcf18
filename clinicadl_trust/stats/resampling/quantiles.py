"""Intervals and p-values from the values of resamples.

References
----------
Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 12 to 14; Davison
and Hinkley, Bootstrap Methods and their Application, 1997, chapter 5.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

__all__ = ["METHODS", "Distribution", "Method"]

Array = NDArray[np.float64]
Method = Literal["percentile", "basic", "bca", "studentized"]

METHODS = ("percentile", "basic", "bca", "studentized")


@dataclass(frozen=True)
class Distribution:
    """A statistic and its values on resamples.

    Attributes
    ----------
    value : float
        On the data.
    resampled : ndarray of float, shape (n_resamples,)
        On the resamples, finite.
    jackknife : ndarray of float, shape (n_clusters,)
        Without each cluster (for BCa).
    errors : ndarray of float, shape (n_resamples,), optional
        Standard error on each resample (for the studentized interval).
    """

    value: float
    resampled: Array
    jackknife: Array
    errors: Array | None = None

    @property
    def standard_error(self) -> float:
        """Standard deviation over resamples."""
        return float(self.resampled.std(ddof=1))

    @property
    def bias_correction(self) -> float:
        """z0: how far the value is from the median of the resamples."""
        below = (self.resampled < self.value).mean()
        equal = (self.resampled == self.value).mean()
        return float(special.ndtri(below + equal / 2))

    @property
    def acceleration(self) -> float:
        """How fast the standard error changes with the value, from the jackknife."""
        d = self.jackknife[np.isfinite(self.jackknife)]
        d = d.mean() - d
        scale = float((d**2).sum()) ** 1.5
        return float((d**3).sum()) / (6 * scale) if scale > 0 else 0.0

    def interval(self, method: Method, level: float) -> tuple[float, float]:
        """Return the ends of an interval."""
        tails = np.array([(1 - level) / 2, (1 + level) / 2])
        if method == "percentile":
            low, high = _quantile(self.resampled, tails)
        elif method == "basic":
            low, high = 2 * self.value - _quantile(self.resampled, tails[::-1])
        elif method == "bca":
            z = self.bias_correction + special.ndtri(tails)
            shifted = self.bias_correction + z / (1 - self.acceleration * z)
            low, high = _quantile(self.resampled, special.ndtr(shifted))
        else:
            low, high = self.value - self.standard_error * _quantile(
                self._pivots, tails[::-1]
            )
        return float(low), float(high)

    @property
    def _pivots(self) -> Array:
        assert self.errors is not None
        keep = self.errors > 0
        return (self.resampled[keep] - self.value) / self.errors[keep]

    def p_value(self, method: Method) -> float:
        """Return the smallest two-sided level at which the interval leaves out 0."""
        n = len(self.resampled)
        if method == "basic":
            tail = (self.resampled >= 2 * self.value).mean()
        elif method == "studentized":
            tail = (self._pivots >= self.value / self.standard_error).mean()
        else:
            tail = (self.resampled < 0).mean() + (self.resampled == 0).mean() / 2
        share = float(np.clip(tail, 0.5 / (n + 1), 1 - 0.5 / (n + 1)))
        if method == "bca":
            z = special.ndtri(share) - self.bias_correction
            share = float(
                special.ndtr(z / (1 + self.acceleration * z) - self.bias_correction)
            )
        return min(1.0, 2 * min(share, 1 - share))

    @property
    def is_degenerate(self) -> bool:
        """Whether no resample differs from another."""
        return math.isclose(float(np.ptp(self.resampled)), 0.0, abs_tol=1e-15)


def _quantile(values: Array, shares: Array) -> Array:
    """Return the (R + 1) p-th of R values in order, as Davison and Hinkley do."""
    return np.asarray(np.quantile(values, shares, method="weibull"), dtype=float)
