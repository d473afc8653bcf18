"""The expected calibration error, and what chance alone makes of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from clinicadl_trust.stats.calibration.bins import Bins, bin_numbers
from clinicadl_trust.stats.calibration.probabilities import (
    as_probabilities,
    two_classes,
)
from clinicadl_trust.stats.options import check_seed, check_whole
from clinicadl_trust.stats.results import Calibration
from clinicadl_trust.stats.sample import Sample

__all__ = ["CalibrationError", "expected_calibration_error"]

#: Simulated labels held in memory at a time.
_BLOCK = 2_000_000

_BIASED = (
    "The ECE is never 0, even for perfect probabilities, and grows with the number of "
    "bins and falls with that of images: read it beside expected_if_calibrated. No "
    "interval is given: percentile bootstrap intervals hold the true value 0 of "
    "perfect probabilities never."
)
_NO_CLUSTER = (
    "Every image is taken for another participant's. With several of one participant "
    "give cluster: chance alone then makes the ECE larger."
)
_ONE_DRAW = (
    "What chance does is simulated with the labels of a participant as dependent as "
    "they can be (one draw each), as for a diagnosis that all images share."
)


@dataclass(frozen=True)
class CalibrationError:
    """An expected calibration error beside what chance alone makes.

    Attributes
    ----------
    value : float
        Mean over images of the distance between their bin's mean probability and its
        observed share.
    expected_if_calibrated : float
        Mean of the same number for perfect probabilities, the same as these.
    low_if_calibrated, high_if_calibrated : float
        Range of its middle 95 % then. No interval of ``value``.
    p_value : float
        Chance of such a value or a larger one if the probabilities were perfect.
    n_bins, n, n_clusters, n_simulations : int
        Bins with an image, images, participants, and labels simulated.
    method : str
        Kind of bins, and how chance is simulated.
    calibration : {"calibrated", "conservative"}
        Of the p-value: conservative where a participant has several images.
    warnings : tuple of str
        What a reader must know.
    """

    value: float
    expected_if_calibrated: float
    low_if_calibrated: float
    high_if_calibrated: float
    p_value: float
    n_bins: int
    n: int
    n_clusters: int
    n_simulations: int
    method: str
    calibration: Calibration
    warnings: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return the result as a table of one row."""
        return pd.DataFrame([{**vars(self), "warnings": " ".join(self.warnings)}])

    def __str__(self) -> str:
        text = (
            f"ECE {self.value:.3f}; perfect probabilities would show "
            f"{self.expected_if_calibrated:.3f} ({self.low_if_calibrated:.3f} to "
            f"{self.high_if_calibrated:.3f}), p = {self.p_value:.3g} ({self.method}, "
            f"{self.calibration}, {self.n_bins} bins, {self.n} images of "
            f"{self.n_clusters} units)"
        )
        return "\n".join([text, *(f"  ! {w}" for w in self.warnings)])


def expected_calibration_error(
    label: npt.ArrayLike,
    score: npt.ArrayLike,
    cluster: npt.ArrayLike | None = None,
    *,
    n_bins: int = 10,
    bins: Bins = "uniform",
    n_simulations: int = 1000,
    seed: int = 0,
) -> CalibrationError:
    """Compute the expected calibration error, and what it would be by chance.

    Parameters
    ----------
    label : array-like of shape (n_images,)
        1 for the class whose probability is the score, 0 for the other.
    score : array-like of shape (n_images,)
        Probabilities.
    cluster : array-like of shape (n_images,), optional
        The participant of each image.
    n_bins : int
        Bins at most.
    bins : {"uniform", "quantile"}
        Of equal width, as usual, or with about as many images each.
    n_simulations : int
        Sets of labels drawn from the scores, as if these were right.
    seed : int
        Of the simulation.

    Returns
    -------
    CalibrationError
        Without an interval: a percentile bootstrap interval covers the true value of
        perfect probabilities never. ``p_value`` tests that they are perfect; it is
        exact where images are independent (30 to 1,000 participants: it rejects .04 to
        .06 at 5 %). Several images of a participant are taken to be as alike as can
        be: at an ICC of 0, .5, .8 and .99 it rejects .00, .01, .03 and .05.

    Raises
    ------
    StatisticsError
        If labels are not 0 and 1, scores are no probabilities, or lengths differ.

    References
    ----------
    Naeini, Cooper and Hauskrecht, AAAI 2015 (ECE); Broecker and Smith, Weather and
    Forecasting 22, 2007 (labels drawn from the probabilities).
    """
    sample = two_classes(label, cluster)
    given = as_probabilities(score, sample.label.size)
    check_whole("n_simulations", n_simulations, 1, "1000 is usual.")
    check_seed(seed)
    number = bin_numbers(given, n_bins, bins)
    value = float(_errors(sample.label[None], given, number)[0])
    chance = _by_chance(sample, given, number, n_simulations, seed)
    low, high = np.quantile(chance, [0.025, 0.975])
    n_above = int((chance >= value - 1e-12).sum())
    note = _ONE_DRAW if sample.is_clustered else _NO_CLUSTER
    return CalibrationError(
        value=value,
        expected_if_calibrated=float(chance.mean()),
        low_if_calibrated=float(low),
        high_if_calibrated=float(high),
        p_value=(1 + n_above) / (1 + n_simulations),
        n_bins=int(number.max()) + 1,
        n=given.size,
        n_clusters=sample.n_clusters,
        n_simulations=n_simulations,
        method=f"{bins} bins, labels simulated from the scores",
        calibration="conservative" if sample.is_clustered else "calibrated",
        warnings=(_BIASED,)
        if cluster is not None and note is _NO_CLUSTER
        else (_BIASED, note),
    )


def _errors(labels: np.ndarray, score: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Return the ECE of several sets of labels, of shape (n_sets, n_images)."""
    order = np.argsort(number, kind="stable")
    starts = np.flatnonzero(np.diff(number[order], prepend=-1))
    gaps = np.add.reduceat((score - labels)[:, order], starts, axis=1)
    return np.abs(gaps).sum(axis=1) / score.size


def _by_chance(
    sample: Sample, score: np.ndarray, number: np.ndarray, n_simulations: int, seed: int
) -> np.ndarray:
    """Draw labels from the scores, those of a participant by one uniform number."""
    rng = np.random.default_rng(seed)
    block = max(1, _BLOCK // score.size)
    made = []
    for start in range(0, n_simulations, block):
        n_sets = min(block, n_simulations - start)
        drawn = rng.random((n_sets, sample.n_clusters))[:, sample.cluster]
        made.append(_errors((drawn < score).astype(float), score, number))
    return np.concatenate(made)
