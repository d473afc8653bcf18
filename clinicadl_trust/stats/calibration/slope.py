"""Calibration in the large and calibration slope, with clustered intervals."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy import special

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.calibration.probabilities import (
    as_probabilities,
    fewest,
    two_classes,
)
from clinicadl_trust.stats.intervals import Interval, check_level, t_interval
from clinicadl_trust.stats.options import check_number
from clinicadl_trust.stats.results import Calibration, Estimate
from clinicadl_trust.stats.sample import Counts, Sample

__all__ = ["calibration_intercept", "calibration_slope"]

#: Participants of the smaller class from which on intervals keep their level
#: (measured by ``clinicadl trust-check --scenario perfect-calibration``).
_ENOUGH = 20
_MAX_STEPS = 100

#: What rounding leaves of a standard error of 0, as a part of the value.
_NO_ERROR = 1e-9
_ALIKE = (
    "No participant's images differ from another's, or there is one participant: "
    "nothing tells how much the value varies, and no interval can be given."
)


def calibration_slope(
    label: npt.ArrayLike,
    score: npt.ArrayLike,
    cluster: npt.ArrayLike | None = None,
    *,
    clip: float | None = None,
    confidence_level: float = 0.95,
) -> Estimate:
    """Estimate the calibration slope: 1 for perfect probabilities.

    The slope of a logistic regression of the label on the logit of the score: below 1
    the probabilities are too extreme (overfitting), above 1 too timid.

    Parameters
    ----------
    label : array-like of shape (n_images,)
        1 for the class whose probability is the score, 0 for the other.
    score : array-like of shape (n_images,)
        Probabilities.
    cluster : array-like of shape (n_images,), optional
        The participant of each image. Without it every image is taken for another
        participant's.
    clip : float, optional
        Move scores below it up to it, and those above ``1 - clip`` down: 0 and 1 have
        no logit, and are refused without it. The slope may depend on it.
    confidence_level : float
        Of the interval.

    Returns
    -------
    Estimate
        With a cluster sandwich and t degrees of freedom from the participants of the
        smaller class.

    Raises
    ------
    StatisticsError
        If labels are not 0 and 1, scores are no probabilities, are all the same, are
        0 or 1 without ``clip``, or separate the classes (the slope is infinite).

    References
    ----------
    Cox, Biometrika 45, 1958; Van Calster et al., J. Clin. Epidemiol. 74, 2016.
    """
    sample, logit, warnings = _checked(label, score, cluster, clip, confidence_level)
    _check_separation(sample.label, logit)
    design = np.stack([np.ones(logit.size), logit], axis=1)
    value, error = _fit(sample, design, np.zeros(logit.size))
    return _estimate(
        sample,
        value[1],
        error[1],
        confidence_level,
        what="calibration slope",
        warnings=warnings,
    )


def calibration_intercept(
    label: npt.ArrayLike,
    score: npt.ArrayLike,
    cluster: npt.ArrayLike | None = None,
    *,
    clip: float | None = None,
    confidence_level: float = 0.95,
) -> Estimate:
    """Estimate calibration in the large: 0 for perfect probabilities.

    The intercept of a logistic regression of the label with the logit of the score as
    an offset, its slope fixed to 1 (Cox 1958, as in ``calibration_slope``): above 0 the
    probabilities are too low on average.

    Parameters
    ----------
    label : array-like of shape (n_images,)
        1 for the class whose probability is the score, 0 for the other.
    score : array-like of shape (n_images,)
        Probabilities.
    cluster, clip, confidence_level
        As in ``calibration_slope``.

    Returns
    -------
    Estimate
        In logits, with a cluster sandwich and t degrees of freedom from the
        participants of the smaller class.

    Raises
    ------
    StatisticsError
        If labels are not 0 and 1, scores are no probabilities, or 0 or 1 without
        ``clip``.
    """
    sample, logit, warnings = _checked(label, score, cluster, clip, confidence_level)
    value, error = _fit(sample, np.ones((logit.size, 1)), logit)
    return _estimate(
        sample,
        value[0],
        error[0],
        confidence_level,
        what="calibration in the large",
        warnings=warnings,
    )


def _checked(
    label: npt.ArrayLike,
    score: npt.ArrayLike,
    cluster: npt.ArrayLike | None,
    clip: float | None,
    confidence_level: float,
) -> tuple[Sample, np.ndarray, tuple[str, ...]]:
    check_level(confidence_level)
    sample = two_classes(label, cluster)
    given = as_probabilities(score, sample.label.size)
    if clip is not None and not 0 < check_number("clip", clip) < 0.5:
        raise StatisticsError(
            f"clip={clip:g} must lie between 0 and 0.5, such as 1e-6."
        )
    n_certain = int(((given == 0) | (given == 1)).sum())
    if clip is None and n_certain:
        raise StatisticsError(
            f"{n_certain} of {given.size} scores are exactly 0 or 1, whose logit is "
            "infinite. Give scores of higher precision (64-bit), or clip=1e-6 to move "
            "them in; the result may depend on how far."
        )
    edge = 0.0 if clip is None else clip
    n_moved = int(((given < edge) | (given > 1 - edge)).sum())
    moved = (
        f"{n_moved} of {given.size} scores were moved in to {edge:g} from 0 or 1.",
    )
    logit = special.logit(np.clip(given, edge, 1 - edge))
    return sample, logit, moved if n_moved else ()


def _check_separation(label: np.ndarray, logit: np.ndarray) -> None:
    if np.ptp(logit) == 0:
        raise StatisticsError(
            f"All {logit.size} scores are the same: a slope needs scores that differ. "
            "Ask for calibration_intercept."
        )
    of_negative, of_positive = logit[label == 0], logit[label == 1]
    if of_negative.max() <= of_positive.min() or of_positive.max() <= of_negative.min():
        raise StatisticsError(
            "The scores separate the two classes perfectly, so that the slope is "
            "infinite: the probabilities could be more extreme without limit. More "
            "images are needed; calibration_intercept can be estimated."
        )


def _fit(
    sample: Sample, design: np.ndarray, offset: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Fit a logistic regression, with sandwich standard errors."""
    n_clusters = sample.n_clusters
    value = _newton(sample.label, design, offset)
    share = special.expit(design @ value + offset)
    bread = np.linalg.inv((design.T * (share * (1 - share))) @ design)
    scores = (design * (sample.label - share)[:, None]).T
    sums = np.stack([np.bincount(sample.cluster, row, n_clusters) for row in scores])
    factor = n_clusters / (n_clusters - 1) if n_clusters > 1 else np.nan
    variance = np.diag(bread @ (factor * sums @ sums.T) @ bread)
    return value, np.sqrt(np.maximum(variance, 0.0))  # rounding may leave less than 0


