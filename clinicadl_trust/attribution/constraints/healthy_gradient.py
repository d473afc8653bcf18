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
    scale : {"rms", "voxels", "none"}
        As in ``rescale``.

    Notes
    -----
    The penalty of an image is the mean over voxels of
    ``softplus(a) - t * a``, the binary cross-entropy with logit a, where t is 0 in
    healthy images and the lesion mask in patients.

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
    ) -> None:
        if mode not in ("unsupervised", "supervised"):
            raise AttributionError(
                f"mode='{mode}' is neither 'unsupervised' nor 'supervised'."
            )
        self.mode = mode
        self.scale = scale
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
        penalties = loss.flatten(1).mean(dim=1)
        if self.mode == "unsupervised":
            return penalties.masked_fill(~healthy, torch.nan)
        return penalties
