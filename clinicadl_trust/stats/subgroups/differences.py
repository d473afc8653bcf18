"""Differences between subgroups, with intervals and adjusted p-values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from clinicadl_trust.stats.intervals import t_p_value, t_quantile
from clinicadl_trust.stats.joint import max_t
from clinicadl_trust.stats.results import Estimate

__all__ = ["Level", "differences"]

_COLUMNS = ["effect", "low", "high", "p_value", "statistic", "df", "standard_error"]


@dataclass(frozen=True)
class Level:
    """A subgroup's performance and what its participants add to it.

    Attributes
    ----------
    name : str
        Of the level.
    estimate : Estimate
        With nan where the metric is undefined.
    parts : numpy.ndarray of shape (n_clusters,)
        Sum of influences of each participant of the whole table, 0 for those of other
        levels.
    members : numpy.ndarray of bool, shape (n_clusters,)
        Whose images the level has.
    """

    name: str
    estimate: Estimate
    parts: np.ndarray
    members: np.ndarray


def differences(
    levels: Sequence[Level], reference: str | None, width: float, seed: int
) -> pd.DataFrame:
    """Compare each pair of levels, or each with one of them.

    The interval adds the two levels' own, each on its side (Newcombe 1998, Stat. Med.
    17, 873-890; Zou 2007, Psychological Methods 12, 399-413), with Welch's degrees of
    freedom; the p-value is the level at which it reaches 0.

    Parameters
    ----------
    levels : sequence of Level
        Two or more.
    reference : str, optional
        The level that is subtracted from each other one; each pair without it.
    width : float
        The largest difference that the metric allows.
    seed : int
        Of the simulation for ``p_adjusted``.

    Returns
    -------
    pandas.DataFrame
        ``level``, ``minus``, ``effect``, ``low``, ``high``, ``p_value``,
        ``p_adjusted`` (max-T over these rows), ``statistic``, ``df``,
        ``standard_error``, ``n_shared`` (participants with images in both) and
        ``calibration``.
    """
    numbers = range(len(levels))
    pairs = [(a, b) for a in numbers for b in numbers if a < b]
    if reference is not None:
        base = [level.name for level in levels].index(reference)
        pairs = [(a, base) for a in numbers if a != base]
    covariance = _covariance(levels)
    contrasts = np.zeros((len(pairs), len(levels)))
    for row, (a, b) in zip(contrasts, pairs, strict=True):
        row[a], row[b] = 1.0, -1.0
    table = pd.DataFrame(
        [_difference(levels[a], levels[b], covariance[a, b], width) for a, b in pairs],
        columns=_COLUMNS,
    )
    table.insert(0, "level", [levels[a].name for a, _ in pairs])
    table.insert(1, "minus", [levels[b].name for _, b in pairs])
    joint = contrasts @ np.nan_to_num(covariance) @ contrasts.T
    table.insert(6, "p_adjusted", max_t(table["p_value"], joint, seed))
    table["n_shared"] = [
        int((levels[a].members & levels[b].members).sum()) for a, b in pairs
    ]
    table["calibration"] = [_worse(levels[a], levels[b]) for a, b in pairs]
    return table


def _covariance(levels: Sequence[Level]) -> np.ndarray:
    """Return the levels' covariance: 0 between levels that share nobody."""
    parts = np.stack([level.parts for level in levels])
    g = parts.shape[1]
    made = parts @ parts.T * (g / (g - 1) if g > 1 else np.nan)
    np.fill_diagonal(made, [level.estimate.standard_error**2 for level in levels])
    return made


def _difference(
    first: Level, second: Level, covariance: float, width: float
) -> tuple[float, ...]:
    a, b = first.estimate, second.estimate
    effect = a.value - b.value
    error = math.sqrt(max(_square(a) + _square(b) - 2 * covariance, 0.0))
    product = a.standard_error * b.standard_error
    shared = covariance / product if product > 0 else 0.0
    below = _side(a.value - a.low, b.high - b.value, a, b, shared)
    above = _side(a.high - a.value, b.value - b.low, a, b, shared)
    reach = [_reach(side, df, a.confidence_level) for side, df in (below, above)]
    side, df = below if effect > 0 else above
    statistic = effect / side if side > 0 else math.nan
    p_value = 1.0 if effect == side == 0 else t_p_value(statistic, df)
    low, high = max(effect - reach[0], -width), min(effect + reach[1], width)
    return effect, low, high, p_value, statistic, df, error


def _reach(side: float, df: float, level: float) -> float:
    return 0.0 if side == 0 else t_quantile(df, level) * side


def _square(estimate: Estimate) -> float:
    return estimate.standard_error**2


def _side(
    half_a: float, half_b: float, a: Estimate, b: Estimate, correlation: float
) -> tuple[float, float]:
    """Return the standard error that one side of an interval has, and its df."""
    if not math.isfinite(half_a + half_b):
        return math.nan, math.nan
    (of_a, below_a), (of_b, below_b) = (
        _error(half, estimate) for half, estimate in ((half_a, a), (half_b, b))
    )
    own = of_a**2 + of_b**2
    if own == 0:
        return 0.0, math.nan
    df = own**2 / (below_a + below_b)
    return math.sqrt(max(own - 2 * correlation * of_a * of_b, 0.0)), df


def _error(half: float, estimate: Estimate) -> tuple[float, float]:
    """Return the standard error that half an interval has, and its share of df."""
    if half == 0:  # known beforehand, whatever the degrees of freedom
        return 0.0, 0.0
    error = half / t_quantile(estimate.df, estimate.confidence_level)
    return error, error**4 / estimate.df


def _worse(first: Level, second: Level) -> str:
    order = ("approximate", "conservative", "calibrated")
    labels = (first.estimate.calibration, second.estimate.calibration)
    return next(word for word in order if word in labels)
