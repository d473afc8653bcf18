"""Losses of a segmentation: Dice with cross-entropy, and masks that are not known."""

from __future__ import annotations

from typing import Any, cast

import torch
from clinicadl.data.dataloader import Batch
from clinicadl.losses.config import LossConfig
from clinicadl.losses.config.enum import Reduction
from pydantic import NonNegativeFloat
from torch import nn

from clinicadl_trust.exceptions import RunError
from clinicadl_trust.models.data import ANNOTATED

__all__ = ["DiceCELossConfig", "MaskLoss", "masks_known"]


class DiceCELossConfig(LossConfig):
    """Configuration of ``monai.losses.DiceCELoss`` on the logit of each voxel.

    Attributes
    ----------
    lambda_dice, lambda_ce : float
        Weights of the two terms.
    batch : bool
        Whether Dice is that of all images of a batch together, which healthy images,
        whose own would be 0 or 1, do not upset.
    reduction : {"mean", "sum"}
        Over images.
    """

    lambda_dice: NonNegativeFloat = 1.0
    lambda_ce: NonNegativeFloat = 1.0
    batch: bool = True
    reduction: Reduction = Reduction.MEAN

    def get_object(self) -> nn.Module:
        """Return MONAI's loss."""
        return self._get_class()(sigmoid=True, **self.to_raw_dict())

    @classmethod
    def _get_class(cls) -> type[nn.Module]:
        from monai.losses import DiceCELoss

        return DiceCELoss


class MaskLoss(nn.Module):
    """A loss of masks, where those that are not known do not count.

    Parameters
    ----------
    loss : callable
        Given logits and masks of shape (n, 1, ...).
    """

    def __init__(self, loss: Any) -> None:
        super().__init__()
        self.loss = loss
        #: ClinicaDL sets it to ``"none"`` to measure each image.
        self.reduction = "mean"

    def forward(self, outputs: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
        """Compute the loss.

        Parameters
        ----------
        outputs : torch.Tensor of shape (N, 1, ...)
            The network's logits.
        masks : torch.Tensor of shape (N, 1, ...)
            Zeros and ones; NaN where the mask of an image is not known.

        Returns
        -------
        torch.Tensor
            One value, 0 where no mask is known; or, with ``reduction="none"``, of
            shape (N, 1).

        Raises
        ------
        RunError
            If the network gives no logit for each voxel.
        """
        if outputs.shape != masks.shape:
            raise RunError(
                f"The network gives a tensor of shape {tuple(outputs.shape)} for masks "
                f"of shape {tuple(masks.shape)}: a segmentation needs one logit a "
                "voxel. Use for example the network 'UNet'."
            )
        # Mixed precision: three digits would choose the checkpoint.
        outputs = outputs.float() if outputs.element_size() < 4 else outputs
        masks = masks.to(outputs)
        if self.reduction == "none":
            pairs = zip(outputs.split(1), masks.split(1), strict=True)
            return torch.stack([self.loss(*pair) for pair in pairs])[:, None]
        known = ~torch.isnan(masks).flatten(1).any(dim=1)
        if not bool(known.any()):
            return outputs.sum() * 0.0
        return self.loss(outputs[known], masks[known])


def masks_known(batch: Batch, key: str) -> torch.Tensor:
    """Return the masks of a batch, NaN where an image's may not be seen.

    Parameters
    ----------
    batch : clinicadl.data.dataloader.Batch
        Samples with a mask and, where some are hidden, the field ``annotated``.
    key : str
        Where the mask is.

    Returns
    -------
    torch.Tensor of shape (N, 1, ...)
        Zeros, ones and NaN, in single precision.
    """
    masks = cast(torch.Tensor, batch.get_field(key, dtype=torch.float32))
    if ANNOTATED not in batch[0]:
        return masks
    hidden = [not bool(sample[ANNOTATED]) for sample in batch]
    if any(hidden):
        masks = masks.clone()
        masks[torch.tensor(hidden, device=masks.device)] = torch.nan
    return masks
