"""Two groups without a participant in common: the difference of a metric."""

from __future__ import annotations

import math

import numpy as np

from clinicadl_trust.stats.clustered import Measured, measure
from clinicadl_trust.stats.estimands import PATIENT
from clinicadl_trust.stats.held_out import clustered_estimate
from clinicadl_trust.stats.intervals import (
    Interval,
    check_level,
    sign_p_value,
    t_interval,
    t_p_value,
)
from clinicadl_trust.stats.metric import Metric
from clinicadl_trust.stats.results import Calibration, Comparison, Estimate
from clinicadl_trust.stats.sample import Sample

__all__ = ["independent_comparison"]

#: A group with its scores.
Group = tuple[Sample, np.ndarray]

_NO_SPREAD = (
    "No participant of either group differs from the others: the interval is made of "
    "the two cautious ones, and the p-value is that of a sign test."
)

_LABELS: tuple[Calibration, ...] = ("calibrated", "conservative", "approximate")


def independent_comparison(
    metric: Metric, first: Group, second: Group, confidence_level: float = 0.95
) -> Comparison:
    """Compare a metric between two groups of participants.

    Parameters
    ----------
    metric : Metric
        What to compare by.
    first, second : tuple of Sample and numpy.ndarray of shape (n_images,)
        Labels and clusters of a group, and the scores of its images.
    confidence_level : float
        For example .95.

    Returns
    -------
    Comparison
        First minus second, with the sum of the two clustered variances and the degrees
        of freedom of Welch and Satterthwaite, each group's being those of its smaller
        class.

    Raises
    ------
    StatisticsError
        If the metric is undefined in a group.

    References
    ----------
    Welch, Biometrika 34, 1947; Satterthwaite, Biometrics Bulletin 2, 1946.
    """
    check_level(confidence_level)
    groups = (first, second)
    both = [measure(metric, sample, [score]) for sample, score in groups]
    each = [clustered_estimate(metric, s, [x], confidence_level) for s, x in groups]
    effect = both[0].value - both[1].value
    error = math.hypot(both[0].standard_error, both[1].standard_error)
    df = _satterthwaite(both)
    warnings = tuple(dict.fromkeys(each[0].warnings + each[1].warnings))
    statistic = effect / error if error > 0 else math.nan
    p_value = t_p_value(statistic, df)
    interval = t_interval(effect, error, df, confidence_level)
    if error == 0:
        interval = _widest(effect, each)
        p_value = sign_p_value(effect, min(m.smallest.n_effective for m in both))
        warnings += (_NO_SPREAD,)
    return Comparison(
        effect=effect,
        low=interval.low,
        high=interval.high,
        p_value=p_value,
        statistic=statistic,
        df=df,
        method=f"two independent groups, {metric.method}, Welch-Satterthwaite t",
        calibration=max((e.calibration for e in each), key=_LABELS.index),
        estimand=PATIENT,
        n=sum(e.n for e in each),
        n_clusters=sum(e.n_clusters for e in each),
        warnings=warnings,
        confidence_level=confidence_level,
        standard_error=error,
    )


def _widest(effect: float, each: list[Estimate]) -> Interval:
    """Make the interval of a difference from those of its two terms."""
    below, above = ([e.value - e.low for e in each], [e.high - e.value for e in each])
    low, high = math.hypot(below[0], above[1]), math.hypot(above[0], below[1])
    return Interval(effect - low, effect + high)


def _satterthwaite(both: list[Measured]) -> float:
    variances = [m.standard_error**2 for m in both]
    if not sum(variances) > 0:
        return min(m.df for m in both)
    below = sum(v**2 / m.df for v, m in zip(variances, both, strict=True))
    return sum(variances) ** 2 / below
