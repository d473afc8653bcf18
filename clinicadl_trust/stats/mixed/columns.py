"""A table made ready for a formula: columns of kinds that patsy knows."""

from __future__ import annotations

import pandas as pd

__all__ = ["plain_columns"]


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
