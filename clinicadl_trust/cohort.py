"""The participants table: read once, checked once, joined by every stage."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from clinicadl_trust.exceptions import CohortError, did_you_mean

__all__ = ["IDS", "KNOWN_COLUMNS", "Cohort", "Task", "read_cohort"]

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

_CONTROL_NAMES = ("cn", "control", "controls", "hc", "healthy", "no", "false", "0")


@dataclass(frozen=True)
class Task:
    """What is predicted.

    Attributes
    ----------
    kind : {"classification", "regression"}
        The kind of label.
    label : str
        The column of the cohort that holds it.
    classes : tuple of str
        The class names; for two classes the second is the positive one. Empty
        for a regression.
    """

    kind: Literal["classification", "regression"]
    label: str
    classes: tuple[str, ...] = ()

    @property
    def is_binary(self) -> bool:
        """Whether there are exactly two classes."""
        return len(self.classes) == 2

    def encode(self, values: pd.Series) -> np.ndarray:
        """Return labels as class indices (int) or as floats for a regression.

        Raises
        ------
        CohortError
            If a value is not one of the classes.
        """
        if self.kind == "regression":
            return values.to_numpy(dtype=float)
        codes = {name: code for code, name in enumerate(self.classes)}
        text = class_names(values)
        unknown = sorted(set(text) - set(codes))
        if unknown:
            raise CohortError(
                f"Label '{self.label}' holds {unknown}, not among the classes "
                f"{list(self.classes)}."
            )
        return text.map(codes).to_numpy(dtype=int)


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
            If it is empty, lacks an id column, holds an empty id or a duplicated
            (participant, session) pair.
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

    def labelled(self, label: str) -> Cohort:
        """Return the rows whose label is known.

        Raises
        ------
        CohortError
            If the column is absent, or known for no row.
        """
        self.require([label], "The label")
        known = self.table[label].notna()
        if not known.any():
            raise CohortError(
                f"Label '{label}' is n/a in all {len(self)} rows of {self.source}. "
                "Fill the column or name another label."
            )
        return self.select(known)

    def task(
        self,
        label: str,
        kind: Literal["classification", "regression"] | None = None,
        positive: str | None = None,
    ) -> Task:
        """Say what predicting ``label`` means on this cohort.

        Parameters
        ----------
        label : str
            The column to predict.
        kind : {"classification", "regression"}, optional
            By default a regression when the column is numeric with more than ten
            values, else a classification.
        positive : str, optional
            The positive one of two classes. By default the one that is not named
            like a control (``CN``, ``control``, ``0`` ...), else the last by name.

        Raises
        ------
        CohortError
            If the label is absent, constant, or not what ``kind`` needs, or
            ``positive`` is not one of its values.
        """
        values = self.labelled(label).table[label]
        numeric = pd.api.types.is_numeric_dtype(values)
        if kind is None:
            many = numeric and values.nunique() > 10
            kind = "regression" if many else "classification"
        if values.nunique() < 2:
            raise CohortError(
                f"Label '{label}' is constant in {self.source}: every row is "
                f"{values.iloc[0]!r}. There is nothing to predict."
            )
        if kind == "regression":
            if not numeric:
                raise CohortError(
                    f"A regression needs a numeric label; '{label}' in {self.source} "
                    f"holds {values.iloc[0]!r}."
                )
            return Task("regression", label)
        names = sorted(class_names(values).unique())
        if len(names) > 50:
            raise CohortError(
                f"Label '{label}' has {len(names)} classes in {self.source}. If it is "
                "a quantity, ask for task = 'regression'."
            )
        return Task("classification", label, _ordered(names, positive, label))


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
        If the file is absent, empty, not tab-separated, lacks a column, or holds
        a duplicated (participant, session) pair.
    """
    path = Path(path)
    if not path.is_file():
        raise CohortError(f"No participants table at '{path}'. Give the path of a TSV.")
    try:
        frame = pd.read_csv(
            path,
            sep="\t",
            na_values=["n/a", "N/A", "nan", "NaN", ""],
            keep_default_na=False,
            dtype=dict.fromkeys((*IDS, *GROUPS, "sex", "acquisition_date"), str),
        )
    except pd.errors.EmptyDataError as error:
        raise CohortError(
            f"'{path}' is empty. A participants table needs a header and rows."
        ) from error
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise CohortError(
            f"'{path}' cannot be read as a tab-separated table: {error}. Save it as "
            "UTF-8 text with tabs between columns."
        ) from error
    if frame.shape[1] == 1 and (header := str(frame.columns[0])) not in IDS:
        for mark, name in ((",", "commas"), (";", "semicolons"), (" ", "spaces")):
            if mark in header:
                raise CohortError(
                    f"'{path}' is separated by {name}, not tabs: its header reads "
                    f"'{header[:60]}'. Save it as tab-separated values."
                )
    cohort = Cohort.from_frame(frame, f"'{path}'")
    cohort.require(required, "This analysis")
    return cohort


