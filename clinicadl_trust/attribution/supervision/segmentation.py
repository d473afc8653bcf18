"""Lesions: the summed logit of a region, drawn at each step, is explained."""

from __future__ import annotations

import torch
from clinicadl.data.dataloader import Batch
from clinicadl.losses.types import Loss
from torch.nn import functional

from clinicadl_trust.attribution.supervision.base import Question, Supervision
from clinicadl_trust.exceptions import AttributionError
from clinicadl_trust.models.masked_loss import MaskLoss, masks_known

__all__ = ["Segmentation"]


class Segmentation(Supervision):
    """A mask an image, perhaps hidden.

    What is explained of an image is the summed logit of one region of it, drawn anew
    at each step and held fixed within the step: so a constraint on its gradient costs
    one double backward pass, however many voxels there are. Where a lesion is known the
    region is half of the time a connected component of the mask; else it is a cube
    around any voxel that is brighter than the image's mean, which in a head is tissue.
    Of a mask that is hidden nothing need be known for that.

    The network may look at the region and ``margin`` voxels around it: ``RightReasons``
    penalises what it sees elsewhere. Images whose mask is known and empty are the
    healthy ones of ``HealthyGradient``.

    Parameters
    ----------
    loss : callable
        Given logits and masks of shape (n, 1, ...).
    label_key : str
        The mask's name in a sample.
    region : int
        Side, in voxels, of a cube.
    margin : int
        Voxels around a region that the network may look at too.
    """

    def __init__(
        self, loss: Loss, label_key: str = "label", region: int = 3, margin: int = 4
    ) -> None:
        for name, value in (("region", region), ("margin", margin)):
            if not isinstance(value, int) or value < (name == "region"):
                raise AttributionError(
                    f"explain.{name} = {value!r} is no number of voxels. Give a whole "
                    "one, 3 for example."
                )
        self.loss = MaskLoss(loss)
        self.label_key = label_key
        self.region = region
        self.margin = margin

    def labels(self, batch: Batch) -> torch.Tensor:
        """Return masks, (N, 1, ...), NaN where hidden."""
        return masks_known(batch, self.label_key)

    def question(self, labels: torch.Tensor, images: torch.Tensor) -> Question:
        """Ask for the summed logit of a region of each image.

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
        known = ~torch.isnan(labels).flatten(1).any(dim=1)
        masks = labels > 0
        pairs = zip(masks.cpu(), images[:, 0].detach().cpu(), strict=True)
        regions = [self._region(mask[0], image) for mask, image in pairs]
        region = torch.stack(regions)[:, None].to(images.device)

        def score(outputs: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
            if outputs.shape[2:] != region.shape[2:]:
                raise AttributionError(
                    f"The network's outputs have the shape {tuple(outputs.shape)}, and "
                    f"masks {tuple(region.shape)}: a segmentation needs one logit a "
                    "voxel."
                )
            return (outputs * region[rows]).flatten(1).sum(dim=1)

        healthy = known & ~masks.flatten(1).any(dim=1)
        return Question(score, healthy.to(images.device), _around(region, self.margin))

    def _region(self, mask: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
        """Draw the region of one image, of its shape."""
        if mask.any() and float(torch.rand(())) < 0.5:
            return _component(mask, _any_of(mask))
        tissue = image > image.mean()
        centre = _any_of(tissue if tissue.any() else torch.ones_like(mask))
        return _around(centre[None, None], self.region // 2)[0, 0]


def _any_of(voxels: torch.Tensor) -> torch.Tensor:
    """Return one voxel, drawn among some."""
    chosen = torch.nonzero(voxels)
    spot = torch.zeros_like(voxels, dtype=torch.bool)
    spot[tuple(chosen[int(torch.randint(len(chosen), ()))])] = True
    return spot


def _component(mask: torch.Tensor, spot: torch.Tensor) -> torch.Tensor:
    """Return the part of a mask that hangs together with a voxel of it."""
    from scipy.ndimage import label

    numbers, _ = label(mask.numpy())
    return torch.from_numpy(numbers == numbers[spot.numpy()][0])


def _around(region: torch.Tensor, voxels: int) -> torch.Tensor:
    """Return a region, (N, 1, ...), with the voxels around it, along every axis."""
    if not voxels:
        return region
    pool = {
        3: functional.max_pool1d,
        4: functional.max_pool2d,
        5: functional.max_pool3d,
    }
    widened = pool[region.ndim](region.float(), 2 * voxels + 1, 1, voxels)
    return widened > 0
