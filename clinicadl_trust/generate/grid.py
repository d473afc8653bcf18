"""The voxels: Clinica's crop of MNI space, at any whole resolution."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

__all__ = ["CROP_ORIGIN", "CROP_SHAPE", "Grid", "crop_grid"]

#: Shape and first voxel centre (mm) of what Clinica's t1-linear leaves of
#: MNI152NLin2009cSym at 1 mm: voxels 12:181, 13:221, 0:179 of the template, whose
#: own first voxel lies at (-96, -132, -78).
CROP_SHAPE = (169, 208, 179)
CROP_ORIGIN = (-84.0, -119.0, -78.0)


@dataclass(frozen=True)
class Grid:
    """A regular grid of cubic voxels along the axes of MNI space.

    Attributes
    ----------
    shape : tuple of int
        Number of voxels along (x, y, z).
    origin : tuple of float
        Centre of the first voxel, in mm.
    spacing : float
        Edge of a voxel, in mm.
    """

    shape: tuple[int, int, int]
    origin: tuple[float, float, float]
    spacing: float

    @property
    def affine(self) -> np.ndarray:
        """Voxel indices to mm, shape (4, 4)."""
        affine = np.diag([self.spacing] * 3 + [1.0])
        affine[:3, 3] = self.origin
        return affine

    @property
    def axes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The voxel centres along each axis, in mm."""
        x, y, z = (
            np.asarray(first + self.spacing * np.arange(n), dtype=np.float32)
            for first, n in zip(self.origin, self.shape, strict=True)
        )
        return x, y, z

    def to_voxels(self, points: np.ndarray) -> np.ndarray:
        """Turn positions in mm, shape (3, ...), into fractional voxel indices."""
        origin = np.reshape(self.origin, (3,) + (1,) * (points.ndim - 1))
        return (points - origin.astype(points.dtype)) / points.dtype.type(self.spacing)


def crop_grid(resolution: int) -> Grid:
    """Return Clinica's cropped field of view at a resolution.

    Parameters
    ----------
    resolution : int
        Edge of a voxel in mm. 1 gives Clinica's 169x208x179 voxels exactly; more
        gives the same field of view, its size rounded up.

    Returns
    -------
    Grid
        Its voxels start at the same corner whatever the resolution.
    """
    x, y, z = (math.ceil(n / resolution) for n in CROP_SHAPE)
    shift = (resolution - 1) / 2  # the corner stays, so the first centre moves
    first = [value + shift for value in CROP_ORIGIN]
    return Grid((x, y, z), (first[0], first[1], first[2]), float(resolution))
