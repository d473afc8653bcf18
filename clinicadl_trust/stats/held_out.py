"""A test group that nothing was trained on: one model's interval, two compared."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from clinicadl_trust.stats.clustered import Measured, measure
from clinicadl_trust.stats.estimands import PATIENT
from clinicadl_trust.stats.intervals import (
    Interval,
    alike_interval,
    check_level,
    scaled_interval,
    sign_p_value,
    t_interval,
    t_p_value,
)
from clinicadl_trust.stats.labels import label_of, say_few
from clinicadl_trust.stats.metric import Metric
from clinicadl_trust.stats.results import Comparison, Estimate
from clinicadl_trust.stats.sample import Sample

__all__ = ["clustered_comparison", "clustered_estimate"]

CONSTANT = (
    "Every image has the same score: the value is known beforehand and has no "
    "sampling error."
)

SAME = "Both models give each image the same score."

ALIKE = (
    "No participant's images tell the two models apart by more or less than another's: "
    "the p-value is that of a sign test over participants."
)


def clustered_estimate(
    metric: Metric,
    sample: Sample,
    scores: Sequence[np.ndarray],
    confidence_level: float = 0.95,
) -> Estimate:
    """Estimate a metric on a test group, with a participant-clustered interval.

    Parameters
    ----------
    metric : Metric
        What to estimate.
    sample : Sample
        Labels and participants.
    scores : sequence of numpy.ndarray of shape (n_images,) or (n_images, n_classes)
        One per seed of the model. The value is the mean of the seeds' metrics; the
        interval is for these trained models and new participants.
    confidence_level : float
        For example .95.

    Returns
    -------
    Estimate
        With a nan interval where a class has a single participant.

    Raises
    ------
    StatisticsError
        If the metric is undefined on these images.
    """
    check_level(confidence_level)
    measured = measure(metric, sample, scores)
    warnings: tuple[str, ...] = ()
    error = measured.standard_error
    if metric.constant_is_exact and all(is_constant(score) for score in scores):
        interval, error = Interval(measured.value, measured.value), 0.0
        warnings = (CONSTANT,)
    else:
        interval = _interval(metric, measured, confidence_level)
        warnings = say_few(metric, measured.smallest)
        if math.isnan(interval.low) and measured.standard_error == 0:
            warnings += ("There is no error here, hence no interval for its size.",)
        elif math.isnan(interval.low) and measured.smallest.n_clusters > 1:
            warnings += ("It is undefined without one of the participants.",)
    return Estimate(
        value=measured.value,
        low=interval.low,
        high=interval.high,
        confidence_level=confidence_level,
        standard_error=error,
        method=_method(metric, sample, len(scores), f", {_SCALES[metric.scale]}"),
        calibration=label_of(
            metric, metric.interval, measured.smallest, interval.floored
        ),
        n=sample.label.size,
        n_clusters=sample.n_clusters,
        warnings=warnings,
        df=measured.df,
    )


def clustered_comparison(
    metric: Metric,
    sample: Sample,
    scores: Sequence[np.ndarray],
    reference: Sequence[np.ndarray],
    confidence_level: float = 0.95,
) -> Comparison:
    """Compare two models on the same test images, paired by participant.

    Parameters
    ----------
    metric : Metric
        What to compare by.
    sample : Sample
        Labels and participants.
    scores, reference : sequence of numpy.ndarray
        The two models' scores of these images, one per seed.
    confidence_level : float
        For example .95.

    Returns
    -------
    Comparison
        First minus second. For the ROC AUC this is DeLong's test (1988), or
        Obuchowski's (1997) with several images of a participant, with t degrees of
        freedom.

    Raises
    ------
    StatisticsError
        If the metric is undefined on these images.
    """
    check_level(confidence_level)
    first = measure(metric, sample, scores)
    second = measure(metric, sample, reference)
    difference = first.minus(second)
    error, df = difference.standard_error, difference.df
    warnings = say_few(metric, difference.smallest)
    if error == 0:
        same = all(np.array_equal(a, b) for a in scores for b in reference)
        interval, p_value = _without_spread(metric, difference, same, confidence_level)
        statistic = math.nan
        warnings += (SAME,) if same else (ALIKE,)
    else:
        statistic = difference.value / error
        interval = t_interval(difference.value, error, df, confidence_level)
        p_value = t_p_value(statistic, df)
    return Comparison(
        effect=difference.value,
        low=interval.low,
        high=interval.high,
        p_value=p_value,
        statistic=statistic,
        df=df,
        method=f"paired {_method(metric, sample, max(len(scores), len(reference)))}, t",
        calibration=label_of(
            metric,
            metric.test,
            difference.smallest,
            error == 0 or any(_is_extreme(metric, each) for each in (first, second)),
        ),
        estimand=PATIENT,
        n=sample.label.size,
        n_clusters=sample.n_clusters,
        warnings=warnings,
        confidence_level=confidence_level,
        standard_error=error,
    )


def is_constant(score: np.ndarray) -> bool:
    """Whether a model gives every image the same score."""
    return bool((score == score[0]).all())


_SCALES = {
    "logit": "logit scale, t",
    "log": "log scale, t",
    "log1m": "scale log(1 - value), t",
    "identity": "t",
}


def _interval(metric: Metric, measured: Measured, level: float) -> Interval:
    return scaled_interval(
        measured.value,
        measured.standard_error,
        measured.df,
        level,
        scale=metric.scale,
        bounds=metric.bounds,
        n_answers=measured.n_answers,
        n_clusters=measured.smallest.n_effective,
    )


def _without_spread(
    metric: Metric, difference: Measured, same: bool, level: float
) -> tuple[Interval, float]:
    """Interval and p-value where every participant says the same."""
    effect, width = difference.value, metric.bounds[1] - metric.bounds[0]
    n_clusters = difference.smallest.n_effective
    if same:
        return Interval(0.0, 0.0), 1.0
    if not math.isfinite(width):
        return Interval(math.nan, math.nan), sign_p_value(effect, n_clusters)
    interval = alike_interval(effect, n_clusters, level, width)
    return interval, sign_p_value(effect / width, n_clusters)


def _method(metric: Metric, sample: Sample, n_seeds: int, ending: str = "") -> str:
    name = metric.method
    if metric.name == "roc_auc" and not sample.is_clustered:
        name = "DeLong (1988)"  # what Obuchowski's formula becomes
    return f"{name}{ending}" + (f", mean of {n_seeds} seeds" if n_seeds > 1 else "")


def _is_extreme(metric: Metric, measured: Measured) -> bool:
    """Whether a share is so near 0 or 1 that its test rejects too rarely."""
    bottom, top = metric.bounds
    share = (measured.value - bottom) / (top - bottom)
    return metric.stratified and abs(share - 0.5) > 0.4
