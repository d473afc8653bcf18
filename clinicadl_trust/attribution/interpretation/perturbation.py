"""Deletion and insertion curves: whether voxels of most attribution matter most."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from clinicadl_trust.exceptions import AttributionError

__all__ = ["Curve", "deletion", "insertion"]

#: From images (N, C, ...) to a score of each, (N,).
Score = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Curve:
    """A score as ever more voxels are changed.

    Attributes
    ----------
    fraction : numpy.ndarray of shape (n_steps + 1,)
        Of the voxels, those that are changed: from 0 to 1.
    score : numpy.ndarray of shape (n_steps + 1,)
        What the network says then.
    """

    fraction: npt.NDArray[np.float64]
    score: npt.NDArray[np.float64]

    @property
    def area(self) -> float:
        """The area under it, by the trapezoidal rule."""
        return float(np.trapezoid(self.score, self.fraction))


def deletion(
    score: Score,
    image: torch.Tensor,
    baseline: torch.Tensor,
    ranking: npt.NDArray[np.floating],
    *,
    n_steps: int = 20,
    batch_size: int = 8,
) -> Curve:
    """Replace voxels of an image by its baseline's, those that rank highest first.

    Parameters
    ----------
    score : callable
        From images of shape (N, C, ...) to what the network says of each, (N,).
    image, baseline : torch.Tensor of shape (C, ...)
        From, and to.
    ranking : numpy.ndarray of shape (...)
        The largest first; equal ones as they lie in memory.
    n_steps : int
        Steps of equally many voxels.
    batch_size : int
        Images in a pass.

    Raises
    ------
    AttributionError
        If there is no step.

    References
    ----------
    Petsiuk, Das, Saenko (2018), RISE, BMVC, section 4.3.
    """
    return _curve(score, (image, baseline), ranking, n_steps, batch_size)


def insertion(
    score: Score,
    image: torch.Tensor,
    baseline: torch.Tensor,
    ranking: npt.NDArray[np.floating],
    *,
    n_steps: int = 20,
    batch_size: int = 8,
) -> Curve:
    """Put voxels of an image into its baseline, those that rank highest first.

    Parameters
    ----------
    score, image, baseline, ranking, n_steps, batch_size
        As of ``deletion``.
    """
    return _curve(score, (baseline, image), ranking, n_steps, batch_size)


def _curve(
    score: Score,
    ends: tuple[torch.Tensor, torch.Tensor],
    ranking: npt.NDArray[np.floating],
    n_steps: int,
    batch_size: int,
) -> Curve:
    if n_steps < 1:
        raise AttributionError(f"A curve of {n_steps} steps is none: give 1 or more.")
    start, end = ends
    order = np.argsort(-ranking, axis=None, kind="stable")
    rank = np.empty(order.size, dtype=np.int64)
    rank[order] = np.arange(order.size)
    places = torch.from_numpy(rank.reshape(ranking.shape)).to(start.device)
    counts = np.round(np.linspace(0, order.size, n_steps + 1)).astype(int)
    found = []
    with torch.no_grad():
        for first in range(0, len(counts), batch_size):
            part = torch.from_numpy(counts[first : first + batch_size]).to(start.device)
            sides = (len(part), 1, *[1] * places.ndim)
            changed = torch.where(places < part.reshape(sides), end, start)
            found.append(score(changed).double().cpu().numpy())
    return Curve(counts / order.size, np.concatenate(found))
