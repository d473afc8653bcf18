"""Tables on disk: every stage reads its TSV through one function."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from clinicadl_trust.exceptions import TrustError

__all__ = ["MISSING", "as_text", "read_table", "write_table", "write_whole"]

#: What stands for a missing value: BIDS writes ``n/a``, pandas ``NaN``, R ``NA``.
MISSING = frozenset({"", "n/a", "N/A", "NA", "<NA>", "NaN", "nan"})

_SEPARATORS = {"\t": "tabs", ",": "commas", ";": "semicolons", " ": "spaces"}


def read_table(
    path: Path,
    what: str,
    error: type[TrustError],
    text: Iterable[str] = (),
    separator: str = "\t",
) -> pd.DataFrame:
    """Read a separated table whose first line names the columns.

    Spaces around names and values are dropped, as are columns without a name. A
    column whose values are all numbers becomes numeric, to the last digit (the
    default of pandas is off by one unit in the last place for a third of floats);
    any other stays text as it is written, ``TRUE`` included.

    Parameters
    ----------
    path : pathlib.Path
        The file, UTF-8 with or without a byte-order mark.
    what : str
        What the table is, for messages.
    error : type of TrustError
        What to raise.
    text : iterable of str
        Columns that stay text even when they look like numbers.
    separator : str
        What stands between columns.

    Returns
    -------
    pandas.DataFrame
        With NaN for missing values; it may have no rows.

    Raises
    ------
    TrustError
        The given ``error``, if the file is absent, empty, not a table with this
        separator, or names a column twice.
    """
    if not path.is_file():
        raise error(f"No {what} at '{path}'. Give the path of a file that exists.")
    try:
        # Without header=None, pandas renames duplicated columns, and takes the first
        # column for an index when rows are longer than the header.
        raw = pd.read_csv(
            path,
            sep=separator,
            header=None,
            dtype=str,
            na_filter=False,
            encoding="utf-8-sig",
        )
    except pd.errors.EmptyDataError as cause:
        raise error(f"'{path}' is empty. A {what} needs a header and rows.") from cause
    except (pd.errors.ParserError, UnicodeError) as cause:
        if isinstance(cause, pd.errors.ParserError):
            # Rows longer than the header: decimal commas in a table with semicolons.
            _check_separator(_first_line(path), path, separator, error)
        raise error(
            f"'{path}' cannot be read as a table: {str(cause).strip()}. Save it as "
            f"UTF-8 text with {_SEPARATORS[separator]} between columns."
        ) from cause
    raw = raw.apply(lambda column: column.str.strip())
    names = raw.iloc[0].tolist()
    _check_header(names, path, separator, error)
    table = raw.iloc[1:].reset_index(drop=True)
    table.columns = pd.Index(names)
    table = table.loc[:, [name != "" for name in names]]
    table = table.mask(table.isin(MISSING), np.nan)
    text = set(text)
    return table.apply(lambda column: column if column.name in text else _infer(column))


def as_text(values: pd.Series) -> pd.Series:
    """Write values as text, ``1``, ``1.0`` and ``"1"`` alike as ``1``.

    Parameters
    ----------
    values : pandas.Series
        Of any type.

    Returns
    -------
    pandas.Series
        Text; missing values stay missing.
    """
    values = values.astype(object)
    if pd.api.types.infer_dtype(values, skipna=True) == "string":
        return values
    return values.map(_text, na_action="ignore")


def write_table(path: Path, table: pd.DataFrame) -> Path:
    """Write a tab-separated table whole or not at all, missing values as BIDS has them.

    Parameters
    ----------
    path : pathlib.Path
        The file; one that exists is replaced.
    table : pandas.DataFrame
        Its index is left out.

    Returns
    -------
    pathlib.Path
        The file.
    """
    text = table.to_csv(sep="\t", index=False, na_rep="n/a", lineterminator="\n")
    write_whole(path, text)
    return path


def write_whole(path: Path, text: str) -> None:
    """Write a file whole or not at all, and its folder where there is none.

    Parameters
    ----------
    path : pathlib.Path
        The file; one that exists is replaced.
    text : str
        Its content.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with temporary.open("w", encoding="utf-8", newline="") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _check_header(
    names: list[str], path: Path, separator: str, error: type[TrustError]
) -> None:
    if len(names) == 1:
        _check_separator(names[0], path, separator, error)
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise error(
            f"'{path}' has {names.count(twice[0])} columns named '{twice[0]}'. Keep "
            "one, or rename the others."
        )


def _check_separator(
    header: str, path: Path, separator: str, error: type[TrustError]
) -> None:
    """Refuse a header that has another separator and not the one expected."""
    for mark, name in _SEPARATORS.items():
        if mark in header and separator not in header:
            raise error(
                f"'{path}' is separated by {name}, not {_SEPARATORS[separator]}: "
                f"its first line reads '{header[:60]}'. Save it with "
                f"{_SEPARATORS[separator]} between columns."
            )


def _first_line(path: Path) -> str:
    with path.open(encoding="utf-8-sig", errors="replace") as lines:
        return next((line.strip() for line in lines if line.strip()), "")


def _infer(column: pd.Series) -> pd.Series:
    try:
        numbers = pd.to_numeric(column)
    except (ValueError, TypeError):
        return column
    return numbers if numbers.dtype.kind in "iu" else column.astype(float)


def _text(value: object) -> str:
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, int | float | np.number) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()
