"""Runs that die and are taken up again, for tests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from clinicadl.train import Trainer
from trainer_runs import records

from clinicadl_trust.models import RunSpec
from clinicadl_trust.models.callbacks import Progress
from clinicadl_trust.models.run import run

__all__ = ["Killed", "kill", "killed_and_resumed", "same_as"]


class Killed(BaseException):
    """Like a kill: no handler of errors sees it."""


def kill(monkeypatch, owner, method, moment=1):
    """Die at the n-th call of a method."""
    original = getattr(owner, method)
    calls = []

    def dying(self, *args, **kwargs):
        calls.append(None)
        if len(calls) == moment:
            raise Killed
        return original(self, *args, **kwargs)

    monkeypatch.setattr(owner, method, dying)


def killed_and_resumed(monkeypatch, spec: RunSpec, output: Path, epoch: int = 2):
    """Run to the end of an epoch, die before its checkpoint, and run again."""
    other = replace(spec, output=output)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        kill(patch, Progress, "on_epoch_end", epoch)
        run(other)
    return run(other)


def same_as(maps: Path, finished: Path) -> bool:
    """Whether a run ended as the uninterrupted one, to the last byte."""
    for name in ("predictions_test.tsv", "predictions_validation.tsv"):
        ours, theirs = (records(m) / name for m in (maps, finished))
        assert ours.read_bytes() == theirs.read_bytes()
    # Of every epoch, whichever was the best.
    name = "training/split-1/validation_metrics/aggregated.tsv"
    assert (maps / name).read_bytes() == (finished / name).read_bytes()
    Trainer.from_maps(maps)
    return True
