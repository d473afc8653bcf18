"""A network for who names none: small, three-dimensional, fit to the image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["DEFAULT_UNET", "default_network", "fit_sides"]

#: Voxels along the shortest side at which pooling ends.
_SMALLEST = 6
_FIRST_CHANNELS = 8
_LAST_CHANNELS = 64


#: For masks: a quarter of the resolution at its bottom.
DEFAULT_UNET: dict[str, Any] = {"name": "UNet", "channels": [8, 16, 32]}
#: ClinicaDL's networks that halve the image once a level.
_HALVING = ("UNet", "AttentionUNet")
#: Their levels where a table does not say.
_LEVELS = 5


def fit_sides(network: Mapping[str, Any]) -> dict[str, Any]:
    """Return the transform that pads images and masks to what a network can halve.

    Parameters
    ----------
    network : mapping
        The table of a network; for another than the host's U-Nets sides are not
        changed.

    Returns
    -------
    dict
        ``name`` and options of TorchIO's ``EnsureShapeMultiple``.
    """
    levels = len(network.get("channels", range(_LEVELS)))
    multiple = 2 ** (levels - 1) if network.get("name") in _HALVING else 1
    return {
        "name": "EnsureShapeMultiple",
        "target_multiple": multiple,
        "method": "pad",
    }


def default_network(shape: tuple[int, ...]) -> dict[str, Any]:
    """Return the table of a convolutional network for images of a shape.

    Images larger than a few voxels a side are averaged first, which takes out noise
    and most of the cost. Then each convolution is followed by a maximum over pairs of
    voxels and doubles the channels, and one linear layer reads what is left, so that
    where something is still counts. Instance normalisation, unlike batch
    normalisation, does not depend on who else is in a batch.

    Parameters
    ----------
    shape : tuple of int
        Channels, then voxels along (x, y, z).

    Returns
    -------
    dict
        ``name`` and options of ClinicaDL's ``CNN``.
    """
    side = min(shape[1:])
    averaged = 4 if side >= 96 else 2 if side >= 32 else 1
    side //= averaged
    layers = 1
    while side // 2**layers >= _SMALLEST and layers < 5:
        layers += 1
    pooled = list(range(layers)) if side >= 2**layers else []
    pooling: list[Any] = [["max", {"kernel_size": 2}] for _ in pooled]
    if averaged > 1:
        pooling.insert(0, ["avg", {"kernel_size": averaged}])
        pooled.insert(0, -1)
    return {
        "name": "CNN",
        "conv_args": {
            "channels": [
                min(_LAST_CHANNELS, _FIRST_CHANNELS * 2**layer)
                for layer in range(layers)
            ],
            "kernel_size": 3,
            "padding": 1,
            "norm": "instance",
            "act": "relu",
            "pooling": pooling or None,
            "pooling_indices": pooled,
        },
        "mlp_args": {"hidden_dims": []},
    }
