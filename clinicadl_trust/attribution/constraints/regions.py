"""Priors on anatomical regions: alike in neighbours, or only so much in each."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from clinicadl_trust.attribution.constraints.base import (
    AttributionConstraint,
    Explained,
)
from clinicadl_trust.exceptions import AttributionError, did_you_mean

__all__ = ["GraphSmoothness", "RegionShare"]


class GraphSmoothness(AttributionConstraint):
    """Regions that touch should have like attributions.

    Notes
    -----
    With f the mean attribution of each AAL2 region in an image and L the Laplacian of
    the graph of regions that touch, ``f' L f / f' f``: between 0 and twice the largest
    number of neighbours.

    References
    ----------
    Erion, Janizek, Sturmfels, Lundberg, Lee (2021), Nature Machine Intelligence 3,
    620-631, the graph attribution prior.
    """

    def _penalty(self, explained: Explained) -> torch.Tensor:
        labels, names = _regions(explained, type(self).__name__)
        total, size = _sums(explained.attributions, labels, len(names))
        means = (total / size.clamp_min(1))[:, 1:]
        laplacian = _laplacian(labels, len(names)).to(means)
        tiny = torch.finfo(means.dtype).tiny
        energy = torch.einsum("ni,ij,nj->n", means, laplacian, means)
        return energy / means.square().sum(dim=1).clamp_min(tiny)


class RegionShare(AttributionConstraint):
    """How much of the attribution each region may have.

    Parameters
    ----------
    allowed : mapping of str to float
        Name of an AAL2 region, such as ``"Hippocampus_L"``, to the share of the
        absolute attribution that it may have, 0 to 1.
    others : float
        What every region that is not named may have.
    outside : float
        What voxels of no region may have together.

    Notes
    -----
    The penalty of an image is the sum of what regions have beyond their share.
    """

    @classmethod
    def example(cls) -> RegionShare:
        """Return one that allows the hippocampi."""
        return cls({"Hippocampus_L": 0.3, "Hippocampus_R": 0.3})

    def __init__(
        self, allowed: Mapping[str, float], others: float = 0.0, outside: float = 0.0
    ) -> None:
        shares = {**allowed, "others": others, "outside": outside}
        for name, share in shares.items():
            if not 0 <= share <= 1:
                raise AttributionError(
                    f"The share of '{name}' is {share}; it must be from 0 to 1."
                )
        self.allowed = dict(allowed)
        self.others = others
        self.outside = outside

    def _penalty(self, explained: Explained) -> torch.Tensor:
        labels, names = _regions(explained, type(self).__name__)
        for name in self.allowed:
            if name not in names:
                raise AttributionError(
                    f"No region of the images is called '{name}'."
                    f"{did_you_mean(name, names)}"
                )
        total, _ = _sums(explained.attributions.abs(), labels, len(names))
        tiny = torch.finfo(total.dtype).tiny
        share = total / total.sum(dim=1, keepdim=True).clamp_min(tiny)
        bounds = [self.outside, *(self.allowed.get(n, self.others) for n in names)]
        excess = share - torch.tensor(bounds).to(share)
        return excess.clamp_min(0).sum(dim=1)


def _regions(explained: Explained, name: str) -> tuple[torch.Tensor, tuple[str, ...]]:
    if explained.regions is None:
        raise AttributionError(
            f"{name} needs the atlas regions of each voxel, which are known for whole "
            "volumes in MNI space."
        )
    labels, names = explained.regions()
    if labels.shape != explained.attributions.shape[2:]:
        raise AttributionError(
            f"{name}: an atlas of shape {tuple(labels.shape)} for images of shape "
            f"{tuple(explained.attributions.shape[2:])}. Use whole volumes, without "
            "cropping augmentations."
        )
    return labels.to(explained.attributions.device), names


def _sums(
    attributions: torch.Tensor, labels: torch.Tensor, n_regions: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the sum in each region of each image, 0 for none, and its voxels."""
    flat = attributions.sum(dim=1).flatten(1)
    index = labels.flatten().long()
    total = flat.new_zeros(len(flat), n_regions + 1)
    size = torch.bincount(index, minlength=n_regions + 1).to(flat)
    return total.index_add(1, index, flat), size


def _laplacian(labels: torch.Tensor, n_regions: int) -> torch.Tensor:
    """Return the Laplacian of the graph of regions that touch by a face."""
    touch = torch.zeros(n_regions + 1, n_regions + 1)
    for axis in range(labels.ndim):
        one = labels.narrow(axis, 0, labels.shape[axis] - 1).flatten().long().cpu()
        two = labels.narrow(axis, 1, labels.shape[axis] - 1).flatten().long().cpu()
        touch[one, two] = touch[two, one] = 1.0
    touch = touch[1:, 1:].fill_diagonal_(0.0)
    return torch.diag(touch.sum(dim=1)) - touch
