"""From the table of a model to the objects that ClinicaDL's Trainer wants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from clinicadl.callbacks import (
    Callback,
    EarlyStoppingCallback,
    LoggerCallback,
    LRSchedulerCallback,
    ModelCheckpointCallback,
    TrainingCheckpointCallback,
)
from clinicadl.losses.config import LossConfig
from clinicadl.metrics.config import LossMetricConfig, MetricConfig
from clinicadl.models import Model, SupervisedModel
from clinicadl.optim import OptimizationConfig
from clinicadl.optim.optimizers.config import OptimizerConfig
from clinicadl.train import ComputationalConfig
from clinicadl.transforms.config import TransformConfig

from clinicadl_trust.activation import activate
from clinicadl_trust.exceptions import ConfigError, PredictionsError
from clinicadl_trust.host.services import know_optimum
from clinicadl_trust.models.architecture import default_network
from clinicadl_trust.models.classification import ClassificationModel, target_of
from clinicadl_trust.models.configuration import (
    build,
    check_keys,
    class_of,
    fields_of,
)
from clinicadl_trust.models.options import TrainerOptions, read_options
from clinicadl_trust.task import Task

__all__ = ["Blueprint", "check_trainer"]

_DEFAULT_TRANSFORMS = ({"name": "ZNormalization"},)
_DEFAULT_OPTIMIZER = {"name": "Adam", "lr": 1e-3}
_CLASS_LOSSES: tuple[str, ...] = (
    "BCELoss",
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "KLDivLoss",
    "MultiMarginLoss",
    "NLLLoss",
)
#: Images are not read when a table is checked; most networks take this shape.
_TYPICAL = (1, 96, 96, 96)
_VALUE_LOSSES: tuple[str, ...] = ("HuberLoss", "L1Loss", "MSELoss", "SmoothL1Loss")


@dataclass(frozen=True)
class Blueprint:
    """What a table says, given a task; each method builds anew.

    Attributes
    ----------
    name : str
        The model's name, for messages.
    options : TrainerOptions
        Its table.
    task : Task
        What it predicts.
    """

    name: str
    options: TrainerOptions
    task: Task

    def __post_init__(self) -> None:
        known = _VALUE_LOSSES if self.task.kind == "regression" else _CLASS_LOSSES
        others = {*_VALUE_LOSSES, *_CLASS_LOSSES} - {*known}
        many = self.task.kind == "classification" and not self.task.is_binary
        if many:
            known = tuple(name for name in known if not name.startswith("BCE"))
        given = self._loss_table.get("name")
        if given in others or (many and str(given).startswith("BCE")):
            classes = f" of {len(self.task.classes)} classes" if many else ""
            raise ConfigError(
                f"{self._at('loss')} is '{given}', which does not suit a "
                f"{self.task.kind}{classes}. Use one of: {', '.join(known)}."
            )

    @property
    def loss(self) -> LossConfig:
        """The loss."""
        return build("losses", self._loss_table, self._at("loss"))

    @property
    def optimizer(self) -> OptimizerConfig:
        """The optimizer."""
        table = self.options.optimizer or _DEFAULT_OPTIMIZER
        return build("optimizers", table, self._at("optimizer"))

    @property
    def transforms(self) -> list[TransformConfig]:
        """What is applied once to each image."""
        given = self.options.transforms
        tables = _DEFAULT_TRANSFORMS if given is None else given
        return self._list("transforms", tables)

    @property
    def augmentations(self) -> list[TransformConfig]:
        """What is applied to training images at each epoch."""
        return self._list("augmentations", self.options.augmentations, "transforms")

    @property
    def activation(self) -> str:
        """How outputs become predictions: a name that ``activate`` knows.

        Raises
        ------
        ConfigError
            If the loss implies none.
        """
        loss = self.loss.get_object()
        name = getattr(loss, "activation", type(loss).__name__)
        try:
            activate(np.zeros((1, self.n_outputs)), name)
        except PredictionsError as error:
            raise ConfigError(
                f"{self._at('loss')}: it is not known how outputs trained with "
                f"'{type(loss).__name__}' become predictions. Give that class an "
                "attribute 'activation': 'sigmoid', 'softmax', 'exponential', "
                "'probability' or 'identity'."
            ) from error
        return name

    @property
    def n_outputs(self) -> int:
        """How many numbers the network gives for an image."""
        if self.task.kind == "regression":
            return 1
        column = target_of(self.loss.get_object()) == "column"
        return 1 if column else len(self.task.classes)

    @property
    def float_labels(self) -> bool:
        """Whether the model wants classes as floats."""
        return issubclass(self._model_class, SupervisedModel)

    def check(self) -> None:
        """Build all that the table names, but for the network's weights.

        Raises
        ------
        ConfigError
            Naming what is wrong and the nearest right name.
        """
        _ = self.activation, self.transforms, self.augmentations, self.optimizer
        self.network(_TYPICAL)
        table = self._model_options()
        check_keys(self._model_class, table, self._at("model"))
        self.optimization(keep_weights=False)
        self.callbacks(self.metrics(), steps=1)

    def model(self, shape: tuple[int, ...]) -> Model:
        """Build the model.

        Parameters
        ----------
        shape : tuple of int
            Channels and voxels of the images.

        Raises
        ------
        ConfigError
            If a name, an option, or the number of outputs is wrong.
        """
        filled = {
            "network": self.network(shape),
            "loss": self.loss,
            "optimizer": self.optimizer,
        }
        return build("models", self._model_options(), self._at("model"), filled)

    def network(self, shape: tuple[int, ...]) -> Any:
        """Return the network's configuration.

        Parameters
        ----------
        shape : tuple of int
            Channels and voxels of the images.

        Raises
        ------
        ConfigError
            If it asks for another number of outputs than the task and loss need.
        """
        table = self.options.network or default_network(shape)
        asked = table.get("num_outputs", self.n_outputs)
        if asked != self.n_outputs:
            raise ConfigError(
                f"{self._at('network')}.num_outputs = {asked}, but this task and loss "
                f"need {self.n_outputs}. Leave it out: it is filled in."
            )
        filled = {
            "in_shape": shape,
            "num_outputs": self.n_outputs,
            "spatial_dims": len(shape) - 1,
            "in_channels": shape[0],
        }
        return build("networks", table, self._at("network"), filled)

    def metrics(self, model: Model | None = None) -> dict[str, MetricConfig]:
        """Return the metrics measured on the validation and test sets.

        Parameters
        ----------
        model : clinicadl.models.Model, optional
            Whose loss is one of them.
        """
        losses = ["loss"] if model is None else list(model.get_loss_functions())
        loss = "loss" if "loss" in losses else losses[0]
        found: dict[str, MetricConfig] = {"loss": LossMetricConfig(loss_name=loss)}
        for name, table in self.options.metrics.items():
            where = f"{self._at('metrics')}.{name}"
            found[name] = build("metrics", table, where)
        return found

    def callbacks(
        self, metrics: Mapping[str, MetricConfig], steps: int
    ) -> list[Callback]:
        """Return the Trainer's callbacks.

        Parameters
        ----------
        metrics : mapping
            As ``metrics`` gives them.
        steps : int
            Optimizer's steps an epoch.
        """
        training = self.options.training
        found: list[Callback] = [
            LoggerCallback(debug=False, progress_bar=False),
            ModelCheckpointCallback(metric=training.monitor, save_last=False),
            TrainingCheckpointCallback(every_n_epochs=1),
        ]
        if training.patience:
            found.append(
                EarlyStoppingCallback(training.monitor, patience=training.patience)
            )
        if self.options.lr_scheduler is not None:
            filled = {"epochs": training.epochs, "steps_per_epoch": steps}
            scheduler = build(
                "lr_schedulers",
                self.options.lr_scheduler,
                self._at("lr_scheduler"),
                filled,
            )
            found.append(LRSchedulerCallback(scheduler, metric_name=training.monitor))
        found += self._list("callbacks", self.options.callbacks)
        know_optimum(found, metrics)
        return found

    def optimization(self, keep_weights: bool) -> OptimizationConfig:
        """Return ClinicaDL's options of the optimization.

        Parameters
        ----------
        keep_weights : bool
            Whether training starts from the model's weights as they are.

        Raises
        ------
        ConfigError
            If the first validation would come after the last epoch.
        """
        training = self.options.training
        if training.evaluation_interval > training.epochs:
            raise ConfigError(
                f"{self._at('training')}.evaluation_interval = "
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

    def computational(self, seed: int) -> ComputationalConfig:
        """Return how it computes: on a GPU when there is one.

        Parameters
        ----------
        seed : int
            The run's.
        """
        gpu = torch.cuda.is_available()
        return ComputationalConfig(
            gpu=gpu,
            amp=gpu and self.options.training.amp,
            # Slower on a CPU for 3D convolutions of few channels.
            channels_last=gpu,
            seed=seed,
            deterministic=self.options.training.deterministic,
        )

    @property
    def _loss_table(self) -> Mapping[str, Any]:
        if self.options.loss is not None:
            return self.options.loss
        if self.task.kind == "regression":
            return {"name": "MSELoss"}
        binary = self.task.is_binary
        return {"name": "BCEWithLogitsLoss" if binary else "CrossEntropyLoss"}

    @property
    def _model_table(self) -> Mapping[str, Any]:
        if self.options.model is not None:
            return self.options.model
        regression = self.task.kind == "regression"
        return {"name": "SupervisedModel" if regression else "ClassificationModel"}

    def _model_options(self) -> dict[str, Any]:
        table = dict(self._model_table)
        for key in ("network", "loss", "optimizer"):
            if key in table:
                raise ConfigError(
                    f"{self._at('model')}.{key} goes one level up: {self._at(key)}."
                )
        if isinstance(inferer := table.get("inferer"), Mapping):
            where = f"{self._at('model')}.inferer"
            table["inferer"] = build("inferers", inferer, where)
        return table

    @property
    def _model_class(self) -> type[Model]:
        where = self._at("model")
        name = str(self._model_table.get("name", ""))
        cls = class_of("models", name, where)
        regression = self.task.kind == "regression"
        if name == "ReconstructionModel":
            raise ConfigError(f"{where}: a '{name}' predicts images, no label.")
        if regression and issubclass(cls, ClassificationModel):
            raise ConfigError(
                f"{where}: '{name}' predicts classes; for a regression use "
                "'SupervisedModel'."
            )
        known = [*fields_of(cls)]
        missing = [k for k in ("network", "loss", "optimizer") if k not in known]
        if missing:
            raise ConfigError(
                f"{where}: '{name}' takes no {missing[0]}; a model of type 'trainer' "
                "is built from a network, a loss and an optimizer."
            )
        return cls

    def _list(self, key: str, tables: Any, kind: str | None = None) -> list[Any]:
        return [
            build(kind or key, table, f"{self._at(key)}[{index}]")
            for index, table in enumerate(tables)
        ]

    def _at(self, key: str) -> str:
        return f"models.{self.name}.{key}"


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
        if loss in _VALUE_LOSSES:
            task = Task("regression", "label")
    Blueprint(name, options, task).check()
