"""The maps of the images of one batch."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

from clinicadl_trust.attribution.interpretation.completeness import completeness_error
from clinicadl_trust.attribution.interpretation.question import Asked
from clinicadl_trust.attribution.interpretation.similarity import likeness

__all__ = ["BatchMaps"]


@dataclass(frozen=True)
class BatchMaps:
    """The maps of a batch, and what they are measured with.

    Attributes
    ----------
    images : torch.Tensor of shape (N, C, x, y, z)
        What was explained.
    outputs : torch.Tensor of shape (N, K, ...)
        What the network said.
    asked : Asked
        What was explained of it.
    seed : int
        Of the batch's draws.
    found : numpy.ndarray of shape (N, x, y, z)
        The maps.
    randoms : numpy.ndarray of shape (N, x, y, z) or None
        Those of a network with random weights.
    expected : list of tuple of float, or None
        f(x) and f(x') of each image, where attributions should add up.
    """

    images: torch.Tensor
    outputs: torch.Tensor
    asked: Asked
    seed: int
    found: np.ndarray
    randoms: np.ndarray | None
    expected: list[tuple[float, float]] | None

    def completeness_error(self, row: int) -> float:
        """Measure one image's; nan where attributions need not add up.

        Parameters
        ----------
        row : int
            The image's number in the batch.
        """
        if self.expected is None:
            return math.nan
        total = float(self.found[row].sum(dtype=float))
        return completeness_error(total, *self.expected[row])

    def similarity(self, row: int) -> dict[str, float]:
        """Compare one image's map with the random network's, signs ignored.

        Parameters
        ----------
        row : int
            The image's number in the batch.
        """
        if self.randoms is None:
            return {}
        alike = likeness(self.found[row], self.randoms[row])
        return {f"randomisation_{name}": value for name, value in alike.items()}
