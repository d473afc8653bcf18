"""Splits read back from disk."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from clinicadl_trust.cohort import IDS
from clinicadl_trust.exceptions import SplitError, did_you_mean
from clinicadl_trust.split.fold import GROUPS, Fold
from clinicadl_trust.split.info import INFO, SplitInfo, read_info
from clinicadl_trust.tables import read_table

__all__ = [
    "number_of",
    "read_fold",
    "read_ids",
    "read_splits",
    "sorted_by_number",
    "split_dirs",
]


def read_splits(directory: str | os.PathLike[str]) -> tuple[SplitInfo, list[Fold]]:
    """Read what ``write_splits`` wrote.

    Raises
    ------
    SplitError
        If the folder is not one of ours, or a file of it is missing.
    """
    directory = Path(directory)
    info = read_info(directory)
    folds = [read_fold(split) for split in split_dirs(directory)]
    listed = {(f["repeat"], f["split"]): f for f in info.folds}
    if {(fold.repeat, fold.split) for fold in folds} != set(listed):
        raise SplitError(
            f"'{directory}' should hold {len(listed)} folds, as its {INFO} says, and "
            f"holds {len(folds)}. Make the split again."
        )
    return info, [_named(fold, listed[fold.repeat, fold.split]) for fold in folds]


def read_fold(directory: Path) -> Fold:
    """Read one ``split-K`` folder; a file that is missing is an error.

    Raises
    ------
    SplitError
        If a table is missing or has no ids.
    """
    tables = {group: read_ids(directory / f"{group}.tsv") for group in GROUPS}
    inner = directory / "inner"
    return Fold(
        repeat=number_of(directory.parent) if directory.parent.name != "inner" else 0,
        split=number_of(directory),
        name="",
        **tables,
        inner=tuple(
            read_fold(path) for path in sorted_by_number(inner.glob("split-*"))
        ),
        directory=directory,
    )


def read_ids(path: Path) -> pd.DataFrame:
    """Read the ids of one group.

    Raises
    ------
    SplitError
        If the table is missing or lacks an id column.
    """
    table = read_table(path, "list of images of a split", SplitError, text=IDS)
    for name in IDS:
        if name not in table:
            raise SplitError(
                f"'{path}' has no column '{name}'."
                f"{did_you_mean(name, map(str, table.columns))}"
            )
    return table[list(IDS)]


def split_dirs(directory: Path) -> list[Path]:
    """List the ``split-K`` folders of a strategy by repeat and number."""
    repeats = sorted_by_number(directory.glob("repeat-*"))
    return [
        path for repeat in repeats for path in sorted_by_number(repeat.glob("split-*"))
    ]


def sorted_by_number(paths: Iterable[Path]) -> list[Path]:
    """Keep the folders, ordered by the number at the end of their names."""
    return sorted((path for path in paths if path.is_dir()), key=number_of)


def number_of(path: Path) -> int:
    """Return the number that a folder's name ends in.

    Raises
    ------
    SplitError
        If it does not end in one.
    """
    try:
        return int(path.name.rpartition("-")[2])
    except ValueError as error:
        raise SplitError(
            f"'{path}' should end in a number, like split-0. Rename or remove it."
        ) from error


def _named(fold: Fold, summary: Mapping[str, Any]) -> Fold:
    """Give a fold that was read its name and notes back."""
    inner = fold.inner
    if summary.get("inner"):
        inner = tuple(
            _named(replace(f, repeat=s["repeat"]), s)
            for f, s in zip(fold.inner, summary["inner"], strict=True)
        )
    return replace(
        fold, name=summary["name"], notes=tuple(summary["notes"]), inner=inner
    )
