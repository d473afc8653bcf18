"""Constraints whose gradients are kept in proportion to that of the supervised loss."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

__all__ = ["GradientBalance", "gradient_of"]

#: Of the last measure in a running average.
_NEW = 0.3


class GradientBalance(nn.Module):
    """Running averages of the gradients' norms, and the factors that follow.

    A constraint of weight w is multiplied so that the norm of its gradient in the
    weights is w times that of the supervised loss: ``|g_loss| / |g_constraint|``, each
    averaged over measures. They are buffers, so that a training that is resumed has
    the same. As long as no image has counted the factor is 1, of a penalty of 0.

    Parameters
    ----------
    n_terms : int
        Constraints.
    every : int
        Norms are measured at every so many of the steps that have constraints; it
        takes a backward pass a term.

    References
    ----------
    Chen, Badrinarayanan, Lee, Rabinovich (2018), GradNorm: gradient normalization for
    adaptive loss balancing in deep multitask networks. ICML (there the weights are
    learned; here the ratio of norms is set).
    """

    norms: torch.Tensor
    calls: torch.Tensor

    def __init__(self, n_terms: int, every: int = 10) -> None:
        super().__init__()
        self.every = every
        self.register_buffer("norms", torch.full((n_terms + 1,), torch.nan))
        self.register_buffer("calls", torch.zeros((), dtype=torch.long))

    def reset(self) -> None:
        """Forget all measures."""
        self.norms.fill_(torch.nan)
        self.calls.zero_()

    def forward(
        self,
        loss: torch.Tensor,
        penalties: Sequence[torch.Tensor],
        weights: Sequence[torch.Tensor],
    ) -> list[torch.Tensor]:
        """Return the factor of each constraint, measuring first where it is due.

        Parameters
        ----------
        loss : torch.Tensor
            The supervised loss, weighted.
        penalties : sequence of torch.Tensor
            Of each constraint, without weight.
        weights : sequence of torch.Tensor
            What is trained.
        """
        if int(self.calls) % self.every == 0 or bool(torch.isnan(self.norms).any()):
            for place, value in enumerate((loss, *penalties)):
                self._measure(place, gradient_of(value, weights).norm())
        self.calls += 1
        ratios = self.norms[0] / self.norms[1:]
        usable = torch.isfinite(ratios) & (self.norms[1:] > 0)
        return [*torch.where(usable, ratios, 1.0).unbind()]

    def _measure(self, place: int, norm: torch.Tensor) -> None:
        old = self.norms[place]
        if not bool(torch.isfinite(norm)) or not bool(norm > 0):
            return  # no image counted, or mixed precision overflowed
        new = norm if bool(torch.isnan(old)) else old + _NEW * (norm - old)
        self.norms[place] = new


def gradient_of(value: torch.Tensor, weights: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return the gradient of a value in the weights, in one row.

    Parameters
    ----------
    value : torch.Tensor
        One value; its graph is kept.
    weights : sequence of torch.Tensor
        In whose order the row is.
    """
    if not value.requires_grad:
        return torch.cat([torch.zeros_like(one).flatten() for one in weights])
    found = torch.autograd.grad(
        value, list(weights), retain_graph=True, materialize_grads=True
    )
    return torch.cat([one.detach().flatten() for one in found])
