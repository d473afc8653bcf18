"""Tables of predictions as people have them: from a spreadsheet, R, or another tool."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from clinicadl_trust.cohort import IDS
from clinicadl_trust.exceptions import PredictionsError, did_you_mean
from clinicadl_trust.prediction_checks import CARRIED, TEXT_COLUMNS
from clinicadl_trust.tables import read_table

__all__ = ["lengthen", "read_foreign"]

_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?|[+-]?\d+")

_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})?")

#: Found under a similar name. Others are not: a 'Group' may well be a diagnosis.
_OURS = (*IDS, *CARRIED, "model", "label", "score")

#: What files that are no text begin with.
_BINARY = {
    b"PK\x03\x04": "an Excel workbook (or another archive)",
    b"\xd0\xcf\x11\xe0": "an Excel workbook",
    b"\x1f\x8b": "a compressed file",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
}


def read_foreign(path: Path, columns: Mapping[str, str]) -> pd.DataFrame:
    """Read a table, whatever stands between its columns and before its decimals.

    Parameters
    ----------
    path : pathlib.Path
        UTF-8 text with tabs, semicolons or commas between columns. A decimal comma is
        read as a point; between commas, where it is not one of thousands.
    columns : mapping
        Our column name to the file's. A column named like ours but for case, spaces
        and hyphens is found without it.

    Returns
    -------
    pandas.DataFrame
        Not checked yet.

    Raises
    ------
    PredictionsError
        If the file is absent, no text or no table, or a column is not there.
    """
    _refuse_binary(path)
    separator = _separator(path)
    text = [columns.get(name, name) for name in TEXT_COLUMNS]
    table = read_table(path, "predictions table", PredictionsError, text, separator)
    table = table.apply(_with_points, args=(separator == ",",))
    for ours, theirs in columns.items():
        if theirs not in table:
            raise PredictionsError(
                f"'{path}' has no column '{theirs}' (asked for as '{ours}')."
                f"{did_you_mean(theirs, map(str, table.columns))}"
            )
    # The column asked for wins over one that already bears our name.
    asked = {ours: table[theirs] for ours, theirs in columns.items()}
    table = table.drop(columns=[*columns.values(), *columns], errors="ignore")
    return _recognised(table.assign(**asked))


def lengthen(
    table: pd.DataFrame, models: Mapping[str, str], source: str = "table"
) -> pd.DataFrame:
    """Make a table with a column of scores per model one with a row per model.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per image.
    models : mapping
        Model name to column. Other columns of scores are left out.
    source : str
        Where it comes from, for messages.

    Returns
    -------
    pandas.DataFrame
        With the columns ``model`` and ``score``.

    Raises
    ------
    PredictionsError
        If a column is not there, or the table names a model in each row already.
    """
    names = [str(name) for name in table.columns]
    for model, column in models.items():
        if column not in names:
            raise PredictionsError(
                f"{source} has no column '{column}' (the scores of model '{model}')."
                f"{did_you_mean(column, names)}"
            )
    if "model" in names:
        raise PredictionsError(
            f"{source} names the model of each row in its column 'model', and has no "
            "columns of models besides. Leave --model-column out."
        )
    scores = [n for n in names if n == "score" or n.startswith("score_")]
    rest = table.drop(columns=list({*scores, *models.values()}))
    parts = [rest.assign(model=m, score=table[c]) for m, c in models.items()]
    return pd.concat(parts, ignore_index=True)


def _refuse_binary(path: Path) -> None:
    if not path.is_file():
        return
    with path.open("rb") as stream:
        begin = stream.read(4)
    for mark, what in _BINARY.items():
        if begin.startswith(mark):
            raise PredictionsError(
                f"'{path}' is {what}. Save it as text: 'CSV UTF-8' in a spreadsheet."
            )


def _separator(path: Path) -> str:
    """Take what stands in the header: a tab, else a semicolon or comma."""
    fallback = "," if path.suffix.lower() == ".csv" else "\t"
    if not path.is_file():
        return fallback
    with path.open(encoding="utf-8-sig", errors="replace") as lines:
        header = next((line for line in lines if line.strip()), "")
    if "\t" in header.strip():
        return "\t"
    found = max(";,", key=header.count)
    return found if found in header else fallback


def _with_points(column: pd.Series, is_quoted: bool) -> pd.Series:
    """Read numbers with a decimal comma; any other column stays as it is."""
    given = column.dropna()
    if column.dtype != object or column.name in TEXT_COLUMNS or given.empty:
        return column
    given = given.astype(str)
    if not given.str.contains(",").any() or not given.str.fullmatch(_COMMA).all():
        return column
    if is_quoted and given.str.fullmatch(_THOUSANDS).all():
        return column
    return column.str.replace(",", ".").astype(float)


def _recognised(table: pd.DataFrame) -> pd.DataFrame:
    """Rename columns that are ours but for case, spaces and hyphens."""
    ours = [name for name in _OURS if name not in table]
    folded: dict[str, list[str]] = {}
    for name in map(str, table.columns):
        folded.setdefault(re.sub(r"[\s_-]+", "_", name.lower()), []).append(name)
    return table.rename(
        columns={folded[n][0]: n for n in ours if len(folded.get(n, ())) == 1}
    )
