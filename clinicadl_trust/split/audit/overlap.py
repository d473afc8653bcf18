"""The same participant, family or sealed test group on both sides.

These are the leaks "wrong data split" and "no independent test set" of Wen et al.
(2020), found in the tables of a split alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import pandas as pd

from clinicadl_trust.split.audit.findings import Finding, Severity, name_some
from clinicadl_trust.split.audit.sources import Audited
from clinicadl_trust.split.fold import Fold

__all__ = ["edited", "no_test_set", "same_family", "same_participant", "sealed_again"]


def same_participant(split: Audited) -> Iterator[Finding]:
    """Find participants in two groups of a fold, inner folds included."""
    yield from _shared(
        split,
        lambda ids: set(ids["participant_id"]),
        ("participant", "participants"),
        "Split participants, not images, as `clinicadl split make` does.",
    )


def same_family(split: Audited, family: Mapping[str, str]) -> Iterator[Finding]:
    """Find families whose members are in two groups of a fold.

    Parameters
    ----------
    split : Audited
        The split.
    family : mapping
        Participant to family, for those whose family is known.
    """
    yield from _shared(
        split,
        lambda ids: set(ids["participant_id"].map(family).dropna()),
        ("family", "families"),
        "Keep families together with FamilyKFold.",
    )


def no_test_set(split: Audited) -> Iterator[Finding]:
    """Find folds without a test set of their own."""
    missing = [fold for fold in split.folds if fold.test.empty]
    if missing:
        yield Finding(
            "leak",
            "no-test-set",
            split.where(missing),
            f"{len(missing)} of {len(split.folds)} folds have no test set (test.tsv), "
            "so what is reported is the set that chose the model.",
            "Hold out a test fold beside the validation set, as `clinicadl split make` "
            "does.",
        )
    same = [
        fold
        for fold in split.folds
        if len(fold.test) and _pairs(fold.test) == _pairs(fold.validation)
    ]
    if same:
        yield Finding(
            "leak",
            "test-is-validation",
            split.where(same),
            f"In {len(same)} of {len(split.folds)} folds the test set is the "
            "validation set: it chooses the checkpoint that it judges.",
            "Take the validation set from the training participants.",
        )


def sealed_again(splits: Sequence[Audited]) -> Iterator[Finding]:
    """Find the sealed test group in any other split."""
    sealed = {
        name
        for split in splits
        if split.sealed
        for fold in split.folds
        for name in fold.test["participant_id"]
    }
    for split in splits:
        if split.sealed or not sealed:
            continue
        used = [fold for fold in split.folds if sealed & _everyone(fold)]
        if used:
            names = sealed & set().union(*map(_everyone, used))
            yield Finding(
                "leak",
                "sealed-test-used",
                split.where(used),
                f"{len(names)} participants of the sealed test group are used in "
                f"{len(used)} of {len(split.folds)} folds ({name_some(names)}).",
                "Split only the participants outside the sealed group.",
            )


def edited(split: Audited) -> Iterator[Finding]:
    """Find splits whose files changed after they were written."""
    if split.edited:
        yield Finding(
            "warning",
            "edited-split",
            split.name,
            "The tables of this split are not those that were written with it: "
            "someone is in another group than the strategy said.",
            "Make the split again, or describe in the paper what was changed and why.",
        )


def _shared(
    split: Audited,
    members: Callable[[pd.DataFrame], set[str]],
    nouns: tuple[str, str],
    mend: str,
) -> Iterator[Finding]:
    """Compare what the model has seen with test, then train with validation."""
    one, several = nouns
    severity: Severity = "leak" if one == "participant" else "warning"
    sides: tuple[tuple[str, Sequence[str], str, Severity], ...] = (
        (f"same-{one}", ("train", "validation"), "test", "leak"),
        (f"same-{one}-validation", ("train",), "validation", severity),
    )
    for code, seen, other, how_bad in sides:
        shared = {}
        for number, outer in enumerate(split.folds):
            names: set[str] = set()
            for fold in (outer, *outer.inner):
                known = set().union(*(members(getattr(fold, group)) for group in seen))
                names |= known & members(getattr(fold, other))
            if names:
                shared[number] = names
        if shared:
            everyone = set().union(*shared.values())
            noun = (
                f"1 {one} is"
                if len(everyone) == 1
                else f"{len(everyone)} {several} are"
            )
            yield Finding(
                how_bad,
                code,
                split.where([split.folds[number] for number in shared]),
                f"{noun} both in {' or '.join(seen)} and in {other} of one fold, in "
                f"{len(shared)} of {len(split.folds)} folds ({name_some(everyone)}).",
                mend,
            )


def _pairs(ids: pd.DataFrame) -> set[tuple[str, str]]:
    return set(zip(ids["participant_id"], ids["session_id"], strict=True))


def _everyone(fold: Fold) -> set[str]:
    return {
        name
        for ids in (fold.train, fold.validation, fold.test)
        for name in ids["participant_id"]
    }
