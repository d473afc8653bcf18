"""The brain mask and the atlases of MNI space, on the grid of the images."""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from clinicadl_trust.exceptions import CapsError
from clinicadl_trust.models.volumes import Geometry

if TYPE_CHECKING:
    from nibabel import Nifti1Image

__all__ = ["atlas_on", "brain_mask", "region_numbers"]

logger = logging.getLogger(__name__)

#: Part of the template's brain that must lie in the field of view.
_COVERED = 0.5


@lru_cache(maxsize=4)
def brain_mask(geometry: Geometry) -> Nifti1Image:
    """Bring the brain mask of nilearn's MNI152 template onto a grid.

    It is the same for every image of that grid, whatever the data.

    Parameters
    ----------
    geometry : Geometry
        The grid, in MNI space.

    Returns
    -------
    nibabel.Nifti1Image
        Ones in the brain, zeros elsewhere.

    Raises
    ------
    CapsError
        If less than half of the template's brain lies on the grid.
    """
    from nilearn.datasets import load_mni152_brain_mask
    from nilearn.image.resampling import BoundingBoxError

    template = load_mni152_brain_mask(resolution=1)
    try:
        mask = _resample(template, geometry)
        voxel = abs(np.linalg.det(geometry.matrix[:3, :3]))
        share = np.sum(mask.dataobj) * voxel / np.sum(template.dataobj)
    except BoundingBoxError:
        share = 0.0
    if share < _COVERED:
        raise CapsError(
            f"The images' grid, shape {geometry.shape}, holds {share:.0%} of the brain "
            "of MNI space: they are not registered to it. Use images that are, for "
            "example of `clinica run t1-linear`."
        )
    return mask


def atlas_on(name: str, geometry: Geometry) -> tuple[Nifti1Image, tuple[str, ...]]:
    """Bring an atlas of Clinica onto a grid.

    Parameters
    ----------
    name : {"AAL2", "AICHA"}
        The atlas.
    geometry : Geometry
        The grid, in MNI space.

    Returns
    -------
    image : nibabel.Nifti1Image
        Integer labels, 0 for the background.
    names : tuple of str
        The regions that are left there, in the order of their labels; one that is
        smaller than a voxel may not be.
    """
    from clinicadl_trust.clinica import load_atlas

    image, labels = load_atlas(name)
    resampled = _resample(image, geometry)
    present = np.unique(np.asarray(resampled.dataobj))
    names = dict(zip(labels["index"], labels["name"], strict=True))
    lost = sorted(names[index] for index in set(names) - set(present))
    if lost:
        logger.warning(
            "%d regions of %s are outside the images, or smaller than a voxel of them, "
            "and are left out: %s",
            len(lost),
            name,
            ", ".join(lost),
        )
    return resampled, tuple(names[index] for index in present if index != 0)


@lru_cache(maxsize=4)
def region_numbers(name: str, geometry: Geometry) -> tuple[np.ndarray, tuple[str, ...]]:
    """Number the regions of an atlas on a grid, without gaps.

    Parameters
    ----------
    name, geometry
        As of ``atlas_on``.

    Returns
    -------
    numbers : numpy.ndarray of int, shape (x, y, z)
        0 for no region, else the place of its name from 1 on. Shared: not to be
        written to.
    names : tuple of str
        The regions.
    """
    image, names = atlas_on(name, geometry)
    values = np.asarray(image.dataobj)
    present = np.unique(values[values != 0])
    numbers = np.searchsorted(present, values) + 1
    return np.where(values == 0, 0, numbers), names


def _resample(image: Nifti1Image, geometry: Geometry) -> Nifti1Image:
    """Bring labels onto a grid."""
    from nilearn.image import resample_img

    return resample_img(
        image,
        target_affine=geometry.matrix,
        target_shape=geometry.shape,
        interpolation="nearest",
        force_resample=True,
        copy_header=True,
    )
