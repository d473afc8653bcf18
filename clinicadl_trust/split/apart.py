"""What every fold is held to: nobody on both sides, no set empty or without a class."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from clinicadl_trust.cohort import IDS, Cohort
from clinicadl_trust.exceptions import CohortError, SplitError
from clinicadl_trust.split.fold import GROUPS, Fold
from clinicadl_trust.split.strata import count, is_quantity
from clinicadl_trust.tables import as_text

__all__ = [
    "dominant",
    "note_dominant",
    "refuse_constant",
    "refuse_empty",
    "refuse_missing_class",
    "refuse_unknown",
    "take_apart",
]


#: Fewest images for which one participant is said to dominate a set.
_MANY = 10


def take_apart(
    images: pd.DataFrame,
    participants: pd.DataFrame,
    test: np.ndarray,
    rest: np.ndarray,
    *,
    families: bool,
) -> tuple[np.ndarray, list[str]]:
    """Take the test fold's participants, and their relatives, out of the rest.

    Parameters
    ----------
    images : pandas.DataFrame
        The rows that are split.
    participants : pandas.DataFrame
        From ``describe_participants``.
    test, rest : numpy.ndarray of bool, shape (n_images,)
        The images of the test fold, and those to train and validate on.
    families : bool
        Whether relatives go too, or are only counted.

    Returns
    -------
    rest : numpy.ndarray of bool, shape (n_images,)
        What is left.
    notes : list of str
        Who was left out.
    """
    ids = images["participant_id"]
    family = participants.set_index("participant_id")["family"]
    tested = ids.isin(ids[test]).to_numpy()
    kin = ids.map(family).isin(ids[test].map(family)).to_numpy()
    notes = []
    if n := ids[rest & tested].nunique():
        notes.append(
            "Left out of training: the images made elsewhere of "
            f"{count(n, 'participant')} in the test fold."
        )
    rest = rest & ~tested
    n = ids[rest & kin].nunique()
    if n and families:
        rest = rest & ~kin
        notes.append(
            f"Left out of training: {count(n, 'participant')} with a relative in the "
            "test fold."
        )
    elif n:
        notes.append(
            f"{count(n, 'participant')} in training with a relative in the test fold; "
            "FamilyKFold keeps families together."
        )
    return rest, notes


def dominant(ids: pd.DataFrame) -> tuple[str, int] | None:
    """Return who gives ten images or more, and more than half, beside two others.

    Parameters
    ----------
    ids : pandas.DataFrame
        The images of a set, with ``participant_id``.

    Returns
    -------
    participant_id : str
        Whose images they are.
    n_images : int
        How many.
    """
    counts = ids["participant_id"].value_counts()
    # Three visits of one and one of two others are no reason to warn.
    if len(counts) < 3 or counts.iloc[0] <= max(len(ids) / 2, _MANY - 1):
        return None
    return str(counts.index[0]), int(counts.iloc[0])


def note_dominant(fold: Fold) -> list[str]:
    """Name whoever gives most of the images of a set."""
    notes = []
    for group in GROUPS:
        ids = getattr(fold, group)
        if found := dominant(ids):
            name, number = found
            notes.append(
                f"{name} gives {number} of the {len(ids)} images of the {group} set: "
                "numbers over images are mostly about one person."
            )
    return notes


def refuse_constant(cohort: Cohort, label: str) -> None:
    """Check that there is something to predict.

    Raises
    ------
    SplitError
        If the label is absent, never known, or always the same.
    """
    try:
        cohort.task(label)
    except CohortError as error:
        raise SplitError(str(error)) from error


def refuse_unknown(cohort: Cohort, columns: Iterable[str], purpose: str) -> None:
    """Check that columns are filled in every row.

    Raises
    ------
    SplitError
        Naming the first row where one is n/a.
    """
    for column in columns:
        unknown = cohort.table[column].isna()
        if unknown.any():
            row = cohort.table.loc[unknown, list(IDS)].iloc[0]
            raise SplitError(
                f"{purpose} needs '{column}' in every row; it is n/a in "
                f"{int(unknown.sum())} of {len(cohort)} rows of {cohort.source}, first "
                f"for {row.iloc[0]} {row.iloc[1]}. Fill it, or leave these rows out."
            )


def refuse_empty(fold: Fold, title: str) -> None:
    """Check that somebody is in every set.

    Raises
    ------
    SplitError
        Naming the set and the fold.
    """
    for group in GROUPS:
        if getattr(fold, group).empty:
            raise SplitError(
                f"'{title}' leaves nobody in the {group} set of {fold.where}. Use "
                "fewer folds, or a larger validation-fraction."
            )


def refuse_missing_class(
    fold: Fold, images: pd.DataFrame, label: str, title: str
) -> None:
    """Check that every class is in every set; a quantity has none.

    Raises
    ------
    SplitError
        Naming the class, the set and the fold.
    """
    if is_quantity(images[label]):
        return
    values = as_text(images.set_index(list(IDS))[label])
    for group in GROUPS:
        here = values[pd.MultiIndex.from_frame(getattr(fold, group))]
        missing = sorted(set(values).difference(here))
        if missing:
            raise SplitError(
                f"No image of the {group} set of {fold.where} has {label} = "
                f"{missing[0]} ('{title}'). Use fewer folds, put small groups "
                "together, or allow it with allow-missing-class."
            )
