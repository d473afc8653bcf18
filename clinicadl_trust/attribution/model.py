"""A ClinicaDL Model whose network is also told where it may look."""

from __future__ import annotations

import logging
from typing import Any, Literal

import torch
from clinicadl.data.dataloader import Batch
from clinicadl.infer import Inferer, SimpleInferer
from clinicadl.losses.types import Loss, LossOrConfig
from clinicadl.models import Model
from clinicadl.models.vanilla import VanillaModel, VanillaModelConfig
from clinicadl.networks.types import NetworkOrConfig
from clinicadl.optim.optimizers.config import OptimizerConfig
from clinicadl.utils.config import ObjectConfig
from clinicadl.utils.dictionary.words import IMAGE
from clinicadl.utils.objects import HasConfig
from pydantic import Field, field_validator
from torch import nn

from clinicadl_trust.attribution.batches import masks_of, regions_of
from clinicadl_trust.attribution.constrained_step import ConstrainedStep
from clinicadl_trust.attribution.constraints.base import Explained
from clinicadl_trust.attribution.networks import (
    check_twice_differentiable,
    kinks,
    smooth_network,
)
from clinicadl_trust.attribution.supervision import Question, supervise
from clinicadl_trust.attribution.terms import read_terms
from clinicadl_trust.exceptions import AttributionError

__all__ = ["AttributionConstrainedModel", "AttributionConstrainedModelConfig"]

logger = logging.getLogger(__name__)

SecondOrder = Literal["auto", "exact", "difference"]


class AttributionConstrainedModelConfig(
    VanillaModelConfig, ObjectConfig["AttributionConstrainedModel"]
):
    """Configuration of ``AttributionConstrainedModel``."""

    label_key: str
    task: str
    explain: dict[str, Any]
    constraints: list[dict[str, Any]]
    mask_key: str | None
    smooth: bool
    loss_weight: float = Field(ge=0)
    warmup: int = Field(ge=0)
    every: int = Field(ge=1)
    second_order: SecondOrder

    @field_validator("constraints")
    @classmethod
    def _known(cls, tables: list[dict[str, Any]]) -> list[dict[str, Any]]:
        read_terms(tables)
        return tables

    @classmethod
    def _get_class(cls) -> type[Model]:
        return AttributionConstrainedModel


