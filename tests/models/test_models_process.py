"""Another process: it opens what we have made without us, then is killed at work."""

import os
import pickle
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from trainer_runs import records

from clinicadl_trust.models.run import run

_SCRIPT = """
import pickle, sys
from clinicadl.train import Trainer

host_only, with_plugins, spec = sys.argv[1:]
trainer = Trainer.from_maps(host_only)
print(type(trainer.model).__name__, len(trainer._get_split(1).train_dataset))
print(sum(name.startswith("clinicadl_trust") for name in sys.modules))
try:
    Trainer.from_maps(with_plugins)
except ValueError as error:
    print("unknown:", error)

import clinicadl_trust

trainer = Trainer.from_maps(with_plugins)
print(type(trainer.model).__name__, flush=True)

from clinicadl_trust.models.run import run

with open(spec, "rb") as file:
    run(pickle.load(file))
"""


@pytest.fixture(scope="module")
def other(spec, tmp_path_factory):
    """The run that the process is at: only its output differs."""
    return replace(spec, output=tmp_path_factory.mktemp("killed") / "maps")


@pytest.fixture(scope="module")
def process(other, regression, finished, tmp_path_factory):
    """The process, started before the tests that look at it."""
    path = tmp_path_factory.mktemp("spec") / "spec.pickle"
    path.write_bytes(pickle.dumps(other))
    arguments = [str(item) for item in (regression, finished, path)]
    started = subprocess.Popen(
        [sys.executable, "-c", _SCRIPT, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    yield started
    started.kill()
    started.wait()


def test_a_maps_of_the_hosts_classes_needs_us_not_and_a_plugins_one_does(process, spec):
    assert process.stdout.readline().split() == [
        "SupervisedModel",
        str(len(spec.fold.train)),
    ]
    assert process.stdout.readline() == "0\n", "nothing of ours was imported"
    unknown = process.stdout.readline()
    assert unknown.startswith("unknown:")
    assert "ClassificationModel" in unknown
    # Our package is imported after ClinicaDL here, and the same call works.
    assert process.stdout.readline() == "ClassificationModel\n"


def test_a_process_that_is_killed_is_taken_up(process, other, finished):
    partial = other.output.with_name(other.output.name + ".partial")
    checkpoints = partial / "training" / "split-1" / "tmp"
    deadline = time.monotonic() + 120
    while not list(checkpoints.glob("epoch-*/callbacks/*")):
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.kill()
    assert process.wait(timeout=180) != 0
    assert not other.output.exists()
    run(other)
    for name in ("predictions_test.tsv", "predictions_validation.tsv"):
        ours, theirs = (records(maps) / name for maps in (other.output, finished))
        assert ours.read_bytes() == theirs.read_bytes()
