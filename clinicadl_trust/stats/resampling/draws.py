"""Clusters drawn again and again, the same for a seed whatever the processes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["BLOCK", "Clusters", "blocks", "cluster_codes"]

from clinicadl_trust.exceptions import StatisticsError, did_you_mean
from clinicadl_trust.stats.arrays import as_ids

Index = NDArray[np.intp]

#: Resamples that are drawn and measured together; part of what a seed means.
BLOCK = 16


@dataclass(frozen=True)
class Clusters:
    """The images of each cluster, and what is drawn among what.

    Attributes
    ----------
    codes : ndarray of int, shape (n_images,)
        Cluster of each image, from 0 without a gap.
    strata : ndarray of int, shape (n_clusters,)
        Clusters are drawn within their stratum.
    within : bool
        Whether images are drawn within the drawn clusters, too.
    """

    codes: Index
    strata: Index
    within: bool = False

    @property
    def n(self) -> int:
        """Number of clusters."""
        return len(self.strata)

    def draw(self, rng: np.random.Generator, n_resamples: int) -> Index:
        """Draw as many clusters as there are, shape (n_resamples, n_clusters)."""
        if not self.strata.any():
            return rng.integers(0, self.n, (n_resamples, self.n))
        made = np.empty((n_resamples, self.n), dtype=np.intp)
        for stratum in range(int(self.strata.max()) + 1):
            members = np.flatnonzero(self.strata == stratum)
            chosen = rng.integers(0, len(members), (n_resamples, len(members)))
            made[:, members] = members[chosen]
        return made

    def rows(self, drawn: Index, rng: np.random.Generator) -> tuple[Index, Index]:
        """Return the images of drawn clusters, and which draw each belongs to.

        Parameters
        ----------
        drawn : ndarray of int, shape (n_clusters,)
            One resample.
        rng : numpy.random.Generator
            For images within clusters.

        Returns
        -------
        rows, draws : ndarray of int, shape (n_drawn_images,)
            Positions of images; position in ``drawn``.
        """
        order = np.argsort(self.codes, kind="stable")
        sizes = np.bincount(self.codes, minlength=self.n)
        starts = np.cumsum(sizes) - sizes
        size = sizes[drawn]
        draws = np.repeat(np.arange(len(drawn)), size)
        first = np.repeat(np.cumsum(size) - size, size)
        offset = np.arange(len(draws)) - first
        if self.within:
            offset = (rng.uniform(size=len(draws)) * size[draws]).astype(np.intp)
        return order[starts[drawn][draws] + offset], draws


def blocks(seed: int, n_resamples: int) -> Iterator[tuple[np.random.Generator, int]]:
    """Yield a random generator and a number of resamples for each block."""
    n_blocks = -(-n_resamples // BLOCK)
    children = np.random.SeedSequence(seed).spawn(n_blocks)
    for number, child in enumerate(children):
        size = min(BLOCK, n_resamples - number * BLOCK)
        yield np.random.default_rng(child), size


def cluster_codes(
    data: pd.DataFrame, given: str | Sequence[object] | None, what: str
) -> NDArray[np.intp]:
    """Number the values of a column, from 0 without a gap.

    Parameters
    ----------
    data : pandas.DataFrame
        The images.
    given : str, sequence or None
        Column, values, or none for independent rows.
    what : str
        For messages.

    Returns
    -------
    ndarray of int, shape (n_images,)
        In the order of the values, not of the rows.

    Raises
    ------
    StatisticsError
        If it is no column, a value is missing, or participants repeat without any.
    """
    if given is None:
        if "participant_id" in data and data["participant_id"].duplicated().any():
            raise StatisticsError(
                "Participants have several images, which are no independent rows. Give "
                "cluster='participant_id' (or the column of sites)."
            )
        return np.arange(len(data))
    if isinstance(given, str):
        if given not in data:
            raise StatisticsError(
                f"{what}='{given}' is no column."
                f"{did_you_mean(given, list(map(str, data.columns)))}"
            )
        given = data[given]  # type: ignore[assignment]
    ids = as_ids(given, f"values of {what}")  # type: ignore[arg-type]
    if len(ids) != len(data):
        raise StatisticsError(
            f"{what} has {len(ids)} values; the table has {len(data)} rows."
        )
    # Sorted, so that the order of rows does not change what a seed draws.
    return pd.factorize(pd.Series(ids, dtype=object).astype(str), sort=True)[0]
