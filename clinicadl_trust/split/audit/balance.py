"""Who is in each fold: classes, age, sex, sites."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from clinicadl_trust.cohort import IDS
from clinicadl_trust.split.apart import dominant
from clinicadl_trust.split.audit.findings import Finding, name_some
from clinicadl_trust.split.audit.sources import Audited
from clinicadl_trust.split.fold import GROUPS, Fold
from clinicadl_trust.split.strata import is_quantity
from clinicadl_trust.tables import as_text

__all__ = ["balance_table", "missing_classes", "not_listed", "one_participant"]


def balance_table(
    splits: Sequence[Audited], table: pd.DataFrame, label: str | None
) -> pd.DataFrame:
    """Describe every group of every fold.

    Parameters
    ----------
    splits : sequence of Audited
        The splits.
    table : pandas.DataFrame
        The cohort's rows.
    label : str or None
        The column to describe; classes are counted, a quantity is averaged.

    Returns
    -------
    pandas.DataFrame
        ``split_strategy``, ``repeat``, ``split``, ``fold``, ``group``, then numbers of
        ``participants``, ``images``, ``sites`` and, over participants by their first
        image in the group, the part of each class (``LABEL=CLASS``) or mean and
        standard deviation of the label, mean and standard deviation of ``age`` in
        years and the part of each sex.
    """
    rows = [
        {
            "split_strategy": split.name,
            "repeat": fold.repeat,
            "split": fold.split,
            "fold": fold.name,
            "group": group,
            **_describe(getattr(fold, group), table, label),
        }
        for split in splits
        for fold in split.folds
        for group in GROUPS
    ]
    return pd.DataFrame(rows)


def missing_classes(
    split: Audited, table: pd.DataFrame, label: str
) -> Iterator[Finding]:
    """Find groups of a fold without one of the classes."""
    known = table[table[label].notna()]
    if is_quantity(known[label]):
        return
    classes = set(as_text(known[label]))
    for group in GROUPS:
        lacking: list[Fold] = []
        names: set[str] = set()
        for fold in split.folds:
            here = getattr(fold, group)
            missing = classes - set(as_text(here.merge(known, on=list(IDS))[label]))
            if len(here) and missing:
                lacking.append(fold)
                names |= missing
        if lacking:
            yield Finding(
                "warning",
                f"class-missing-in-{group}",
                split.where(lacking),
                f"The {group} set has no image with {label} = "
                f"{' or '.join(sorted(names))}.",
                "Use fewer folds, or put small groups together (SiteKFold): metrics of "
                "such a fold are not defined."
                if group == "test"
                else "Use fewer folds, or a larger validation fraction.",
            )


def one_participant(split: Audited) -> Iterator[Finding]:
    """Find groups of a fold most of whose images are one participant's."""
    for group in GROUPS:
        found = {
            number: who
            for number, fold in enumerate(split.folds)
            if (who := dominant(getattr(fold, group)))
        }
        if found:
            names = sorted({name for name, _ in found.values()})
            yield Finding(
                "warning",
                "one-participant",
                split.where([split.folds[number] for number in found]),
                f"More than half of the images of the {group} set are those of one "
                f"participant ({name_some(names)}).",
                "Leave out some of these images, or count each participant once.",
            )


def not_listed(split: Audited, table: pd.DataFrame) -> Iterator[Finding]:
    """Find images of a split that the participants table does not list."""
    used = split.images
    listed = pd.MultiIndex.from_frame(table[list(IDS)])
    lost = used[~pd.MultiIndex.from_frame(used).isin(listed)]
    if len(lost):
        yield Finding(
            "warning",
            "not-in-table",
            split.name,
            f"The participants table does not list {len(lost)} of the {len(used)} "
            f"images, first {' '.join(lost.iloc[0])}: families, classes and balance "
            "are those of the others.",
            "Give the table that was split with --participants.",
        )


def _describe(
    ids: pd.DataFrame, table: pd.DataFrame, label: str | None
) -> dict[str, Any]:
    images = ids.merge(table, on=list(IDS))
    people = images.groupby("participant_id", sort=True).first()
    numbers: dict[str, Any] = {"participants": len(people), "images": len(ids)}
    if "site" in images:
        numbers["sites"] = int(images["site"].nunique())
    if label is not None:
        numbers |= _label(people[label], table[label], label)
    if "age" in people:
        numbers["age_mean"] = round(float(people["age"].mean()), 2)
        numbers["age_sd"] = round(float(people["age"].std()), 2)
    if "sex" in people:
        for sex in sorted(table["sex"].dropna().unique()):
            numbers[f"sex={sex}"] = _part(people["sex"] == sex, people["sex"])
    return numbers


def _label(here: pd.Series, everywhere: pd.Series, label: str) -> dict[str, Any]:
    if is_quantity(everywhere.dropna()):
        return {
            f"{label}_mean": round(float(here.mean()), 3),
            f"{label}_sd": round(float(here.std()), 3),
        }
    names = as_text(here)
    return {
        f"{label}={name}": _part(names == name, names)
        for name in sorted(as_text(everywhere.dropna()).unique())
    }


def _part(hits: pd.Series, values: pd.Series) -> float:
    known = int(values.notna().sum())
    return round(float(hits.sum()) / known, 3) if known else float("nan")
