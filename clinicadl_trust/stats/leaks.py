"""Participants on both sides, as far as a predictions table can tell."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

__all__ = ["SEEN", "are_periods", "find_leak", "parted_participants"]

#: Groups of images that a model has learned or was chosen from.
SEEN = {"train": "training", "validation": "validation"}


#: How a fold of successive dates is called, such as "from 2021-09-01".
_DATED = r"(?:from )?\d{4}-\d{2}-\d{2}(?:T.*)?"


def are_periods(test: pd.DataFrame) -> bool:
    """Whether every fold is named after the date it begins, a different one each.

    A later fold then trains on images of people whom an earlier one tested. That is no
    leak: at its own date, nobody whom a fold tests has trained.

    Parameters
    ----------
    test : pandas.DataFrame
        Tested images, with ``repeat``, ``split`` and ``fold``.
    """
    folds = test[["repeat", "split", "fold"]].drop_duplicates()
    named = folds["fold"].str.fullmatch(_DATED).all()
    return bool(named) and len(folds) > 1 and not folds["fold"].duplicated().any()


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
    parted = parted_participants(test, within, fold=fold)
    if parted and not _tells_training(images, test, fold):
        return f"{_people(parted)} in training and in test"
    tested = test[["model", *fold, "participant_id"]].drop_duplicates()
    for name, what in SEEN.items():
        seen = images.loc[images["group"] == name, tested.columns].drop_duplicates()
        if count := tested.merge(seen)["participant_id"].nunique():
            return f"{_people(count)} in {what} and in test"
    return ""


def _tells_training(
    images: pd.DataFrame, test: pd.DataFrame, fold: Sequence[str]
) -> bool:
    """Whether the table lists who trained in each fold, so that nothing is inferred."""
    key = ["model", *fold]
    trained = images.loc[images["group"] == "train", key].drop_duplicates()
    return len(test[key].drop_duplicates().merge(trained)) == len(
        test[key].drop_duplicates()
    )


def _people(count: int) -> str:
    return "1 participant is" if count == 1 else f"{count} participants are"
