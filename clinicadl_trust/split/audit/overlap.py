"""The same participant, family or sealed test group on both sides.

These are the leaks "wrong data split" and "no independent test set" of Wen et al.
(2020), found in the tables of a split alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import pandas as pd

from clinicadl_trust.split.audit.findings import Finding, Severity, name_some
from clinicadl_trust.split.audit.sources import Audited
from clinicadl_trust.split.fold import GROUPS, Fold

__all__ = ["edited", "no_test_set", "same_family", "same_participant", "sealed_again"]


def same_participant(split: Audited) -> Iterator[Finding]:
    """Find participants in two groups of a fold, inner folds included."""

    def shared(seen: set[str], other: set[str]) -> set[str]:
        return seen & other

    mend = "Split participants, not images, as `clinicadl split make` does."
    yield from _compare(split, shared, ("participant", "participants"), mend)


def same_family(split: Audited, family: Mapping[str, str]) -> Iterator[Finding]:
    """Find families whose members are in two groups of a fold.

    Parameters
    ----------
    split : Audited
        The split.
    family : mapping
        Participant to family, for those whose family is known.
    """

    def shared(seen: set[str], other: set[str]) -> set[str]:
        # One who is on both sides is no relative of theirs: another finding.
        families = {}
        for side, people in enumerate((seen - other, other)):
            families[side] = {family[name] for name in people if name in family}
        return families[0] & families[1]

    mend = "Keep families together with FamilyKFold."
    yield from _compare(split, shared, ("family", "families"), mend)


def no_test_set(split: Audited) -> Iterator[Finding]:
    """Find folds without a test set of their own."""
    missing = [fold for fold in split.folds if fold.test.empty]
    if missing:
        yield Finding(
            "leak",
            "no-test-set",
            split.where(missing),
            "There is no test set (test.tsv), so what is reported is the set that "
            "chose the model.",
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
            "The test set is the validation set: it chooses the checkpoint that it "
            "judges.",
            "Take the validation set from the training participants.",
        )


def sealed_again(splits: Sequence[Audited]) -> Iterator[Finding]:
    """Find the sealed test group in any other split."""
    sealed = {
        name
        for split in splits
        if split.sealed
        for fold in split.folds
        for name in _people(fold, "test")
    }
    for split in splits:
        if split.sealed or not sealed:
            continue
        used = [fold for fold in split.folds if sealed & _people(fold)]
        if used:
            names = sealed & set().union(*map(_people, used))
            yield Finding(
                "leak",
                "sealed-test-used",
                split.where(used),
                f"{len(names)} participants of the sealed test group are used "
                f"({name_some(names)}).",
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


def _compare(
    split: Audited,
    shared: Callable[[set[str], set[str]], set[str]],
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
        found = {}
        for number, outer in enumerate(split.folds):
            names: set[str] = set()
            for fold in (outer, *outer.inner):
                names |= shared(_people(fold, *seen), _people(fold, other))
            if other == "test":
                # Whoever is in a nested fold, its test fold too, makes choices.
                chooses = set().union(*map(_people, outer.inner))
                names |= shared(chooses, _people(outer, "test"))
            if names:
                found[number] = names
        if found:
            everyone = set().union(*found.values())
            noun = (
                f"1 {one} is"
                if len(everyone) == 1
                else f"{len(everyone)} {several} are"
            )
            yield Finding(
                how_bad,
                code,
                split.where([split.folds[number] for number in found]),
                f"{noun} both in {' or '.join(seen)} and in {other} of the same fold "
                f"({name_some(everyone)}).",
                mend,
            )


def _pairs(ids: pd.DataFrame) -> set[tuple[str, str]]:
    return set(zip(ids["participant_id"], ids["session_id"], strict=True))


def _people(fold: Fold, *groups: str) -> set[str]:
    """Name the participants of some groups, of all by default."""
    tables = (getattr(fold, group) for group in groups or GROUPS)
    return set().union(*(table["participant_id"] for table in tables))
