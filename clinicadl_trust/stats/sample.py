"""The labels of a group of images, and the participants they come from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from clinicadl_trust.exceptions import StatisticsError

__all__ = ["Counts", "Sample", "as_numbers"]


def as_numbers(values: npt.ArrayLike, what: str) -> np.ndarray:
    """Return a list of numbers as an array.

    Raises
    ------
    StatisticsError
        If a value is no number, or the list has columns.
    """
    try:
        numbers = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise StatisticsError(
            f"{what} must be numbers: {error}. Write 1 for the positive class and 0 "
            "for the other."
        ) from error
    if numbers.ndim != 1:
        raise StatisticsError(
            f"{what} must be a list of numbers, not of shape {numbers.shape}. Of "
            "several columns give one, that of the positive class."
        )
    return numbers


@dataclass(frozen=True)
class Counts:
    """How many images there are, and independent units.

    Attributes
    ----------
    n_images, n_clusters : int
        Images, and units that have one or more.
    n_effective : float
        Units of equal size that would weigh as much: (sum n)^2 / sum n^2, of Kish
        (1965), for n images a unit. One unit with most of the images leaves few.
    """

    n_images: int
    n_clusters: int
    n_effective: float

    @classmethod
    def of(cls, cluster: np.ndarray) -> Counts:
        """Count the images of each cluster."""
        sizes = np.unique(cluster, return_counts=True)[1]
        return cls(cluster.size, sizes.size, float(cluster.size**2 / (sizes**2).sum()))


@dataclass(frozen=True)
class Sample:
    """The labels of a group of images, and who they belong to.

    Attributes
    ----------
    label : numpy.ndarray of shape (n_images,)
        0 or 1, class numbers, or true values.
    cluster : numpy.ndarray of shape (n_images,)
        Number of the independent unit, the participant, from 0 without a gap.
    """

    label: np.ndarray
    cluster: np.ndarray

    @classmethod
    def make(cls, label: npt.ArrayLike, cluster: npt.ArrayLike | None = None) -> Sample:
        """Number the clusters; without any, each image is one.

        Raises
        ------
        StatisticsError
            If the lengths differ, a label or an id is missing, or there is none.
        """
        label = as_numbers(label, "Labels")
        if not label.size:
            raise StatisticsError("Labels must be a list with at least one value.")
        if not np.isfinite(label).all():
            raise StatisticsError(
                f"{int((~np.isfinite(label)).sum())} of {label.size} labels are "
                "missing or infinite. Leave these images out first."
            )
        if cluster is None:
            return cls(label, np.arange(label.size))
        cluster = np.asarray(cluster)
        if cluster.shape != label.shape:
            raise StatisticsError(
                f"There are {label.size} labels and {cluster.size} cluster ids. Give "
                "one id per image."
            )
        codes = pd.factorize(cluster)[0]
        if (codes < 0).any():
            raise StatisticsError(
                f"{int((codes < 0).sum())} of {codes.size} cluster ids are missing. "
                "Images of nobody known cannot be told from one another's."
            )
        return cls(label, codes)

    @cached_property
    def n_clusters(self) -> int:
        """How many independent units there are."""
        return int(self.cluster.max()) + 1

    @cached_property
    def classes(self) -> dict[float, Counts]:
        """Images and clusters of each label."""
        return {
            float(code): Counts.of(self.cluster[self.label == code])
            for code in np.unique(self.label)
        }

    @property
    def is_clustered(self) -> bool:
        """Whether a unit has more than one image."""
        return self.n_clusters < self.label.size
