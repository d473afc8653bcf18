"""A table made ready for a formula: columns of kinds that patsy knows."""

from __future__ import annotations

import pandas as pd

from clinicadl_trust.exceptions import StatisticsError

__all__ = ["check_table", "plain_columns"]


def check_table(data: object) -> pd.DataFrame:
    """Return a table, refused unless it has rows and each column once.

    Raises
    ------
    StatisticsError
        If it is no table, is empty, or has two columns of a name.
    """
    if not isinstance(data, pd.DataFrame):
        raise StatisticsError(
            f"The data are a {type(data).__name__}; give a pandas DataFrame with one "
            "row per observation."
        )
    if data.empty:
        raise StatisticsError("The table is empty: there is nothing to fit.")
    twice = data.columns[data.columns.duplicated()]
    if len(twice):
        raise StatisticsError(
            f"The table has the column '{twice[0]}' more than once. Rename or drop one."
        )
    return data


def plain_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table with NumPy's own kinds of numbers and booleans.

    Parameters
    ----------
    frame : pandas.DataFrame
        Without missing values in the columns that matter.

    Returns
    -------
    pandas.DataFrame
        Numbers among objects and pandas' nullable kinds as NumPy's; the rest as it is.
    """
    frame = frame.infer_objects()
    for name in frame.columns:
        dtype = frame[name].dtype
        if not pd.api.types.is_extension_array_dtype(dtype) or frame[name].isna().any():
            continue
        if pd.api.types.is_bool_dtype(dtype):
            frame[name] = frame[name].astype(bool)
        elif pd.api.types.is_numeric_dtype(dtype):
            frame[name] = frame[name].astype(float)
    return frame
