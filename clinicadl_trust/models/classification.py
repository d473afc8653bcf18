"""A ClinicaDL Model for classes, binary or many.

ClinicaDL's ``SupervisedModel`` gives its loss labels of type float and shape (N, 1):
right for a regression, while cross-entropy, NLL and multi-margin need class indices.
This one keeps integer labels in the data and shapes them as each loss wants, in
training and in the metrics alike.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from clinicadl.data.dataloader import Batch
from clinicadl.infer import Inferer, SimpleInferer
from clinicadl.losses.types import LossOrConfig
from clinicadl.models import Model
from clinicadl.models.vanilla import VanillaModel, VanillaModelConfig
from clinicadl.networks.types import NetworkOrConfig
from clinicadl.optim.optimizers.config import OptimizerConfig
from clinicadl.utils.config import ObjectConfig
from clinicadl.utils.dictionary.words import IMAGE
from clinicadl.utils.objects import HasConfig
from torch import nn

__all__ = [
    "ClassificationModel",
    "ClassificationModelConfig",
    "TargetLoss",
    "target_of",
]

#: What a loss wants as its target.
Target = Literal["index", "column", "one-hot"]

_TARGETS: dict[str, Target] = {
    "BCELoss": "column",
    "BCEWithLogitsLoss": "column",
    "CrossEntropyLoss": "index",
    "KLDivLoss": "one-hot",
    "MultiMarginLoss": "index",
    "NLLLoss": "index",
}


class TargetLoss(nn.Module):
    """A loss given class indices of shape (N,) or (N, 1).

    Parameters
    ----------
    loss : torch.nn.Module
        Called as ``loss(outputs, target)``.
    target : {"index", "column", "one-hot"}
        What it wants: class indices (N,), a float column (N, 1), or one column a
        class (N, C).
    """

    def __init__(self, loss: Any, target: Target) -> None:
        super().__init__()
        self.loss = loss
        self.target = target

    @property
    def reduction(self) -> str:
        """The wrapped loss's reduction; ClinicaDL sets it to ``"none"`` to measure."""
        return self.loss.reduction

    @reduction.setter
    def reduction(self, value: str) -> None:
        self.loss.reduction = value

    def forward(self, outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Compute the loss.

        Parameters
        ----------
        outputs : torch.Tensor of shape (N, C)
            The network's.
        labels : torch.Tensor of shape (N,) or (N, 1)
            Class indices.

        Returns
        -------
        torch.Tensor
            One value, or of shape (N, 1) or (N, C) with ``reduction="none"``.
        """
        labels = labels.reshape(len(outputs))
        # Mixed precision: three digits would choose the checkpoint.
        outputs = outputs.float() if outputs.element_size() < 4 else outputs
        target: torch.Tensor
        if self.target == "index":
            target = labels.long()
        elif self.target == "column":
            target = labels.to(outputs.dtype)[:, None]
        else:
            classes = outputs.shape[1]
            target = nn.functional.one_hot(labels.long(), classes).to(outputs.dtype)
        loss = self.loss(outputs, target)
        # MONAI's LossMetric takes a vector for one image of N channels.
        return loss[:, None] if loss.ndim == 1 else loss


class ClassificationModelConfig(
    VanillaModelConfig, ObjectConfig["ClassificationModel"]
):
    """Configuration of ``ClassificationModel``."""

    label_key: str

    @classmethod
    def _get_class(cls) -> type[Model]:
        return ClassificationModel


class ClassificationModel(VanillaModel, HasConfig[ClassificationModelConfig]):
    """Classification with integer labels.

    Parameters
    ----------
    network : torch.nn.Module or NetworkConfig
        Gives one output an image for a binary loss (BCE), else one a class.
    loss : callable or LossConfig
        Any of ClinicaDL's classification losses. Another is given labels as class
        indices of shape (N,), or as it says by its attribute ``target``
        (``"index"``, ``"column"`` or ``"one-hot"``).
    optimizer : OptimizerConfig
        The optimizer.
    inferer : clinicadl.infer.Inferer, default=SimpleInferer()
        How an image passes through the network in evaluation.
    label_key : str, default="label"
        Where the class index is in a sample.

    See Also
    --------
    clinicadl.models.SupervisedModel
        For a regression.
    """

    config: ClassificationModelConfig
    _config_type = ClassificationModelConfig

    def __init__(
        self,
        network: NetworkOrConfig,
        loss: LossOrConfig,
        optimizer: OptimizerConfig,
        inferer: Inferer = SimpleInferer(),  # noqa: B008 - as the host's models
        label_key: str = "label",
    ) -> None:
        super().__init__(
            network=network,
            loss=loss,
            optimizer=optimizer,
            inferer=inferer,
            label_key=label_key,
        )
        self.label_key = self.config.label_key
        loss = self.config.loss.get_object()
        self.loss = TargetLoss(loss, target_of(loss))

    def forward_step(self, batch: Batch) -> torch.Tensor:
        """Pass a batch through the network and compute the loss.

        Parameters
        ----------
        batch : clinicadl.data.dataloader.Batch
            Samples with an image and an integer label.

        Returns
        -------
        torch.Tensor
            The loss, one value.
        """
        images = batch.get_field(IMAGE, dtype=torch.float32)
        labels = batch.get_field(self.label_key)
        return self.loss(self.network(images), labels)


def target_of(loss: Any) -> Target:
    """Return what a loss wants as its target.

    Parameters
    ----------
    loss : callable
        One of ClinicaDL's, or one that says so by an attribute ``target``.
    """
    return getattr(loss, "target", _TARGETS.get(type(loss).__name__, "index"))
