"""Duplicated images, and whether a split puts them on both sides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from clinicadl_trust.split.audit.findings import Finding, name_some
from clinicadl_trust.split.audit.images import Pair
from clinicadl_trust.split.audit.sources import Audited
from clinicadl_trust.split.fold import Fold

__all__ = ["duplicates_across", "duplicates_in_cohort"]

_MEND = (
    "Look at both images. If they are one person's, give them one participant_id and "
    "split again."
)


def duplicates_across(split: Audited, pairs: Sequence[Pair]) -> Iterator[Finding]:
    """Find duplicated images with one id in training or validation, one in test."""
    for exact in (True, False):
        some = [pair for pair in pairs if pair.exact is exact]
        found = {
            number: apart
            for number, fold in enumerate(split.folds)
            if (apart := _apart(some, fold))
        }
        if found:
            seen = dict.fromkeys(pair for apart in found.values() for pair in apart)
            yield Finding(
                "leak",
                "same-image" if exact else "near-image",
                split.where([split.folds[number] for number in found]),
                f"{_describe(list(seen))} One of the two is tested by a model that has "
                f"seen the other.",
                _MEND,
            )


def duplicates_in_cohort(pairs: Sequence[Pair]) -> Iterator[Finding]:
    """Say which images exist twice, wherever a split puts them."""
    for exact in (True, False):
        some = [pair for pair in pairs if pair.exact is exact]
        if some:
            yield Finding(
                "warning",
                "duplicate-image" if exact else "near-duplicate",
                "cohort",
                f"{_describe(some)} The cohort has fewer people than ids.",
                _MEND,
            )


def _describe(pairs: Sequence[Pair]) -> str:
    names = name_some(
        [
            f"{p.first} {p.sessions[0]} and {p.second} {p.sessions[1]}"
            + ("" if p.exact else f" (correlation {p.correlation:.2f})")
            for p in pairs
        ]
    )
    count = f"{len(pairs)} pair{'s' if len(pairs) > 1 else ''} of participants"
    if pairs[0].exact:
        return f"The same image, voxel for voxel, under two ids, for {count}: {names}."
    return f"Images as alike as two scans of one person, for {count}: {names}."


def _apart(pairs: Sequence[Pair], fold: Fold) -> list[Pair]:
    seen = {*fold.train["participant_id"], *fold.validation["participant_id"]}
    test = set(fold.test["participant_id"])
    return [
        pair
        for pair in pairs
        if (pair.first in seen and pair.second in test)
        or (pair.second in seen and pair.first in test)
    ]
