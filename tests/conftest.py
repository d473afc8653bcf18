"""Fixtures that every family of tests shares."""

from __future__ import annotations

import fcntl
import os
import pickle
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from clinicadl_trust.cohort import Cohort, read_cohort

# A shell starts what runs in the background with Ctrl-C ignored, and the processes
# that tests start would inherit it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def caps_options():
    """Options of ``caps_dir``: 24 participants, 3 sites, 2 sessions each, 8 mm."""
    from clinicadl_trust.generate import GeneratorOptions

    return GeneratorOptions(
        participants=24,
        sites=3,
        sessions=2,
        attrition=0,
        resolution=8,
        effect=4,
        seed=1,
    )


@pytest.fixture(scope="session")
def once(tmp_path_factory) -> Callable:
    """Make something once for all the processes that test: ``once(name, make)``.

    ``make`` is given a folder and returns what the fixture is; the other processes get
    what was pickled of it. Nobody may write into the folder afterwards.
    """
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    folder = root / "made-once"
    folder.mkdir(exist_ok=True)

    def made(name: str, make: Callable):
        result = folder / f"{name}.pickle"
        with (folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not result.exists():
                shutil.rmtree(folder / name, ignore_errors=True)
                (folder / name).mkdir()
                result.write_bytes(pickle.dumps(make(folder / name)))
        return pickle.loads(result.read_bytes())

    return made


@pytest.fixture(scope="session")
def caps_dir(once, caps_options) -> Path:
    """A small generated CAPS with a strong effect; do not write into it."""
    from clinicadl_trust.generate import generate_caps

    return once("caps", lambda folder: generate_caps(folder / "caps", caps_options))


@pytest.fixture(scope="session")
def cohort(caps_dir) -> Cohort:
    """The participants of ``caps_dir``."""
    return read_cohort(caps_dir / "participants.tsv")
