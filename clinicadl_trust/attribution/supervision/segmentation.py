"""Lesions: the summed logit of a region, drawn at each step, is explained."""

from __future__ import annotations

from typing import cast

import torch
from clinicadl.data.dataloader import Batch
from clinicadl.losses.types import Loss
from torch.nn import functional

from clinicadl_trust.attribution.supervision.base import Question, Supervision
from clinicadl_trust.exceptions import AttributionError

__all__ = ["Segmentation"]


class Segmentation(Supervision):
    """A mask an image.

    Parameters
    ----------
    loss : callable
        Given logits and masks of shape (N, 1, ...).
    label_key : str
        The mask's name in a sample.
    region : int
        Side, in voxels, of the cube that is explained. In each image and step it is
        centred on a voxel of the mask, or on any voxel where the mask is empty.
    margin : int
        Voxels around the cube that the network may look at too.
    """

    def __init__(
        self, loss: Loss, label_key: str = "label", region: int = 3, margin: int = 4
    ) -> None:
        self.loss = loss
        self.label_key = label_key
        self.region = region
        self.margin = margin

    def labels(self, batch: Batch) -> torch.Tensor:
        """Return masks, (N, 1, ...)."""
        found = batch.get_field(self.label_key, dtype=torch.float32)
        return cast(torch.Tensor, found)

    def question(self, labels: torch.Tensor, images: torch.Tensor) -> Question:
        """Ask for the summed logit of a cube of each image.

        Parameters
        ----------
        labels : torch.Tensor of shape (N, 1, ...)
            Masks.
        images : torch.Tensor of shape (N, C, ...)
            The batch's.

        Raises
        ------
        AttributionError
            When the score is computed, if outputs are no logit a voxel.
        """
        masks = labels.to(images.device) > 0
        region = _around(_centres(masks), self.region // 2)
        reach = self.region // 2 + self.margin

        def score(outputs: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
            if outputs.shape[2:] != region.shape[2:]:
                raise AttributionError(
                    f"The network's outputs have the shape {tuple(outputs.shape)}, and "
                    f"masks {tuple(region.shape)}: a segmentation needs one logit a "
                    "voxel."
                )
            return (outputs * region[rows]).flatten(1).sum(dim=1)

        healthy = ~masks.flatten(1).any(dim=1)
        return Question(score, healthy, _around(region, reach - self.region // 2))


def _centres(masks: torch.Tensor) -> torch.Tensor:
    """Return one voxel of each mask, or any voxel of an empty one."""
    found = torch.zeros_like(masks)
    flat, spots = masks.flatten(1).cpu(), found.view(len(masks), -1)
    for row, mask in enumerate(flat):
        chosen = torch.nonzero(mask)[:, 0] if mask.any() else torch.arange(len(mask))
        spots[row, chosen[int(torch.randint(len(chosen), ()))]] = True
    return found


def _around(region: torch.Tensor, voxels: int) -> torch.Tensor:
    """Return a region with the voxels around it, along every axis."""
    if not voxels:
        return region
    pool = {
        3: functional.max_pool1d,
        4: functional.max_pool2d,
        5: functional.max_pool3d,
    }
    widened = pool[region.ndim](region.float(), 2 * voxels + 1, 1, voxels)
    return widened > 0
