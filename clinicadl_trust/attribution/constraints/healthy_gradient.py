"""In a healthy image no voxel may speak for disease."""

from __future__ import annotations

from typing import Literal

import torch
from torch.nn import functional

from clinicadl_trust.attribution.constraints.base import (
    AttributionConstraint,
    Explained,
    Scale,
    rescale,
)
from clinicadl_trust.exceptions import AttributionError

__all__ = ["HealthyGradient"]


class HealthyGradient(AttributionConstraint):
    """Each voxel's attribution taken for the logit of its being pathological.

    Parameters
    ----------
    mode : {"unsupervised", "supervised"}
        What is said of patients: nothing, or that lesions (a mask) may speak for
        disease and the rest may not.
    scale : {"rms", "image", "voxels", "none"}
        As in ``rescale``.
    balanced : bool
        Whether a patient's lesions, however small, count as much as the rest of the
        image: of use in ``supervised`` mode only.

    Notes
    -----
    The penalty of an image is the mean over voxels of
    ``softplus(a) - t * a``, the binary cross-entropy with logit a, where t is 0 in
    healthy images and the lesion mask in patients. ``balanced`` takes half of the mean
    over lesions and half of the mean over the other voxels instead; this is ours. Where
    lesions are one voxel in 100 the plain mean does not notice them, and the mask
    changes nothing.

    References
    ----------
    Wargnier-Dauchelle, Grenier, Durand-Dubief, Cotton, Sdika (2023), A weakly
    supervised gradient attribution constraint for interpretable classification and
    anomaly detection. IEEE Transactions on Medical Imaging 42, 3336-3347.
    """

    needs_healthy = True
    needs_sign = True

    def __init__(
        self,
        mode: Literal["unsupervised", "supervised"] = "unsupervised",
        scale: Scale = "rms",
        balanced: bool = True,
    ) -> None:
        if mode not in ("unsupervised", "supervised"):
            raise AttributionError(
                f"mode='{mode}' is neither 'unsupervised' nor 'supervised'."
            )
        self.mode = mode
        self.scale = scale
        self.balanced = balanced
        self.needs_mask = mode == "supervised"

    def counted(self, healthy: torch.Tensor | None) -> torch.Tensor | None:
        """Return the healthy images, or None for all where lesions are known."""
        return healthy if self.mode == "unsupervised" else None

    def _penalty(self, explained: Explained) -> torch.Tensor:
        attributions = rescale(explained.attributions, self.scale)
        healthy = explained.healthy
        assert healthy is not None  # checked before
        target = torch.zeros_like(attributions)
        if explained.mask is not None and self.mode == "supervised":
            patients = ~healthy.reshape(-1, *[1] * (attributions.ndim - 1))
            target = (
                ((explained.mask > 0) & patients).to(attributions).expand_as(target)
            )
        loss = functional.binary_cross_entropy_with_logits(
            attributions, target, reduction="none"
        )
        if self.mode == "unsupervised":
            return loss.flatten(1).mean(dim=1).masked_fill(~healthy, torch.nan)
        if self.balanced:
            loss = loss * _balance(target)
        return loss.flatten(1).mean(dim=1)


def _balance(target: torch.Tensor) -> torch.Tensor:
    """Return weights of mean 1 that give ones and zeros of an image equal sums."""
    inside = target.flatten(1).mean(dim=1).reshape(-1, *[1] * (target.ndim - 1))
    both = (inside > 0) & (inside < 1)
    tiny = torch.finfo(target.dtype).tiny
    ones = 0.5 / inside.clamp_min(tiny)
    zeros = 0.5 / (1 - inside).clamp_min(tiny)
    return torch.where(both, torch.where(target > 0, ones, zeros), 1.0)
