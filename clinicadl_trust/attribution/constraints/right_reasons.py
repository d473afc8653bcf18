"""Right for the right reasons: no attribution outside a mask."""

from __future__ import annotations

import torch

from clinicadl_trust.attribution.constraints.base import (
    AttributionConstraint,
    Explained,
    Scale,
    rescale,
)

__all__ = ["RightReasons"]


class RightReasons(AttributionConstraint):
    """Squared attributions outside the mask.

    Parameters
    ----------
    patients_only : bool
        Leave out healthy images, whose mask of lesions is empty: else no voxel of
        them may be used.
    scale : {"rms", "image", "voxels", "none"}
        As in ``rescale``.

    Notes
    -----
    The penalty of an image is the mean over voxels of ``(1 - mask) * a ** 2``. On the
    scale ``"image"`` it is the share of the squared attribution that lies outside, from
    0 to 1, and says nothing of how large attributions are.

    References
    ----------
    Ross, Hughes, Doshi-Velez (2017), Right for the right reasons: training
    differentiable models by constraining their explanations. IJCAI, equation 1.
    """

    needs_mask = True

    def __init__(self, patients_only: bool = False, scale: Scale = "image") -> None:
        self.patients_only = patients_only
        self.scale = scale

    def counted(self, healthy: torch.Tensor | None) -> torch.Tensor | None:
        """Return the patients' images, or None for all."""
        return ~healthy if self.patients_only and healthy is not None else None

    def _penalty(self, explained: Explained) -> torch.Tensor:
        attributions = rescale(explained.attributions, self.scale)
        assert explained.mask is not None  # checked before
        outside = (explained.mask <= 0).to(attributions)
        penalties = (outside * attributions.square()).flatten(1).mean(dim=1)
        if self.patients_only and explained.healthy is not None:
            return penalties.masked_fill(explained.healthy, torch.nan)
        return penalties
