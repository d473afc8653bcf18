"""A network for who names none: small, three-dimensional, fit to the image."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["default_network"]

#: Voxels along the shortest side where the last layer works.
_SMALLEST = 5
_FIRST_CHANNELS = 8
_LAST_CHANNELS = 64


def default_network(shape: tuple[int, ...]) -> dict[str, Any]:
    """Return the table of a convolutional network for images of a shape.

    Each layer halves the image by its stride and doubles the channels, until the
    shortest side has some five voxels; a hidden layer with dropout follows. Instance
    normalisation, unlike batch normalisation, does not depend on who else is in a
    batch, and takes out what an acquisition multiplies or adds.

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
    layers = max(1, min(6, math.floor(math.log2(max(side, 2) / _SMALLEST) + 1)))
    channels = [
        min(_LAST_CHANNELS, _FIRST_CHANNELS * 2**layer) for layer in range(layers)
    ]
    return {
        "name": "CNN",
        "conv_args": {
            "channels": channels,
            "kernel_size": 3,
            "stride": 2,
            "padding": 1,
            "norm": "instance",
            "act": "relu",
        },
        "mlp_args": {
            "hidden_dims": [32],
            "norm": None,
            "act": "relu",
            "dropout": 0.2,
            "adn_ordering": "ADN",
        },
    }
