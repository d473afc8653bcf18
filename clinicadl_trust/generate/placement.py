"""Where each voxel of a visit lies in the template."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clinicadl_trust.generate.anatomy import Anatomy
from clinicadl_trust.generate.deformation import Deformation
from clinicadl_trust.generate.grid import Grid

__all__ = ["Placement", "occupied", "place"]


def occupied(depth: np.ndarray, width: float) -> np.ndarray:
    """Return the fraction of a voxel that lies below a surface.

    Parameters
    ----------
    depth : numpy.ndarray
        Distance of the voxel's centre below the surface, in mm.
    width : float
        Over how many mm the fraction goes from 0 to 1.
    """
    return np.clip(0.5 + depth / width, 0.0, 1.0)


@dataclass(frozen=True)
class Placement:
    """A head in the scanner, seen from the template.

    Attributes
    ----------
    anatomy : Anatomy
        The template.
    grid : Grid
        The image's voxels.
    points : numpy.ndarray of float32, shape (3, x, y, z)
        Position of each voxel in the template, in mm.
    """

    anatomy: Anatomy
    grid: Grid
    points: np.ndarray

    @property
    def width(self) -> float:
        """Softness of an edge in mm: a voxel, and never sharper than a scanner."""
        return max(self.grid.spacing, 1.5)

    def sample(self, name: str) -> np.ndarray:
        """Look up a map of the template, shape (x, y, z)."""
        return self.anatomy.maps[name].sample(self.points)


def place(
    anatomy: Anatomy,
    deformation: Deformation,
    grid: Grid,
    rng: np.random.Generator,
    displacement: np.ndarray | None = None,
) -> Placement:
    """Put a person into the scanner.

    Parameters
    ----------
    anatomy : Anatomy
        The template.
    deformation : Deformation
        The person's shape.
    grid : Grid
        The image's voxels.
    rng : numpy.random.Generator
        The visit's stream: no two registrations agree to a tenth of a mm.
    displacement : numpy.ndarray, optional
        ``deformation.displacement(grid)`` where it is known from another visit.
    """
    if displacement is None:
        displacement = deformation.displacement(grid)
    position = (deformation.shift + rng.normal(0, 0.2, 3)).astype(np.float32)
    straight = np.tensordot(
        deformation.matrix.astype(np.float32),
        np.stack(np.meshgrid(*grid.axes, indexing="ij")),
        axes=1,
    )
    points = straight + displacement + position.reshape(3, 1, 1, 1)
    return Placement(anatomy, grid, points)
