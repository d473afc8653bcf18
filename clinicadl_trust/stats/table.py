"""Tables as users give them."""

from __future__ import annotations

import pandas as pd

from clinicadl_trust.exceptions import StatisticsError

__all__ = ["check_table"]


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
        raise StatisticsError("The table is empty: it has no row.")
    twice = data.columns[data.columns.duplicated()]
    if len(twice):
        raise StatisticsError(
            f"The table has the column '{twice[0]}' more than once. Rename or drop one."
        )
    return data
