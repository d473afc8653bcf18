"""Confidence intervals from a value, its standard error and its scale."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.options import check_number

__all__ = [
    "Interval",
    "alike_interval",
    "check_level",
    "disagreement",
    "extreme_share",
    "normal_interval",
    "scaled_interval",
    "sign_p_value",
    "t_interval",
    "t_p_value",
]


@dataclass(frozen=True)
class Interval:
    """A confidence interval.

    Attributes
    ----------
    low, high : float
        Its ends, nan when there is none.
    floored : bool
        Whether the standard error was too small to be believed and a cautious rule
        took its place.
    """

    low: float
    high: float
    floored: bool = False


def check_level(confidence_level: float) -> float:
    """Return a confidence level, refused unless it lies between 0 and 1.

    Raises
    ------
    StatisticsError
        For example for 95.
    """
    level = check_number("confidence_level", confidence_level)
    if not 0 < level < 1:
        hint = f" Write {level / 100:g}." if 1 < level < 100 else ""
        raise StatisticsError(
            f"A confidence level lies between 0 and 1, not {level:g}.{hint}"
        )
    return level


def t_quantile(df: float, confidence_level: float) -> float:
    """Return the two-sided quantile of Student's t."""
    return float(special.stdtrit(df, (1.0 + confidence_level) / 2.0))


def t_p_value(statistic: float, df: float) -> float:
    """Return the two-sided p-value of a t statistic."""
    return float(2.0 * special.stdtr(df, -abs(statistic)))


def extreme_share(n_clusters: float, confidence_level: float) -> float:
    """Return the smallest share of successes that n out of n do not rule out.

    The exact binomial limit (Clopper and Pearson 1934) for as many successes as
    there are clusters; it holds whatever the correlation within them.
    """
    return ((1.0 - confidence_level) / 2.0) ** (1.0 / n_clusters)


def sign_p_value(effect: float, n_clusters: float) -> float:
    """Return the p-value of an effect that every cluster shows alike.

    The level at which the interval of ``extreme_share`` around the effect, a share
    between -1 and 1, reaches 0; never less than a sign test over clusters gives.
    """
    return min(1.0, 2.0 * max(1.0 - abs(effect), 0.5) ** n_clusters)


def alike_interval(
    effect: float, n_clusters: float, confidence_level: float, width: float = 1.0
) -> Interval:
    """Make a cautious interval of a difference that every cluster shows alike.

    Parameters
    ----------
    effect : float
        Between ``-width`` and ``width``.
    n_clusters : float
        As many as they are worth.
    confidence_level : float
        For example .95.
    width : float
        Largest value of the metric minus the smallest.

    Returns
    -------
    Interval
        As far on either side as ``extreme_share`` leaves room for clusters that were
        not seen and differ otherwise.
    """
    reach = width * (1.0 - extreme_share(n_clusters, confidence_level))
    return Interval(max(effect - reach, -width), min(effect + reach, width))


def t_interval(
    value: float,
    standard_error: float,
    df: float,
    confidence_level: float,
    bounds: tuple[float, float] = (-math.inf, math.inf),
) -> Interval:
    """Make a symmetric t interval, cut at what the metric cannot exceed."""
    if not (df >= 1 and standard_error > 0):
        return Interval(math.nan, math.nan)
    half = t_quantile(df, confidence_level) * standard_error
    low, high = np.clip([value - half, value + half], *bounds)
    return Interval(float(low), float(high))


def normal_interval(
    value: float,
    standard_error: float,
    confidence_level: float,
    bounds: tuple[float, float],
) -> Interval:
    """Make the plain interval of value +- z standard errors, cut at the bounds."""
    half = float(special.ndtri((1.0 + confidence_level) / 2.0)) * standard_error
    low, high = np.clip([value - half, value + half], *bounds)
    return Interval(float(low), float(high))


def scaled_interval(
    value: float,
    standard_error: float,
    df: float,
    confidence_level: float,
    *,
    scale: str,
    bounds: tuple[float, float],
    n_answers: float,
    n_clusters: float,
) -> Interval:
    """Make a t interval on the scale of a metric.

    Parameters
    ----------
    value, standard_error : float
        On the metric's own scale.
    df : float
        Degrees of freedom.
    confidence_level : float
        For example .95.
    scale : {"logit", "log", "log1m", "identity"}
        As in ``Metric``.
    bounds : tuple of float
        The metric's smallest and largest value.
    n_answers : float
        No interval is narrower than that of so many independent yes-or-no answers;
        0 sets no such limit.
    n_clusters : float
        Clusters of the smallest class, as many as its images are worth.

    Returns
    -------
    Interval
        On the logit scale never of zero width: at the best or the worst possible
        value its other end is the exact binomial one (Clopper and Pearson 1934) of
        as many successes as there are clusters, which holds whatever the
        correlation within them.
    """
    if not (df >= 1 and np.isfinite(value) and np.isfinite(standard_error)):
        return Interval(math.nan, math.nan)
    if scale == "identity":
        return t_interval(value, standard_error, df, confidence_level, bounds)
    t = t_quantile(df, confidence_level)
    if scale != "logit":
        return _log_interval(value, t * standard_error, scale)
    bottom, top = bounds
    share = (value - bottom) / (top - bottom)
    error = standard_error / (top - bottom)
    if share <= 0 or share >= 1:
        reach = extreme_share(n_clusters, confidence_level)
        low, high = (reach, 1.0) if share >= 1 else (0.0, 1.0 - reach)
        floored = True
    else:
        least = math.sqrt(share * (1 - share) / n_answers) if n_answers else 0.0
        floored = error < least
        half = t * max(error, least) / (share * (1 - share))
        centre = special.logit(share)
        low, high = special.expit([centre - half, centre + half])
    width = top - bottom
    return Interval(float(bottom + width * low), float(bottom + width * high), floored)


def _log_interval(value: float, half: float, scale: str) -> Interval:
    """Interval of a positive error, or of one minus an error."""
    error = value if scale == "log" else 1.0 - value
    if error <= 0 or half <= 0:  # no error at all: nothing tells how rare one is
        return Interval(math.nan, math.nan)
    low, high = error * math.exp(-half / error), error * math.exp(half / error)
    return Interval(low, high) if scale == "log" else Interval(1.0 - high, 1.0 - low)


def disagreement(
    low: float, high: float, p_value: float, confidence_level: float
) -> tuple[str, ...]:
    """Say so where an interval and an exact test, made apart, tell two stories.

    Parameters
    ----------
    low, high : float
        The interval of a difference.
    p_value : float
        Of the test that there is none.
    confidence_level : float
        Of the interval.
    """
    rejects = p_value < 1 - confidence_level
    if rejects == (low > 0 or high < 0):
        return ()
    sides = ("leaves 0 out", "does not reject")
    if rejects:
        sides = ("holds 0", "rejects")
    return (
        f"The interval {sides[0]} and the exact test {sides[1]}: they are near the "
        "border. The p-value is the answer.",
    )
