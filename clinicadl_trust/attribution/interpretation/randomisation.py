"""A network of the same form that has learned nothing: the sanity check of maps."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import cast

import torch
from torch import nn

__all__ = ["random_network"]


def random_network(network: nn.Module, seed: int) -> nn.Module:
    """Return a copy of a network with new random weights.

    A map that explains what was learned looks otherwise for such a network.

    Parameters
    ----------
    network : torch.nn.Module
        Trained; it is left as it is.
    seed : int
        Of the weights.

    Returns
    -------
    torch.nn.Module
        Every module that knows how is initialised anew. The values of parameters of
        the others are shuffled, which keeps their distribution.

    References
    ----------
    Adebayo, Gilmer, Muelly, Goodfellow, Hardt, Kim (2018), Sanity checks for saliency
    maps, NeurIPS, section 3 (all layers at once).
    """
    made = copy.deepcopy(network)
    device = next((p.device for p in made.parameters()), torch.device("cpu"))
    made.cpu()
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        for module in made.modules():
            reset = getattr(module, "reset_parameters", None)
            if callable(reset):
                cast(Callable[[], None], reset)()
                continue
            for parameter in module.parameters(recurse=False):
                flat = parameter.flatten()
                parameter.copy_(flat[torch.randperm(len(flat))].view_as(parameter))
    return made.to(device)
