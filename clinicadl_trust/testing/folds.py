"""What every fold must be: whole, sorted, and apart."""

from __future__ import annotations

from collections import Counter

import pandas as pd

from clinicadl_trust.cohort import IDS, Cohort
from clinicadl_trust.split import Fold, SplitStrategy
from clinicadl_trust.testing.contract import require

__all__ = ["GROUPS", "UNITS", "check_fold", "check_numbers"]

GROUPS = ("train", "validation", "test")

#: What must not stand on both sides of a split, by unit.
_APART = {
    "participant": "participant_id",
    "site": "site",
    "scanner": "scanner",
    "dataset": "dataset",
    "family": "family_id",
}
#: What a strategy may say it holds out whole.
UNITS = (*_APART, "time", "scan")


def check_numbers(folds: list[Fold], name: str) -> None:
    """Check that folds are numbered from 0 within each repeat.

    Raises
    ------
    ContractError
        If they do not.
    """
    places = [(fold.repeat, fold.split) for fold in folds]
    sizes = Counter(repeat for repeat, _ in places)
    wanted = [(r, s) for r in range(len(sizes)) for s in range(sizes[r])]
    require(
        places == wanted,
        f"{name} numbers its folds {places}; they must run from 0 within each repeat.",
    )


def check_fold(fold: Fold, strategy: SplitStrategy, cohort: Cohort) -> None:
    """Check that a fold's sets are tables of the cohort's images, and apart.

    Raises
    ------
    ContractError
        If they do not.
    """
    name = f"{type(strategy).__name__}, {fold.where}"
    parts = {group: getattr(fold, group) for group in GROUPS}
    for group, ids in parts.items():
        _check_ids(ids, f"The {group} set of {name}", cohort)
    rows = {
        group: ids.merge(cohort.table, on=list(IDS)) for group, ids in parts.items()
    }
    seen = pd.concat([rows["train"], rows["validation"]])
    for one, other in (
        ("train", "validation"),
        ("train", "test"),
        ("validation", "test"),
    ):
        shared = parts[one].merge(parts[other], on=list(IDS))
        require(
            shared.empty,
            f"{len(shared)} images of {name} are both in {one} and in {other}.",
        )
    if strategy.leaky:
        return
    _check_apart(rows["train"], rows["validation"], "participant_id", name)
    _check_apart(seen, rows["test"], "participant_id", name)
    if strategy.unit in _APART:
        _check_apart(seen, rows["test"], _APART[strategy.unit], name)
    if strategy.unit == "time":
        last, first = (
            seen["acquisition_date"].max(),
            rows["test"]["acquisition_date"].min(),
        )
        require(
            last < first,
            f"{name} says that it splits by time, and trains on {last}, not before "
            f"its first test image of {first}.",
        )


def _check_ids(ids: pd.DataFrame, where: str, cohort: Cohort) -> None:
    require(
        isinstance(ids, pd.DataFrame) and list(ids.columns) == list(IDS),
        f"{where} must be a table of {' and '.join(IDS)}.",
    )
    require(len(ids), f"{where} is empty.")
    ordered = ids.sort_values(list(IDS)).drop_duplicates().reset_index(drop=True)
    require(
        ids.equals(ordered),
        f"{where} must be sorted by its ids, each image once, with the index 0..n-1.",
    )
    known = ids.merge(cohort.table[list(IDS)], on=list(IDS))
    require(
        len(known) == len(ids),
        f"{where} holds {len(ids) - len(known)} images that are not in the cohort.",
    )


def _check_apart(
    one: pd.DataFrame, other: pd.DataFrame, column: str, name: str
) -> None:
    shared = sorted(set(one[column].dropna()) & set(other[column].dropna()))
    require(
        not shared,
        f"{name} leaks: {len(shared)} values of '{column}' stand on both sides "
        f"({', '.join(map(str, shared[:3]))}). Keep them together, or say leaky.",
    )