class _Term(nn.Module):
    """What ClinicaDL's logs know a constraint by; it is not a metric."""

    reduction = "mean"

    def forward(self, *_: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError(
            "A constraint is computed from the network's gradient in training, not "
            "from its outputs: it cannot be a metric."
        )


class AttributionConstrainedModel(
    VanillaModel, HasConfig[AttributionConstrainedModelConfig]
):
    """Supervised learning with constraints on what the network looks at.

    Parameters
    ----------
    network : torch.nn.Module or NetworkConfig
        Gives, for a classification, one output an image with a binary loss (BCE), else
        one a class; for a regression one a quantity; for a segmentation one a voxel.
    loss : callable or LossConfig
        Of a classification, as ``ClassificationModel`` takes it; else given outputs
        and labels of one shape.
    optimizer : OptimizerConfig
        The optimizer.
    inferer : clinicadl.infer.Inferer, default=SimpleInferer()
        How an image passes through the network in evaluation.
    label_key : str, default="label"
        Where the class index, the quantities or the mask is in a sample.
    task : {"classification", "regression", "segmentation"}
        What the labels are.
    explain : dict
        What is explained of the output, as the options of ``Classification``
        (``healthy``), ``Regression`` (``output``, ``healthy_below``) or ``Segmentation``
        (``region``, ``margin``) in ``clinicadl_trust.attribution.supervision``.
    constraints : list of dict
        Tables as ``read_terms`` takes: the name of each constraint, its weight, the
        attributions that it looks at, and its options.
    mask_key : str, optional
        Where the mask of each image is in a sample; by default what the question
        itself says, if it does.
    smooth : bool, default=True
        Whether the network is made smooth (``smooth_network``): GELU, averaging and
        group normalisation in place of rectifiers, maxima and batch normalisation.
    loss_weight : float, default=1
        Of the classification loss; 0 trains on the constraints alone.
    warmup : int, default=0
        Steps over which the constraints' weights rise from 0.
    every : int, default=1
        Constraints are computed at every so many steps, and weigh as much more.
    second_order : {"auto", "exact", "difference"}
        How a penalty on a gradient is differentiated: through the gradient, or by one
        more plain backward, which is quicker and needs a smooth network. Auto takes
        the difference where no rectifier, maximum, dropout or batch normalisation is
        found.

    See Also
    --------
    clinicadl_trust.attribution.attributions
        To see what it looks at.
    """

    config: AttributionConstrainedModelConfig
    _config_type = AttributionConstrainedModelConfig

    #: Steps made, of which some are skipped and the first ones warm up.
    constraint_step: torch.Tensor

    def __init__(  # noqa: PLR0917 - as the host's models, all by keyword
        self,
        network: NetworkOrConfig,
        loss: LossOrConfig,
        optimizer: OptimizerConfig,
        inferer: Inferer = SimpleInferer(),  # noqa: B008 - as the host's models
        label_key: str = "label",
        task: str = "classification",
        explain: dict[str, Any] | None = None,
        constraints: tuple[dict[str, Any], ...] = ({"name": "HealthyGradient"},),
        mask_key: str | None = None,
        smooth: bool = True,
        loss_weight: float = 1.0,
        warmup: int = 0,
        every: int = 1,
        second_order: SecondOrder = "auto",
    ) -> None:
        super().__init__(
            network=network,
            loss=loss,
            optimizer=optimizer,
            inferer=inferer,
            label_key=label_key,
            task=task,
            explain=dict(explain or {}),
            constraints=[dict(table) for table in constraints],
            mask_key=mask_key,
            smooth=smooth,
            loss_weight=loss_weight,
            warmup=warmup,
            every=every,
            second_order=second_order,
        )
        self.label_key = self.config.label_key
        self.supervision = supervise(
            self.config.task,
            self.config.loss.get_object(),
            self.label_key,
            self.config.explain,
        )
        self.loss = self.supervision.loss
        if self.config.smooth:
            made: nn.Module = self.config.network.get_object()
            self.network = smooth_network(made)
        self.terms = read_terms(self.config.constraints)
        self.register_buffer("constraint_step", torch.zeros((), dtype=torch.long))
        self._checked = False

    def reset(self) -> None:
        """Reset the weights, and begin the warm-up again."""
        super().reset()
        self.constraint_step.zero_()

    def forward_step(self, batch: Batch) -> dict[str, torch.Tensor]:  # type: ignore[override]
        """Pass a batch through the network and compute every term of the loss.

        Parameters
        ----------
        batch : clinicadl.data.dataloader.Batch
            Samples with an image, a label and perhaps a mask.

        Returns
        -------
        dict of str to torch.Tensor
            ``loss``, the supervised one, and a weighted term for each constraint.
        """
        images = batch.get_field(IMAGE, dtype=torch.float32)
        labels = self.supervision.labels(batch)
        self._check_once(images)
        factor = self._factor() if self.training else 0.0
        if not factor:
            loss = self.supervision.penalty(self.network(images), labels)
            zero = loss.detach() * 0.0
            return self._weighted(loss, {term.name: zero for term in self.terms})
        shares = not torch.is_autocast_enabled(images.device.type)
        if shares:
            images = images.detach().requires_grad_()
        outputs = self.network(images)
        question = self.supervision.question(labels, images)
        step = ConstrainedStep(
            self.network,
            question.score,
            images,
            outputs if shares else None,
            self._by_difference(),
        )
        explained = self._explained(batch, question, images)
        penalties = {
            term.name: factor * term.weight * step.penalty(term, explained)
            for term in self.terms
            if term.weight
        }
        loss = self.supervision.penalty(outputs, labels)
        return self._weighted(loss, penalties)

    def backward_step(
        self,
        loss: dict[str, torch.Tensor] | torch.Tensor,
        grad_scaler: torch.amp.GradScaler | None = None,
    ) -> None:
        """Compute the gradients of the sum of all terms.

        Parameters
        ----------
        loss : dict of str to torch.Tensor
            As ``forward_step`` returned it.
        grad_scaler : torch.amp.GradScaler, optional
            Of mixed precision.
        """
        total = sum(loss.values()) if isinstance(loss, dict) else loss
        assert isinstance(total, torch.Tensor)
        scaled = total if grad_scaler is None else grad_scaler.scale(total)
        # Images require a gradient; theirs is known, and dear in the first layer.
        scaled.backward(inputs=[w for w in self.parameters() if w.requires_grad])
        self.constraint_step += 1

    def get_loss_functions(self) -> dict[str, Loss]:
        """Return the loss function, and the name of each constraint."""
        return {"loss": self.loss} | {term.name: _Term() for term in self.terms}

    def _weighted(
        self, loss: torch.Tensor, penalties: dict[str, torch.Tensor]
    ) -> dict[str, torch.Tensor]:
        zero = loss.detach() * 0.0
        every = {term.name: penalties.get(term.name, zero) for term in self.terms}
        return {"loss": self.config.loss_weight * loss, **every}

    def _factor(self) -> float:
        """Return what the weights of this step are multiplied by."""
        step, config = int(self.constraint_step), self.config
        if step % config.every:
            return 0.0
        risen = min(1.0, (step + 1) / (config.warmup + 1))
        return risen * config.every

    def _by_difference(self) -> bool:
        if self.config.second_order != "auto":
            return self.config.second_order == "difference"
        return not kinks(self.network)

    def _explained(
        self, batch: Batch, question: Question, images: torch.Tensor
    ) -> Explained:
        key, mask = self.config.mask_key, question.mask
        if key is not None:
            mask = masks_of(batch, key).to(images.device)
        return Explained(
            attributions=images,
            healthy=question.healthy,
            mask=mask,
            regions=lambda: regions_of(batch),
            signed=question.signed,
        )

    def _check_once(self, images: torch.Tensor) -> None:
        """Check the network at the first batch, and say what makes it slow."""
        if self._checked:
            return
        self._checked = True
        with torch.random.fork_rng(devices=[]):
            check_twice_differentiable(self.network, images[:1])
        found = kinks(self.network)
        if found and self.config.second_order == "difference":
            raise AttributionError(
                f"second_order = 'difference' needs a smooth network; this one has "
                f"{', '.join(found)}. Use 'auto', or smooth = true."
            )
        if found:
            logger.warning(
                "the network has %s: constraints are differentiated exactly, which is "
                "slower; smooth = true converts what it can",
                ", ".join(found),
            )
