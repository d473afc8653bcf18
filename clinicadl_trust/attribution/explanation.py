"""Explaining a trained network by captum's methods."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from clinicadl_trust.attribution.baselines import Baselines, make_baselines
from clinicadl_trust.attribution.networks import each_call
from clinicadl_trust.attribution.targets import Target, select
from clinicadl_trust.exceptions import AttributionError

__all__ = ["EXPLANATIONS", "explain"]

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
#: Linear modules that the epsilon rule of LRP holds for, and captum does not list.
_LINEAR = (
    nn.AdaptiveAvgPool3d,
    nn.AvgPool3d,
    nn.BatchNorm3d,
    nn.Conv3d,
    nn.Flatten,
    nn.Identity,
    nn.Unflatten,
)
#: Side of an occluded box, as a part of the image's.
_BOX = 8
_SHAP_SAMPLES = 50


class _Explained(nn.Module):
    """A network that gives only what is explained, one number an image."""

    def __init__(self, network: nn.Module, target: Target) -> None:
        super().__init__()
        self.network = network
        self.target = target

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        outputs = self.network(images)
        if isinstance(self.target, torch.Tensor) and len(outputs) != len(self.target):
            # captum repeats each image so many times in a row.
            repeats = len(outputs) // len(self.target)
            return select(outputs, self.target.repeat_interleave(repeats))[:, 0]
        return select(outputs, self.target)[:, 0]


def explain(
    network: nn.Module,
    images: torch.Tensor,
    method: str,
    *,
    baselines: Baselines = None,
    target: Target = None,
    n_samples: int | None = None,
    generator: torch.Generator | None = None,
) -> torch.Tensor:
    """Return attributions by one of ``EXPLANATIONS``; see ``attributions``.

    Parameters
    ----------
    network : torch.nn.Module
        Explained as it is in evaluation.
    images : torch.Tensor of shape (N, C, ...)
        What is explained.
    method : str
        A key of ``EXPLANATIONS``.
    baselines, target, n_samples, generator
        As in ``attributions``.

    Returns
    -------
    torch.Tensor of shape (N, C, ...)
        Attributions.

    Raises
    ------
    AttributionError
        If all outputs are asked for at once, or the method does not support the
        network.
    """
    if isinstance(target, str):
        raise AttributionError(
            f"'{method}' explains one output at a time. Give its index as target."
        )
    was_training = network.training
    network.eval()
    kind = images.device.type
    points = images.detach().to(torch.promote_types(images.dtype, torch.float32))
    try:
        with (
            torch.enable_grad(),
            torch.autocast(kind, enabled=False),
            _captum_draws(generator),
        ):
            found = EXPLANATIONS[method](
                _Explained(network, target),
                points.clone().requires_grad_(),
                make_baselines(baselines, points, generator),
                n_samples,
            )
    except (RuntimeError, TypeError, AssertionError, ValueError) as error:
        raise AttributionError(
            f"'{method}' does not support '{type(network).__name__}': {error}. Use "
            "integrated_gradients or occlusion, which work with any network."
        ) from error
    finally:
        network.train(was_training)
    return found.detach()


Draw = Callable[[], torch.Tensor]


@contextmanager
def _captum_draws(generator: torch.Generator | None) -> Iterator[None]:
    """Let captum, which draws from global states, draw as a generator says."""
    if generator is None:
        yield
        return
    seed = int(torch.randint(2**32, (1,), generator=generator))
    state = np.random.get_state()  # noqa: NPY002 - the state that captum has
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        try:
            yield
        finally:
            np.random.set_state(state)  # noqa: NPY002


def _gradient_shap(
    network: nn.Module, images: torch.Tensor, draw: Draw, n_samples: int | None
) -> torch.Tensor:
    from captum.attr import GradientShap

    baselines = torch.cat([draw().expand_as(images) for _ in range(4)])
    return GradientShap(network).attribute(
        images, baselines=baselines, n_samples=n_samples or _SHAP_SAMPLES
    )


def _occlusion(
    network: nn.Module, images: torch.Tensor, draw: Draw, n_samples: int | None
) -> torch.Tensor:
    from captum.attr import Occlusion

    sides = [max(1, math.ceil(side / _BOX)) for side in images.shape[2:]]
    strides = [max(1, side // 2) for side in sides]
    return Occlusion(network).attribute(
        images,
        sliding_window_shapes=(images.shape[1], *sides),
        strides=(images.shape[1], *strides),
        baselines=draw(),
    )


def _guided_backprop(
    network: nn.Module, images: torch.Tensor, draw: Draw, n_samples: int | None
) -> torch.Tensor:
    from captum.attr import GuidedBackprop

    if not any(isinstance(module, nn.ReLU) for module in network.modules()):
        raise TypeError("guided backpropagation is about ReLU, and it has none")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Setting backward hooks")
        return GuidedBackprop(network).attribute(images)


def _grad_cam(
    network: nn.Module, images: torch.Tensor, draw: Draw, n_samples: int | None
) -> torch.Tensor:
    from captum.attr import LayerGradCam

    layer = _last_convolution(network, images)
    found: Any = LayerGradCam(network, layer).attribute(images, relu_attributions=False)
    mode = {1: "linear", 2: "bilinear", 3: "trilinear"}[images.ndim - 2]
    resized = functional.interpolate(found, images.shape[2:], mode=mode)
    return resized.expand_as(images)


def _lrp(
    network: nn.Module, images: torch.Tensor, draw: Draw, n_samples: int | None
) -> torch.Tensor:
    from captum.attr import LRP
    from captum.attr._utils.lrp_rules import EpsilonRule

    marked = copy.deepcopy(network)
    for module in marked.modules():
        if isinstance(module, _LINEAR):
            cast(Any, module).rule = EpsilonRule()
    return LRP(marked).attribute(images)


def _last_convolution(network: nn.Module, images: torch.Tensor) -> nn.Module:
    """Return the last convolution whose output still has several voxels."""
    found: list[nn.Module] = []

    def note(module: nn.Module, output: torch.Tensor) -> None:
        if isinstance(module, _CONVOLUTIONS) and output[0, 0].numel() > 1:
            found.append(module)

    each_call(network, images, note)
    if not found:
        raise TypeError("Grad-CAM needs a convolution that gives several voxels")
    return found[-1]


#: Name to what computes it, from the network, images, baselines and samples.
EXPLANATIONS: dict[
    str, Callable[[nn.Module, torch.Tensor, Draw, int | None], torch.Tensor]
] = {
    "gradient_shap": _gradient_shap,
    "occlusion": _occlusion,
    "guided_backprop": _guided_backprop,
    "grad_cam": _grad_cam,
    "lrp": _lrp,
}
