"""Participants as what is drawn: their stratum, their site, their family."""

from __future__ import annotations

import pandas as pd

from clinicadl_trust.exceptions import SplitError
from clinicadl_trust.tables import as_text

__all__ = [
    "are_quartiles",
    "check_number",
    "count",
    "describe_participants",
    "is_quantity",
]

#: A quantity is stratified by this many bins of equal size.
N_BINS = 4
_BIN = "quartile "


def is_quantity(values: pd.Series) -> bool:
    """Whether a label is a quantity rather than a class, as ``Cohort.task`` says."""
    return pd.api.types.is_numeric_dtype(values) and values.nunique() > 10


def are_quartiles(labels: pd.Series) -> bool:
    """Whether the strata are bins of a quantity rather than classes."""
    return bool(labels.str.startswith(_BIN).all())


def describe_participants(images: pd.DataFrame, label: str | None) -> pd.DataFrame:
    """Say of each participant what a draw must respect.

    A participant whose label or site changes between sessions has those of the
    first session: they are known when the participant enters the study, and a
    draw that looked ahead would sort participants by their future.

    Parameters
    ----------
    images : pandas.DataFrame
        The cohort's rows, sorted by ids, labels known.
    label : str or None
        The column to stratify by.

    Returns
    -------
    pandas.DataFrame
        ``participant_id``, ``label``, ``site``, ``family`` as text, one row per
        participant, sorted by label, site, id; index 0..n-1.
    """
    first = images.groupby("participant_id", sort=True).first().reset_index()
    people = pd.DataFrame({"participant_id": first["participant_id"]})
    people["label"] = ""
    if label is not None:
        # Of all images: their first values alone may be few.
        people["label"] = _stratum(first[label], is_quantity(images[label]))
    people["site"] = first["site"].fillna("") if "site" in first else ""
    family = first.get("family_id")
    people["family"] = people["participant_id"]
    if family is not None:
        # The prefix keeps a family called like a participant apart from it.
        people["family"] = ("family " + family.astype("string")).fillna(
            people["participant_id"]
        )
    people = people.astype(str)
    return people.sort_values(["label", "site", "participant_id"]).reset_index(
        drop=True
    )


def count(n: int, noun: str) -> str:
    """Write ``1 participant`` or ``2 participants``."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def check_number(units: pd.Series, n_splits: int, unit: str) -> None:
    """Check that there are enough units for the folds.

    Raises
    ------
    SplitError
        If there are fewer different values than folds.
    """
    found = sorted(units.astype(str).unique())
    if len(found) < n_splits:
        shown = ", ".join(found[:5]) + (", ..." if len(found) > 5 else "")
        raise SplitError(
            f"{n_splits} folds need at least {n_splits} different values of '{unit}'; "
            f"there {'is' if len(found) == 1 else 'are'} {len(found)} ({shown}). Ask "
            "for fewer folds, or split by something else."
        )


def _stratum(values: pd.Series, quantity: bool) -> pd.Series:
    if not quantity:
        return as_text(values)
    ranks = values.rank(method="first")
    bins = pd.qcut(ranks, min(N_BINS, len(values)), labels=False)
    return _BIN + (bins + 1).astype(str)