def _newton(label: np.ndarray, design: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Maximise the likelihood of a logistic regression, halving steps too long."""
    value = np.zeros(design.shape[1])
    best = _log_likelihood(label, offset)
    for _ in range(_MAX_STEPS):
        share = special.expit(design @ value + offset)
        gradient = design.T @ (label - share)
        curvature = (design.T * (share * (1 - share))) @ design
        step = np.linalg.lstsq(curvature, gradient, rcond=None)[0]
        while np.abs(step).max() > 1e-12:
            reached = _log_likelihood(label, design @ (value + step) + offset)
            if reached >= best - 1e-9 * abs(best):
                break
            step = step / 2
        value = value + step
        best = _log_likelihood(label, design @ value + offset)
        if np.abs(step).max() <= 1e-10 * (1 + np.abs(value).max()):
            return value
    raise StatisticsError(
        f"The logistic regression did not converge in {_MAX_STEPS} steps: some scores "
        "lie extremely near 0 or 1. Give clip, such as 1e-4."
    )


def _log_likelihood(label: np.ndarray, logit: np.ndarray) -> float:
    return float((label * logit - np.logaddexp(0, logit)).sum())


def _estimate(
    sample: Sample,
    value: float,
    error: float,
    confidence_level: float,
    *,
    what: str,
    warnings: tuple[str, ...],
) -> Estimate:
    counts: Counts = fewest(sample)
    df = min(max(counts.n_effective, 2.0), counts.n_clusters) - 1.0
    interval = t_interval(value, error, df, confidence_level)
    calibration: Calibration = "calibrated"
    if not error > _NO_ERROR * max(abs(value), 1.0):
        interval, calibration = Interval(math.nan, math.nan), "approximate"
        warnings += (_ALIKE,)
    elif counts.n_effective < _ENOUGH or counts.n_effective < counts.n_clusters / 2:
        calibration = "approximate"
        warnings += (
            f"The smaller class has {counts.n_clusters} participants, who weigh like "
            f"{counts.n_effective:.0f}; intervals keep their level from {_ENOUGH} on.",
        )
    return Estimate(
        value=float(value),
        low=interval.low,
        high=interval.high,
        confidence_level=confidence_level,
        standard_error=float(error),
        method=f"{what}, logistic regression, cluster sandwich, t",
        calibration=calibration,
        n=sample.label.size,
        n_clusters=sample.n_clusters,
        warnings=warnings,
        df=df,
    )
