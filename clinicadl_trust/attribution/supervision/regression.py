"""Quantities: one output is explained, or all of them at once by a random weighting."""

from __future__ import annotations

from typing import Literal, TypeAlias, cast

import torch
from clinicadl.data.dataloader import Batch
from clinicadl.losses.types import Loss

from clinicadl_trust.attribution.supervision.base import Question, Supervision
from clinicadl_trust.attribution.targets import select

__all__ = ["Output", "Regression"]

#: Which output is explained.
Output: TypeAlias = int | Literal["random"]


class Regression(Supervision):
    """One or several quantities an image.

    Parameters
    ----------
    loss : callable
        Such as the mean squared error, given outputs and labels of shape (N, K).
    label_key : str
        Where the quantities are in a sample.
    output : int or "random"
        The output that is explained; or, with several, their sum weighted by signs
        that each step draws anew. Cross terms vanish on average over the signs, so a
        squared penalty of it is that of all outputs, at the cost of one.
    """

    def __init__(
        self, loss: Loss, label_key: str = "label", output: Output = "random"
    ) -> None:
        self.loss = loss
        self.label_key = label_key
        self.output = output

    def labels(self, batch: Batch) -> torch.Tensor:
        """Return quantities, (N, K)."""
        found = batch.get_field(
            self.label_key, dtype=torch.float32, ensure_channel_dim=True
        )
        return cast(torch.Tensor, found)

    def question(self, labels: torch.Tensor, images: torch.Tensor) -> Question:
        """Ask for one output, or for a random weighting of them."""
        if self.output != "random":
            index = self.output
            return Question(lambda outputs, rows: select(outputs, index)[:, 0])
        n_outputs = labels.shape[1]
        if n_outputs == 1:
            return Question(lambda outputs, rows: select(outputs)[:, 0])
        drawn = torch.randint(2, (len(images), n_outputs)) * 2.0 - 1.0
        signs = drawn.to(images.device)
        return Question(
            lambda outputs, rows: (select(outputs, "all") * signs[rows]).sum(dim=1)
        )
