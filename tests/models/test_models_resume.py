"""A run that is killed at any moment and taken up again."""

import os
import shutil
from dataclasses import replace

import pytest
from clinicadl.callbacks.implemented import ChecksCallback, MetricsSaverCallback
from clinicadl.train import Trainer
from killed_runs import Killed, kill, same_as
from trainer_runs import CONFIG, change, records

from clinicadl_trust.exceptions import OutputError
from clinicadl_trust.models import trainer as runner
from clinicadl_trust.models.callbacks import Begun, Progress, RandomStates
from clinicadl_trust.models.outputs import Outputs
from clinicadl_trust.models.run import run


def partial_of(spec):
    return spec.output.with_name(spec.output.name + ".partial")


MOMENTS = {
    "while the MAPS is made": (Begun, "on_train_start", 1),
    "in the first epoch": (Progress, "on_epoch_end", 1),
    "in the second epoch, before its checkpoint": (Progress, "on_epoch_end", 2),
    "while a checkpoint is written": (RandomStates, "state_dict", 2),
    "while the first checkpoint is written": (RandomStates, "state_dict", 1),
    "after the last epoch": (MetricsSaverCallback, "on_train_end", 1),
    "when predictions are written": (Outputs, "on_train_end", 1),
    "at the end of training": (runner._Run, "_test", 1),
    "when the test begins": (ChecksCallback, "on_test_start", 1),
    "in the test": (Outputs, "on_metrics_computation_start", 7),
    "after the test": (Outputs, "on_test_end", 1),
    "when all is done": (runner._Run, "_write_record", 1),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_run_ends_as_if_it_had_not_been(
    moment, monkeypatch, spec, finished, tmp_path
):
    other = replace(spec, output=tmp_path / "maps")
    with monkeypatch.context() as patch, pytest.raises(Killed):
        kill(patch, *MOMENTS[moment])
        run(other)
    assert not other.output.exists()
    assert same_as(run(other), finished)


def test_a_checkpoint_cut_short_is_passed_over(monkeypatch, spec, finished, tmp_path):
    other = replace(spec, output=tmp_path / "maps")
    with monkeypatch.context() as patch, pytest.raises(Killed):
        kill(patch, Progress, "on_epoch_end", 3)
        run(other)
    tmp = partial_of(other) / "training" / "split-1" / "tmp"
    assert [path.name for path in tmp.iterdir()] == ["epoch-2"]
    shutil.copytree(tmp / "epoch-2", tmp / "epoch-10")
    optimizer = tmp / "epoch-10" / "optimizer.pt"
    os.truncate(optimizer, optimizer.stat().st_size // 2)
    starts = []
    monkeypatch.setattr(Begun, "on_train_start", lambda self, **k: starts.append(k))
    assert same_as(run(other), finished)
    assert not starts, "it was resumed, not begun again"


def test_predictions_survive_a_crash_after_them(monkeypatch, spec, tmp_path):
    other = replace(spec, output=tmp_path / "maps")
    with monkeypatch.context() as patch, pytest.raises(Killed):
        kill(patch, runner._Run, "_write_record")
        run(other)
    folder = records(partial_of(other))
    assert (folder / "predictions_test.tsv").is_file()
    before = (folder / "predictions_test.tsv").stat().st_mtime_ns
    maps = run(other)
    after = (records(maps) / "predictions_test.tsv").stat().st_mtime_ns
    assert after == before, "what was predicted is not predicted again"


def test_a_run_begun_with_other_settings_is_not_taken_up(monkeypatch, spec, tmp_path):
    other = replace(spec, output=tmp_path / "maps")
    with monkeypatch.context() as patch, pytest.raises(Killed):
        kill(patch, Progress, "on_epoch_end", 2)
        run(other)
    with pytest.raises(OutputError, match="begun with another seed"):
        run(replace(other, seed=9))


def test_early_stopping_and_schedulers_survive(monkeypatch, spec, tmp_path):
    config = change(
        CONFIG,
        training={"epochs": 4, "patience": 1},
        lr_scheduler={"name": "ReduceLROnPlateau", "patience": 0},
    )
    whole = run(replace(spec, config=config, output=tmp_path / "whole"))
    other = replace(spec, config=config, output=tmp_path / "killed")
    with monkeypatch.context() as patch, pytest.raises(Killed):
        kill(patch, Progress, "on_epoch_end", 2)
        run(other)
    assert same_as(run(other), whole)


ODD = {
    # Two batches a step, of three batches an epoch.
    "batches left over": {"accumulation_steps": 2},
    # Killed before anything was validated.
    "a validation every second epoch": {"epochs": 4, "evaluation_interval": 2},
    "a process that loads": {"workers": 1},
}


@pytest.mark.parametrize("odd", ODD)
def test_odd_trainings_are_resumed_to_the_same_weights(
    odd, monkeypatch, spec, tmp_path
):
    config = change(CONFIG, training=ODD[odd], augmentations=[{"name": "RandomNoise"}])
    whole = run(replace(spec, config=config, output=tmp_path / "whole"))
    other = replace(spec, config=config, output=tmp_path / "killed")
    with monkeypatch.context() as patch, pytest.raises(Killed):
        kill(patch, Progress, "on_epoch_end", 2)
        run(other)
    assert same_as(run(other), whole)


def test_the_hosts_own_trainer_resumes_too(monkeypatch, spec, tmp_path):
    config = change(CONFIG, training={"patience": 2})
    other = replace(spec, config=config, output=tmp_path / "maps")
    with monkeypatch.context() as patch, pytest.raises(Killed):
        kill(patch, Progress, "on_epoch_end", 2)
        run(other)
    maps = partial_of(other)
    Trainer.from_maps(maps).resume(1)
    best = maps / "training" / "split-1" / "models" / "best_models" / "best-loss"
    assert (best / "model.pt").is_file()
