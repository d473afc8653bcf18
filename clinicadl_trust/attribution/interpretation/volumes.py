"""Attribution maps as NIfTI files, whole or absent, and their means."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from clinicadl_trust.models.volumes import TOLERANCE, Geometry

__all__ = ["mean_map", "write_map"]

#: NIfTI's codes of a space: MNI 152, and that of the image.
_MNI, _ALIGNED = 4, 2


def write_map(values: np.ndarray, geometry: Geometry, path: Path, in_mni: bool) -> None:
    """Write a map in single precision.

    Parameters
    ----------
    values : numpy.ndarray of shape (x, y, z)
        Attributions.
    geometry : Geometry
        Their grid.
    path : pathlib.Path
        The file, ``.nii.gz``.
    in_mni : bool
        Whether that grid is in MNI space, for the header.
    """
    import nibabel as nib

    image = nib.Nifti1Image(
        np.asarray(values, dtype=np.float32).reshape(geometry.shape), geometry.matrix
    )
    image.header.set_xyzt_units("mm")
    code = _MNI if in_mni else _ALIGNED
    image.set_sform(geometry.matrix, code)
    image.set_qform(geometry.matrix, code)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".tmp_{path.name}")
    nib.save(image, temporary)
    temporary.replace(path)


def mean_map(paths: Sequence[Path]) -> tuple[np.ndarray, Geometry]:
    """Average maps, on the grid of the first.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        Maps in MNI space; those on another grid are resampled, linearly.

    Returns
    -------
    values : numpy.ndarray of shape (x, y, z)
        Their mean, in double precision.
    geometry : Geometry
        The grid.
    """
    import nibabel as nib
    from nilearn.image import resample_img

    geometry = Geometry.of(paths[0])
    total = np.zeros(geometry.shape)
    for path in paths:
        image: Any = nib.load(path)
        own = Geometry.of(path)
        apart = np.abs(np.subtract(own.affine, geometry.affine)).max()
        if own.shape != geometry.shape or apart > TOLERANCE:
            image = resample_img(
                image,
                target_affine=geometry.matrix,
                target_shape=geometry.shape,
                interpolation="linear",
                force_resample=True,
                copy_header=True,
            )
        total += np.asarray(image.dataobj)
    return total / len(paths), geometry
