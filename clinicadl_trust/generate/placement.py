"""Where each voxel of a visit lies in the template."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clinicadl_trust.generate.anatomy import Anatomy
from clinicadl_trust.generate.deformation import Deformation, Lattice
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
    affine : numpy.ndarray, shape (4, 4), optional
        What has moved the head in the scanner, from world to world in mm; None if
        nothing has.
    """

    anatomy: Anatomy
    grid: Grid
    points: np.ndarray
    affine: np.ndarray | None = None

    @property
    def width(self) -> float:
        """Softness of an edge in mm: a voxel, and never sharper than a scanner."""
        return max(self.grid.spacing, 1.5)

    def sample(self, name: str) -> np.ndarray:
        """Look up a map of the template, shape (x, y, z)."""
        return self.anatomy.maps[name].sample(self.points)

    def spread(self, lattice: Lattice, knots: np.ndarray) -> np.ndarray:
        """Interpolate what belongs to the head, not to the scanner: it moves too."""
        if self.affine is None:
            return lattice.evaluate(knots, self.grid)
        return lattice.at(knots, _before(self.affine, self.grid))

    def around(self, centre: np.ndarray, radius: float) -> tuple[slice, slice, slice]:
        """Return a box of voxels that holds a ball of the template, for speed.

        Parameters
        ----------
        centre : numpy.ndarray, shape (3,)
            In the template, in mm.
        radius : float
            In mm.
        """
        reach = radius + self.width + 30.0  # no voxel is displaced by 30 mm
        if self.affine is not None:
            linear = self.affine[:3, :3]
            centre = linear @ centre + self.affine[:3, 3]
            reach *= float(np.linalg.norm(linear, 2))
        first = (centre - reach - self.grid.origin) / self.grid.spacing
        last = (centre + reach - self.grid.origin) / self.grid.spacing
        x, y, z = (
            slice(max(0, int(np.floor(a))), max(0, int(np.ceil(b)) + 1))
            for a, b in zip(first, last, strict=True)
        )
        return x, y, z


def place(
    anatomy: Anatomy,
    deformation: Deformation,
    grid: Grid,
    rng: np.random.Generator,
    *,
    displacement: np.ndarray | None = None,
    affine: np.ndarray | None = None,
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
        ``deformation.displacement(grid)`` where it is known from another visit; of
        use without an affine only.
    affine : numpy.ndarray, shape (4, 4), optional
        Moves the head, from world to world in mm. Positions are composed, so that no
        image is resampled twice.
    """
    if affine is None:
        own = np.stack(np.meshgrid(*grid.axes, indexing="ij"))
        if displacement is None:
            displacement = deformation.displacement(grid)
    else:
        own = _before(affine, grid)
        displacement = deformation.displacement(grid, own)
    position = (deformation.shift + rng.normal(0, 0.2, 3)).astype(np.float32)
    straight = np.tensordot(deformation.matrix.astype(np.float32), own, axes=1)
    points = straight + displacement + position.reshape(3, 1, 1, 1)
    return Placement(anatomy, grid, points, affine)


def _before(affine: np.ndarray, grid: Grid) -> np.ndarray:
    """Return where the voxels' content was before the head moved, (3, x, y, z)."""
    inverse = np.linalg.inv(affine).astype(np.float32)
    moved = np.stack(np.meshgrid(*grid.axes, indexing="ij"))
    back = np.tensordot(inverse[:3, :3], moved, axes=1)
    return np.asarray(back + inverse[:3, 3].reshape(3, 1, 1, 1), dtype=np.float32)
