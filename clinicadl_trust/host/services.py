"""Callbacks of ours at work in a Trainer without entering its MAPS.

What ``callbacks.json`` names must be importable to reopen the MAPS. Services such as
the random states or the predictions are not part of the experiment, so they are put
beside the Trainer's callbacks after these are written. Their state goes into the
training checkpoints all the same; a Trainer without them ignores it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from clinicadl.callbacks import (
    Callback,
    EarlyStoppingCallback,
    ModelCheckpointCallback,
    TrainingCheckpointCallback,
)
from clinicadl.callbacks.implemented import MetricsSaverCallback
from clinicadl.io.maps import Maps
from clinicadl.metrics import MetricsHandler
from clinicadl.metrics.config import MetricConfig
from clinicadl.train import Trainer, TrainerState

from clinicadl_trust.host.training_loss import quicken_loss_log

__all__ = ["attach", "improved", "know_optimum"]


def attach(trainer: Trainer, services: Sequence[Callback]) -> None:
    """Let callbacks take part in a Trainer, without being written in its MAPS.

    Parameters
    ----------
    trainer : clinicadl.train.Trainer
        Whose callbacks are final: ``add_callbacks`` after this drops the services.
    services : sequence of clinicadl.callbacks.Callback
        Called in this order, after the Trainer's own callbacks and before the one
        that writes the training checkpoints; the states that their ``state_dict``
        gives must be readable with ``weights_only=True``.
    """
    handler = trainer.callbacks
    quicken_loss_log(handler)
    mend = _ResumeAfterLastEpoch(handler.all_callbacks)
    last = [
        isinstance(callback, TrainingCheckpointCallback)
        for callback in handler._ordered
    ]
    place = last.index(True) if any(last) else len(last)
    handler._ordered[place:place] = [mend, *services]
    handler._ordered.append(_ExactMetrics())
    handler._all = [*handler._all, *services]


def know_optimum(
    callbacks: Sequence[Callback], metrics: Mapping[str, MetricConfig]
) -> None:
    """Tell early stopping which metrics are better high, before it is written.

    ClinicaDL tells it when training starts, after ``callbacks.json`` is written; read
    back from there to resume a training, it refuses to work.

    Parameters
    ----------
    callbacks : sequence of clinicadl.callbacks.Callback
        Those that are not early stopping are left alone.
    metrics : mapping of str to MetricConfig
        The metrics that it may watch.
    """
    optima = {name: metric.optimum() for name, metric in metrics.items()}
    for callback in callbacks:
        if isinstance(callback, EarlyStoppingCallback):
            watched = {stopper.metric for stopper in callback.config.stoppers}
            if watched <= optima.keys():
                callback._add_modes(optima)


def improved(trainer: Trainer, metric: str) -> bool:
    """Whether the last validation made the best checkpoint by a metric.

    Parameters
    ----------
    trainer : clinicadl.train.Trainer
        In training, after ``on_validation_end`` of its own callbacks.
    metric : str
        The metric that a ``ModelCheckpointCallback`` of it watches.
    """
    for callback in trainer.callbacks.callbacks:
        if (
            isinstance(callback, ModelCheckpointCallback)
            and callback.config.metric == metric
            and callback.metric_monitoring is not None
        ):
            return callback.metric_monitoring.num_non_improvements == 0
    return False


class _ResumeAfterLastEpoch(Callback):
    """Gives the host's callbacks what they miss when no epoch is left to train.

    They take the metrics from the last validation; a training that was killed after
    its last checkpoint, and is resumed, has none.
    """

    def __init__(self, callbacks: Sequence[Callback]) -> None:
        self.callbacks = callbacks

    def on_resume(self, *, metrics: MetricsHandler, **kwargs: object) -> None:
        for callback in self.callbacks:
            if isinstance(callback, ModelCheckpointCallback):
                callback._metrics = metrics
            elif isinstance(callback, MetricsSaverCallback):
                callback._training_metrics = metrics


class _ExactMetrics(Callback):
    """Reads the metrics of a checkpoint again, to the last digit.

    The host reads them with the quick parser of pandas, which may miss the last bit
    of a number; a resumed training would write other files than one left alone.
    """

    def on_resume(
        self, *, metrics: MetricsHandler, maps: Maps, state: TrainerState, **kwargs: Any
    ) -> None:
        split = maps.training.splits[state.split_idx]
        saved = split.tmp.epochs[state.current_epoch].validation_metrics
        metrics._df = _exact(saved.aggregated_tsv)
        metrics._detailed_df = _exact(saved.details_tsv)


def _exact(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, sep="\t", float_precision="round_trip")
