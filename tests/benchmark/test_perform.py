import errno

import fake_runs
import pytest

from clinicadl_trust.benchmark import execution
from clinicadl_trust.benchmark.execution import perform
from clinicadl_trust.exceptions import RunError
from clinicadl_trust.models import run as models_run


@pytest.fixture
def outcome(tmp_path, monkeypatch, capfd):
    """What becomes of a run whose model does what is given."""
    monkeypatch.setattr(execution, "settle", lambda directory: None)

    def make(model):
        monkeypatch.setattr(models_run, "run", model)
        return perform(fake_runs.make_run(tmp_path, "ridge"))

    return make


def test_a_run_that_goes_well(outcome, tmp_path, capfd):
    told = []

    def model(spec, tell):
        tell(0.5, "half")
        told.extend(tmp_path.rglob("*.progress"))

    done = outcome(model)
    assert (done.error, done.message, done.traceback) == ("", "", "")
    assert done.seconds >= 0
    assert len(told) == 1
    assert not list(tmp_path.rglob("*.progress"))
    assert "people, repeat 0, split 0: ridge, seed 0" in capfd.readouterr().out


def test_a_mistake_that_a_user_can_mend_has_no_traceback(outcome, capfd):
    def model(spec, tell):
        raise RunError("The loss became NaN.")

    done = outcome(model)
    assert (done.error, done.message) == ("RunError", "The loss became NaN.")
    assert done.traceback == ""
    assert "Traceback" in capfd.readouterr().err  # the log has it


def test_a_bug_keeps_its_traceback(outcome):
    done = outcome(lambda spec, tell: {}["absent"])
    assert (done.error, done.message) == ("KeyError", "'absent'")
    assert "Traceback" in done.traceback
    assert done.unwritable == ""


def test_a_full_disk_behind_another_error_is_seen(outcome):
    def model(spec, tell):
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        except OSError as error:
            raise RuntimeError("checkpoint") from error

    assert "full" in outcome(model).unwritable
