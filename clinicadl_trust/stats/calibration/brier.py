"""The Brier score with its interval."""

from __future__ import annotations

import numpy.typing as npt

from clinicadl_trust.stats.calibration.probabilities import (
    as_probabilities,
    two_classes,
)
from clinicadl_trust.stats.held_out import clustered_estimate
from clinicadl_trust.stats.metrics import get_metric
from clinicadl_trust.stats.results import Estimate

__all__ = ["brier_score"]


def brier_score(
    label: npt.ArrayLike,
    score: npt.ArrayLike,
    cluster: npt.ArrayLike | None = None,
    *,
    confidence_level: float = 0.95,
) -> Estimate:
    """Estimate the mean squared error of probabilities on a test group.

    Parameters
    ----------
    label : array-like of shape (n_images,)
        1 for the class whose probability is the score, 0 for the other.
    score : array-like of shape (n_images,)
        Probabilities.
    cluster : array-like of shape (n_images,), optional
        The participant of each image. Without it every image is taken for another
        participant's.
    confidence_level : float
        Of the interval.

    Returns
    -------
    Estimate
        0 is best; a t interval from the cluster sandwich.

    Raises
    ------
    StatisticsError
        If labels are not 0 and 1, scores no probabilities, or a class is absent.

    See Also
    --------
    brier_decomposition : Its parts.

    References
    ----------
    Brier (1950), Verification of forecasts expressed in terms of probability. Monthly
    Weather Review 78, 1-3.
    """
    sample = two_classes(label, cluster)
    given = as_probabilities(score, sample.label.size)
    metric = get_metric("brier", "binary")
    return clustered_estimate(metric, sample, [given], confidence_level)
