"""Whether a network whose inferer gives it images in parts can be explained."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from clinicadl_trust.exceptions import AttributionError
from clinicadl_trust.host.inference import Inferred

__all__ = ["check_inferer"]

#: They look into layers, which images pass through once for each part.
_OF_LAYERS = ("guided_backprop", "grad_cam", "lrp")
#: They need outputs only.
_OF_OUTPUTS = ("occlusion",)


def check_inferer(
    network: Inferred, shape: tuple[int, ...], methods: Sequence[str]
) -> None:
    """Check that methods can explain a network through its inferer.

    Parameters
    ----------
    network : Inferred
        In evaluation.
    shape : tuple of int
        Channels and voxels of an image.
    methods : sequence of str
        As ``attributions`` knows them.

    Raises
    ------
    AttributionError
        If a method looks into layers, the inferer cannot assemble what the network
        says of the parts, or the outputs have no gradient in the image.
    """
    name = type(network.inferer).__name__
    for method in methods:
        if method in _OF_LAYERS:
            raise AttributionError(
                f"'{method}' follows one pass through the layers, and by '{name}' an "
                "image may pass through the network in parts, or more than once. Use "
                "gradient, gradient_x_input, integrated_gradients, expected_gradients, "
                "gradient_shap or occlusion."
            )
    device = next(network.parameters()).device
    image = torch.zeros(1, *shape, device=device, requires_grad=True)
    try:
        outputs = network(image)
    except (RuntimeError, ValueError, IndexError, AssertionError, TypeError) as error:
        raise AttributionError(
            f"'{name}' cannot assemble what the network says of the parts of an image "
            f"of shape {shape}: {error} ClinicaDL's inferers assemble one value a "
            "voxel, as of a segmentation; a network that says one thing of a whole "
            "image needs SimpleInferer."
        ) from error
    if {*methods} <= {*_OF_OUTPUTS}:
        return
    found = None
    if outputs.requires_grad:
        (found,) = torch.autograd.grad(outputs.sum(), image, allow_unused=True)
    if found is None:
        raise AttributionError(
            f"What '{name}' gives has no gradient in the image: it detaches outputs, "
            "or computes without gradients. Only occlusion can explain it."
        )
