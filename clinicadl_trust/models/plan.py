"""How a model is trained: metrics, callbacks, optimization, where it computes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from clinicadl.callbacks import (
    Callback,
    CallbacksHandler,
    EarlyStoppingCallback,
    LoggerCallback,
    LRSchedulerCallback,
    ModelCheckpointCallback,
    TrainingCheckpointCallback,
)
from clinicadl.metrics.config import LossMetricConfig, MetricConfig
from clinicadl.models import Model
from clinicadl.optim import OptimizationConfig
from clinicadl.train import ComputationalConfig
from clinicadl.transforms.config import AsDiscreteConfig
from clinicadl.utils.dictionary.words import OUTPUT
from pydantic import ValidationError

from clinicadl_trust.exceptions import ConfigError
from clinicadl_trust.host.services import know_optimum
from clinicadl_trust.models.components import Blueprint
from clinicadl_trust.models.configuration import build
from clinicadl_trust.models.kinds import VALUE_LOSSES
from clinicadl_trust.models.options import read_options
from clinicadl_trust.task import Task

__all__ = [
    "check_plan",
    "check_trainer",
    "make_callbacks",
    "make_computational",
    "make_metrics",
    "make_optimization",
    "steps_of",
]


def check_trainer(
    name: str, config: Mapping[str, Any], task: Task | None = None
) -> None:
    """Check the table of a model of type ``trainer``.

    Parameters
    ----------
    name : str
        The model's name, for messages.
    config : mapping
        The table ``[models.NAME]``.
    task : Task, optional
        What is to be predicted; by default one that suits the loss.

    Raises
    ------
    ConfigError
        Naming what is wrong and the nearest right name.
    """
    options = read_options(name, config)
    if task is None:
        loss = str((options.loss or {}).get("name", ""))
        task = Task("classification", "label", ("0", "1"))
        if loss in VALUE_LOSSES:
            task = Task("regression", "label")
        elif loss == "DiceCELoss":
            task = Task("segmentation", "mask")
    check_plan(Blueprint(name, options, task))


def check_plan(blueprint: Blueprint) -> None:
    """Build all that a table names, but for the network's weights.

    Raises
    ------
    ConfigError
        Naming what is wrong and the nearest right name.
    """
    blueprint.check()
    make_optimization(blueprint, keep_weights=False)
    callbacks = make_callbacks(blueprint, make_metrics(blueprint), steps=1)
    try:
        CallbacksHandler(callbacks)
    except ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Value error, ")
        reason = re.sub(r"<class '(?:.*\.)?(\w+)'>", r"\1", reason)
        raise ConfigError(
            f"models.{blueprint.name}.callbacks: {reason}. The loggers, checkpoints "
            "and early stopping of a run are there already: leave them out."
        ) from error


def make_metrics(
    blueprint: Blueprint, model: Model | None = None
) -> dict[str, MetricConfig]:
    """Return the metrics measured on the validation and test sets.

    Parameters
    ----------
    blueprint : Blueprint
        What the table says.
    model : clinicadl.models.Model, optional
        Whose loss is one of them.
    """
    losses = ["loss"] if model is None else list(model.get_loss_functions())
    loss = "loss" if "loss" in losses else losses[0]
    key = blueprint.label_key
    found: dict[str, MetricConfig] = {
        "loss": LossMetricConfig(loss_name=loss, label_key=key)
    }
    filled: dict[str, Any] = {"label_key": key}
    if blueprint.segments:  # of masks, not of logits
        filled["postprocessing"] = [
            AsDiscreteConfig(threshold=0.0, include=[OUTPUT], copy_=True)
        ]
    for name, table in blueprint.options.metrics.items():
        where = blueprint.at(f"metrics.{name}")
        found[name] = build("metrics", table, where, filled)
    return found


def make_callbacks(
    blueprint: Blueprint, metrics: Mapping[str, MetricConfig], steps: int
) -> list[Callback]:
    """Return the Trainer's callbacks.

    Parameters
    ----------
    blueprint : Blueprint
        What the table says.
    metrics : mapping
        As ``make_metrics`` gives them.
    steps : int
        Optimizer's steps an epoch.
    """
    options, training = blueprint.options, blueprint.options.training
    found: list[Callback] = [
        LoggerCallback(debug=False, progress_bar=False),
        ModelCheckpointCallback(metric=training.monitor, save_last=False),
        TrainingCheckpointCallback(every_n_epochs=1),
    ]
    if training.patience:
        found.append(
            EarlyStoppingCallback(training.monitor, patience=training.patience)
        )
    if options.lr_scheduler is not None:
        filled = {
            "epochs": training.epochs,
            "steps_per_epoch": steps,
            # ClinicaDL's default suits a loss only.
            "mode": metrics[training.monitor].optimum().value,
        }
        where = blueprint.at("lr_scheduler")
        scheduler = build("lr_schedulers", options.lr_scheduler, where, filled)
        found.append(LRSchedulerCallback(scheduler, metric_name=training.monitor))
    found += [
        build("callbacks", table, blueprint.at(f"callbacks[{index}]"))
        for index, table in enumerate(options.callbacks)
    ]
    know_optimum(found, metrics)
    return found


def make_optimization(blueprint: Blueprint, keep_weights: bool) -> OptimizationConfig:
    """Return ClinicaDL's options of the optimization.

    Parameters
    ----------
    blueprint : Blueprint
        What the table says.
    keep_weights : bool
        Whether training starts from the model's weights as they are.

    Raises
    ------
    ConfigError
        If the first validation would come after the last epoch.
    """
    training = blueprint.options.training
    if training.evaluation_interval > training.epochs:
        raise ConfigError(
            f"{blueprint.at('training')}.evaluation_interval = "
            f"{training.evaluation_interval} is more than its {training.epochs} "
            "epochs: no checkpoint would be chosen."
        )
    return OptimizationConfig(
        num_epochs=training.epochs,
        accumulation_steps=training.accumulation_steps,
        evaluation_interval=training.evaluation_interval,
        clip_grad_norm=training.clip_grad_norm,
        clip_grad_value=training.clip_grad_value,
        reset_model=not keep_weights,
    )


def make_computational(blueprint: Blueprint, seed: int) -> ComputationalConfig:
    """Return how it computes: on a GPU when there is one.

    Parameters
    ----------
    blueprint : Blueprint
        What the table says.
    seed : int
        The run's.
    """
    gpu = torch.cuda.is_available()
    training = blueprint.options.training
    return ComputationalConfig(
        gpu=gpu,
        amp=gpu and training.amp,
        # Slower on a CPU for 3D convolutions of few channels.
        channels_last=gpu,
        seed=seed,
        deterministic=training.deterministic,
    )


def steps_of(blueprint: Blueprint, n_batches: int) -> int:
    """Return how many steps the optimizer makes in an epoch.

    Parameters
    ----------
    blueprint : Blueprint
        What the table says.
    n_batches : int
        Batches of an epoch; those left over by ``accumulation_steps`` make no step.

    Raises
    ------
    ConfigError
        If there would be none.
    """
    training = blueprint.options.training
    steps = n_batches // training.accumulation_steps
    if not steps:
        raise ConfigError(
            f"{blueprint.at('training')}.accumulation_steps = "
            f"{training.accumulation_steps}, but an epoch has {n_batches} batches of "
            f"{training.batch_size} images: the weights would never change. Lower it, "
            "or batch_size."
        )
    return steps
