"""Constraints that wait until the network knows something of its task."""

from __future__ import annotations

import math

import torch
from torch import nn

__all__ = ["Readiness"]

#: Of the last batch in a running average.
_NEW = 0.1


class Readiness(nn.Module):
    """What a network knows of its task, and how much constraints weigh therefore.

    A network knows nothing as long as its loss is the same when the labels of a batch
    are exchanged between its images. With L the supervised loss and E that with the
    labels exchanged, both averaged over steps, ``known = 1 - L / E`` is 0 then, however
    rare a class is, and 1 where the loss is 0. The factor of the constraints is
    ``(known / wait) ** 2``, at most 1; it falls again where a constraint makes the
    network forget.

    A task that is hard is never known by much: a classifier that is calibrated and
    has an AUC of .70 in training knows .18, of .86 .55. Where the loss can be
    negative there is no such ratio, and where all batches have one image there are no
    labels to exchange: nothing waits there.

    The averages are buffers, so that a training that is resumed has the same.

    Parameters
    ----------
    wait : float
        In [0, 1]; 0 for constraints that do not wait.
    """

    averages: torch.Tensor
    steps: torch.Tensor

    def __init__(self, wait: float) -> None:
        super().__init__()
        self.wait = wait
        self.register_buffer("averages", torch.zeros(2))
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))

    def reset(self) -> None:
        """Forget what was seen."""
        self.averages.zero_()
        self.steps.zero_()

    def update(self, loss: torch.Tensor, exchanged: torch.Tensor) -> None:
        """Take the losses of a batch into the averages.

        Parameters
        ----------
        loss : torch.Tensor
            One value: the supervised loss of a batch.
        exchanged : torch.Tensor
            The same with the labels exchanged.
        """
        values = torch.stack([loss.detach(), exchanged.detach()]).to(self.averages)
        if bool(torch.isfinite(values).all()):
            self.averages += _NEW * (values - self.averages)
            self.steps += 1

    @property
    def known(self) -> float:
        """How much of its task the network knows, 0 to 1; NaN where nothing tells."""
        loss, exchanged = self.averages.tolist()
        if min(loss, exchanged) < 0:
            return math.nan
        return max(0.0, 1 - loss / exchanged) if exchanged else 0.0

    def factor(self, n_images: int = 2) -> float:
        """Return what the constraints' weights are multiplied by, in [0, 1].

        Parameters
        ----------
        n_images : int
            In the batch.
        """
        known = self.known
        if not self.wait or math.isnan(known) or (n_images == 1 and not self.steps):
            return 1.0
        return min(1.0, known / self.wait) ** 2
