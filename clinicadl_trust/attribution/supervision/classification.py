"""Classes: the logit of disease is explained."""

from __future__ import annotations

from typing import cast

import torch
from clinicadl.data.dataloader import Batch
from clinicadl.losses.types import Loss

from clinicadl_trust.attribution.supervision.base import Question, Supervision
from clinicadl_trust.attribution.targets import disease_logit
from clinicadl_trust.models.classification import TargetLoss, target_of

__all__ = ["Classification"]


class Classification(Supervision):
    """One class an image.

    Parameters
    ----------
    loss : callable
        A classification loss, as ``ClassificationModel`` takes it.
    label_key : str
        Where the class index is in a sample.
    healthy : int
        The class of healthy participants.
    """

    def __init__(self, loss: Loss, label_key: str = "label", healthy: int = 0) -> None:
        self.loss = TargetLoss(loss, target_of(loss))
        self.label_key = label_key
        self.healthy = healthy

    def labels(self, batch: Batch) -> torch.Tensor:
        """Return class indices, (N,) or (N, 1)."""
        return cast(torch.Tensor, batch.get_field(self.label_key))

    def question(self, labels: torch.Tensor, images: torch.Tensor) -> Question:
        """Ask for the logit of any class but the healthy one."""
        healthy = labels.reshape(len(images)) == self.healthy
        return Question(
            lambda outputs, rows: disease_logit(outputs, self.healthy),
            healthy.to(images.device),
        )
