"""Columns of the participants table, each checked on its own."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from clinicadl_trust.exceptions import CohortError
from clinicadl_trust.tables import as_text

__all__ = ["check_families", "checked_age", "checked_ids"]

_PREFIXES = {"participant_id": "sub-", "session_id": "ses-"}


def checked_ids(ids: pd.Series, source: str) -> pd.Series:
    """Return ids as text, without spaces around them.

    Parameters
    ----------
    ids : pandas.Series
        ``participant_id`` or ``session_id``.
    source : str
        Where the table was read from, for messages.

    Raises
    ------
    CohortError
        If one is missing, or is not BIDS's.
    """
    prefix = _PREFIXES[str(ids.name)]
    text = as_text(ids).map(str.strip, na_action="ignore")
    empty = (text.isna() | (text == "")).to_numpy(dtype=bool)
    if empty.any():
        raise CohortError(
            f"{source} has no {ids.name} in row {int(np.flatnonzero(empty)[0]) + 1} "
            "below the header. Fill it or delete the row."
        )
    right = re.compile(f"{prefix}[A-Za-z0-9]+")
    wrong = [value for value in text if right.fullmatch(value) is None]
    if wrong:
        bare = re.sub(r"[^A-Za-z0-9]", "", wrong[0].removeprefix(prefix))
        raise CohortError(
            f"{source} has the {ids.name} '{wrong[0]}' ({len(wrong)} rows are like "
            f"it); BIDS ids are '{prefix}' with letters and digits after it, here "
            f"'{prefix}{bare}'."
        )
    return text.astype(str)


def checked_age(ages: pd.Series, source: str) -> pd.Series:
    """Return ages as floats, in years.

    Raises
    ------
    CohortError
        If one is not a number, negative or infinite.
    """
    try:
        numbers = pd.to_numeric(ages).astype("Float64")
    except (ValueError, TypeError) as error:
        raise CohortError(
            f"Column 'age' of {source} is not numeric: {error}. Write years with a "
            "point for decimals, or n/a."
        ) from error
    years = numbers.to_numpy(dtype=float, na_value=np.nan)
    wrong = years[(years < 0) | np.isinf(years)]
    if wrong.size:
        raise CohortError(
            f"Column 'age' of {source} holds {wrong[0]:g}. Write years, or n/a."
        )
    return pd.Series(years, index=ages.index)


def check_families(table: pd.DataFrame, source: str) -> None:
    """Check that each participant has one ``family_id``, or none.

    Raises
    ------
    CohortError
        Naming the first who has two: relatives of the second family could not be
        kept together.
    """
    pairs = table[["participant_id", "family_id"]].dropna().drop_duplicates()
    several = pairs[pairs.duplicated("participant_id", keep=False)]
    if len(several):
        name = several["participant_id"].iloc[0]
        one, other = several.loc[several["participant_id"] == name, "family_id"][:2]
        raise CohortError(
            f"{source} gives {name} the family_id '{one}' and '{other}'. "
            "Give each participant one; families that are related are one family."
        )
