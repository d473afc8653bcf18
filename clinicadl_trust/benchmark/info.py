"""``benchmark.json``: what was run, on what, with what."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from clinicadl_trust.benchmark.config import SEALED, Experiment
from clinicadl_trust.benchmark.preparation import Prepared
from clinicadl_trust.benchmark.splitting import Splits
from clinicadl_trust.records import write_json

__all__ = ["FILE", "begin_runs", "end_runs", "read_info", "update_info", "write_info"]

FILE = "benchmark.json"

_DISTRIBUTIONS = (
    "clinicadl-trust",
    "clinicadl",
    "clinica",
    "torch",
    "monai",
    "scikit-learn",
    "nilearn",
    "numpy",
    "scipy",
    "pandas",
)


def write_info(
    experiment: Experiment,
    prepared: Prepared,
    splits: Mapping[str, Splits],
    directory: Path,
    additions: list[str],
) -> None:
    """Write what is run; what an earlier call has written of its start is kept.

    Parameters
    ----------
    experiment : Experiment
        What is run.
    prepared : Prepared
        The cohort and the task.
    splits : mapping of str to Splits
        By name.
    directory : pathlib.Path
        The benchmark.
    additions : list of str
        What this call adds to an earlier one. It is kept, with the date: a model
        that was added after results were seen is not one chosen beforehand.
    """
    before = read_info(directory)
    history = list(before.get("history", []))
    if additions:
        history.append({"date": _now(), "added": additions})
    section = experiment.cohort
    write_json(
        directory / FILE,
        {
            "name": experiment.name,
            "question": experiment.question,
            "task": asdict(prepared.task),
            "seed": experiment.seed,
            "versions": _versions(),
            "hardware": _hardware(),
            "started": before.get("started") or _now(),
            "finished": before.get("finished"),
            "audited": before.get("audited"),
            "history": history,
            "threads": experiment.run.threads,
            "models": {
                name: {
                    **model.config,
                    "label": model.label or name,
                    "seeds": model.seeds,
                }
                for name, model in experiment.models.items()
            },
            "primary_metric": experiment.statistics.primary,
            "reference": experiment.statistics.reference,
            "splits": {name: _split(name, made) for name, made in splits.items()},
            "cohort": {
                "caps": str(prepared.caps),
                "participants": str(section.participants or "caps/participants.tsv"),
                "generated": section.generate,
                "image": asdict(prepared.image),
                "test_image": prepared.test_image and asdict(prepared.test_image),
            },
        },
    )


def read_info(directory: Path) -> dict[str, Any]:
    """Return ``benchmark.json``, empty when there is none yet."""
    path = directory / FILE
    if not path.is_file():
        return {}
    return json.loads(path.read_text(encoding="utf-8"))


def update_info(directory: Path, **values: Any) -> None:
    """Write values into ``benchmark.json``."""
    write_json(directory / FILE, {**read_info(directory), **values})


def begin_runs(directory: Path) -> None:
    """Write that runs are left to do: until they are, nothing is finished."""
    update_info(directory, finished=None)


def end_runs(directory: Path) -> None:
    """Write when the last run was done, unless that is written already."""
    if not read_info(directory).get("finished"):
        update_info(directory, finished=_now())


def _split(name: str, splits: Splits) -> dict[str, Any]:
    info = splits.info
    return {
        "strategy": info.strategy,
        "title": info.title,
        "unit": info.unit,
        "leaky": info.leaky,
        "n_folds": len(splits.folds),
        "sealed": name == SEALED,
    }


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in _DISTRIBUTIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _hardware() -> dict[str, Any]:
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "memory_gb": round(pages * size / 2**30, 1),
    }


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
