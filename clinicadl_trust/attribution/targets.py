"""Which number of a network's output is explained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

import torch

from clinicadl_trust.exceptions import AttributionError

__all__ = ["Target", "disease_logit", "select"]

#: An output's index, one index an image, all of them, or a function of the outputs.
Target: TypeAlias = (
    int | Literal["all"] | torch.Tensor | Callable[[torch.Tensor], torch.Tensor] | None
)


def select(outputs: torch.Tensor, target: Target = None) -> torch.Tensor:
    """Return what is explained of each image.

    Parameters
    ----------
    outputs : torch.Tensor of shape (N,), (N, K) or (N, K, ...)
        The network's. Spatial outputs are averaged over voxels first.
    target : int, "all", torch.Tensor of shape (N,), callable or None
        The output's index, for all images or for each; every output; or a function
        from outputs to a tensor of shape (N,). None stands for the only output.

    Returns
    -------
    torch.Tensor of shape (N, K')
        One column, or K with ``"all"``, in single precision at least.

    Raises
    ------
    AttributionError
        If there are several outputs and no target, an index is out of range, or the
        function returns another shape.
    """
    if outputs.element_size() < 4:
        outputs = outputs.float()
    if callable(target) and not isinstance(target, torch.Tensor):
        return _called(outputs, target)
    columns = outputs.reshape(len(outputs), -1) if outputs.ndim < 3 else None
    if columns is None:
        columns = outputs.flatten(2).mean(dim=2)
    n_outputs = columns.shape[1]
    if target is None:
        if n_outputs != 1:
            raise AttributionError(
                f"The network has {n_outputs} outputs and no target was given. Give "
                f"target=0 to {n_outputs - 1}, target='all', one index an image, or "
                "a function of the outputs."
            )
        return columns
    if isinstance(target, str):
        if target != "all":
            raise AttributionError(f"target='{target}' is unknown. Did you mean 'all'?")
        return columns
    index = torch.as_tensor(target, device=columns.device).reshape(-1)
    _check_index(index, len(columns), n_outputs)
    return columns.gather(1, index.long().expand(len(columns))[:, None])


def disease_logit(outputs: torch.Tensor, healthy: int = 0) -> torch.Tensor:
    """Return the logit of any class but the healthy one.

    Parameters
    ----------
    outputs : torch.Tensor of shape (N, K) or (N, K, ...)
        Logits. A single one is that of disease itself; among several it is
        logsumexp(others) - healthy, which for two classes is their difference.
    healthy : int
        The healthy class.

    Returns
    -------
    torch.Tensor of shape (N,)
        Positive where the network leans to disease.
    """
    columns = select(outputs, "all")
    if columns.shape[1] == 1:
        return columns[:, 0]
    others = [k for k in range(columns.shape[1]) if k != healthy]
    return torch.logsumexp(columns[:, others], dim=1) - columns[:, healthy]


def _called(
    outputs: torch.Tensor, target: Callable[[torch.Tensor], torch.Tensor]
) -> torch.Tensor:
    scores = target(outputs)
    if scores.shape != outputs.shape[:1]:
        raise AttributionError(
            f"The target function gave a tensor of shape {tuple(scores.shape)} for "
            f"{len(outputs)} images. It must give one number an image."
        )
    return scores[:, None]


def _check_index(index: torch.Tensor, n_images: int, n_outputs: int) -> None:
    if len(index) not in (1, n_images):
        raise AttributionError(
            f"target has {len(index)} indices for {n_images} images. Give one, or one "
            "an image."
        )
    if index.is_floating_point() or index.min() < 0 or index.max() >= n_outputs:
        raise AttributionError(
            f"target={index.tolist()} does not name one of the network's {n_outputs} "
            f"outputs, 0 to {n_outputs - 1}."
        )
