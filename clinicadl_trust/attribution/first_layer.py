"""The gradient in the image, quickly, where the network begins with a convolution.

A convolution that reads one channel writes its input's gradient in one channel, which
the CPU's kernels for it do badly: it takes longer than the rest of a small network. The
same gradient is a convolution of the output's gradient with the mirrored kernel, which
is several times quicker with the channels last.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeGuard

import torch
from torch import nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

__all__ = ["quick_image_gradient"]

_LAST = torch.channels_last_3d


@contextmanager
def quick_image_gradient(network: nn.Module) -> Iterator[None]:
    """Let convolutions that read one channel of a volume use the quicker gradient.

    Graphs that are made within keep it. They can be differentiated once.

    Parameters
    ----------
    network : torch.nn.Module
        Left as it was at the end; one without such a convolution, or not on the CPU,
        is left alone.
    """
    found = [module for module in network.modules() if _slow(module)]
    for module in found:
        module.forward = partial(_forward, module)  # type: ignore[method-assign]
    try:
        yield
    finally:
        for module in found:
            del module.forward


def _slow(module: nn.Module) -> TypeGuard[nn.Conv3d]:
    return (
        type(module) is nn.Conv3d
        and module.in_channels == 1
        and module.weight.device.type == "cpu"
        and module.weight.dtype == torch.float32
        and (*module.stride, *module.dilation) == (1,) * 6
        and module.padding_mode == "zeros"
        and not isinstance(module.padding, str)
        and all(p < k for p, k in zip(module.padding, module.kernel_size, strict=True))
        and "forward" not in vars(module)
    )


def _forward(module: nn.Conv3d, images: torch.Tensor) -> torch.Tensor:
    if images.dtype != torch.float32 or torch.is_autocast_enabled("cpu"):
        return nn.Conv3d.forward(module, images)
    made = nn.Conv3d.forward(module, images.detach())
    weight, padding = module.weight.detach(), module.padding
    found: torch.Tensor = _Join.apply(
        made, _InImage.apply(images, weight, padding, made.shape)
    )
    return found


class _InImage(torch.autograd.Function):
    """Nothing, whose gradient in the image is that of a convolution of stride 1.

    A node of its own: it is not computed where only the weights' gradient is wanted.
    """

    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any,
        images: torch.Tensor,
        weight: torch.Tensor,
        padding: tuple[int, ...],
        shape: torch.Size,
    ) -> torch.Tensor:
        # Not saved as a tensor: a pass that is made again (checkpointing) has none.
        ctx.weight, ctx.padding = weight, padding
        return images.new_zeros(()).expand(shape)

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, gradient: torch.Tensor) -> Any:  # type: ignore[override]
        weight = ctx.weight
        sides = zip(weight.shape[2:], ctx.padding, strict=True)
        found = F.conv3d(
            gradient.contiguous(memory_format=_LAST),
            weight.flip(2, 3, 4).transpose(0, 1).contiguous(memory_format=_LAST),
            padding=[kernel - 1 - side for kernel, side in sides],
        )
        return found, None, None, None


class _Join(torch.autograd.Function):
    """The first of two values, with the gradient of their sum."""

    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any, value: torch.Tensor, nothing: torch.Tensor
    ) -> torch.Tensor:
        ctx.mark_dirty(value)  # not a view, which no activation may change in place
        return value

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> Any:  # type: ignore[override]
        return gradient, gradient
