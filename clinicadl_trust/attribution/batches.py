"""What a batch of ClinicaDL's tells beside its images: masks and atlas regions."""

from __future__ import annotations

import numpy as np
import torch
from clinicadl.data.dataloader import Batch
from clinicadl.utils.dictionary.words import IMAGE, SAMPLE_TYPE

from clinicadl_trust.attribution.constraints.base import Explained
from clinicadl_trust.attribution.supervision import Question
from clinicadl_trust.exceptions import AttributionError
from clinicadl_trust.models.template import region_numbers
from clinicadl_trust.models.volumes import Geometry

__all__ = ["explained_of", "masks_of", "regions_of"]

#: ClinicaDL's word for a sample that is a whole volume.
_WHOLE = "image"
#: Of a voxel's side: farther apart, two grids are not the same.
_TOLERANCE = 0.01


def explained_of(
    batch: Batch, question: Question, images: torch.Tensor, mask_key: str | None
) -> Explained:
    """Return what constraints see of a batch, attributions to be filled in.

    Parameters
    ----------
    batch : clinicadl.data.dataloader.Batch
        Samples.
    question : Question
        What is explained of them.
    images : torch.Tensor of shape (N, C, ...)
        The batch's.
    mask_key : str or None
        As in ``masks_of``; None for the question's own mask.
    """
    mask = question.mask
    if mask_key is not None:
        mask = masks_of(batch, mask_key).to(images.device)
    return Explained(
        attributions=images,
        healthy=question.healthy,
        mask=mask,
        regions=lambda: regions_of(batch),
        signed=question.signed,
    )


def masks_of(batch: Batch, key: str) -> torch.Tensor:
    """Return the mask of each sample.

    Parameters
    ----------
    batch : clinicadl.data.dataloader.Batch
        Samples with an image and a mask.
    key : str
        Where the mask is.

    Returns
    -------
    torch.Tensor of shape (N, 1, ...)
        Zeros and others.

    Raises
    ------
    AttributionError
        If a sample has no such mask, or one on another grid than its image.
    """
    found = []
    for sample in batch:
        who = f"{sample['participant_id']}, {sample['session_id']}"
        if key not in sample:
            masks = [*sample.get_masks_dict()] or ["none"]
            raise AttributionError(
                f"mask_key = '{key}', and the sample of {who} has no such mask; it has "
                f"{', '.join(masks)}. Name the mask that the dataset gives."
            )
        mask, image = sample[key], sample[IMAGE]
        _check_grid(mask, image, f"The mask '{key}' of {who}")
        found.append(torch.as_tensor(mask.tensor[:1]))
    stacked = torch.stack(found)
    # Slices are volumes of one voxel's thickness, and pass as two dimensions.
    expected = batch.get_field(IMAGE)
    assert isinstance(expected, torch.Tensor)
    return stacked.reshape(len(found), 1, *expected.shape[2:])


def regions_of(batch: Batch) -> tuple[torch.Tensor, tuple[str, ...]]:
    """Return the AAL2 region of each voxel of a batch's grid.

    Parameters
    ----------
    batch : clinicadl.data.dataloader.Batch
        Whole volumes in MNI space, on one grid.

    Returns
    -------
    labels : torch.Tensor of int, shape (x, y, z)
        0 for no region, else the place of its name from 1 on.
    names : tuple of str
        The regions.

    Raises
    ------
    AttributionError
        If the samples are slices or patches: ClinicaDL leaves the affine of the
        volume to a part of it, so that an atlas would lie elsewhere.
    """
    kind = batch[0].get(SAMPLE_TYPE, _WHOLE)
    if kind != _WHOLE:
        raise AttributionError(
            f"Atlas regions were asked for, and the samples are of the type '{kind}'. "
            "Constraints on regions are for whole volumes in MNI space: train on "
            "these, or take another constraint."
        )
    image = batch[0][IMAGE]
    shape = tuple(int(side) for side in image.spatial_shape)
    affine = tuple(float(value) for value in np.ravel(image.affine))
    numbers, names = region_numbers("AAL2", Geometry(shape, affine))  # type: ignore[arg-type]
    return torch.from_numpy(numbers), names


def _check_grid(mask: object, image: object, name: str) -> None:
    shape, expected = mask.spatial_shape, image.spatial_shape  # type: ignore[attr-defined]
    if shape != expected:
        raise AttributionError(
            f"{name} has shape {shape} and its image {expected}. Resample it onto the "
            "image's grid."
        )
    corners = np.array([[0, 0, 0, 1], [*(np.array(shape) - 1), 1]]).T
    apart = (mask.affine - image.affine) @ corners  # type: ignore[attr-defined]
    side = np.abs(np.linalg.det(image.affine[:3, :3])) ** (1 / 3)  # type: ignore[attr-defined]
    off = float(np.abs(apart).max())
    if off > _TOLERANCE * side:
        raise AttributionError(
            f"{name} lies {off:.2g} mm from its image (affines differ). Resample it "
            "onto the image's grid."
        )
