"""From the table of a model to the network, loss and optimizer of its training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from clinicadl.losses.config import LossConfig
from clinicadl.models import Model, SupervisedModel
from clinicadl.optim.optimizers.config import OptimizerConfig
from clinicadl.transforms.config import TransformConfig

from clinicadl_trust.activation import activate
from clinicadl_trust.exceptions import ConfigError, PredictionsError, did_you_mean
from clinicadl_trust.models.architecture import (
    DEFAULT_UNET,
    default_network,
    fit_sides,
)
from clinicadl_trust.models.classification import target_of
from clinicadl_trust.models.configuration import build, check_keys, fields_of
from clinicadl_trust.models.data import LABEL
from clinicadl_trust.models.explanation import (
    check_healthy_below,
    in_network_unit,
    with_healthy,
)
from clinicadl_trust.models.kinds import MODELS, check_loss, default_loss
from clinicadl_trust.models.masks import MaskSource
from clinicadl_trust.models.model_table import check_values, model_class, model_options
from clinicadl_trust.models.network_table import (
    TYPICAL,
    build_network,
    check_network,
)
from clinicadl_trust.models.options import TrainerOptions
from clinicadl_trust.models.scale import Scale
from clinicadl_trust.task import Task

__all__ = ["Blueprint"]

_DEFAULT_TRANSFORMS = ({"name": "ZNormalization"},)
_DEFAULT_OPTIMIZER = {"name": "Adam", "lr": 1e-3}


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
        check_loss(str(self._loss_table.get("name")), self.task, self.at("loss"))
        if self.options.annotated is not None and not self.segments:
            raise ConfigError(
                f"{self.at('annotated')} is for a segmentation, and this is a "
                f"{self.task.kind}. Leave it out."
            )

    @property
    def segments(self) -> bool:
        """Whether it predicts masks."""
        return self.task.kind == "segmentation"

    @property
    def loss(self) -> LossConfig:
        """The loss."""
        return build("losses", self._loss_table, self.at("loss"))

    @property
    def optimizer(self) -> OptimizerConfig:
        """The optimizer."""
        table = self.options.optimizer or _DEFAULT_OPTIMIZER
        return build("optimizers", table, self.at("optimizer"))

    @property
    def transforms(self) -> list[TransformConfig]:
        """What is applied once to each image."""
        given = self.options.transforms
        if given is None:
            pad = [fit_sides(self._network_table(TYPICAL))] if self.segments else []
            given = [*_DEFAULT_TRANSFORMS, *pad]
        return self._list("transforms", given)

    @property
    def augmentations(self) -> list[TransformConfig]:
        """What is applied to training images at each epoch."""
        return self._list("augmentations", self.options.augmentations, "transforms")

    @property
    def masks(self) -> tuple[MaskSource, ...]:
        """What is opened beside each image of a training.

        Raises
        ------
        ConfigError
            If a source is wrong, or the model asks for a mask that has none.
        """
        tables = self.options.masks
        key = self._model_table.get("mask_key")
        truth = [self.task.label] if self.segments else []
        if truth and truth[0] in tables:
            raise ConfigError(
                f"{self.at('masks')}.{truth[0]} has the name of the truth, the same "
                "for all models ([cohort.mask]). Leave it out, or choose another name."
            )
        if key is not None and key not in [*tables, *truth]:
            raise ConfigError(
                f"{self.at('model')}.mask_key = '{key}' is none of {self.at('masks')}."
                f"{did_you_mean(str(key), [*tables, *truth])}"
            )
        return tuple(
            MaskSource.parse(name, table, f"{self.at('masks')}.{name}")
            for name, table in tables.items()
        )

    @property
    def activation(self) -> str:
        """How outputs become predictions: a name that ``activate`` knows.

        Raises
        ------
        ConfigError
            If the loss implies none.
        """
        if self.segments:
            return "sigmoid"
        loss = self.loss.get_object()
        name = getattr(loss, "activation", type(loss).__name__)
        try:
            activate(np.zeros((1, self.n_outputs)), name)
        except PredictionsError as error:
            raise ConfigError(
                f"{self.at('loss')}: it is not known how outputs trained with "
                f"'{type(loss).__name__}' become predictions. Give that class an "
                "attribute 'activation': 'sigmoid', 'softmax', 'exponential', "
                "'probability' or 'identity'."
            ) from error
        return name

    @property
    def n_outputs(self) -> int:
        """How many numbers the network gives for an image, or for a voxel of it."""
        if self.task.kind != "classification":
            return len(self.task.columns)
        column = target_of(self.loss.get_object()) == "column"
        return 1 if column else len(self.task.classes)

    @property
    def float_labels(self) -> bool:
        """Whether the model wants classes as floats."""
        return issubclass(self._model_class, SupervisedModel)

    def check(self) -> None:
        """Build all that the table names of the model, but for its weights.

        Raises
        ------
        ConfigError
            Naming what is wrong and the nearest right name.
        """
        _ = self.activation, self.transforms, self.augmentations, self.optimizer
        _ = self.masks
        check_network(self.network)
        table = self._options
        check_keys(self._model_class, table, self.at("model"))
        check_values(self._model_class, table, self.task, self.at("model"))

    def check_labels(self, labels: np.ndarray) -> None:
        """Check what the table says of the training labels.

        Parameters
        ----------
        labels : numpy.ndarray of shape (n_images,) or (n_images, n_outputs)
            In their own unit.

        Raises
        ------
        ConfigError
            If the model cannot tell the healthy by them.
        """
        check_healthy_below(self._model_table, labels, self.at("model"))

    def model(self, shape: tuple[int, ...], scale: Scale | None = None) -> Model:
        """Build the model.

        Parameters
        ----------
        shape : tuple of int
            Channels and voxels of the images.
        scale : Scale, optional
            Of the training labels, by default the one that changes nothing.

        Raises
        ------
        ConfigError
            If a name, an option, or the number of outputs is wrong.
        """
        filled = {
            "network": self.network(shape),
            "loss": self.loss,
            "optimizer": self.optimizer,
            "task": self.task.kind,
            "label_key": self.label_key,
        }
        table = in_network_unit(self._options, scale or Scale())
        return build("models", table, self.at("model"), filled)

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
        return build_network(
            self._network_table(shape),
            shape,
            self.n_outputs,
            spatial=self.segments,
            where=self.at("network"),
        )

    @property
    def label_key(self) -> str:
        """Where what is predicted is in a sample."""
        return self.task.label if self.segments else LABEL

    def _network_table(self, shape: tuple[int, ...]) -> Mapping[str, Any]:
        if self.options.network is not None:
            return self.options.network
        return DEFAULT_UNET if self.segments else default_network(shape)

    @property
    def _loss_table(self) -> Mapping[str, Any]:
        if self.options.loss is not None:
            return self.options.loss
        return {"name": default_loss(self.task)}

    @property
    def _model_table(self) -> Mapping[str, Any]:
        if self.options.model is not None:
            return self.options.model
        return {"name": MODELS[self.task.kind]}

    @property
    def _options(self) -> dict[str, Any]:
        options = model_options(self._model_table, self.at)
        if "explain" not in fields_of(self._model_class):
            return options
        return with_healthy(options, self.task, self.at("model"))

    @property
    def _model_class(self) -> type[Model]:
        return model_class(self._model_table, self.task, self.at("model"))

    def _list(self, key: str, tables: Any, kind: str | None = None) -> list[Any]:
        return [
            build(kind or key, table, f"{self.at(key)}[{index}]")
            for index, table in enumerate(tables)
        ]

    def at(self, key: str) -> str:
        """Return the key of an experiment file that a key of the table is."""
        return f"models.{self.name}.{key}"
