"""Participants on both sides, as far as a predictions table can tell."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

__all__ = ["SEEN", "find_leak", "parted_participants"]

#: Groups of images that a model has learned or was chosen from.
SEEN = {"train": "training", "validation": "validation"}


def parted_participants(
    test: pd.DataFrame, within: Sequence[str] = (), *, fold: Sequence[str]
) -> int:
    """Count participants of whom two test folds of one repeat hold different images.

    In a partition, the images that a fold does not test are those it trains on. Folds
    that test the same images of a participant (drawn anew each time) part nobody.

    Parameters
    ----------
    test : pandas.DataFrame
        Tested images, one row per model, fold and image.
    within : sequence of str
        Columns, such as the site: images that differ in them may be apart.
    fold : sequence of str
        Columns that number a fold, the repeat first.

    Returns
    -------
    int
        How many.
    """
    repeat, split = fold
    person = ["model", repeat, "participant_id", *within]
    folds_of_person = test.groupby(person)[split].transform("nunique")
    folds_of_image = test.groupby([*person, "session_id"])[split].transform("nunique")
    parted = folds_of_person != folds_of_image
    return int(test.loc[parted, "participant_id"].nunique())


def find_leak(
    images: pd.DataFrame, group: str, within: Sequence[str] = (), *, fold: Sequence[str]
) -> str:
    """Say who is on both sides, ``""`` when nobody is.

    Parameters
    ----------
    images : pandas.DataFrame
        Images of all groups, one row per model, fold, group and image.
    group : str
        The group that is tested.
    within : sequence of str
        As in ``parted_participants``.
    fold : sequence of str
        Columns that number a fold, the repeat first.

    Returns
    -------
    str
        Such as ``"3 participants are in training and in test"``.
    """
    test = images[images["group"] == group]
    if count := parted_participants(test, within, fold=fold):
        return f"{_people(count)} in training and in test"
    tested = test[["model", *fold, "participant_id"]].drop_duplicates()
    for name, what in SEEN.items():
        seen = images.loc[images["group"] == name, tested.columns].drop_duplicates()
        if count := tested.merge(seen)["participant_id"].nunique():
            return f"{_people(count)} in {what} and in test"
    return ""


def _people(count: int) -> str:
    return "1 participant is" if count == 1 else f"{count} participants are"
