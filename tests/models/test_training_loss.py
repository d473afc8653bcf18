"""The log of the training loss is the one that ClinicaDL writes."""

from dataclasses import replace

from killed_runs import killed_and_resumed

from clinicadl_trust.host import services
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
    again = killed_and_resumed(monkeypatch, spec, tmp_path / "killed", epoch=3)
    assert loss_log(again) == loss_log(finished)
