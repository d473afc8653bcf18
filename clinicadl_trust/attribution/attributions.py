"""One call for every way of asking what a network looks at."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from clinicadl_trust.attribution.baselines import Baselines
from clinicadl_trust.attribution.explanation import EXPLANATIONS, explain
from clinicadl_trust.attribution.methods import DIFFERENTIABLE, differentiable
from clinicadl_trust.attribution.targets import Target
from clinicadl_trust.exceptions import AttributionError, did_you_mean

__all__ = ["attributions"]


def attributions(
    network: nn.Module,
    images: torch.Tensor,
    method: str = "gradient",
    *,
    baselines: Baselines = None,
    target: Target = None,
    n_samples: int | None = None,
    create_graph: bool = False,
    chunk_size: int | None = None,
    generator: torch.Generator | None = None,
) -> torch.Tensor:
    """Return how much each voxel of each image speaks for an output.

    Parameters
    ----------
    network : torch.nn.Module
        From images of shape (N, C, ...) to outputs of shape (N,), (N, K) or
        (N, K, ...), which are averaged over voxels. Give logits, not
        probabilities: where a probability is near 0 or 1 its gradient vanishes. Batch
        normalisation uses its running statistics, so that images do not mix.
    images : torch.Tensor of shape (N, C, ...)
        Slices, patches or volumes.
    method : str
        That can be differentiated: ``gradient``, ``gradient_x_input``,
        ``integrated_gradients`` (Sundararajan et al. 2017) and ``expected_gradients``
        (Erion et al. 2021). For an explanation only, by captum: ``gradient_shap``,
        ``occlusion``, ``guided_backprop``, ``grad_cam`` and ``lrp``.
    baselines : {"zeros", "blurred", "rolled"}, torch.Tensor or None
        What an image is compared with, for integrated and expected gradients,
        GradientShap and occlusion. A tensor of one image, or of one an image, is
        taken as it is; another number of images is a reference set, for example of
        healthy participants, that expected gradients draw from. None is zeros.
    target : int, "all", torch.Tensor of shape (N,), callable or None
        The output to explain: its index, for all images or each; all outputs; or a
        function from outputs to one number an image. None is the only output.
    n_samples : int, optional
        Steps or draws; by default 64 of integrated gradients, and 200 of expected
        gradients (1 with ``create_graph``).
    create_graph : bool
        Whether the result is to be differentiated in the network's weights.
    chunk_size : int, optional
        Images in a pass, at most: a bound on memory. By default all.
    generator : torch.Generator, optional
        Of the draws, on the CPU.

    Returns
    -------
    torch.Tensor of shape (N, C, ...), or (N, K, C, ...) for all outputs
        Attributions, in single precision also under autocast.

    Raises
    ------
    AttributionError
        If a method, a baseline or a target is unknown or does not fit, or the network
        cannot be explained that way.

    References
    ----------
    Sundararajan, Taly, Yan (2017), Axiomatic attribution for deep networks, ICML,
    equation 1. Erion, Janizek, Sturmfels, Lundberg, Lee (2021), Improving performance
    of deep learning models with axiomatic attribution priors and expected gradients,
    Nature Machine Intelligence 3, 620-631.
    """
    _check(images, method, n_samples, chunk_size, create_graph)
    size = chunk_size or len(images)
    if chunk_size and isinstance(baselines, str) and baselines == "rolled":
        baselines = images.detach().roll(1, 0)
    found = []
    for start in range(0, len(images), size):
        chunk = slice(start, start + size)
        common: dict[str, Any] = {
            "baselines": _of_chunk(baselines, chunk, len(images)),
            "target": _of_chunk(target, chunk, len(images)),
            "generator": generator,
        }
        if method in DIFFERENTIABLE:
            one = create_graph and method == "expected_gradients"
            number = n_samples or (1 if one else DIFFERENTIABLE[method])
            found.append(
                differentiable(
                    network,
                    images[chunk],
                    method,
                    n_samples=number,
                    create_graph=create_graph,
                    **common,
                )
            )
        else:
            found.append(
                explain(network, images[chunk], method, n_samples=n_samples, **common)
            )
    return torch.cat(found)


def _of_chunk(value: object, chunk: slice, n_images: int) -> object:
    """Return the part of a tensor of one row an image that belongs to a chunk."""
    if isinstance(value, torch.Tensor) and value.ndim and len(value) == n_images:
        return value[chunk]
    return value


def _check(
    images: torch.Tensor,
    method: str,
    n_samples: int | None,
    chunk_size: int | None,
    create_graph: bool,
) -> None:
    if method not in (*DIFFERENTIABLE, *EXPLANATIONS):
        known = did_you_mean(method, (*DIFFERENTIABLE, *EXPLANATIONS))
        raise AttributionError(f"No attribution method is called '{method}'.{known}")
    if create_graph and method in EXPLANATIONS:
        raise AttributionError(
            f"'{method}' explains a trained network; it cannot be differentiated. To "
            f"constrain training use one of: {', '.join(DIFFERENTIABLE)}."
        )
    if images.ndim < 3 or not len(images) or not images.is_floating_point():
        raise AttributionError(
            f"Images must be floats of shape (N, C, *spatial); got {images.dtype} of "
            f"shape {tuple(images.shape)}."
        )
    for name, number in (("n_samples", n_samples), ("chunk_size", chunk_size)):
        if number is not None and (number < 1 or number != int(number)):
            raise AttributionError(
                f"{name}={number} makes no sense: give a whole number from 1 on."
            )
