"""The mean of a few values with a given variance factor: its interval and test."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from clinicadl_trust.stats.arrays import finite
from clinicadl_trust.stats.intervals import (
    Interval,
    check_level,
    extreme_share,
    sign_p_value,
    t_interval,
    t_p_value,
)
from clinicadl_trust.stats.results import Comparison, Estimate

__all__ = ["UNBOUNDED", "finite_values", "mean_interval", "mean_test"]

UNBOUNDED = (-math.inf, math.inf)

_NO_SPREAD = "All values are the same, so nothing tells how much they vary: {rest}."


def finite_values(values: Sequence[float]) -> np.ndarray:
    """Return values as an array.

    Raises
    ------
    StatisticsError
        If there is none, or one is not finite.
    """
    return finite(
        values, "Values", "Leave out the folds where the metric is undefined."
    )


def _spread(values: np.ndarray, factor: float) -> float:
    """Standard error of the mean, nan from one value, 0 where none differ."""
    if values.size < 2:
        return math.nan
    if np.ptp(values) <= 1e-12 * max(1.0, float(np.abs(values).max())):
        return 0.0
    return math.sqrt(factor * values.var(ddof=1))


def mean_interval(
    values: np.ndarray,
    factor: float,
    confidence_level: float,
    *,
    bounds: tuple[float, float],
    n_clusters: int,
    method: str,
    n_units: int,
) -> Estimate:
    """Make a t interval from the variance of the values times a factor."""
    check_level(confidence_level)
    value, error, df = float(values.mean()), _spread(values, factor), values.size - 1
    interval = t_interval(value, error, df, confidence_level, bounds)
    warnings: tuple[str, ...] = ()
    if values.size < 2:
        warnings = ("There is a single value: no interval can be given.",)
    elif error == 0:
        interval = _at_a_bound(value, bounds, n_clusters, confidence_level)
        rest = "no interval" if math.isnan(interval.low) else "a cautious interval"
        warnings = (_NO_SPREAD.format(rest=rest),)
    return Estimate(
        value=value,
        low=interval.low,
        high=interval.high,
        confidence_level=confidence_level,
        standard_error=error,
        method=method,
        calibration="approximate",
        n=values.size,
        n_clusters=n_units,
        warnings=warnings,
        df=float(df),
    )


def _at_a_bound(
    value: float, bounds: tuple[float, float], n_clusters: int, level: float
) -> Interval:
    """Interval where all values are the same: known only at the metric's limits."""
    low, high = bounds
    reach = (high - low) * (1.0 - extreme_share(n_clusters, level))
    if math.isfinite(reach) and math.isclose(value, high, abs_tol=1e-12):
        return Interval(high - reach, high)
    if math.isfinite(reach) and math.isclose(value, low, abs_tol=1e-12):
        return Interval(low, low + reach)
    return Interval(math.nan, math.nan)


def mean_test(
    differences: np.ndarray,
    factor: float,
    confidence_level: float,
    *,
    method: str,
    estimand: str,
    n_units: int,
) -> Comparison:
    """Test a mean difference with the variance of the values times a factor."""
    check_level(confidence_level)
    effect, error = float(differences.mean()), _spread(differences, factor)
    df = differences.size - 1
    statistic = effect / error if error else math.nan
    interval = t_interval(effect, error, df, confidence_level)
    p_value = t_p_value(statistic, df) if df else math.nan
    warnings: tuple[str, ...] = ()
    if differences.size < 2:
        warnings = ("There is a single value: nothing can be tested.",)
    elif error == 0:
        warnings = (_NO_SPREAD.format(rest="the p-value is that of a sign test"),)
        p_value = 1.0 if effect == 0 else sign_p_value(effect, differences.size)
    return Comparison(
        effect=effect,
        low=interval.low,
        high=interval.high,
        p_value=p_value,
        statistic=statistic,
        df=float(df),
        method=method,
        calibration="approximate",
        estimand=estimand,
        n=differences.size,
        n_clusters=n_units,
        warnings=warnings,
        confidence_level=confidence_level,
        standard_error=error,
    )
