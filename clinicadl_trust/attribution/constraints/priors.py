"""Priors on the form of an attribution: smooth, or sparse."""

from __future__ import annotations

import torch

from clinicadl_trust.attribution.constraints.base import (
    AttributionConstraint,
    Explained,
)

__all__ = ["Sparsity", "TotalVariation"]


class TotalVariation(AttributionConstraint):
    """Neighbouring voxels should have like attributions.

    Notes
    -----
    The mean absolute difference between neighbours along each axis, summed over the
    axes, of attributions divided by their standard deviation in the image.

    References
    ----------
    Erion, Janizek, Sturmfels, Lundberg, Lee (2021), Nature Machine Intelligence 3,
    620-631, the pixel attribution prior.
    """

    def _penalty(self, explained: Explained) -> torch.Tensor:
        attributions = explained.attributions
        tiny = torch.finfo(attributions.dtype).tiny
        # The square of a gradient may be too small to be told from zero.
        peak = attributions.detach().abs().flatten(1).amax(dim=1).clamp_min(tiny)
        attributions = attributions / peak.view(-1, *[1] * (attributions.ndim - 1))
        spread = attributions.flatten(1).std(dim=1)
        total = torch.zeros_like(spread)
        for axis in range(2, attributions.ndim):
            steps = attributions.diff(dim=axis).abs()
            if steps.numel():
                total = total + steps.flatten(1).mean(dim=1)
        return total / spread.clamp_min(tiny)


class Sparsity(AttributionConstraint):
    """Few voxels should matter: minus the Gini coefficient of what they do.

    Notes
    -----
    Of the absolute attributions averaged over the batch, in ascending order x_1 to
    x_n: ``-sum((2 i - n - 1) x_i) / (n sum(x_i))``, between -1 (one voxel has all)
    and 0 (all the same).

    References
    ----------
    Erion, Janizek, Sturmfels, Lundberg, Lee (2021), Nature Machine Intelligence 3,
    620-631, the sparsity prior.
    """

    def _penalty(self, explained: Explained) -> torch.Tensor:
        importance = explained.attributions.abs().mean(dim=0).flatten().sort().values
        peak = importance[-1].detach()
        if not bool(peak):
            return importance.sum() * 0.0  # nothing matters: neither sparse nor not
        importance = importance / peak
        n = len(importance)
        rank = torch.arange(1, n + 1, device=importance.device, dtype=importance.dtype)
        return -((2 * rank - n - 1) * importance).sum() / (n * importance.sum())
