"""Participants as what is drawn: their stratum, their family, a fair draw of them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
import pandas as pd

from clinicadl_trust.exceptions import SplitError
from clinicadl_trust.tables import as_text

__all__ = [
    "are_quartiles",
    "check_number",
    "count",
    "deal",
    "describe_participants",
    "draw",
    "even_group_folds",
    "is_quantity",
]

#: A quantity is stratified by this many bins of equal size.
N_BINS = 4
_BIN = "quartile "

#: Group folds are drawn up to this often and the most even draw is kept; the first
#: whose shares of each class have a standard deviation below this part of a fold does.
N_DRAWS = 20
EVEN = 0.1


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
    people["label"] = "" if label is None else _stratum(first[label])
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


def draw(
    participants: pd.DataFrame, fraction: float, rng: np.random.Generator
) -> set[str]:
    """Draw a part of the participants, by label and site, families whole.

    Systematic sampling: in each class the families are put in random order within
    their site and every n-th one is taken, so each site gives its share to within
    one. A class of two families or more gives at least one and keeps at least one.

    Parameters
    ----------
    participants : pandas.DataFrame
        From ``describe_participants``.
    fraction : float
        Part to draw, between 0 and 1.
    rng : numpy.random.Generator
        The source of chance.

    Returns
    -------
    set of str
        The participant ids drawn.
    """
    families = participants.drop_duplicates("family")
    drawn: set[str] = set()
    for _, stratum in families.groupby("label", sort=True):
        order = stratum.iloc[rng.permutation(len(stratum))]
        order = order.sort_values("site", kind="stable")
        n = min(max(1, round(fraction * len(order))), len(order) - 1)
        places = (np.arange(n) + rng.uniform()) * len(order) / max(n, 1)
        drawn |= set(order["family"].iloc[places.astype(int)])
    return set(participants.loc[participants["family"].isin(drawn), "participant_id"])


def deal(
    participants: pd.DataFrame, n_splits: int, rng: np.random.Generator
) -> Iterator[set[str]]:
    """Deal the participants out to folds like cards, sorted by label and by site.

    Each fold has its share of each label to within one, and nearly that of each site.
    scikit-learn's ``StratifiedKFold`` deals in the same way, but refuses when every
    stratum is smaller than the number of folds.

    Yields
    ------
    set of str
        The participant ids of a fold.
    """
    order = participants.iloc[rng.permutation(len(participants))]
    order = order.sort_values(["label", "site"], kind="stable")
    places = np.arange(len(order)) % n_splits
    for fold in rng.permutation(n_splits):
        yield set(order["participant_id"][places == fold])


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
            f"there are {len(found)} ({shown}). Ask for fewer folds, or split by "
            "something else."
        )


def even_group_folds(
    labels: pd.Series, groups: pd.Series, n_splits: int, rng: np.random.Generator
) -> np.ndarray:
    """Put whole groups in folds of like size and like labels.

    scikit-learn's ``StratifiedGroupKFold`` is greedy and may leave a fold empty or
    without a class when groups are few and large; the most even of several draws
    is kept.

    Parameters
    ----------
    labels, groups : pandas.Series
        Stratum and group of each participant.
    n_splits : int
        Number of folds, at most the number of groups.
    rng : numpy.random.Generator
        The source of chance.

    Returns
    -------
    numpy.ndarray of int, shape (n_participants,)
        The fold of each participant.
    """
    from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

    codes = labels.groupby(labels).ngroup().to_numpy()
    if n_splits > np.bincount(codes).max():
        # Too few of every class to stratify: whole groups of like size, at least.
        splitters = [GroupKFold(n_splits)]
    else:
        states = rng.integers(2**31, size=N_DRAWS)
        splitters = [
            StratifiedGroupKFold(n_splits, shuffle=True, random_state=int(state))
            for state in states
        ]
    best, least = np.zeros(len(codes), dtype=int), np.inf
    for splitter in splitters:
        folds = np.zeros(len(codes), dtype=int)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "The least populated class")
            for fold, (_, test) in enumerate(splitter.split(codes, codes, groups)):
                folds[test] = fold
        uneven = _unevenness(codes, folds, n_splits)
        if uneven < least:
            best, least = folds, uneven
        if least < EVEN / n_splits:
            break
    return best


def _unevenness(codes: np.ndarray, folds: np.ndarray, n_splits: int) -> float:
    counts = np.zeros((n_splits, codes.max() + 1))
    np.add.at(counts, (folds, codes), 1)
    share = counts / counts.sum(axis=0)
    # A missing class cannot be made good by evenness elsewhere.
    return float((counts == 0).sum() * 10 + share.std(axis=0).max())


def _stratum(values: pd.Series) -> pd.Series:
    if not is_quantity(values):
        return as_text(values)
    ranks = values.rank(method="first")
    bins = pd.qcut(ranks, min(N_BINS, len(values)), labels=False)
    return _BIN + (bins + 1).astype(str)
