"""The contract of a supervision: labels, their loss, and what is explained."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from clinicadl.data.dataloader import Batch
from clinicadl.losses.types import Loss

__all__ = ["Question", "Supervision"]


@dataclass(frozen=True)
class Question:
    """What is explained of a batch in one training step; fixed within the step.

    Attributes
    ----------
    score : callable
        From outputs of shape (M, K, ...) and the rows (M,) of the batch that they are
        of, to what is explained of each, (M,).
    healthy : torch.Tensor of bool, shape (N,), or None
        Which images are of healthy participants, where that has a meaning.
    mask : torch.Tensor of shape (N, 1, ...) or None
        Where the network may look for it, where the question itself says so.
    signed : bool
        Whether a higher score means the same in every image and step.
    """

    score: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
    healthy: torch.Tensor | None = None
    mask: torch.Tensor | None = None
    signed: bool = True


class Supervision(ABC):
    """What a network learns from labels.

    Attributes
    ----------
    loss : callable
        Called as ``loss(outputs, labels)``, here and by ClinicaDL's metrics, which
        set its ``reduction``.
    label_key : str
        Where the label is in a sample.
    """

    loss: Loss
    label_key: str

    @abstractmethod
    def labels(self, batch: Batch) -> torch.Tensor:
        """Return a batch's labels, as the loss wants them."""

    @abstractmethod
    def question(self, labels: torch.Tensor, images: torch.Tensor) -> Question:
        """Return what is explained of a batch in this step.

        Parameters
        ----------
        labels : torch.Tensor
            As ``labels`` returned them.
        images : torch.Tensor of shape (N, C, ...)
            The batch's.
        """

    def penalty(self, outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Return the supervised loss of a batch, one value."""
        return self.loss(outputs, labels)
