"""Whether probabilities mean what they say: Brier's parts and reliability curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from clinicadl_trust.stats.calibration.bins import Bins, bin_numbers, observed_share
from clinicadl_trust.stats.calibration.probabilities import (
    as_probabilities,
    two_classes,
)
from clinicadl_trust.stats.intervals import check_level

__all__ = ["BrierDecomposition", "brier_decomposition", "reliability_curve"]


@dataclass(frozen=True)
class BrierDecomposition:
    """The parts of a Brier score.

    Attributes
    ----------
    brier : float
        Mean squared error of the probabilities; ``reliability - resolution +
        uncertainty + within_bin_variance - within_bin_covariance``, exactly.
    reliability : float
        Squared distance of each bin's mean probability from its observed share: 0 is
        best.
    resolution : float
        Squared distance of the bins' observed shares from that of all images: more is
        better.
    uncertainty : float
        Variance of the labels, whatever the model.
    within_bin_variance, within_bin_covariance : float
        Of probabilities in their bin, and (twice) of them with labels: 0 where a bin
        holds one value, as in Murphy's identity.
    n_bins, n : int
        Bins with an image, and images.
    warnings : tuple of str
        What a reader must know.
    """

    brier: float
    reliability: float
    resolution: float
    uncertainty: float
    within_bin_variance: float
    within_bin_covariance: float
    n_bins: int
    n: int
    warnings: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return the parts as a table of one row."""
        return pd.DataFrame([{**vars(self), "warnings": " ".join(self.warnings)}])

    def __str__(self) -> str:
        within = self.within_bin_variance - self.within_bin_covariance
        text = (
            f"Brier score {self.brier:.4f} = reliability {self.reliability:.4f} - "
            f"resolution {self.resolution:.4f} + uncertainty {self.uncertainty:.4f} "
            f"{'-' if within < 0 else '+'} within bins {abs(within):.4f} "
            f"({self.n_bins} bins, {self.n} images)"
        )
        return "\n".join([text, *(f"  ! {w}" for w in self.warnings)])


def brier_decomposition(
    label: npt.ArrayLike,
    score: npt.ArrayLike,
    n_bins: int = 10,
    *,
    bins: Bins = "quantile",
) -> BrierDecomposition:
    """Split a Brier score into reliability, resolution and uncertainty.

    Parameters
    ----------
    label : array-like of shape (n_images,)
        1 for the class whose probability is the score, 0 for the other.
    score : array-like of shape (n_images,)
        Probabilities.
    n_bins : int
        Bins at most; with as many as there are values, each has its own.
    bins : {"quantile", "uniform"}
        With about as many images each, or of equal width.

    Returns
    -------
    BrierDecomposition
        A description without an interval: reliability and resolution are both too
        large by about the same amount, the noise of the observed shares. For an
        interval of the score itself use the metric ``brier``.

    Raises
    ------
    StatisticsError
        If labels are not 0 and 1, scores are no probabilities, or lengths differ.

    References
    ----------
    Murphy, J. Appl. Meteorol. 12, 1973; Stephenson, Coelho and Jolliffe, Weather and
    Forecasting 23, 2008 (the parts within bins).

    Examples
    --------
    >>> from clinicadl_trust.stats import brier_decomposition
    >>> parts = brier_decomposition([0, 1, 0, 1], [0.2, 0.2, 0.6, 0.6])
    >>> round(parts.brier, 3), round(parts.uncertainty, 3), round(parts.resolution, 3)
    (0.3, 0.25, 0.0)
    """
    truth = two_classes(label, None).label
    given = as_probabilities(score, truth.size)
    number = bin_numbers(given, n_bins, bins)
    size = np.bincount(number)
    observed = np.bincount(number, truth) / size
    predicted = np.bincount(number, given) / size
    off = given - predicted[number]
    noise = float((size * observed * (1 - observed) / np.maximum(size - 1, 1)).sum())
    return BrierDecomposition(
        brier=float(((given - truth) ** 2).mean()),
        reliability=float(size @ (predicted - observed) ** 2 / truth.size),
        resolution=float(size @ (observed - truth.mean()) ** 2 / truth.size),
        uncertainty=float(truth.mean() * (1 - truth.mean())),
        within_bin_variance=float((off**2).mean()),
        within_bin_covariance=float(2 * (off * (truth - observed[number])).mean()),
        n_bins=size.size,
        n=truth.size,
        warnings=_say_noise(noise / truth.size, size),
    )


def _say_noise(noise: float, size: np.ndarray) -> tuple[str, ...]:
    alone = int((size == 1).sum())
    if alone:
        return (
            f"{alone} of {size.size} bins hold a single image: their observed share is "
            "0 or 1, and reliability and resolution say little. Ask for fewer bins.",
        )
    return (
        "Reliability and resolution are too large by the noise of the observed shares: "
        f"about {noise:.4f} if images are independent, more if not.",
    )


def reliability_curve(
    label: npt.ArrayLike,
    score: npt.ArrayLike,
    cluster: npt.ArrayLike | None = None,
    *,
    n_bins: int = 10,
    bins: Bins = "quantile",
    confidence_level: float = 0.95,
) -> pd.DataFrame:
    """Compare probabilities with what was observed, bin by bin.

    ``calibration_curve`` does the same for the models and folds of a predictions
    table.

    Parameters
    ----------
    label : array-like of shape (n_images,)
        1 for the class whose probability is the score, 0 for the other.
    score : array-like of shape (n_images,)
        Probabilities.
    cluster : array-like of shape (n_images,), optional
        The participant of each image. Without it every image is taken for another
        participant's.
    n_bins : int
        Bins at most.
    bins : {"quantile", "uniform"}
        With about as many images each, or of equal width.
    confidence_level : float
        Of each interval by itself.

    Returns
    -------
    pandas.DataFrame
        One row per bin: ``bin``, ``predicted`` (mean probability), ``observed`` (share
        of class 1) with ``low``, ``high``, ``calibration`` and ``warnings``,
        ``n_images`` and ``n_clusters``.

    Raises
    ------
    StatisticsError
        If labels are not 0 and 1, scores are no probabilities, or lengths differ.
    """
    check_level(confidence_level)
    sample = two_classes(label, cluster)
    given = as_probabilities(score, sample.label.size)
    number = bin_numbers(given, n_bins, bins)
    records = []
    for each in range(number.max() + 1):
        inside = number == each
        made = observed_share(
            sample.label[inside], sample.cluster[inside], confidence_level
        )
        records.append(
            {
                "bin": each,
                "predicted": float(given[inside].mean()),
                "observed": made.value,
                "low": made.low,
                "high": made.high,
                "n_images": made.n,
                "n_clusters": made.n_clusters,
                "calibration": made.calibration,
                "warnings": " ".join(made.warnings),
            }
        )
    return pd.DataFrame(records)
