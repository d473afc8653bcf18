"""Fixtures that every family of tests shares."""

from __future__ import annotations

import signal
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
def caps_dir(tmp_path_factory, caps_options) -> Path:
    """A small generated CAPS with a strong effect; do not write into it."""
    from clinicadl_trust.generate import generate_caps

    return generate_caps(tmp_path_factory.mktemp("generated") / "caps", caps_options)


@pytest.fixture(scope="session")
def cohort(caps_dir) -> Cohort:
    """The participants of ``caps_dir``."""
    return read_cohort(caps_dir / "participants.tsv")
