"""A ClinicaDL Model whose network is also told where it may look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from clinicadl.data.dataloader import Batch
from clinicadl.infer import Inferer, SimpleInferer
from clinicadl.losses.types import Loss, LossOrConfig
from clinicadl.models.vanilla import VanillaModel
from clinicadl.networks.types import NetworkOrConfig
from clinicadl.optim.optimizers.config import OptimizerConfig
from clinicadl.utils.dictionary.words import IMAGE
from clinicadl.utils.objects import HasConfig
from torch import nn

from clinicadl_trust.attribution.balancing import GradientBalance
from clinicadl_trust.attribution.batches import explained_of
from clinicadl_trust.attribution.constrained_step import ConstrainedStep
from clinicadl_trust.attribution.constraints.base import Explained
from clinicadl_trust.attribution.differentiation import (
    check_differentiation,
    takes_difference,
)
from clinicadl_trust.attribution.model_config import (
    AttributionConstrainedModelConfig,
    SecondOrder,
)
from clinicadl_trust.attribution.networks import smooth_network
from clinicadl_trust.attribution.readiness import Readiness
from clinicadl_trust.attribution.schedule import Schedule
from clinicadl_trust.attribution.supervision import supervise
from clinicadl_trust.attribution.terms import TermLoss, check_terms, read_terms

__all__ = ["AttributionConstrainedModel"]


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
        (``healthy``), ``Regression`` (``output``, ``healthy_below``) or
        ``Segmentation`` (``region``, ``margin``) in
        ``clinicadl_trust.attribution.supervision``.
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
    wait : float, default=0.6
        How much of its task the network knows (``Readiness``: 0 for nothing, 1 for
        all) where constraints weigh in full; the less it knows, the less they weigh.
        0 for constraints that weigh in full from the first step, as they do in
        batches of one image and where the loss can be negative.
    delay : int, default=0
        Steps before there are constraints, whatever the network knows.
    warmup : int, default=0
        Steps over which, then, the constraints' weights rise from 0.
    anneal : int, default=0
        Steps over which they then fall along half a cosine; 0 for never.
    final : float, default=0.1
        The part of the weights that is left after annealing.
    balance : bool, default=False
        Whether a weight is the norm of the constraint's gradient in that of the
        supervised loss (``GradientBalance``), instead of a factor of the penalty.
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
        wait: float = 0.6,
        delay: int = 0,
        warmup: int = 0,
        anneal: int = 0,
        final: float = 0.1,
        balance: bool = False,
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
            wait=wait,
            delay=delay,
            warmup=warmup,
            anneal=anneal,
            final=final,
            balance=balance,
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
            self.network = smooth_network(
                made, dense=self.config.task == "segmentation"
            )
        self.terms = read_terms(self.config.constraints)
        self.active = [term for term in self.terms if term.weight]
        self.schedule = Schedule(
            self.config.warmup,
            self.config.anneal,
            self.config.final,
            self.config.every,
            self.config.delay,
        )
        balanced = self.config.balance and self.active
        self.balance = GradientBalance(len(self.active)) if balanced else None
        self.readiness = Readiness(self.config.wait if self.config.loss_weight else 0.0)
        self.register_buffer("constraint_step", torch.zeros((), dtype=torch.long))
        self._checked = False

    @classmethod
    def check_options(cls, options: Mapping[str, Any], task: str) -> None:
        """Check the table of a model before images are opened.

        Parameters
        ----------
        options : mapping
            Arguments of the class, not all of them.
        task : {"classification", "regression", "segmentation"}
            What the labels are; a segmentation has masks of its own.

        Raises
        ------
        ConfigError
            If a constraint is wrong, or needs a mask that nobody names.
        """
        tables = options.get("constraints")
        if isinstance(tables, list):
            masked = task == "segmentation" or options.get("mask_key") is not None
            check_terms(tables, masked)

    def reset(self) -> None:
        """Reset the weights, and begin the warm-up again."""
        super().reset()
        self.constraint_step.zero_()
        self.readiness.reset()
        if self.balance is not None:
            self.balance.reset()

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
        if not self._checked:
            self._checked = True
            check_differentiation(self.network, images, self.config.second_order)
        if not (self.training and self.active):
            return self._terms(self._supervised(self.network(images), labels), [])
        question = self.supervision.question(labels, images)
        # While constraints wait, too: a mask that is missing is told at once.
        explained = explained_of(batch, question, images, self.config.mask_key)
        quick = takes_difference(self.network, self.config.second_order)
        step = ConstrainedStep(self.network, question, images, quick)
        number = int(self.constraint_step)
        factor = self.schedule.factor(number) * self.readiness.factor(len(images))
        if not factor:
            if not number:
                self._try(step, explained)
            return self._terms(self._supervised(self.network(images), labels), [])
        penalties = [step.penalty(term, explained) for term in self.active]
        loss = self._supervised(step.outputs, labels)
        factors = [factor * term.weight for term in self.active]
        if self.balance is not None:
            ratios = self.balance(loss, penalties, self._weights())
            factors = [a * b for a, b in zip(factors, ratios, strict=True)]
        return self._terms(
            loss, [a * b for a, b in zip(factors, penalties, strict=True)]
        )

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
        scaled.backward(inputs=self._weights())
        self.constraint_step += 1

    def get_loss_functions(self) -> dict[str, Loss]:
        """Return the loss function, and the name of each constraint."""
        return {"loss": self.loss} | {term.name: TermLoss() for term in self.terms}

    def remarks(self) -> list[str]:
        """Return what a user should know of the training that has ended."""
        factor, known = self.readiness.factor(), self.readiness.known
        if not self.active or not self.readiness.steps or factor == 1:
            return []
        return [
            f"At the end of the training the constraints had {factor:.2f} of their "
            f"weight: the network knew {known:.2f} of its task (0 for nothing, 1 for "
            f"all), and they have all of it where it knows wait = "
            f"{self.readiness.wait:g}. Lower wait, or set it to 0 for constraints that "
            "do not wait."
        ]

    def _supervised(self, outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        loss = self.supervision.penalty(outputs, labels)
        if self.training and self.readiness.wait and len(labels) > 1:
            with torch.no_grad():
                other = self.supervision.penalty(outputs, labels.roll(1, dims=0))
            self.readiness.update(loss, other)
        return self.config.loss_weight * loss

    def _try(self, step: ConstrainedStep, explained: Explained) -> None:
        """Compute every constraint once, so that what is wrong is told at the start."""
        with torch.random.fork_rng(devices=[]):
            for term in self.active:
                step.penalty(term, explained)

    def _terms(
        self, loss: torch.Tensor, penalties: list[torch.Tensor]
    ) -> dict[str, torch.Tensor]:
        """Name every term; those that were not computed are zero."""
        terms = {term.name: loss.detach() * 0.0 for term in self.terms}
        names = [term.name for term in self.active][: len(penalties)]
        return {"loss": loss, **terms, **dict(zip(names, penalties, strict=True))}

    def _weights(self) -> list[torch.Tensor]:
        return [weight for weight in self.parameters() if weight.requires_grad]
