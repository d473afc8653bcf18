"""What an image is compared with: nothing, itself blurred, or other images."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import torch
from torch.nn import functional

from clinicadl_trust.exceptions import AttributionError, did_you_mean

__all__ = ["BASELINES", "Baselines", "blurred", "make_baselines"]

#: A name of ``BASELINES``, images, or what draws one for every image.
Baselines: TypeAlias = str | torch.Tensor | Callable[[], torch.Tensor] | None

#: Name to meaning.
BASELINES: dict[str, str] = {
    "zeros": "images of zeros: the mean, where images were z-normalised",
    "blurred": "each image smoothed by a Gaussian",
    "rolled": "the other images of the batch",
}

#: Of the blur, in voxels.
_SIGMA = 4.0


def make_baselines(
    baselines: Baselines,
    images: torch.Tensor,
    generator: torch.Generator | None = None,
) -> Callable[[], torch.Tensor]:
    """Return what gives a baseline for every image, drawn anew at each call.

    Parameters
    ----------
    baselines : {"zeros", "blurred", "rolled"}, torch.Tensor, callable or None
        None is ``"zeros"``. A tensor of one image, or of one an image, is fixed;
        another number of images is a reference set that each call draws from. A
        callable draws itself.
    images : torch.Tensor of shape (N, C, ...)
        What is explained.
    generator : torch.Generator, optional
        Of the draws, on the CPU.

    Returns
    -------
    callable
        Returns a tensor that ``images`` minus it is defined for.

    Raises
    ------
    AttributionError
        If the name is unknown, the shape is another, or there is no other image to
        roll to.
    """
    if isinstance(baselines, torch.Tensor):
        return _from_images(baselines.detach(), images, generator)
    if callable(baselines):
        return baselines
    name = "zeros" if baselines is None else baselines
    if name == "zeros":
        zeros = torch.zeros_like(images[:1])
        return lambda: zeros
    if name == "blurred":
        smooth = blurred(images.detach())
        return lambda: smooth
    if name == "rolled":
        if len(images) < 2:
            raise AttributionError(
                "baselines='rolled' takes the other images of a batch, and this batch "
                "has one. Give larger batches or another baseline."
            )
        others = images.detach()
        return lambda: others.roll(_draw(1, len(others), 1, generator), (0,))
    raise AttributionError(
        f"baselines='{name}' is unknown.{did_you_mean(name, BASELINES)}"
    )


def blurred(images: torch.Tensor, sigma: float = _SIGMA) -> torch.Tensor:
    """Smooth images by a Gaussian, edges repeated.

    Parameters
    ----------
    images : torch.Tensor of shape (N, C, ...)
        In one to three dimensions.
    sigma : float
        Standard deviation in voxels.
    """
    radius = math.ceil(3 * sigma)
    grid = torch.arange(-radius, radius + 1, dtype=images.dtype, device=images.device)
    kernel = torch.exp(-0.5 * (grid / sigma) ** 2)
    kernel /= kernel.sum()
    for axis in range(2, images.ndim):
        moved = images.movedim(axis, -1)
        flat = moved.reshape(-1, 1, moved.shape[-1])
        padded = functional.pad(flat, (radius, radius), mode="replicate")
        smooth = functional.conv1d(padded, kernel[None, None])
        images = smooth.reshape(moved.shape).movedim(-1, axis)
    return images


def _from_images(
    given: torch.Tensor, images: torch.Tensor, generator: torch.Generator | None
) -> Callable[[], torch.Tensor]:
    given = given.to(dtype=images.dtype, device=images.device)
    if given.ndim != images.ndim or given.shape[1:] != images.shape[1:]:
        raise AttributionError(
            f"The baselines have shape {tuple(given.shape)} and the images "
            f"{tuple(images.shape)}. Give images of the same channels and voxels."
        )
    if not len(given):
        raise AttributionError(
            "The reference set of baselines is empty: there is nothing to compare "
            "with. Give at least one image, for example of a healthy participant."
        )
    if len(given) in (1, len(images)):
        return lambda: given
    return lambda: given[_draw(0, len(given), len(images), generator)]


def _draw(
    low: int, high: int, size: int, generator: torch.Generator | None
) -> list[int]:
    return torch.randint(low, high, (size,), generator=generator).tolist()
