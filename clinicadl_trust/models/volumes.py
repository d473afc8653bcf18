"""Volumes read with their checks, without torch: what features are computed from."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from clinicadl_trust.exceptions import CapsError

if TYPE_CHECKING:
    from nibabel import Nifti1Image

__all__ = ["TOLERANCE", "Geometry", "open_volume", "read_volume", "read_volumes"]

#: Affines further apart than this (mm, or mm per voxel) are different spaces; headers
#: that went through another tool's single precision differ by less.
TOLERANCE = 1e-3


@dataclass(frozen=True)
class Geometry:
    """The grid of an image.

    Attributes
    ----------
    shape : tuple of int
        Voxels along (x, y, z).
    affine : tuple of float
        The affine from voxel indices to mm, its 16 numbers row by row.
    """

    shape: tuple[int, int, int]
    affine: tuple[float, ...]

    @classmethod
    def of(cls, path: str | os.PathLike[str]) -> Geometry:
        """Read the grid in an image's header.

        Raises
        ------
        CapsError
            If the file cannot be read, or is not one three-dimensional volume.
        """
        return cls._of_image(_open(path), path)

    @classmethod
    def _of_image(cls, image: Any, path: str | os.PathLike[str]) -> Geometry:
        shape = tuple(int(n) for n in image.shape)
        if len(shape) != 3 and not (len(shape) == 4 and shape[3] == 1):
            raise CapsError(
                f"'{path}' has {len(shape)} dimensions, of sizes {shape}; a feature "
                "needs one volume (x, y, z) per session. Name another image type."
            )
        x, y, z = shape[:3]
        return cls((x, y, z), tuple(float(value) for value in np.ravel(image.affine)))

    @property
    def matrix(self) -> np.ndarray:
        """The affine, shape (4, 4)."""
        return np.reshape(self.affine, (4, 4))

    @property
    def voxel_volume(self) -> float:
        """Of one voxel, in mm3."""
        return float(np.abs(np.linalg.det(self.matrix[:3, :3])))

    def check(self, other: Geometry, path: str, reference: str) -> None:
        """Check that another image has this grid.

        Parameters
        ----------
        other : Geometry
            The other image's grid.
        path, reference : str
            The other image, and where this grid comes from, for the message.

        Raises
        ------
        CapsError
            If the shapes or the affines differ.
        """
        if other.shape != self.shape:
            raise CapsError(
                f"'{path}' has the shape {other.shape} (x, y, z), {reference} has "
                f"{self.shape}. Features need one grid for all images: preprocess "
                "them alike (clinica run t1-linear), or drop the row."
            )
        apart = np.abs(np.subtract(other.affine, self.affine)).max()
        if apart > TOLERANCE:
            raise CapsError(
                f"The affine of '{path}' differs by {apart:.3g} (mm) from that of "
                f"{reference}. Features need one space for all images: register them "
                "(clinica run t1-linear), or drop the row."
            )


def read_volume(path: str | os.PathLike[str]) -> tuple[np.ndarray, Geometry]:
    """Read one NIfTI volume and check its voxels.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    voxels : numpy.ndarray of shape (x, y, z)
        Intensities in single precision.
    geometry : Geometry
        Its grid.

    Raises
    ------
    CapsError
        If the file is absent, corrupt or cut short, is not one volume, has a voxel
        that is not finite, or is blank.
    """
    voxels, geometry = open_volume(path)
    bad = int(voxels.size - np.isfinite(voxels).sum())
    if bad:
        raise CapsError(
            f"'{path}' has {bad} voxels that are NaN or infinite, of {voxels.size}. "
            "Preprocess it again, or drop its row from the participants table."
        )
    if voxels.min() == voxels.max():
        raise CapsError(
            f"'{path}' is blank: every voxel is {voxels.flat[0]:g}. Preprocess it "
            "again, or drop its row from the participants table."
        )
    return voxels, geometry


def open_volume(path: str | os.PathLike[str]) -> tuple[np.ndarray, Geometry]:
    """Read one NIfTI volume, whatever its voxels.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    voxels : numpy.ndarray of shape (x, y, z)
        Values in single precision.
    geometry : Geometry
        Its grid.

    Raises
    ------
    CapsError
        If the file is absent, corrupt or cut short, or is not one volume.
    """
    image = _open(path)
    geometry = Geometry._of_image(image, path)
    try:
        voxels = image.get_fdata(dtype=np.float32, caching="unchanged")
    except Exception as error:  # gzip, zlib, numpy and nibabel each raise their own
        raise CapsError(_unreadable(path, error)) from error
    return voxels.reshape(geometry.shape), geometry


def read_volumes(
    paths: Sequence[str], geometry: Geometry, reference: str
) -> Nifti1Image:
    """Read volumes of one grid into one image.

    Parameters
    ----------
    paths : sequence of str of length n_images
        The files.
    geometry : Geometry
        The grid that all must have.
    reference : str
        Where that grid comes from, for messages.

    Returns
    -------
    nibabel.Nifti1Image
        Of shape (x, y, z, n_images).

    Raises
    ------
    CapsError
        If a file cannot be used, or has another grid.
    """
    import nibabel as nib

    # One volume after the other in memory, as nilearn reads them.
    stack = np.empty((*geometry.shape, len(paths)), dtype=np.float32, order="F")
    for index, path in enumerate(paths):
        voxels, found = read_volume(path)
        geometry.check(found, path, reference)
        stack[..., index] = voxels
    return nib.Nifti1Image(stack, geometry.matrix)


def _open(path: str | os.PathLike[str]) -> Any:
    import nibabel as nib

    try:
        return nib.load(path)
    except Exception as error:  # a file of any content may be met here
        raise CapsError(_unreadable(path, error)) from error


def _unreadable(path: str | os.PathLike[str], error: Exception) -> str:
    return (
        f"'{path}' cannot be read as a NIfTI image: {type(error).__name__}: {error}. "
        "If it is there, it is corrupt or cut short: copy it or preprocess it again."
    )
