"""The contract of a constraint on attributions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch

from clinicadl_trust.exceptions import AttributionError

__all__ = ["NEEDS_MASK", "AttributionConstraint", "Explained", "rescale"]

#: How attributions are brought to a scale: by their root mean square in the batch or in
#: the image, by the number of voxels, or not at all.
Scale = Literal["rms", "image", "voxels", "none"]

#: What is said of a constraint, by its name, that has no mask.
NEEDS_MASK = (
    "{} needs a mask of every image. Give the model a mask_key, and the dataset masks."
)

#: A mean square below it is that of an image that the network ignores.
_SMALLEST = 1e-30


@dataclass(frozen=True)
class Explained:
    """What a constraint sees of a batch.

    Attributes
    ----------
    attributions : torch.Tensor of shape (N, C, ...)
        How much each voxel speaks for disease (or for the output).
    healthy : torch.Tensor of bool, shape (N,), or None
        Which images are of healthy participants; None where that has no meaning.
    mask : torch.Tensor of shape (N, 1, ...) or None
        One where the network may look, zero elsewhere.
    regions : callable
        Returns the atlas region of each voxel, 0 for none, of shape (...), and the
        regions' names in the order of their numbers from 1 on.
    signed : bool
        Whether the sign of an attribution means something; not where several outputs
        are explained at once, weighted at random.
    """

    attributions: torch.Tensor
    healthy: torch.Tensor | None = None
    mask: torch.Tensor | None = None
    regions: Callable[[], tuple[torch.Tensor, tuple[str, ...]]] | None = None
    signed: bool = True


class AttributionConstraint(ABC):
    """A penalty on what a network looks at.

    Subclasses have one hook, ``_penalty``, and keep the options of ``__init__`` as
    attributes of the same names. They are registered in the entry-point group
    ``clinicadl.attribution_constraints`` under the name of the class.
    """

    #: Whether a mask of every image is needed.
    needs_mask: bool = False
    #: Whether it must be known which images are healthy.
    needs_healthy: bool = False
    #: Whether it asks for the sign of attributions.
    needs_sign: bool = False

    def __call__(self, explained: Explained) -> torch.Tensor:
        """Return the penalty of a batch, the mean over the images that count.

        Parameters
        ----------
        explained : Explained
            The batch.

        Returns
        -------
        torch.Tensor
            One value, zero where no image counts.

        Raises
        ------
        AttributionError
            If what the constraint needs is missing, or attributions are not finite.
        """
        self._check(explained)
        penalties = self._penalty(explained)
        if penalties.ndim == 0:
            return penalties
        counts = ~torch.isnan(penalties)
        if not bool(counts.any()):
            return explained.attributions.sum() * 0.0
        return penalties[counts].mean()

    def counted(self, healthy: torch.Tensor | None) -> torch.Tensor | None:
        """Return which images the penalty looks at, None for all of them.

        Parameters
        ----------
        healthy : torch.Tensor of bool, shape (N,), or None
            Which images are of healthy participants.
        """
        return None

    @abstractmethod
    def _penalty(self, explained: Explained) -> torch.Tensor:
        """Return one penalty an image, nan where it does not count, or one for all."""

    def _check(self, explained: Explained) -> None:
        name = type(self).__name__
        attributions = explained.attributions
        if not bool(torch.isfinite(attributions.detach()).all()):
            raise AttributionError(
                f"{name}: the attributions hold NaN or infinite values. The network "
                "diverges: lower the learning rate or the constraint's weight."
            )
        if self.needs_healthy and explained.healthy is None:
            raise AttributionError(
                f"{name} must know which images are healthy: it is for a "
                "classification, or for a regression with explain.healthy_below, the "
                "label below which a participant is healthy."
            )
        if self.needs_sign and not explained.signed:
            raise AttributionError(
                f"{name} asks for the sign of attributions, and several outputs are "
                "explained at once, weighted by signs drawn at random. Choose one: "
                "explain.output = 0, 1, ..."
            )
        if self.needs_mask:
            _check_mask(name, explained.mask, attributions)


def rescale(attributions: torch.Tensor, scale: Scale) -> torch.Tensor:
    """Bring attributions to a scale on which a penalty bites.

    The gradient of a logit in one voxel of many is tiny, and a logistic penalty of it
    sits at log 2 whatever its sign.

    Parameters
    ----------
    attributions : torch.Tensor of shape (N, C, ...)
        As they are.
    scale : {"rms", "image", "voxels", "none"}
        Divide by the root mean square of the batch, held fixed in the derivative, or
        by that of each image, which is derived too; multiply by the number of voxels
        of an image; or leave them.

    Raises
    ------
    AttributionError
        If the scale is unknown.

    Notes
    -----
    A penalty of squares on the scale ``"rms"`` presses attributions towards 0 however
    small they are, for its derivative is that of ``log(a ** 2)``: at a weight of .1 a
    regression may learn nothing but the mean. On ``"image"`` it says where they are and
    not how large: a network that is multiplied by a constant is penalised the same.
    """
    if scale == "none":
        return attributions
    if scale == "voxels":
        return attributions * attributions[0].numel()
    if scale == "rms":
        size = attributions.detach().square().mean().sqrt()
        return attributions / size.clamp_min(torch.finfo(size.dtype).tiny)
    if scale == "image":
        flat = attributions.flatten(1)
        # A network that ignores an image has a derivative there too: 0, not NaN.
        size = flat.square().mean(dim=1).clamp_min(_SMALLEST).sqrt()
        return attributions / size.reshape(-1, *[1] * (attributions.ndim - 1))
    raise AttributionError(
        f"scale='{scale}' is none of 'rms', 'image', 'voxels' and 'none'."
    )


def _check_mask(
    name: str, mask: torch.Tensor | None, attributions: torch.Tensor
) -> None:
    if mask is None:
        raise AttributionError(NEEDS_MASK.format(name))
    if (
        mask.shape[0] != attributions.shape[0]
        or mask.shape[2:] != attributions.shape[2:]
    ):
        raise AttributionError(
            f"{name}: masks of shape {tuple(mask.shape)} for images of shape "
            f"{tuple(attributions.shape)}. Bring them onto the images' grid."
        )
