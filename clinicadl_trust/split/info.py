"""What made the folds of a directory, kept beside them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from clinicadl_trust import __version__
from clinicadl_trust.cohort import IDS, Cohort
from clinicadl_trust.exceptions import SplitError
from clinicadl_trust.split.base import SplitStrategy
from clinicadl_trust.split.fold import GROUPS, Fold

__all__ = ["INFO", "SplitInfo", "describe_split", "digest", "read_info"]

#: Our own file: ClinicaDL refuses unknown keys in its JSON.
INFO = "split.json"


@dataclass(frozen=True)
class SplitInfo:
    """What made the folds of a directory.

    Attributes
    ----------
    name : str
        The name given to the strategy, by default its class.
    strategy : str
        The registered name.
    options : dict
        Its options, the seed among them.
    title, unit, leaky
        As the strategy says of itself.
    label : str or None
        The column stratified by.
    folds : list of dict
        Per outer fold its ``repeat``, ``split``, ``name``, ``notes`` and numbers.
    lineage : dict
        What the folds come from: the cohort's source, its numbers and digest, and
        our version.
    digest : str
        SHA-256 of who is where, to notice files edited later.
    """

    name: str
    strategy: str
    options: dict[str, Any] = field(default_factory=dict)
    title: str = ""
    unit: str = "participant"
    leaky: bool = False
    label: str | None = None
    folds: list[dict[str, Any]] = field(default_factory=list)
    lineage: dict[str, Any] = field(default_factory=dict)
    digest: str = ""


def describe_split(
    strategy: SplitStrategy,
    cohort: Cohort,
    folds: Sequence[Fold],
    label: str | None,
    name: str,
) -> SplitInfo:
    """Say what made these folds, and from whom."""
    ids = cohort.table[list(IDS)].sort_values(list(IDS))
    text = ids.to_csv(sep="\t", index=False)
    return SplitInfo(
        name=name,
        strategy=type(strategy).__name__,
        options=asdict(strategy),
        title=strategy.title,
        unit=strategy.unit,
        leaky=strategy.leaky,
        label=label,
        folds=[_summary(fold) for fold in folds],
        lineage={
            "cohort": cohort.source.strip("'"),
            "participants": len(cohort.participants),
            "images": len(cohort),
            "cohort_digest": hashlib.sha256(text.encode()).hexdigest(),
            "clinicadl_trust": __version__,
        },
        digest=digest(folds),
    )


def read_info(directory: Path) -> SplitInfo:
    """Read the ``split.json`` of a strategy.

    Raises
    ------
    SplitError
        If there is none, or it is not what we write.
    """
    path = directory / INFO
    if not path.is_file():
        below = sorted(p.parent.name for p in directory.glob(f"*/{INFO}"))
        hint = f" It holds the splits {below}: name one." if below else ""
        raise SplitError(
            f"'{directory}' has no {INFO}, so it is no split that we wrote.{hint} "
            "`clinicadl split make` writes one."
        )
    try:
        return SplitInfo(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise SplitError(f"'{path}' cannot be read: {error}.") from error


def digest(folds: Sequence[Fold]) -> str:
    """Return the SHA-256 of who is where in the folds, inner ones included."""
    content = hashlib.sha256()
    for fold in folds:
        content.update(f"fold {fold.repeat} {fold.split}\n".encode())
        for group in GROUPS:
            text = getattr(fold, group)[list(IDS)].to_csv(sep="\t", index=False)
            content.update(f"{group}\n{text}".encode())
        content.update(digest(fold.inner).encode() if fold.inner else b"")
    return content.hexdigest()


def _summary(fold: Fold) -> dict[str, Any]:
    summary: dict[str, Any] = {
        "repeat": fold.repeat,
        "split": fold.split,
        "name": fold.name,
        "notes": list(fold.notes),
    }
    for group in GROUPS:
        ids = getattr(fold, group)
        summary[group] = {
            "participants": int(ids["participant_id"].nunique()),
            "images": len(ids),
        }
    if fold.inner:
        summary["inner"] = [_summary(inner) for inner in fold.inner]
    return summary
