"""Kill a benchmark at random moments; what it ends in must not change.

Each trial starts a new benchmark, kills it with SIGKILL, starts it again and compares
``statistics.tsv`` byte for byte with that of a benchmark that was left alone. Every
second trial strikes while a training checkpoint is being written; the others at a
moment drawn from the whole duration, before, during or after the runs.

    python benchmarks/kill_resume.py [--kills 10] [--seed 0]
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

EXPERIMENT = """\
name = "kill"
seed = 0
[cohort]
label = "diagnosis"
[cohort.generate]
participants = 24
sites = 3
resolution = 8
effect = 3
[sealed_test]
strategy = "MatchedTestSet"
fraction = 0.25
[splits.participants]
strategy = "ParticipantKFold"
n_splits = 2
[models.cnn]
type = "trainer"
training = { epochs = 6, batch_size = 4, patience = 0 }
[models.cnn.network]
name = "CNN"
conv_args = { channels = [4, 8], stride = 2, dropout = 0.1 }
mlp_args = { hidden_dims = [] }
[models.voxels]
type = "scikit-learn"
features = { name = "voxels" }
[run]
n_jobs = 2
report = false
"""

Strike = Callable[[Path, float], bool]


def start(experiment: Path, output: Path) -> subprocess.Popen[bytes]:
    """Start a benchmark in a process group of its own."""
    command = [sys.executable, "-m", "clinicadl_trust", "benchmark"]
    with output.with_suffix(".log").open("ab") as log:
        return subprocess.Popen(
            [*command, str(experiment), "--output", str(output)],
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def finish(experiment: Path, output: Path) -> float:
    """Run a benchmark to its end and return the seconds it took."""
    begun = time.monotonic()
    if start(experiment, output).wait() != 0:
        raise SystemExit(output.with_suffix(".log").read_text())
    return time.monotonic() - begun


def at(moment: float) -> Strike:
    """Strike after so many seconds."""
    return lambda output, elapsed: elapsed >= moment


def in_checkpoint(number: int) -> Strike:
    """Strike as soon as the given checkpoint begins to be written."""
    seen: set[Path] = set()
    folders = "runs/*/*/*/*/*.partial/training/split-*/tmp/epoch-*"

    def strike(output: Path, elapsed: float) -> bool:
        with suppress(FileNotFoundError):  # a run that ended was renamed meanwhile
            seen.update(output.glob(folders))
        return len(seen) >= number

    return strike


def kill(process: subprocess.Popen[bytes], with_workers: bool) -> None:
    """Kill with SIGKILL: the whole group, or the parent alone."""
    if with_workers:
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def trial(experiment: Path, output: Path, strike: Strike, with_workers: bool) -> str:
    """Kill once, finish, and say where the blow fell."""
    process, begun = start(experiment, output), time.monotonic()
    while process.poll() is None and not strike(output, time.monotonic() - begun):
        time.sleep(0.0005)
    moment = time.monotonic() - begun
    if process.poll() is not None:
        place = "had ended"
    else:
        kill(process, with_workers)
        runs = sorted(output.glob("runs/*/*/*/*/*"))
        partial = sum(path.name.endswith(".partial") for path in runs)
        done = sum(path.name[-1].isdigit() for path in runs)
        place = f"{done} runs done, {partial} under way"
    finish(experiment, output)
    return f"after {moment:5.1f} s, {place}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    same = 0
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        experiment = root / "experiment.toml"
        experiment.write_text(EXPERIMENT)
        duration = finish(experiment, root / "reference")
        expected = (root / "reference" / "statistics.tsv").read_bytes()
        print(f"undisturbed: {duration:.0f} s", flush=True)
        for number in range(options.kills):
            random_moment = at(rng.uniform(0.5, duration))
            strike = in_checkpoint(rng.randint(1, 12)) if number % 2 else random_moment
            output = root / f"trial-{number}"
            with_workers = number % 4 < 2
            told = trial(experiment, output, strike, with_workers)
            equal = (output / "statistics.tsv").read_bytes() == expected
            same += equal
            kind = "checkpoint" if number % 2 else "random"
            who = "all" if with_workers else "parent"
            print(f"{number}: {kind}, {who} killed {told}: ", end="")
            print("same" if equal else "DIFFERENT", flush=True)
    print(f"{same} of {options.kills} trials end in the same statistics.tsv")
    sys.exit(same != options.kills)


if __name__ == "__main__":
    main()
