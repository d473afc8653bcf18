"""Whose masks a training may see, where few are annotated."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from clinicadl_trust.exceptions import ConfigError
from clinicadl_trust.models.spec import RunSpec

__all__ = ["annotated_participants", "how_often", "of_patients", "with_annotations"]


@dataclass(frozen=True)
class _Group:
    """Participants without a lesion, and the others in a drawn order."""

    healthy: frozenset[str]
    patients: list[str]

    def first(self, number: int) -> frozenset[str]:
        return self.healthy | frozenset(self.patients[:number])


def annotated_participants(
    rows: pd.DataFrame, label: str, number: int | None, seed: int
) -> frozenset[str]:
    """Draw the participants whose masks are known.

    A participant all of whose masks are empty is healthy, and that mask is known
    without anybody drawing it. Of the others ``number`` are drawn; with one seed the
    first five are among the first ten.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``participant_id``, and the volume of each mask in the column ``label``.
    label : str
        That column.
    number : int or None
        Of participants with a lesion; None for all.
    seed : int
        Of the draw.

    Raises
    ------
    ConfigError
        If there are fewer.
    """
    group = _draw(rows, label, seed)
    there = len(group.patients)
    if number is not None and number > there:
        raise ConfigError(
            f"annotated = {number}, and {there} training participants have a lesion. "
            "Ask for fewer, or leave it out: all of them."
        )
    return group.first(there if number is None else number)


def of_patients(rows: pd.DataFrame, label: str) -> pd.Series:
    """Return which rows are of participants with a lesion, in any of their images.

    Parameters
    ----------
    rows : pandas.DataFrame
        As in ``annotated_participants``.
    label : str
        The column of volumes.
    """
    return rows.groupby("participant_id")[label].transform("max") > 0


def how_often(known: pd.Series, patients: pd.Series, share: float) -> pd.Series:
    """Return the weights by which images are drawn, for a share that is annotated.

    Of the images of patients that are drawn, the share has a known mask. Images of the
    healthy, whose masks teach no lesion, are drawn as often as without weights.

    Parameters
    ----------
    known : pandas.Series of bool
        Of the training images, whose mask is known.
    patients : pandas.Series of bool
        Of the same images, whose participant has a lesion.
    share : float
        Of the patients' images that are drawn, between 0 and 1.

    Returns
    -------
    pandas.Series
        Of mean 1, among patients too, and 1 each in the healthy. Where the masks of all
        patients are known, or none, 1 each.
    """
    weights = known * 0.0 + 1.0
    theirs = known[patients]
    if theirs.all() or not theirs.any():
        return weights
    there = theirs.mean()
    drawn = theirs.map({True: share / there, False: (1 - share) / (1 - there)})
    return drawn.reindex(known.index).fillna(weights)


def with_annotations(spec: RunSpec, number: int | None) -> RunSpec:
    """Leave patients whose masks nobody drew out of the validation set.

    The checkpoint is chosen there, and with few annotations that choice has few too:
    as many of its patients are kept, in proportion, as are annotated in the training
    set, and one at least.

    Parameters
    ----------
    spec : RunSpec
        Of a segmentation.
    number : int or None
        Annotated training participants; None leaves the run as it is.
    """
    if number is None:
        return spec
    label = spec.task.label
    train = _draw(spec.rows("train"), label, spec.seed)
    rows = spec.rows("validation")
    group = _draw(rows, label, spec.seed)
    share = number / max(1, len(train.patients))
    keep = group.first(max(1, round(share * len(group.patients))))
    validation = spec.fold.validation
    kept = validation[validation["participant_id"].isin(keep)].reset_index(drop=True)
    return replace(spec, fold=replace(spec.fold, validation=kept))


def _draw(rows: pd.DataFrame, label: str, seed: int) -> _Group:
    largest = rows.groupby("participant_id", sort=True)[label].max()
    patients = np.random.default_rng(seed).permutation(largest.index[largest > 0])
    return _Group(frozenset(largest.index[~(largest > 0)]), [str(p) for p in patients])
