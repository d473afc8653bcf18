"""Networks whose gradient can itself be differentiated, and how to get one."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from clinicadl_trust.exceptions import AttributionError

__all__ = [
    "by_image",
    "check_twice_differentiable",
    "each_call",
    "kinks",
    "mixes_images",
    "smooth_network",
]

#: Their gradient is constant by pieces, so its derivative is zero or undefined.
_KINKED = (
    nn.ReLU,
    nn.ReLU6,
    nn.LeakyReLU,
    nn.PReLU,
    nn.RReLU,
    nn.Hardtanh,
    nn.Hardswish,
    nn.Hardsigmoid,
    nn.Threshold,
)
_POOLED = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)
_AVERAGED = {
    nn.MaxPool1d: nn.AvgPool1d,
    nn.MaxPool2d: nn.AvgPool2d,
    nn.MaxPool3d: nn.AvgPool3d,
}
#: Channels of a group, at least.
_CHANNELS = 4


def smooth_network(network: nn.Module, dense: bool = False) -> nn.Module:
    """Return a copy of a network that can be differentiated twice, sample by sample.

    Rectifiers become GELU, maximum pooling becomes averaging, and batch normalisation
    (whose gradient mixes the images of a batch) becomes group normalisation. Weights
    of convolutions are kept; what was trained with the old modules must be trained
    again.

    Groups are of four channels or more: one channel alone, normalised within an image,
    would forget how much of something there is, which a classifier must know. A dense
    network must know where it is: there each channel is normalised alone, as batch
    normalisation does it. With groups a small U-Net had a Dice of .27 after 250 steps,
    and of .67 after 200 without.

    Parameters
    ----------
    network : torch.nn.Module
        For example one of ClinicaDL's. Modules are replaced, not what a ``forward``
        calls as a function: ``kinks`` cannot see that either.
    dense : bool, default=False
        Whether the network gives a value a voxel, as for a segmentation.

    Returns
    -------
    torch.nn.Module
        A copy; what the modules are called is unchanged. It raises an
        ``AttributionError`` where a channel that is normalised alone has one voxel.
    """
    made = copy.deepcopy(network)
    channels = 1 if dense else _CHANNELS
    for parent in list(made.modules()):
        for name, child in list(parent.named_children()):
            replaced = _smooth(child, channels)
            if replaced is not child:
                setattr(parent, name, replaced)
    return _smooth(made, channels)


def kinks(network: nn.Module) -> list[str]:
    """Name the modules of a network that keep its gradient from being smooth.

    Parameters
    ----------
    network : torch.nn.Module
        Any.

    Returns
    -------
    list of str
        Such as ``"ReLU"``, each once: rectifiers and maximum pooling, batch
        normalisation that is not frozen and dropout that is on.
    """
    found = []
    for module in network.modules():
        noisy = isinstance(module, _DropoutNd) and module.p > 0 and module.training
        if isinstance(module, (*_KINKED, *_POOLED)) or noisy or _mixing(module):
            found.append(type(module).__name__)
    return list(dict.fromkeys(found))


def mixes_images(network: nn.Module) -> bool:
    """Return whether outputs depend on the other images of a batch.

    Parameters
    ----------
    network : torch.nn.Module
        Any; batch normalisation in training does that.
    """
    return any(_mixing(module) for module in network.modules())


@contextmanager
def by_image(network: nn.Module) -> Iterator[None]:
    """Let batch normalisation use its running statistics, so that images do not mix.

    Parameters
    ----------
    network : torch.nn.Module
        Left as it was at the end.
    """
    mixing = [module for module in network.modules() if _mixing(module)]
    for module in mixing:
        module.eval()
    try:
        yield
    finally:
        for module in mixing:
            module.train()


def each_call(
    network: nn.Module,
    images: torch.Tensor,
    note: Callable[[nn.Module, torch.Tensor], None],
) -> None:
    """Pass an image through a network, and tell of every module that is called.

    Parameters
    ----------
    network : torch.nn.Module
        Any.
    images : torch.Tensor of shape (N, C, ...)
        Of which the first is passed.
    note : callable
        Given a module and its output, in the order in which they end.
    """
    hooks = [
        module.register_forward_hook(lambda called, _, output: note(called, output))
        for module in network.modules()
    ]
    try:
        with torch.no_grad():
            network(images[:1])
    finally:
        for hook in hooks:
            hook.remove()


def check_twice_differentiable(network: nn.Module, images: torch.Tensor) -> None:
    """Check that the gradient in the image depends on the weights, and how.

    Parameters
    ----------
    network : torch.nn.Module
        With the weights that it is to be trained with.
    images : torch.Tensor of shape (N, C, ...)
        A few, of the shape that it takes.

    Raises
    ------
    AttributionError
        If a part of the network has no second derivative, the outputs do not depend
        on the image, or a channel that is normalised alone has one voxel.
    """
    tried = copy.deepcopy(network)
    tried.zero_grad()
    points = images.detach().clone().requires_grad_()
    name = type(network).__name__
    with torch.enable_grad(), by_image(tried):
        outputs = cast(torch.Tensor, tried(points))
        gradient = _gradient(outputs.float().sum(), points)
        try:
            if gradient.requires_grad:
                gradient.square().sum().backward()
        except RuntimeError as error:
            raise AttributionError(
                f"'{name}' cannot be differentiated twice: {error}. Replace that part, "
                "or train with smooth_network(network)."
            ) from error
    found = [weight.grad for weight in tried.parameters()]
    if not any(grad is not None and bool(grad.any()) for grad in found):
        raise AttributionError(
            f"The gradient of '{name}' in the image does not change with its weights: "
            "a constraint on it would train nothing."
        )


class _GroupNorm(nn.GroupNorm):
    """Group normalisation that refuses groups of one value, which would become 0."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if self.num_groups == self.num_channels and input.shape[2:].numel() == 1:
            raise AttributionError(
                f"Each of {self.num_channels} channels is normalised alone within its "
                f"image, and has {tuple(input.shape[2:])} voxels there: it would be 0 "
                "whatever it is. Give the network fewer levels, give it larger images "
                "(crop them less), or keep batch normalisation: smooth = false."
            )
        return super().forward(input)


def _gradient(score: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    try:
        (gradient,) = torch.autograd.grad(score, points, create_graph=True)
    except RuntimeError as error:
        raise AttributionError(
            f"No gradient of the output in the image could be computed: {error}."
        ) from error
    return gradient


def _mixing(module: nn.Module) -> bool:
    return isinstance(module, _BatchNorm) and module.training


def _smooth(module: nn.Module, grouped: int) -> nn.Module:
    if isinstance(module, _KINKED):
        return nn.GELU()
    if isinstance(module, _POOLED):
        return _AVERAGED[type(module)](
            module.kernel_size,
            module.stride,
            module.padding,
            module.ceil_mode,
            count_include_pad=False,
        )
    if isinstance(module, _BatchNorm) and module.affine:
        channels = module.num_features
        groups = math.gcd(channels, max(1, channels // grouped))
        made = _GroupNorm(groups, channels, eps=module.eps)
        return made.to(module.weight.device)
    return module
