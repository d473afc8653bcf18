"""Bins of predicted probabilities, and what was observed in each."""

from __future__ import annotations

from typing import Literal

import numpy as np

from clinicadl_trust.stats.held_out import clustered_estimate
from clinicadl_trust.stats.influence import mean_share
from clinicadl_trust.stats.metric import Metric
from clinicadl_trust.stats.options import check_choice, check_whole
from clinicadl_trust.stats.results import Estimate
from clinicadl_trust.stats.sample import Sample

__all__ = ["Bins", "bin_numbers", "observed_share"]

Bins = Literal["uniform", "quantile"]
_BINS = ("uniform", "quantile")

_OBSERVED = Metric(
    name="observed",
    title="Observed share",
    task="regression",  # a share of all images: no class limits it
    influence=mean_share,
    scale="logit",
    bounds=(0.0, 1.0),
)


def bin_numbers(score: np.ndarray, n_bins: int, bins: Bins) -> np.ndarray:
    """Number the bin of each probability, from 0 without a gap.

    Parameters
    ----------
    score : numpy.ndarray of shape (n_images,)
        Probabilities.
    n_bins : int
        Bins at most: empty ones are left out, and ties stay together.
    bins : {"uniform", "quantile"}
        Bins of equal width from 0 to 1, or with about as many images each. A
        probability on an edge belongs to the bin below it.

    Returns
    -------
    numpy.ndarray of int, shape (n_images,)

    Raises
    ------
    StatisticsError
        If there is not one bin, or the kind of bins is unknown.
    """
    check_choice("bins", bins, _BINS)
    edges = np.linspace(0, 1, check_whole("n_bins", n_bins) + 1)[1:-1]
    if bins == "quantile":
        edges = np.unique(np.quantile(score, edges))
    raw = np.searchsorted(edges, score, side="left")
    return np.unique(raw, return_inverse=True)[1]


def observed_share(
    is_class: np.ndarray, cluster: np.ndarray, confidence_level: float
) -> Estimate:
    """Estimate the share of a class in a bin, with a clustered interval.

    Parameters
    ----------
    is_class : numpy.ndarray of shape (n_images,)
        1 for images of the class, 0 for others.
    cluster : numpy.ndarray of shape (n_images,)
        The participant of each image.
    confidence_level : float
        Of the interval.
    """
    sample = Sample.make(is_class, cluster)
    return clustered_estimate(_OBSERVED, sample, [sample.label], confidence_level)
