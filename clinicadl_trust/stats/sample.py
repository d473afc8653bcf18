"""The labels of a group of images, and the participants they come from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.arrays import as_codes, check_size, finite

__all__ = ["Counts", "Sample", "binary_sample"]


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
        label = finite(label, "Labels", "Leave these images out first.")
        if cluster is None:
            return cls(label, np.arange(label.size))
        codes = as_codes(cluster, "Cluster ids")
        check_size(label.size, codes, "cluster ids")
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


def binary_sample(label: npt.ArrayLike, cluster: npt.ArrayLike | None) -> Sample:
    """Return labels and clusters, refused unless labels are 0 and 1.

    Raises
    ------
    StatisticsError
        If a label is another, or as ``Sample.make``.
    """
    sample = Sample.make(label, cluster)
    wrong = sample.label[~np.isin(sample.label, [0, 1])]
    if wrong.size:
        raise StatisticsError(
            f"Labels must be 0 or 1, and some are not, such as {wrong[0]:g}. Write 1 "
            "for the class that the score is for, and 0 for the other."
        )
    return sample
