"""What each image adds to a net benefit, and the intervals that follow."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from clinicadl_trust.stats.calibration.probabilities import fewest
from clinicadl_trust.stats.intervals import extreme_share, t_interval, t_p_value
from clinicadl_trust.stats.joint import Means
from clinicadl_trust.stats.results import Calibration
from clinicadl_trust.stats.sample import Counts, Sample

__all__ = ["ENOUGH", "degrees_of_freedom", "image_worth", "points"]

#: Participants of a class, with a decision that counts, and that the variance rests on,
#: from which on intervals keep their level (measured in
#: tests/long/test_decision_coverage.py).
ENOUGH = 20


def image_worth(label: np.ndarray, treated: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """Return what each image adds at each threshold.

    Parameters
    ----------
    label : numpy.ndarray of shape (n_images,)
        0 or 1.
    treated : numpy.ndarray of bool, shape (n_images, n_cuts)
        Whom a strategy treats at each threshold.
    cuts : numpy.ndarray of shape (n_cuts,)
        Thresholds.

    Returns
    -------
    numpy.ndarray of shape (n_images, n_cuts)
        1 for a case treated, minus the odds of the threshold for a false alarm.
    """
    return treated * np.where(label[:, None] == 1, 1.0, -cuts / (1 - cuts))


def degrees_of_freedom(sample: Sample) -> float:
    """Return those of the class with the fewest effective participants."""
    counts = fewest(sample)
    return min(max(counts.n_effective, 2.0), counts.n_clusters) - 1.0


def points(
    means: Means,
    sample: Sample,
    limits: tuple[np.ndarray, np.ndarray],
    confidence_level: float,
) -> pd.DataFrame:
    """Make intervals and p-values of mean worths.

    Parameters
    ----------
    means : Means
        Of what each image adds.
    sample : Sample
        Labels and participants.
    limits : tuple of numpy.ndarray of shape (n_cuts,)
        The least and the most that an image can add, and its mean be. Where none adds
        anything, the interval is that share of them which so many participants do not
        rule out.
    confidence_level : float
        Of the intervals.

    Returns
    -------
    pandas.DataFrame
        ``effect``, ``low``, ``high``, ``p_value``, ``standard_error``,
        ``calibration``.
    """
    df = degrees_of_freedom(sample)
    n_effective = Counts.of(sample.cluster).n_effective
    unseen = 1.0 - extreme_share(n_effective, confidence_level)
    records = []
    for k, (value, error) in enumerate(
        zip(means.values, means.standard_errors, strict=True)
    ):
        bounds = limits[0][k], limits[1][k]
        interval = t_interval(value, error, df, confidence_level, bounds)
        low, high, p_value = interval.low, interval.high, math.nan
        if error > 0 and df >= 1:
            p_value = t_p_value(value / error, df)
        elif means.n_contributing[k] == 0:
            low, high, p_value = bounds[0] * unseen, bounds[1] * unseen, 1.0
        records.append((value, low, high, p_value, error, _label(means, k, sample)))
    columns = ["effect", "low", "high", "p_value", "standard_error", "calibration"]
    return pd.DataFrame(records, columns=columns)


def _label(means: Means, k: int, sample: Sample) -> Calibration:
    counts = fewest(sample)
    if means.n_contributing[k] == 0:
        return "conservative"
    if not means.standard_errors[k] > 0:
        return "approximate"
    told = min(means.n_contributing[k], means.n_telling[k])
    few = min(counts.n_effective, told) < ENOUGH
    uneven = counts.n_effective < counts.n_clusters / 2
    return "approximate" if few or uneven else "calibrated"
