"""ROC AUC of arrays: one curve with its interval, two curves compared."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.held_out import clustered_comparison, clustered_estimate
from clinicadl_trust.stats.intervals import Interval, normal_interval
from clinicadl_trust.stats.metrics import get_metric
from clinicadl_trust.stats.results import Comparison, Estimate
from clinicadl_trust.stats.sample import Sample, as_numbers

__all__ = ["compare_roc_auc", "roc_auc"]


def roc_auc(
    label: npt.ArrayLike,
    score: npt.ArrayLike,
    cluster: npt.ArrayLike | None = None,
    confidence_level: float = 0.95,
    *,
    transform: Literal["logit"] | None = "logit",
) -> Estimate:
    """Estimate the area under the ROC curve.

    Parameters
    ----------
    label : array-like of shape (n_images,)
        1 for positive, 0 for negative.
    score : array-like of shape (n_images,)
        Greater for positive. Takes O(n log n).
    cluster : array-like of shape (n_images,), optional
        The participant of each image. Without it every image is taken for another
        participant.
    confidence_level : float
        Of the interval.
    transform : {"logit"} or None
        On the logit scale with t degrees of freedom from the participants of the
        smaller class, never of zero width; None for value +- z standard errors as in
        pROC, which covers .76 to .89 at AUC .95 with 20 to 80 participants.

    Returns
    -------
    Estimate
        With the standard error of DeLong et al. (1988, Biometrics 44, 837-845), or
        of Obuchowski (1997, Biometrics 53, 567-578) with clusters.

    Raises
    ------
    StatisticsError
        If a class is absent, or a value is missing or no number.

    Examples
    --------
    >>> from clinicadl_trust.stats import roc_auc
    >>> estimate = roc_auc([0, 0, 0, 1, 1, 1], [0.1, 0.4, 0.3, 0.35, 0.8, 0.7])
    >>> round(estimate.value, 3)
    0.889
    """
    sample = _sample(label, cluster)
    metric = get_metric("roc_auc", "binary")
    scores = [as_numbers(score, "Scores")]
    estimate = clustered_estimate(metric, sample, scores, confidence_level)
    if transform is None:
        interval: Interval = normal_interval(
            estimate.value, estimate.standard_error, confidence_level, metric.bounds
        )
        return replace(
            estimate,
            low=interval.low,
            high=interval.high,
            method=estimate.method.replace("logit scale, t", "normal approximation"),
            calibration="approximate",
            df=float("inf"),
        )
    return estimate


def compare_roc_auc(
    label: npt.ArrayLike,
    score_a: npt.ArrayLike,
    score_b: npt.ArrayLike,
    cluster: npt.ArrayLike | None = None,
    *,
    confidence_level: float = 0.95,
) -> Comparison:
    """Compare two areas under the ROC curve on the same images.

    Parameters
    ----------
    label : array-like of shape (n_images,)
        1 for positive, 0 for negative.
    score_a, score_b : array-like of shape (n_images,)
        Of the two models.
    cluster : array-like of shape (n_images,), optional
        The participant of each image.
    confidence_level : float
        Of the interval.

    Returns
    -------
    Comparison
        First minus second, by DeLong's test, or Obuchowski's with clusters, with t
        degrees of freedom from the participants of the smaller class.

    Raises
    ------
    StatisticsError
        If a class is absent, a value is missing or the lengths differ.
    """
    return clustered_comparison(
        get_metric("roc_auc", "binary"),
        _sample(label, cluster),
        [as_numbers(score_a, "Scores")],
        [as_numbers(score_b, "Scores")],
        confidence_level,
    )


def _sample(label: npt.ArrayLike, cluster: npt.ArrayLike | None) -> Sample:
    sample = Sample.make(label, cluster)
    if not np.isin(sample.label, [0, 1]).all():
        raise StatisticsError(
            f"Labels must be 0 or 1, and some are not, such as "
            f"{sample.label[~np.isin(sample.label, [0, 1])][0]:g}."
        )
    return sample
