"""A network for who names none: small, three-dimensional, fit to the image."""

from __future__ import annotations

from typing import Any

__all__ = ["default_network"]

#: Voxels along the shortest side at which pooling ends.
_SMALLEST = 6
_FIRST_CHANNELS = 8
_LAST_CHANNELS = 64


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
