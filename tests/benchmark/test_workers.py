import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import fake_runs
import pytest

import clinicadl_trust
from clinicadl_trust.benchmark.execution import execute
from clinicadl_trust.benchmark.folder import locked
from clinicadl_trust.benchmark.progress import Silent
from clinicadl_trust.benchmark.workers import Workers
from clinicadl_trust.exceptions import OutputError


def ignore(failed):
    """Record nothing."""


class Recorder(Silent):
    def __init__(self):
        self.begun = None
        self.ends = []

    def begin(self, runs, done, n_jobs, noun):
        self.begun = (len(runs), len(done), n_jobs)

    def ended(self, outcome):
        self.ends.append((outcome.run.spec.model, outcome.error))


def test_failures_and_deaths_do_not_stop_the_others(tmp_path):
    models = ["fine", "fails", "dies", "good", "well"]
    runs = [fake_runs.make_run(tmp_path, model) for model in models]
    display = Recorder()
    with Workers(2, 1) as workers:
        failed = execute(runs, workers, display, ignore, fake_runs.do)
    assert display.begun == (5, 0, 2)
    assert [run.is_done for run in runs] == [True, False, False, True, True]
    assert [(o.run.spec.model, o.error) for o in failed] == [
        ("fails", "RunError"),
        ("dies", "WorkerDied"),
    ]
    assert "killed" in failed[1].message
    assert set(display.ends) == {
        ("fine", ""),
        ("good", ""),
        ("well", ""),
        ("fails", "RunError"),
        ("dies", "WorkerDied"),
    }
    assert len(display.ends) == 5
    logs = list((tmp_path / "logs").glob("worker-*.log"))
    assert any("in the log" in log.read_text() for log in logs)


def test_what_is_done_is_passed_over(tmp_path):
    runs = [fake_runs.make_run(tmp_path, model) for model in ("done", "dies")]
    for run in runs:
        fake_runs.finish(run)
    display = Recorder()
    with Workers(2, 1) as workers:
        assert execute(runs, workers, display, ignore, fake_runs.do) == []
    assert display.begun == (0, 2, 0)


def test_a_full_disk_stops_all(tmp_path):
    runs = [fake_runs.make_run(tmp_path, model) for model in ("full", "fine")]
    with Workers(1, 1) as workers, pytest.raises(OutputError, match="disk is full"):
        execute(runs, workers, Silent(), ignore, fake_runs.do)
    assert not runs[1].is_done


def test_threads_are_set_in_workers_alone(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    with Workers(1, 3) as workers:
        assert workers.call(fake_runs.threads) == "3"
    assert "OMP_NUM_THREADS" not in os.environ


def test_a_worker_lives_on_between_calls():
    with Workers(1, 1) as workers:
        first = workers.call(fake_runs.pid)
        assert workers.call(fake_runs.pid) == first
        workers.stop()
        assert workers.call(fake_runs.pid) != first


PARENT = """
import sys, time
from pathlib import Path
from clinicadl_trust.benchmark.folder import locked
from clinicadl_trust.benchmark.workers import Workers
import fake_runs

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    with locked(folder), Workers(1, 1) as workers:
        workers.submit(fake_runs.hold, folder).result()
"""


@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_workers_end_with_their_parent_and_free_the_folder(tmp_path, kind):
    script = tmp_path / "parent.py"
    script.write_text(textwrap.dedent(PARENT))
    folder = tmp_path / "benchmark"
    # The package that is tested, whichever is installed.
    roots = Path(__file__).parent, Path(clinicadl_trust.__file__).parents[1]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, roots))}
    parent = subprocess.Popen(
        [sys.executable, str(script), str(folder)],
        env=env,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + 60
        while not (folder / "held").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        with pytest.raises(OutputError, match="Another call works"), locked(folder):
            pass
        parent.send_signal(kind)
        parent.wait(timeout=120)
    finally:
        parent.kill()
        _, errors = parent.communicate()
    with locked(folder):  # waits for the workers' end
        pass
    if kind == signal.SIGINT:
        assert errors.count("KeyboardInterrupt") == 1  # the parent's own
