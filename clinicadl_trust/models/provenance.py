"""Whom a run has seen, and what it ran with."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from itertools import combinations
from pathlib import Path
from typing import Any

from clinicadl_trust.exceptions import LeakageError, SplitError
from clinicadl_trust.models.settings import settings_of
from clinicadl_trust.models.spec import RunSpec
from clinicadl_trust.records import (
    Lineage,
    RunRecord,
    read_lineage,
    record_dir,
    write_json,
)

__all__ = ["check_fold", "lineage_of", "versions", "write_record"]

#: Whose versions are recorded, when they are installed.
_RECORDED = (
    "clinicadl-trust",
    "clinicadl",
    "torch",
    "monai",
    "torchio",
    "scikit-learn",
    "nilearn",
    "numpy",
    "pandas",
)


def check_fold(spec: RunSpec) -> None:
    """Check that a fold can be trained on: nobody is on two sides.

    Parameters
    ----------
    spec : RunSpec
        The run.

    Raises
    ------
    LeakageError
        If a participant is in two of the training, validation and test sets.
    SplitError
        If nobody is trained on, or nobody validated.
    """
    groups = {
        name: set(getattr(spec.fold, name)["participant_id"])
        for name in ("train", "validation", "test")
    }
    for name in ("train", "validation"):
        if not groups[name]:
            raise SplitError(f"The {name} set of {spec.fold.where} is empty.")
    for first, second in combinations(groups, 2):
        if both := sorted(groups[first] & groups[second]):
            raise LeakageError(
                f"{len(both)} participants are in the {first} and the {second} set of "
                f"{spec.fold.where}: {', '.join(both[:3])}"
                f"{', ...' if len(both) > 3 else ''}. A split by participants keeps "
                "all sessions of a person together; only models of type "
                "'scikit-learn' run a leaky split, to show what it does."
            )


def lineage_of(spec: RunSpec, ancestors: Sequence[Path] = ()) -> Lineage:
    """Return whom a run sees, and whom its ancestors have seen.

    Parameters
    ----------
    spec : RunSpec
        The run.
    ancestors : sequence of pathlib.Path
        Further ones than ``spec.ancestors``.

    Raises
    ------
    RunError
        If an ancestor has no lineage.
    """
    paths = dict.fromkeys([*spec.ancestors, *ancestors])
    fold = spec.fold
    return Lineage(
        train=tuple(sorted(set(fold.train["participant_id"]))),
        validation=tuple(sorted(set(fold.validation["participant_id"]))),
        ancestors=tuple(read_lineage(path) for path in paths),
        name=spec.model,
    )


def write_record(
    spec: RunSpec, maps: Path, durations: Mapping[str, float], **hardware: Any
) -> None:
    """Write ``run.json``, the last file of a run.

    Parameters
    ----------
    spec : RunSpec
        The run.
    maps : pathlib.Path
        Its MAPS, where it is being built.
    durations : mapping
        Seconds per stage.
    **hardware
        What it ran on, beside the processor.
    """
    record = RunRecord(
        split_strategy=spec.split_strategy,
        repeat=spec.fold.repeat,
        split=spec.fold.split,
        fold=spec.fold.name,
        model=spec.model,
        seed=spec.seed,
        durations={name: round(value, 3) for name, value in durations.items()},
        versions=versions(),
        hardware={
            "machine": platform.machine(),
            "system": f"{platform.system()} {platform.release()}",
            "cpus": os.cpu_count(),
            "threads": spec.threads,
            **hardware,
        },
        config=settings_of(spec).config,
    )
    write_json(record_dir(maps, spec.fold.split) / "run.json", record)


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that matter here."""
    found = {"python": sys.version.split()[0]}
    for name in _RECORDED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
