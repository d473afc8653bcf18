"""Attributions: how much each voxel speaks for an output, differentiably."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from clinicadl_trust.attribution.baselines import Baselines, make_baselines
from clinicadl_trust.attribution.first_layer import quick_image_gradient
from clinicadl_trust.attribution.networks import by_image
from clinicadl_trust.attribution.targets import Target, select
from clinicadl_trust.exceptions import AttributionError

__all__ = [
    "DIFFERENTIABLE",
    "Points",
    "differentiable",
    "gradients_at",
    "input_gradients",
    "points_of",
]

#: Name to the number of samples for an explanation.
DIFFERENTIABLE: dict[str, int] = {
    "gradient": 1,
    "gradient_x_input": 1,
    "integrated_gradients": 64,
    "expected_gradients": 200,
}


@dataclass(frozen=True)
class Points:
    """Where a gradient is taken, and what it is multiplied by.

    Attributes
    ----------
    images : torch.Tensor of shape (N, C, ...)
        Where.
    factor : torch.Tensor or float
        An attribution is the sum over points of ``factor * gradient``.
    """

    images: torch.Tensor
    factor: torch.Tensor | float


def points_of(
    method: str,
    images: torch.Tensor,
    baselines: Baselines = None,
    n_samples: int = 1,
    generator: torch.Generator | None = None,
) -> Iterator[Points]:
    """Yield the points that a method takes gradients at.

    Parameters
    ----------
    method : str
        A key of ``DIFFERENTIABLE``.
    images : torch.Tensor of shape (N, C, ...)
        What is explained.
    baselines : {"zeros", "blurred", "rolled"}, torch.Tensor or None
        As in ``make_baselines``, of integrated and expected gradients.
    n_samples : int
        Steps of the integral (Gauss-Legendre), or draws of (baseline, position),
        whose positions are one in each of so many equal parts of (0, 1).
    generator : torch.Generator, optional
        Of the draws, on the CPU.

    Yields
    ------
    Points
        One a sample.
    """
    if method in ("gradient", "gradient_x_input"):
        yield Points(images, 1.0 if method == "gradient" else images)
        return
    draw = make_baselines(baselines, images, generator)
    if method == "integrated_gradients":
        baseline = draw()
        nodes, weights = np.polynomial.legendre.leggauss(n_samples)
        for position, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
            step = images - baseline
            yield Points(baseline + float(position) * step, float(weight) * step)
        return
    sides = (len(images), *[1] * (images.ndim - 1))
    for sample in range(n_samples):
        uniform = torch.rand(sides, generator=generator).to(images)
        step = images - (baseline := draw())
        position = (sample + uniform) / n_samples
        yield Points(baseline + position * step, step / n_samples)


def gradients_at(
    network: nn.Module,
    points: torch.Tensor,
    target: Target = None,
    create_graph: bool = False,
) -> torch.Tensor:
    """Return the gradient of what is explained, at some points.

    Parameters
    ----------
    network : torch.nn.Module
        From (N, C, ...) to (N, K) or (N, K, ...).
    points : torch.Tensor of shape (N, C, ...)
        Where.
    target : Target
        As in ``select``.
    create_graph : bool
        Whether the gradient is to be differentiated in the weights.

    Returns
    -------
    torch.Tensor of shape (N, C, ...), or (N, K, C, ...) for all outputs
        In single precision at least, also under autocast.
    """
    points = points.detach()
    points = points.float() if points.element_size() < 4 else points.clone()
    points.requires_grad_()
    kind = points.device.type
    quick = nullcontext() if create_graph else quick_image_gradient(network)
    with (
        torch.enable_grad(),
        by_image(network),
        torch.autocast(kind, enabled=False),
        quick,
    ):
        scores = select(network(points), target)
        found = input_gradients(scores, points, create_graph)
    return found if target == "all" else found[:, 0]


def input_gradients(
    scores: torch.Tensor,
    images: torch.Tensor,
    create_graph: bool = False,
    retain_graph: bool = False,
) -> torch.Tensor:
    """Return the gradient of each image's scores in that image.

    Parameters
    ----------
    scores : torch.Tensor of shape (N, K)
        Computed from ``images``, each from its own.
    images : torch.Tensor of shape (N, C, ...)
        That required a gradient when the scores were computed.
    create_graph : bool
        Whether the gradient is to be differentiated in the weights.
    retain_graph : bool
        Whether the scores are to be differentiated once more.

    Returns
    -------
    torch.Tensor of shape (N, K, C, ...)
        Gradients.

    Raises
    ------
    AttributionError
        If the scores do not depend on the images.
    """
    n_scores = scores.shape[1]
    found = []
    for column in range(n_scores):
        try:
            (gradient,) = torch.autograd.grad(
                scores[:, column].sum(),
                images,
                create_graph=create_graph,
                retain_graph=retain_graph or create_graph or column < n_scores - 1,
            )
        except RuntimeError as error:
            raise AttributionError(
                f"No gradient of the output in the image could be computed: {error}. "
                "The network's output must depend on its image through torch."
            ) from error
        found.append(gradient)
    return torch.stack(found, dim=1)


def differentiable(
    network: nn.Module,
    images: torch.Tensor,
    method: str,
    *,
    baselines: Baselines,
    target: Target,
    n_samples: int,
    create_graph: bool,
    generator: torch.Generator | None,
) -> torch.Tensor:
    """Return attributions by one of ``DIFFERENTIABLE``; see ``attributions``."""
    every = isinstance(target, str) and target == "all"
    total: torch.Tensor | None = None
    for points in points_of(method, images, baselines, n_samples, generator):
        gradient = gradients_at(network, points.images, target, create_graph)
        factor = points.factor
        if every and isinstance(factor, torch.Tensor):
            factor = factor[:, None]
        total = gradient * factor if total is None else total + gradient * factor
    assert total is not None
    return total
