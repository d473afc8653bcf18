"""ROC AUC of arrays: one curve with its interval, two curves compared."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.arrays import as_numbers
from clinicadl_trust.stats.held_out import clustered_comparison, clustered_estimate
from clinicadl_trust.stats.intervals import Interval, normal_interval
from clinicadl_trust.stats.metrics import get_metric
from clinicadl_trust.stats.options import check_choice
from clinicadl_trust.stats.results import Comparison, Estimate
from clinicadl_trust.stats.roc.independent import independent_comparison
from clinicadl_trust.stats.sample import binary_sample

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
    if transform is not None:
        check_choice("transform", transform, ("logit",))
    sample = binary_sample(label, cluster)
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
    label: npt.ArrayLike | tuple[npt.ArrayLike, npt.ArrayLike],
    score_a: npt.ArrayLike,
    score_b: npt.ArrayLike,
    cluster: npt.ArrayLike | tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    paired: bool = True,
    *,
    confidence_level: float = 0.95,
) -> Comparison:
    """Compare two areas under the ROC curve.

    Parameters
    ----------
    label : array-like of shape (n_images,), or two of shapes (n_a,) and (n_b,)
        1 for positive, 0 for negative; ``(label_a, label_b)`` if not paired.
    score_a, score_b : array-like of shape (n_images,), or (n_a,) and (n_b,)
        Of the two models on the same images, or of the two groups.
    cluster : array-like of shape (n_images,), or two of (n_a,) and (n_b,), optional
        The participant of each image; ``(cluster_a, cluster_b)`` if not paired.
    paired : bool
        Whether both scores are of the same images. False for two groups that have no
        participant in common, such as women and men.
    confidence_level : float
        Of the interval.

    Returns
    -------
    Comparison
        First minus second. Paired: DeLong's test (1988), or Obuchowski's (1997) with
        clusters, with t degrees of freedom from the participants of the smaller class.
        Not paired: the two variances are added, with the degrees of freedom of Welch
        and Satterthwaite.

    Raises
    ------
    StatisticsError
        If a class is absent, a value is missing, the lengths differ, or two groups
        that are said to be independent share a participant.
    """
    metric = get_metric("roc_auc", "binary")
    scores = [as_numbers(score, "Scores") for score in (score_a, score_b)]
    if not paired:
        labels = _two(label, "label")
        clusters = (None, None) if cluster is None else _two(cluster, "cluster")
        _refuse_shared(*clusters)
        samples = [binary_sample(y, c) for y, c in zip(labels, clusters, strict=True)]
        first, second = zip(samples, scores, strict=True)
        return independent_comparison(metric, first, second, confidence_level)
    if isinstance(label, tuple) and len(label) == 2 and np.ndim(label[0]):  # type: ignore[arg-type]
        raise StatisticsError(
            "label is a pair, which is for two groups of participants: add "
            "paired=False, or give one label per image."
        )
    sample = binary_sample(label, cluster)  # type: ignore[arg-type]
    return clustered_comparison(
        metric, sample, scores[:1], scores[1:], confidence_level
    )


def _two(values: object, name: str) -> tuple[npt.ArrayLike, npt.ArrayLike]:
    if isinstance(values, tuple | list) and len(values) == 2:
        first, second = values
        if np.ndim(first) == np.ndim(second) == 1:
            return first, second
    raise StatisticsError(
        f"With paired=False {name} is a pair of lists, ({name}_a, {name}_b), one for "
        f"each group, not one {type(values).__name__}."
    )


def _refuse_shared(
    cluster_a: npt.ArrayLike | None, cluster_b: npt.ArrayLike | None
) -> None:
    if cluster_a is None or cluster_b is None:
        return
    shared = pd.Index(np.asarray(cluster_a)).intersection(np.asarray(cluster_b))
    if len(shared):
        raise StatisticsError(
            f"{len(shared)} participants are in both groups, such as {shared[0]}: the "
            "groups are not independent. Compare the same images with paired=True, or "
            "use bootstrap_difference; if they are other people, give other ids."
        )