def class_names(values: pd.Series) -> pd.Series:
    """Write class labels as text, ``1.0`` and ``1`` alike as ``1``."""
    if pd.api.types.is_bool_dtype(values):
        return values.astype(int).astype(str)
    if pd.api.types.is_numeric_dtype(values):
        return values.map(lambda v: str(int(v)) if float(v).is_integer() else str(v))
    return values.astype(str)


def _checked(frame: pd.DataFrame, source: str) -> pd.DataFrame:
    missing = [name for name in IDS if name not in frame.columns]
    if missing:
        raise CohortError(
            f"{source} has no column '{missing[0]}'. A participants table needs "
            f"'participant_id' and 'session_id'; it has {list(frame.columns)}."
        )
    if frame.empty:
        raise CohortError(f"{source} has a header but no rows.")
    table = frame.copy()
    for name, prefix in zip(IDS, ("sub-", "ses-"), strict=True):
        table[name] = table[name].astype("string").str.strip()
        empty = table[name].isna() | (table[name] == "")
        if empty.any():
            raise CohortError(
                f"{source} has no {name} in row {int(np.flatnonzero(empty)[0]) + 2}."
            )
        bare = ~table[name].str.startswith(prefix)
        if bare.any():
            example = table[name][bare].iloc[0]
            raise CohortError(
                f"{source} has the {name} '{example}'; BIDS ids start with "
                f"'{prefix}' (here '{prefix}{example}')."
            )
        table[name] = table[name].astype(str)
    duplicated = table.duplicated(list(IDS), keep=False)
    if duplicated.any():
        pair = table.loc[duplicated, list(IDS)].iloc[0]
        raise CohortError(
            f"{source} lists ({pair.iloc[0]}, {pair.iloc[1]}) more than once; "
            f"{int(duplicated.sum())} rows share an image. Keep one row per image."
        )
    for name in (*GROUPS, "sex"):
        if name in table:
            table[name] = table[name].where(table[name].isna(), table[name].astype(str))
    if "age" in table:
        try:
            table["age"] = pd.to_numeric(table["age"])
        except (ValueError, TypeError) as error:
            raise CohortError(
                f"Column 'age' of {source} is not numeric: {error}. Write years, or "
                "n/a."
            ) from error
    return table.sort_values(list(IDS), kind="stable").reset_index(drop=True)


def _ordered(names: list[str], positive: str | None, label: str) -> tuple[str, ...]:
    if positive is not None:
        positive = str(positive)
        if positive not in names:
            raise CohortError(
                f"Positive class '{positive}' is not a value of '{label}'."
                f"{did_you_mean(positive, names)}"
            )
    elif len(names) == 2:
        controls = [name for name in names if name.lower() in _CONTROL_NAMES]
        if len(controls) == 1:
            positive = next(name for name in names if name != controls[0])
    if positive is None:
        return tuple(names)
    return (*(name for name in names if name != positive), positive)
