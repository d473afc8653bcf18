"""The participants table: read once, checked once, joined by every stage."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from clinicadl_trust.cohort_checks import check_families, checked_age, checked_ids
from clinicadl_trust.exceptions import CohortError, did_you_mean
from clinicadl_trust.tables import as_text, read_table
from clinicadl_trust.task import Kind, Task

__all__ = ["GROUPS", "IDS", "KNOWN_COLUMNS", "Cohort", "Task", "read_cohort"]

#: What identifies an image.
IDS = ("participant_id", "session_id")

#: Columns with a meaning of their own; any other column is a label or covariate.
KNOWN_COLUMNS = (
    *IDS,
    "dataset",
    "site",
    "scanner",
    "family_id",
    "acquisition_date",
    "age",
    "sex",
)

#: Columns that name a group of rows: kept as text, and carried into predictions.
GROUPS = ("dataset", "site", "scanner", "family_id")


@dataclass(frozen=True)
class Cohort:
    """A checked participants table.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per image (participant and session), sorted by both ids, with the
        index 0..n-1. ``participant_id`` starts with ``sub-``, ``session_id`` with
        ``ses-``; group columns are text; ``age`` is a float in years.
    source : str
        Where it was read from, for messages.
    """

    table: pd.DataFrame
    source: str = "table"

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, source: str = "table") -> Cohort:
        """Check a table and wrap it.

        Raises
        ------
        CohortError
            If it is empty, lacks an id column or names a column twice, holds an id
            that is not BIDS's or a duplicated (participant, session) pair, an age
            that is not a number, or a participant of two families.
        """
        return cls(_checked(frame, source), source)

    @property
    def participants(self) -> pd.Index:
        """The sorted participant ids."""
        return pd.Index(sorted(self.table["participant_id"].unique()))

    @property
    def columns(self) -> list[str]:
        """The column names."""
        return list(self.table.columns)

    def __len__(self) -> int:
        return len(self.table)

    def require(self, columns: Iterable[str], purpose: str) -> None:
        """Check that columns exist.

        Raises
        ------
        CohortError
            Naming the first missing column, the nearest one, and why it is needed.
        """
        for column in columns:
            if column not in self.table:
                raise CohortError(
                    f"{purpose} needs the column '{column}', which {self.source} does "
                    f"not have.{did_you_mean(column, self.columns)}"
                )

    def select(self, keep: pd.Series | np.ndarray) -> Cohort:
        """Return the rows where ``keep`` is true."""
        table = self.table.loc[np.asarray(keep, dtype=bool)].reset_index(drop=True)
        return replace(self, table=table)

    def labelled(self, label: str | Sequence[str]) -> Cohort:
        """Return the rows whose label, or each of several, is known.

        Raises
        ------
        CohortError
            If a column is absent, or known for no row, or no row has all of them.
        """
        names = [label] if isinstance(label, str) else list(dict.fromkeys(label))
        self.require(names, "The label")
        known = self.table[names].notna()
        for name in names:
            if not known[name].any():
                raise CohortError(
                    f"Label '{name}' is n/a in all {len(self)} rows of {self.source}. "
                    "Fill the column or name another label."
                )
        if not known.all(axis=1).any():
            raise CohortError(
                f"No row of {self.source} has all of the labels {', '.join(names)}. "
                "Fill the columns, or name fewer labels."
            )
        return self.select(known.all(axis=1))

    def task(
        self,
        label: str | Sequence[str],
        kind: Kind | None = None,
        positive: object = None,
    ) -> Task:
        """Say what predicting ``label`` means on this cohort.

        Parameters
        ----------
        label : str or sequence of str
            The column to predict; several are predicted at once by a regression.
        kind : {"classification", "regression"}, optional
            By default a regression when the column is numeric with more than ten
            values, else a classification.
        positive : object, optional
            The positive one of two classes. By default the one that is not named
            like a control (``CN``, ``control``, ``0`` ...), else the last by name.

        Raises
        ------
        CohortError
            If a label is absent, constant, or not what ``kind`` needs, or
            ``positive`` is not one of its values.
        """
        if not isinstance(label, str):
            return Task.several(self.labelled(label).table, label, kind, self.source)
        values = self.labelled(label).table[label]
        return Task.infer(values, kind, positive, self.source)


def read_cohort(path: str | os.PathLike[str], required: Sequence[str] = ()) -> Cohort:
    """Read a participants TSV.

    Parameters
    ----------
    path : path-like
        A tab-separated file with ``participant_id`` and ``session_id``; missing
        values are written ``n/a`` as in BIDS.
    required : sequence of str
        Columns that must be there.

    Returns
    -------
    Cohort
        Sorted by ids: the order of the file's rows does not matter.

    Raises
    ------
    CohortError
        If the file is absent, empty, not tab-separated, lacks a column, or does not
        pass the checks of ``Cohort.from_frame``.
    """
    path = Path(path)
    text = (*IDS, *GROUPS, "sex", "acquisition_date")
    frame = read_table(path, "participants table", CohortError, text)
    cohort = Cohort.from_frame(frame, f"'{path}'")
    cohort.require(required, "This analysis")
    return cohort


def _checked(frame: pd.DataFrame, source: str) -> pd.DataFrame:
    table = frame.copy()
    table.columns = pd.Index([str(name).strip() for name in frame.columns])
    _check_columns(table, source)
    for name in IDS:
        table[name] = checked_ids(table[name], source)
    duplicated = table.duplicated(list(IDS), keep=False)
    if duplicated.any():
        pair = table.loc[duplicated, list(IDS)].iloc[0]
        raise CohortError(
            f"{source} lists ({pair.iloc[0]}, {pair.iloc[1]}) more than once; "
            f"{int(duplicated.sum())} rows share an image. Keep one row per image."
        )
    for name in (*GROUPS, "sex"):
        if name in table:
            table[name] = as_text(table[name])
    if "family_id" in table:
        check_families(table, source)
    if "age" in table:
        table["age"] = checked_age(table["age"], source)
    return table.sort_values(list(IDS), kind="stable").reset_index(drop=True)


def _check_columns(table: pd.DataFrame, source: str) -> None:
    names = list(table.columns)
    missing = [name for name in IDS if name not in names]
    if missing:
        raise CohortError(
            f"{source} has no column '{missing[0]}'. A participants table needs "
            "'participant_id' and 'session_id', one row per image; it has "
            f"{names}. Clinica's `clinica iotools merge-tsv` makes one."
        )
    if not table.columns.is_unique:
        twice = next(name for name in names if names.count(name) > 1)
        raise CohortError(
            f"{source} has {names.count(twice)} columns named '{twice}'. Keep one."
        )
    if table.empty:
        raise CohortError(f"{source} has a header but no rows.")
