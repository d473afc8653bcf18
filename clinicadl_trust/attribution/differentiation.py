"""How a network's penalties can be differentiated, checked before it is trained."""

from __future__ import annotations

import logging

import torch
from torch import nn

from clinicadl_trust.attribution.model_config import SecondOrder
from clinicadl_trust.attribution.networks import check_twice_differentiable, kinks
from clinicadl_trust.exceptions import AttributionError

__all__ = ["check_differentiation", "takes_difference"]

logger = logging.getLogger(__name__)


def takes_difference(network: nn.Module, second_order: SecondOrder) -> bool:
    """Return whether penalties are differentiated by a difference.

    Parameters
    ----------
    network : torch.nn.Module
        What is trained.
    second_order : {"auto", "exact", "difference"}
        Auto takes the difference where no kink is found.
    """
    if second_order != "auto":
        return second_order == "difference"
    return not kinks(network)


def check_differentiation(
    network: nn.Module, images: torch.Tensor, second_order: SecondOrder
) -> None:
    """Check a network on an image, and say what makes it slow.

    Parameters
    ----------
    network : torch.nn.Module
        What is trained.
    images : torch.Tensor of shape (N, C, ...)
        A batch's.
    second_order : {"auto", "exact", "difference"}
        What was asked for.

    Raises
    ------
    AttributionError
        If it cannot be differentiated twice, or not by a difference.
    """
    with torch.random.fork_rng(devices=[]):
        check_twice_differentiable(network, images[:1])
    found = ", ".join(kinks(network))
    if found and second_order == "difference":
        raise AttributionError(
            f"second_order = 'difference' needs a smooth network; this one has "
            f"{found}. Use 'auto', or smooth = true."
        )
    if found:
        logger.warning(
            "the network has %s: constraints are differentiated exactly, which is "
            "slower; smooth = true converts what it can",
            found,
        )
