"""The table of a network, filled in for the images and the task."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from clinicadl_trust.exceptions import ConfigError
from clinicadl_trust.models.configuration import build

__all__ = ["TYPICAL", "build_network", "check_network"]

#: Images are not read when a table is checked; most networks take this shape.
TYPICAL = (1, 96, 96, 96)
#: A patch of any size up to 32 voxels divides this one.
_DIVISIBLE = (1, *[math.lcm(*range(1, 33))] * 3)


def build_network(
    table: Mapping[str, Any],
    shape: tuple[int, ...],
    n_outputs: int,
    *,
    spatial: bool,
    where: str,
) -> Any:
    """Return a network's configuration.

    Parameters
    ----------
    table : mapping
        Its name and options.
    shape : tuple of int
        Channels and voxels of the images.
    n_outputs : int
        Numbers that it gives for an image, or for a voxel of it.
    spatial : bool
        Whether for each voxel.
    where : str
        The table's key, for messages.

    Raises
    ------
    ConfigError
        If an option is wrong, or asks for another number of outputs.
    """
    key = "out_channels" if spatial else "num_outputs"
    asked = table.get(key, n_outputs)
    if asked != n_outputs:
        raise ConfigError(
            f"{where}.{key} = {asked}, but this task and loss need {n_outputs}. Leave "
            "it out: it is filled in."
        )
    filled = {
        "in_shape": shape,
        key: n_outputs,
        "spatial_dims": len(shape) - 1,
        "in_channels": shape[0],
    }
    return build("networks", table, where, filled)


def check_network(network: Callable[[tuple[int, ...]], Any]) -> None:
    """Check a network's table before images are read.

    Parameters
    ----------
    network : callable
        From a shape to the network's configuration.

    Raises
    ------
    ConfigError
        If it is refused for shapes that most networks take.
    """
    try:
        network(TYPICAL)
    except ConfigError as error:
        try:  # what is refused may be that shape alone
            network(_DIVISIBLE)
        except ConfigError:
            raise error from None
