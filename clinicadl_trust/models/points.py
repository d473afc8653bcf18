"""An image and its masks: from NIfTI files to one file of tensors."""

from __future__ import annotations

from pathlib import Path

import torch
import torchio as tio
from clinicadl.data.structures import DataPoint
from clinicadl.data.structures.images import TensorContent
from clinicadl.utils.dictionary.words import IMAGE

from clinicadl_trust.models.masks import read_mask
from clinicadl_trust.models.volumes import read_volume

__all__ = ["read_point", "save_point"]


def read_point(
    participant: str, session: str, path: Path, masks: dict[str, str]
) -> DataPoint:
    """Read an image and its masks, in canonical orientation.

    Parameters
    ----------
    participant, session : str
        Whose.
    path : pathlib.Path
        The image.
    masks : dict of str to str
        The file of each mask, "" for an empty one.

    Raises
    ------
    CapsError
        If a file cannot be used, or a mask is not on the image's grid.
    """
    voxels, geometry = read_volume(path)
    image = tio.ScalarImage(
        tensor=torch.from_numpy(voxels[None]), affine=geometry.matrix
    )
    beside = {
        name: tio.LabelMap(
            tensor=torch.from_numpy(read_mask(file, str(path), geometry)[None]),
            affine=geometry.matrix,
        )
        for name, file in masks.items()
    }
    point = DataPoint(
        image=image, participant_id=participant, session_id=session, **beside
    )
    return tio.ToCanonical()(point)


def save_point(point: DataPoint, source: Path, target: Path) -> None:
    """Write an image and its masks, whole or not at all.

    Parameters
    ----------
    point : clinicadl.data.structures.DataPoint
        What to write.
    source, target : pathlib.Path
        The image's file, to be recorded, and the file to make.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}")
    TensorContent(
        images={IMAGE: _whole(point.image)},
        masks={name: _whole(mask) for name, mask in point.get_masks_dict().items()},
        additional_data={},
        paths=[source],
    ).save(partial)
    partial.with_suffix(".json").replace(target.with_suffix(".json"))
    partial.replace(target)


def _whole(image: tio.Image) -> tio.Image:
    """Make it contiguous: a file is as large as the storage, not as the view."""
    return type(image)(tensor=image.tensor.contiguous(), affine=image.affine)
