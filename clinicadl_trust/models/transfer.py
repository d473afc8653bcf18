"""Start from another run's weights, and know whom that run has seen."""

from __future__ import annotations

import logging
from pathlib import Path

import torch
from torch import nn

from clinicadl_trust.exceptions import ConfigError, LeakageError, RunError
from clinicadl_trust.host.maps import weights_of
from clinicadl_trust.models.spec import RunSpec
from clinicadl_trust.records import Lineage

__all__ = ["check_ancestors", "load_weights", "read_weights"]

logger = logging.getLogger(__name__)


def check_ancestors(spec: RunSpec, lineage: Lineage) -> None:
    """Refuse an ancestor that has seen who is tested.

    Parameters
    ----------
    spec : RunSpec
        The run.
    lineage : Lineage
        Its own.

    Raises
    ------
    LeakageError
        If a test participant is in an ancestor's training or validation data: the
        biased transfer learning of Wen et al. (2020), doi:10.1016/j.media.2020.101694.
    """
    tested = set(spec.fold.test["participant_id"])
    for ancestor in lineage.ancestors:
        if both := sorted(tested & ancestor.seen):
            raise LeakageError(
                f"'{ancestor.name}', from which '{spec.model}' starts, has seen "
                f"{len(both)} participants of the test fold ({', '.join(both[:3])}"
                f"{', ...' if len(both) > 3 else ''}): biased transfer. Pretrain "
                "without them, or set allow_seen = true to measure the damage."
            )


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """Read weights that a training has written.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Raises
    ------
    RunError
        If it is damaged.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch, pickle and zipfile each raise their own
        reason = str(error).partition("\n")[0].rstrip(". ")
        raise RunError(
            f"The weights in '{path}' cannot be read: {reason}. Copy the MAPS again, "
            "or train again."
        ) from error


def load_weights(network: nn.Module, maps: Path) -> None:
    """Load the weights of a MAPS where names and shapes agree.

    Parameters
    ----------
    network : torch.nn.Module
        The model to fill.
    maps : pathlib.Path
        The other run.

    Raises
    ------
    ConfigError
        If it has no weights, or none agrees.
    """
    try:
        theirs = read_weights(weights_of(maps))
    except (FileNotFoundError, RunError) as error:
        raise ConfigError(f"init_from: {error}") from error
    ours = network.state_dict()
    fit = {
        name: value
        for name, value in theirs.items()
        if name in ours and ours[name].shape == value.shape
    }
    if not fit:
        example = next(iter(ours))
        raise ConfigError(
            f"init_from: none of the {len(theirs)} weights of '{maps}' fits this "
            f"model: it wants for example '{example}' of shape "
            f"{tuple(ours[example].shape)}. Use the same network."
        )
    network.load_state_dict(fit, strict=False)
    new = sorted(set(ours) - set(fit))
    logger.info(
        "%d of %d weights from '%s'; drawn anew: %s.",
        len(fit),
        len(ours),
        maps,
        ", ".join(new) or "none",
    )
