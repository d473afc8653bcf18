"""Runs that cost nothing: what a worker does is told by the model's name."""

from __future__ import annotations

import errno
import json
import os
import time
from pathlib import Path

import pandas as pd

from clinicadl_trust.benchmark.config import Experiment
from clinicadl_trust.benchmark.defaults import with_defaults
from clinicadl_trust.benchmark.execution import Outcome
from clinicadl_trust.benchmark.plan import Run
from clinicadl_trust.benchmark.workers import settle
from clinicadl_trust.caps import ImageType
from clinicadl_trust.cohort import Cohort, Task
from clinicadl_trust.models.spec import RunSpec
from clinicadl_trust.split import Fold

IDS = pd.DataFrame(
    {"participant_id": ["sub-1", "sub-2"], "session_id": ["ses-1", "ses-1"]}
)


def make_experiment(**content) -> Experiment:
    """An experiment with its defaults written out, but for those of the metrics."""
    return Experiment(**with_defaults(dict(Experiment(**content))))


def make_run(directory: Path, model: str, split: int = 0, seed: int = 0) -> Run:
    place = f"runs/people/repeat-0/split-{split}/{model}/seed-{seed}"
    spec = RunSpec(
        model=model,
        config={"type": "scikit-learn"},
        task=Task("classification", "diagnosis", ("CN", "AD")),
        cohort=Cohort(IDS.assign(diagnosis=["CN", "AD"])),
        fold=Fold(0, split, "", IDS, IDS, IDS),
        split_strategy="people",
        caps=directory,
        image=ImageType.parse("T1Linear"),
        seed=seed,
        output=directory / place,
        cache=directory / "cache",
    )
    return Run(spec, directory)


def do(run: Run) -> Outcome:
    """Finish, fail, die or sleep, as the model is called."""
    settle(run.directory)
    print("in the log", flush=True)
    name = run.spec.model
    if name == "dies":
        os._exit(9)
    if name == "slow":
        time.sleep(60)
    if name == "fails":
        return Outcome(run, 0.1, error="RunError", message="The loss became NaN.")
    if name == "full":
        error = OSError(errno.ENOSPC, "No space left on device")
        return Outcome(run, 0.1, "OSError", str(error), unwritable="the disk is full")
    finish(run)
    return Outcome(run, 0.1)


def finish(run: Run) -> None:
    run.record.mkdir(parents=True, exist_ok=True)  # it may be done again
    (run.record / "run.json").write_text(json.dumps({"pid": os.getpid()}))


def pid() -> int:
    return os.getpid()


def threads() -> str | None:
    return os.environ.get("OMP_NUM_THREADS")


def hold(directory: Path) -> None:
    settle(directory)
    (directory / "held").touch()
    time.sleep(60)
