"""Where the sign of an effect is known, an attribution must have it."""

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

__all__ = ["MonotoneSign"]

Sign = Literal["positive", "negative"]
Form = Literal["hinge", "softplus"]


class MonotoneSign(AttributionConstraint):
    """Inside the mask, more signal may only raise (or only lower) what is predicted.

    Parameters
    ----------
    sign : {"positive", "negative"}
        Which sign attributions must have: positive where brighter lesions stand for
        a worse score.
    form : {"hinge", "softplus"}
        The penalty of a voxel: its attribution of the wrong sign; or its smooth
        version, which also asks right ones to grow.
    scale : {"rms", "image", "voxels", "none"}
        As in ``rescale``.

    Notes
    -----
    The penalty of an image is the mean over the voxels of its mask, and over
    channels, of ``max(-s * a, 0)`` or ``log(1 + exp(-s * a))``, where s is 1 or -1;
    images with an empty mask do not count. Of the plain gradient it says that the
    prediction is monotone in these voxels, around the image; products with the
    image have a sign of their own, and are not meant.

    References
    ----------
    The penalty on derivatives of the wrong sign is that of Gupta, Shukla, Marla,
    Kolbeinsson, Yellepeddi (2019), How to incorporate monotonicity in deep networks
    while preserving flexibility? arXiv 1909.10662; limiting it to a mask is ours.
    """

    needs_mask = True
    needs_sign = True

    def __init__(
        self, sign: Sign = "positive", form: Form = "hinge", scale: Scale = "rms"
    ) -> None:
        if sign not in ("positive", "negative"):
            raise AttributionError(
                f"sign='{sign}' is neither 'positive' nor 'negative'."
            )
        if form not in ("hinge", "softplus"):
            raise AttributionError(f"form='{form}' is neither 'hinge' nor 'softplus'.")
        self.sign = sign
        self.form = form
        self.scale = scale

    def _penalty(self, explained: Explained) -> torch.Tensor:
        attributions = rescale(explained.attributions, self.scale)
        assert explained.mask is not None  # checked before
        wrong = -attributions if self.sign == "positive" else attributions
        curve = functional.relu if self.form == "hinge" else functional.softplus
        inside = (explained.mask > 0).to(wrong).expand_as(wrong).flatten(1)
        total = (inside * curve(wrong).flatten(1)).sum(dim=1)
        size = inside.sum(dim=1)
        return (total / size.clamp_min(1)).masked_fill(size == 0, torch.nan)
