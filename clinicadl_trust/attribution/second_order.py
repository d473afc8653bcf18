"""The gradient of a penalty on a gradient: exactly, or by one more plain backward.

With a = s * grad f(z), and v the derivative of the penalty in a, the derivative in the
weights w of the penalty is that of the directional derivative of f along u = s * v, and
so nearly that of ``(f(z + h u) - f(z)) / h``. The network must be smooth: with
rectifiers or maximum pooling the difference sees another piece.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from clinicadl_trust.attribution.methods import Points, input_gradients

__all__ = ["Evaluated", "by_difference", "by_difference_apart", "exactly"]

#: Length of the step along the direction, as a part of the image's.
_STEP = 1e-3

Penalty = Callable[[torch.Tensor], torch.Tensor]
Scores = Callable[[torch.Tensor, slice], torch.Tensor]

_ALL = slice(None)


@dataclass(frozen=True)
class Evaluated:
    """Points whose scores are known, with their graph.

    Attributes
    ----------
    points : Points
        Where; ``points.images`` requires a gradient.
    scores : torch.Tensor of shape (N,)
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
    terms = [
        input_gradients(one.scores[:, None], one.points.images, create_graph=True)[:, 0]
        * one.points.factor
        for one in evaluated
    ]
    return penalty(torch.stack(terms).sum(dim=0) if len(terms) > 1 else terms[0])


def by_difference(
    evaluated: Evaluated,
    penalty: Penalty,
    scores: Scores,
    weights: Sequence[torch.Tensor],
    step: float = _STEP,
) -> torch.Tensor:
    """Return the penalty at points whose graph others need too.

    The graph of the moved points is made beside it, for half of them at a time: memory
    is half as much again.

    Parameters
    ----------
    evaluated : Evaluated
        The only points of an attribution.
    penalty : callable
        From attributions to one value.
    scores : callable
        From images of shape (M, C, ...), and which of the points they are, to what is
        explained of them, (M,).
    weights : sequence of torch.Tensor
        What is trained.
    step : float
        Length of h u as a part of that of z, where it is largest.

    Returns
    -------
    torch.Tensor
        One value, the penalty, with the derivative of the difference.
    """
    points = evaluated.points
    gradient = input_gradients(
        evaluated.scores[:, None], points.images, retain_graph=True
    )[:, 0]
    value, direction = _direction(gradient * points.factor, penalty)
    if direction is None:
        return value
    images, along = points.images.detach(), (direction * points.factor).detach()
    h = _step(images, along, step)
    half = -(-len(images) // 2)
    moved = [torch.zeros_like(weight) for weight in weights]
    for part in (slice(half), slice(half, None)):
        points_there = images[part] + h * along[part]
        if len(points_there):
            found = _gradients(scores(points_there, part), weights)
            moved = [old + new for old, new in zip(moved, found, strict=True)]
    there = _Known.apply(value, [each / h for each in moved], *weights)
    here = (evaluated.scores / h).sum()
    return there - (here - here.detach())


def by_difference_apart(
    points: Sequence[Points],
    penalty: Penalty,
    scores: Scores,
    weights: Sequence[torch.Tensor],
    step: float = _STEP,
) -> torch.Tensor:
    """Return the penalty at points that nothing else looks at, one graph at a time.

    The weights' gradient of f(z) comes from the same backward as the image's, before h
    is known: one h for all points makes it a factor.

    Parameters
    ----------
    points : sequence of Points
        Those of an attribution.
    penalty, scores, weights, step
        As in ``by_difference``.

    Returns
    -------
    torch.Tensor
        One value, the penalty, whose derivative in the weights is known already.
    """
    total, here = torch.zeros(()), [torch.zeros_like(weight) for weight in weights]
    for one in points:
        images = one.images.detach().clone().requires_grad_()
        gradient, *found = _gradients(scores(images, _ALL), [images, *weights])
        here = [old + new for old, new in zip(here, found, strict=True)]
        total = gradient * one.factor + total.to(gradient)
    value, direction = _direction(total, penalty)
    if direction is None:
        return value
    along = [direction * one.factor for one in points]
    h = min(_step(one.images, u, step) for one, u in zip(points, along, strict=True))
    change = [-old for old in here]
    for one, u in zip(points, along, strict=True):
        moved = _gradients(scores((one.images + h * u).detach(), _ALL), weights)
        change = [old + new for old, new in zip(change, moved, strict=True)]
    derivatives = [one / h for one in change]
    known: torch.Tensor = _Known.apply(value, derivatives, *weights)
    return known


def _gradients(
    scores: torch.Tensor, inputs: Sequence[torch.Tensor]
) -> tuple[torch.Tensor, ...]:
    return torch.autograd.grad(scores.sum(), inputs, materialize_grads=True)


class _Known(torch.autograd.Function):
    """A value whose derivatives in the weights are given."""

    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any,
        value: torch.Tensor,
        derivatives: list[torch.Tensor],
        *_weights: torch.Tensor,
    ) -> torch.Tensor:
        ctx.derivatives = derivatives
        return value.clone()

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> Any:  # type: ignore[override]
        return None, None, *[gradient * one for one in ctx.derivatives]


def _direction(
    attributions: torch.Tensor, penalty: Penalty
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Return the penalty and its derivative in the attributions, None where it is 0."""
    attributions = attributions.detach().requires_grad_()
    value = penalty(attributions)
    if not value.requires_grad:
        return value, None
    (direction,) = torch.autograd.grad(value, attributions)
    return value.detach(), direction if bool(direction.any()) else None


def _step(images: torch.Tensor, along: torch.Tensor, step: float) -> torch.Tensor:
    """Return the longest h for which no image moves by more than a part of itself."""
    length = along.flatten(1).norm(dim=1)
    size = images.flatten(1).norm(dim=1)
    size = torch.where(size > 0, size, images[0].numel() ** 0.5)
    ratios = torch.where(length > 0, size / length, torch.inf)
    return step * ratios.min()
