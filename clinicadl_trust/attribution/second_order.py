"""The gradient of a penalty on a gradient: exactly, or by one more plain backward."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from clinicadl_trust.attribution.methods import Points, input_gradients

__all__ = ["Evaluated", "by_difference", "exactly"]

#: Length of the step along the direction, as a part of the image's.
_STEP = 1e-3

Penalty = Callable[[torch.Tensor], torch.Tensor]
Scores = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Evaluated:
    """Points whose scores are known, with their graph.

    Attributes
    ----------
    points : Points
        Where; ``points.images`` requires a gradient.
    scores : torch.Tensor of shape (N, 1)
        What is explained there.
    """

    points: Points
    scores: torch.Tensor


def exactly(evaluated: Sequence[Evaluated], penalty: Penalty) -> torch.Tensor:
    """Return the penalty of the attributions, to be differentiated twice.

    Parameters
    ----------
    evaluated : sequence of Evaluated
        The points of an attribution.
    penalty : callable
        From attributions to one value.

    Returns
    -------
    torch.Tensor
        One value. Its derivative in the weights goes through the gradient.
    """
    return penalty(_attributions(evaluated, create_graph=True))


def by_difference(
    evaluated: Sequence[Evaluated],
    penalty: Penalty,
    scores: Scores,
    step: float = _STEP,
) -> torch.Tensor:
    """Return the penalty, whose derivative costs one more plain backward.

    With a = s * grad f(z), and v the derivative of the penalty in a, the derivative in
    the weights w of the penalty is that of the directional derivative of f along
    u = s * v, and so nearly that of ``(f(z + h u) - f(z)) / h``. The network must be
    smooth: with rectifiers or maximum pooling the difference sees another piece.

    Parameters
    ----------
    evaluated : sequence of Evaluated
        The points of an attribution.
    penalty : callable
        From attributions to one value.
    scores : callable
        From images of shape (M, C, ...) and which of the points' they are, (M,), to
        what is explained of them, (M, 1).
    step : float
        Length of h u as a part of that of z, image by image.

    Returns
    -------
    torch.Tensor
        One value, the penalty, with the derivative of the difference.
    """
    attributions = _attributions(evaluated, create_graph=False).requires_grad_()
    value = penalty(attributions)
    if not value.requires_grad:
        return value
    (direction,) = torch.autograd.grad(value, attributions)
    change = torch.zeros_like(value)
    for one in evaluated:
        images = one.points.images.detach()
        along = (direction * one.points.factor).detach()
        length = along.flatten(1).norm(dim=1)
        moved = torch.nonzero(length > 0)[:, 0]
        if not len(moved):
            continue
        size = images[moved].flatten(1).norm(dim=1)
        size = torch.where(size > 0, size, images[0].numel() ** 0.5)
        h = step * size / length[moved]
        sides = (-1, *[1] * (images.ndim - 1))
        there = scores(images[moved] + h.view(sides) * along[moved], moved)
        change = change + ((there - one.scores[moved])[:, 0] / h).sum()
    return value.detach() + change - change.detach()


def _attributions(evaluated: Sequence[Evaluated], create_graph: bool) -> torch.Tensor:
    total: torch.Tensor | None = None
    for one in evaluated:
        images = one.points.images
        gradient = input_gradients(
            one.scores, images, create_graph=create_graph, retain_graph=True
        )[:, 0]
        term = gradient * one.points.factor
        total = term if total is None else total + term
    assert total is not None
    return total if create_graph else total.detach()
