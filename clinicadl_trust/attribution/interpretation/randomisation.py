"""Networks of the same form that have learned nothing: the sanity check of maps."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from itertools import chain
from typing import cast

import numpy as np
import torch
from torch import nn

from clinicadl_trust.attribution.networks import each_call

__all__ = ["cascade", "random_network"]

#: Steps of a cascade: deeper networks lose several layers at a time.
_MOST_STEPS = 10


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
    _renew(list(made.modules()), seed)
    return made


def cascade(
    network: nn.Module, images: torch.Tensor, seed: int
) -> Iterator[tuple[str, nn.Module]]:
    """Give layers random weights one after the other, from the output down.

    Parameters
    ----------
    network : torch.nn.Module
        Trained; it is left as it is.
    images : torch.Tensor of shape (N, C, ...)
        Of which the first tells in what order layers are passed.
    seed : int
        Of the weights.

    Yields
    ------
    layer : str
        The last that was changed; those between it and the output were before.
    network : torch.nn.Module
        Changed further by the next step, until no trained weight is left. Of more than
        ten layers with weights, several are changed in a step, so that there are ten
        steps.

    Notes
    -----
    Modules whose weights are used without being called (``out_proj`` of
    ``torch.nn.MultiheadAttention``), or that are not used at all, change with the
    called module that holds them; if it has no weights of its own, with the next layer
    down.

    References
    ----------
    Adebayo et al. (2018), section 3.1 (cascading randomization).
    """
    made = copy.deepcopy(network)
    modules, layers = dict(made.named_modules()), _from_output_down(made, images)
    seeds = np.random.SeedSequence(seed).generate_state(_MOST_STEPS)
    parts = np.array_split([*layers], min(len(layers), _MOST_STEPS))
    for part, drawn in zip(parts, seeds.tolist(), strict=False):
        _renew([modules[held] for name in part for held in layers[name]], drawn)
        yield str(part[-1]) or type(network).__name__, made


def _from_output_down(network: nn.Module, images: torch.Tensor) -> dict[str, list[str]]:
    """Name the layers, the last that is passed first, and what changes with each."""
    held: dict[str, list[str]] = {name: [] for name in _called(network, images)}
    for name, module in network.named_modules():
        if any(True for _ in module.parameters(recurse=False)):
            holder = name
            while holder not in held:  # the network itself is
                holder = holder.rpartition(".")[0]
            held[holder].append(name)
    layers: dict[str, list[str]] = {}
    left: list[str] = []
    for name, names in held.items():
        left += names
        if name in names:
            layers[name], left = left, []
    if left:
        layers.setdefault(next(reversed(layers), ""), []).extend(left)
    return layers


def _called(network: nn.Module, images: torch.Tensor) -> list[str]:
    """Name the modules that an image passes, the last first: the network itself."""
    names = {module: name for name, module in network.named_modules()}
    passed: list[str] = []
    each_call(network, images, lambda module, _: passed.append(names[module]))
    return list(dict.fromkeys(reversed(passed)))


def _renew(modules: list[nn.Module], seed: int) -> None:
    """Give modules new weights, the same on any device."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        for module in modules:
            reset = getattr(module, "reset_parameters", None)
            if callable(reset):
                held = chain(module.parameters(), module.buffers())
                device = next(held, torch.empty(0)).device
                module.cpu()
                cast(Callable[[], None], reset)()
                module.to(device)
                continue
            for parameter in module.parameters(recurse=False):
                flat = parameter.flatten()
                order = torch.randperm(len(flat)).to(flat.device)
                parameter.copy_(flat[order].view_as(parameter))
