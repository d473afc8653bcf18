"""The log of the training loss is the one that ClinicaDL writes."""

from dataclasses import replace

import pytest

from clinicadl_trust.host import services
from clinicadl_trust.models.callbacks import Progress
from clinicadl_trust.models.run import run


def loss_log(maps):
    (path,) = maps.glob("training/split-*/logs/training_loss.tsv")
    return path.read_bytes()


def test_the_log_is_that_of_clinicadl(monkeypatch, spec, finished, tmp_path):
    with monkeypatch.context() as patch:
        patch.setattr(services, "quicken_loss_log", lambda handler: None)
        theirs = run(replace(spec, output=tmp_path / "theirs"))
    assert loss_log(finished) == loss_log(theirs)


def test_a_resumed_training_has_every_batch_once(monkeypatch, spec, finished, tmp_path):
    class Killed(BaseException):
        pass

    def die(self, *, state, **kwargs):
        if state.current_epoch == 3:
            raise Killed

    other = replace(spec, output=tmp_path / "killed")
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Progress, "on_epoch_end", die)
        run(other)
    assert loss_log(run(other)) == loss_log(finished)
