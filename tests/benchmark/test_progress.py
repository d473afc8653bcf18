import io
import json
from pathlib import Path

import fake_runs
import pytest
from rich.console import Console

from clinicadl_trust.benchmark.execution import Outcome
from clinicadl_trust.benchmark.progress import Lines, Silent, Terminal, make_display
from clinicadl_trust.benchmark.telling import telling, told
from clinicadl_trust.benchmark.time_left import TimeLeft, spoken


@pytest.fixture
def runs(tmp_path):
    models = ["cnn", "ridge"]
    return [fake_runs.make_run(tmp_path, m, k) for k in range(2) for m in models]


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_time_left(runs):
    clock = Clock()
    left = TimeLeft(runs, 2, clock=clock)
    assert left.seconds is None
    left.started(runs[0])
    left.started(runs[1])
    clock.now = 2.0
    left.ended(runs[1], 2.0)
    assert left.seconds is None  # nothing is known of the network
    left.told(runs[0], 0.1)  # 20 s in all
    assert left.seconds == (18 + 20 + 2) / 2
    left.started(runs[3])
    clock.now = 10.0  # the second ridge is late
    left.told(runs[0], 1.0)
    assert left.seconds == 10 / 2
    left.ended(runs[3], 8.0)
    left.ended(runs[0], 12.0)
    left.started(runs[2])
    clock.now = 16.0
    assert left.seconds == 6 / 2
    left.ended(runs[2], 12.0)
    assert left.seconds == 0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.4, "0 s"),
        (89, "89 s"),
        (91, "2 min"),
        (5400, "1 h 30 min"),
        (7500, "2 h 05 min"),
    ],
)
def test_spoken(seconds, words):
    assert spoken(seconds) == words


def test_a_worker_tells_in_a_file_that_it_removes(runs):
    with telling(runs[0]) as tell:
        tell(0.25, "epoch 1")
        tell(0.5, "epoch 2")  # too soon after the first
        assert list(told(runs)) == [(runs[0], 0.25, "epoch 1")]
    assert list(told(runs)) == []


#: Runs that an earlier call has done.
DONE = [fake_runs.make_run(Path("absent"), "cnn", 5 + k) for k in range(3)]


def drive(display, runs):
    display.stage("Splitting [all]")
    display.begin(runs[:2], DONE, 2)
    display.started(runs[0])
    display.told(runs[0], 0.5, "epoch 1 of 2")
    display.started(runs[1])
    display.ended(Outcome(runs[1], 3.0, error="RunError", message="It is [NaN]."))
    display.ended(Outcome(runs[0], 4.0))
    display.close()


def test_what_earlier_runs_took_is_known_again(runs):
    for run in runs[:2]:
        run.record.mkdir(parents=True)
        run.record.joinpath("run.json").write_text(
            json.dumps({"durations": {"fit": 3.0, "predict": 1.0}})
        )
    assert runs[0].seconds == 4.0
    assert runs[2].seconds is None
    display = Lines()
    display.begin(runs[2:], runs[:2], 1)
    assert display._left.seconds == 8.0
    assert TimeLeft(runs[2:], 2, runs[:1]).seconds is None  # of one model only


def test_lines(runs, capsys):
    display = make_display()
    assert isinstance(display, Lines)
    drive(display, runs)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Splitting [all]"
    assert lines[1] == "5 runs, 3 of them done before"
    assert lines[2].startswith("[4/5] people, repeat 0, split 0: ridge, seed 0: FAILED")
    assert lines[3] == "[5/5] people, repeat 0, split 0: cnn, seed 0: done (4 s)"


def test_terminal(runs, monkeypatch):
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=200)
    monkeypatch.setattr("rich.console.Console", lambda: console)
    display = make_display()
    assert isinstance(display, Terminal)
    drive(display, runs)
    text = screen.getvalue()
    assert "Splitting [all]" in text
    assert "It is [NaN]." in text
    assert "5/5" in text


def test_silence(runs, capsys):
    drive(Silent(), runs)
    assert capsys.readouterr().out == ""
