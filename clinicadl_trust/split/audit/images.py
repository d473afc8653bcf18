"""The same image under two ids: equal voxels, or voxels too alike.

Two registered brains always look alike, so volumes are compared by what is left of
them without the mean of the cohort, of their site, and the strongest components of
variation between participants.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd

from clinicadl_trust.exceptions import CapsError

__all__ = ["MINIMUM", "Pair", "alike", "read_contents"]

#: Blocks per axis that a volume is averaged over: 17 mm of a head, coarse enough for
#: noise and interpolation to average out, fine enough to tell people apart.
GRID = (10, 12, 10)

#: Fewest participants for near-duplicates: with fewer, the mean brain is not known.
MINIMUM = 8

#: Correlation from which two ids are called one. Measured on generated cohorts (24 to
#: 66 participants, 4 and 8 mm, T1w and FLAIR, families, strong scanner effects):
#: images of different people correlate at most .75, members of a family at most .76,
#: copies with noise of 5 % of white matter at least .84 at 8 mm and .92 at 4 mm.
#: Cohorts below 20 participants allow no component to be removed: different people
#: then reach .87 (one in a thousand cohorts), copies .89 or more.
THRESHOLD, THRESHOLD_SMALL = 0.85, 0.90
PARTICIPANTS_PER_COMPONENT = 20

#: More components than this would take from copies what they share. Measured on 300
#: participants (8 mm, noise of 2 %): copies correlate at least .95 with 30 components
#: and .84 with 60, strangers at most .35.
MOST_COMPONENTS = 30

_BLOCK = 2000


@dataclass(frozen=True)
class Pair:
    """Two participants who share an image.

    Attributes
    ----------
    first, second : str
        Participant ids, sorted.
    sessions : tuple of str
        The session of each.
    correlation : float
        Of the residual volumes; 1 for equal voxels.
    exact : bool
        Whether the voxels are equal.
    """

    first: str
    second: str
    sessions: tuple[str, str]
    correlation: float
    exact: bool


@dataclass(frozen=True)
class Contents:
    """What is in each image: a hash of its voxels, and a coarse copy.

    Attributes
    ----------
    table : pandas.DataFrame
        The cohort's rows, one per image.
    hashes : list of str
        SHA-256 of the voxels, whatever the header and the compression.
    coarse : numpy.ndarray of shape (n_images, 1200)
        Mean of each block of voxels.
    """

    table: pd.DataFrame
    hashes: list[str]
    coarse: np.ndarray


def read_contents(table: pd.DataFrame, n_jobs: int | None = None) -> Contents:
    """Read every image once.

    Parameters
    ----------
    table : pandas.DataFrame
        The cohort's rows with a column ``path``.
    n_jobs : int, optional
        Threads; by default up to four, one per core.

    Raises
    ------
    CapsError
        If an image cannot be read or is not a volume; the message names it.
    """
    table = table.reset_index(drop=True)
    with ThreadPoolExecutor(n_jobs or min(4, os.cpu_count() or 1)) as pool:
        read = list(pool.map(_read, table["path"]))
    coarse = np.array([volume for _, volume in read], dtype=np.float32)
    return Contents(table, [name for name, _ in read], coarse)


def alike(contents: Contents) -> Iterator[Pair]:
    """Yield participants who share an image, equal voxels first.

    Each pair of participants comes once, with its most alike sessions.
    """
    found: set[tuple[str, str]] = set()
    for pair in (*_equal(contents), *_near(contents)):
        if (pair.first, pair.second) not in found:
            found.add((pair.first, pair.second))
            yield pair


def _read(path: str) -> tuple[str, np.ndarray]:
    import nibabel

    try:
        voxels = np.asanyarray(nibabel.load(path).dataobj)  # type: ignore[attr-defined]
    except Exception as error:  # nibabel, gzip and zlib each raise their own
        raise CapsError(
            f"'{path}' cannot be read: {type(error).__name__}: {error}. The file is "
            "damaged or cut short; make it again, or leave it out of the table."
        ) from error
    voxels = np.squeeze(voxels)
    if voxels.ndim != 3 or 0 in voxels.shape:
        raise CapsError(
            f"'{path}' is no volume: its shape is {voxels.shape}. Give 3D images."
        )
    voxels = np.ascontiguousarray(voxels, dtype=np.float32)
    content = hashlib.sha256(str(voxels.shape).encode())
    content.update(voxels.tobytes())
    return content.hexdigest(), _coarse(voxels)


def _coarse(voxels: np.ndarray) -> np.ndarray:
    """Average blocks of voxels; an image of any shape gives the same blocks."""
    volume = np.nan_to_num(voxels, posinf=0, neginf=0)
    for axis, blocks in enumerate(GRID):
        edges = np.linspace(0, volume.shape[axis], blocks + 1).astype(int)
        # A volume with fewer voxels than blocks repeats them.
        starts = np.minimum(edges[:-1], volume.shape[axis] - 1)
        sizes = np.maximum(np.diff(edges), 1).reshape(
            [-1 if a == axis else 1 for a in range(3)]
        )
        volume = np.add.reduceat(volume, starts, axis=axis) / sizes
    return volume.ravel()


def _equal(contents: Contents) -> Iterator[Pair]:
    table = contents.table.assign(content=contents.hashes)
    for _, same in table.groupby("content", sort=False):
        people = same.drop_duplicates("participant_id").sort_values("participant_id")
        rows = list(zip(people["participant_id"], people["session_id"], strict=True))
        for i, (first, one) in enumerate(rows):
            for second, other in rows[i + 1 :]:
                yield Pair(first, second, (one, other), 1.0, True)


def _near(contents: Contents) -> Iterator[Pair]:
    ids = contents.table["participant_id"].to_numpy()
    sessions = contents.table["session_id"].to_numpy()
    number = len(np.unique(ids))
    if number < MINIMUM:
        return
    components = min(number // PARTICIPANTS_PER_COMPONENT, MOST_COMPONENTS)
    threshold = THRESHOLD if components else THRESHOLD_SMALL
    residuals = _residuals(contents, components)
    pairs = []
    for start in range(0, len(ids), _BLOCK):
        block = residuals[start : start + _BLOCK] @ residuals.T
        rows, columns = np.nonzero(block >= threshold)
        for i, j in zip(rows + start, columns, strict=True):
            if ids[i] < ids[j]:
                value = float(min(block[i - start, j], 1.0))
                pairs.append(
                    Pair(ids[i], ids[j], (sessions[i], sessions[j]), value, False)
                )
    yield from sorted(pairs, key=lambda pair: -pair.correlation)


def _residuals(contents: Contents, components: int) -> np.ndarray:
    """Return what is each image's own, of unit norm: rows whose products correlate."""
    volumes = contents.coarse.astype(float)
    mean = volumes.mean(axis=0)
    volumes = volumes[:, mean > mean.mean() / 2]
    volumes = _standardise(volumes)
    volumes -= volumes.mean(axis=0)
    ids = contents.table["participant_id"]
    for column in ("scanner", "site"):
        if column in contents.table:
            groups = contents.table[column].fillna("n/a")
            counts = ids.groupby(groups).nunique()
            # The mean of a few would hold their own anatomy.
            for name in counts.index[counts >= MINIMUM // 2]:
                rows = (groups == name).to_numpy()
                volumes[rows] -= volumes[rows].mean(axis=0)
            break
    if components:
        # One row per participant: repeated sessions would make a component theirs.
        people = pd.DataFrame(volumes).groupby(ids.to_numpy()).mean().to_numpy()
        axes = np.linalg.svd(people - people.mean(axis=0), full_matrices=False)[2]
        axes = axes[:components]
        volumes -= (volumes @ axes.T) @ axes
    return _standardise(volumes) / np.sqrt(volumes.shape[1])


def _standardise(volumes: np.ndarray) -> np.ndarray:
    centred = volumes - volumes.mean(axis=1, keepdims=True)
    spread = centred.std(axis=1, keepdims=True)
    return np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 0)
