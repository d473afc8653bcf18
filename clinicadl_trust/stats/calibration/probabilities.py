"""Probabilities of class 1 and the labels they are held against, checked."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.arrays import as_numbers, check_size
from clinicadl_trust.stats.sample import Counts, Sample, binary_sample

__all__ = ["as_probabilities", "fewest", "two_classes"]


def two_classes(label: npt.ArrayLike, cluster: npt.ArrayLike | None) -> Sample:
    """Return the labels of two classes, both present, and their clusters.

    Raises
    ------
    StatisticsError
        If a label is neither 0 nor 1, or all are the same.
    """
    sample = binary_sample(label, cluster)
    if np.ptp(sample.label) == 0:
        raise StatisticsError(
            f"All {sample.label.size} labels are {sample.label[0]:g}: without images "
            "of the other class nothing tells whether probabilities are right."
        )
    return sample


def as_probabilities(score: npt.ArrayLike, n: int) -> np.ndarray:
    """Return scores as an array, refused unless they are ``n`` probabilities.

    Raises
    ------
    StatisticsError
        If their number differs, or one is missing or outside 0 to 1.
    """
    array = as_numbers(score, "Scores")
    check_size(n, array, "scores")
    wrong = array[~((array >= 0) & (array <= 1))]
    if wrong.size:
        raise StatisticsError(
            f"Scores must be probabilities of class 1, and {wrong.size} of {n} are "
            f"missing or outside 0 to 1 (the first is {wrong[0]:g}). Turn logits into "
            "probabilities, or leave these images out."
        )
    return array


def fewest(sample: Sample) -> Counts:
    """Count the class with the fewest effective clusters."""
    return min(sample.classes.values(), key=lambda each: each.n_effective)
