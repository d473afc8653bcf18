"""Who has which brain: smooth deformations of one template.

A free-form deformation moves the knots of a coarse lattice and interpolates
between them with cubic B-splines [1]_. It cannot fold while no knot moves by more
than ``spacing / 2.48`` [2]_, a bound that is kept here for the sum of two lattices.

References
----------
.. [1] Rueckert et al. (1999), IEEE Transactions on Medical Imaging 18(8), 712-721.
.. [2] Choi and Lee (2000), Graphical Models 62(6), 411-427.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from clinicadl_trust.generate.grid import CROP_ORIGIN, CROP_SHAPE, Grid

__all__ = ["Deformation", "Lattice", "draw_deformation", "mix"]


@dataclass(frozen=True)
class Lattice:
    """A lattice of B-spline knots over the field of view.

    Attributes
    ----------
    spacing : float
        Distance between knots, in mm.
    """

    spacing: float

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of knots along each axis, one beyond each edge included."""
        x, y, z = (math.ceil(n / self.spacing) + 3 for n in CROP_SHAPE)
        return x, y, z

    def evaluate(self, knots: np.ndarray, grid: Grid) -> np.ndarray:
        """Interpolate knot values, shape ``(..., *self.shape)``, on a grid.

        Returns
        -------
        numpy.ndarray of float32, shape ``(..., *grid.shape)``
        """
        field = knots.astype(np.float32)
        for axis, (first, centres) in enumerate(
            zip(CROP_ORIGIN, grid.axes, strict=True)
        ):
            basis = self._basis(centres - first, self.shape[axis])
            # tensordot moves the axis it replaces to the end: after three of them
            # the order is (..., x, y, z) again.
            field = np.tensordot(field, basis, axes=([field.ndim - 3], [1]))
        return np.ascontiguousarray(field, dtype=np.float32)

    def at(self, knots: np.ndarray, points: np.ndarray) -> np.ndarray:
        """Interpolate knot values at any positions, as ``evaluate`` does on a grid.

        Parameters
        ----------
        knots : numpy.ndarray, shape ``(..., *self.shape)``
            What is interpolated.
        points : numpy.ndarray, shape (3, x, y, z)
            In mm. Beyond the lattice its edge goes on.

        Returns
        -------
        numpy.ndarray of float32, shape (..., x, y, z)
        """
        first = np.reshape(CROP_ORIGIN, (3, 1, 1, 1)).astype(np.float32)
        places = (points - first) / np.float32(self.spacing) + 1
        parts = knots.reshape(-1, *self.shape).astype(np.float32)
        # Without the prefilter knots are B-spline coefficients, as in ``evaluate``.
        values = [
            ndimage.map_coordinates(
                part, places, order=3, prefilter=False, mode="nearest"
            )
            for part in parts
        ]
        return np.reshape(values, (*knots.shape[:-3], *points.shape[1:]))

    def _basis(self, positions: np.ndarray, knots: int) -> np.ndarray:
        """Weights of the knots at each position, shape (n_positions, knots)."""
        distance = np.abs(
            positions[:, None] / self.spacing - (np.arange(knots)[None, :] - 1)
        )
        near = 2 / 3 - distance**2 + distance**3 / 2
        far = (2 - distance) ** 3 / 6
        return np.where(distance < 1, near, np.where(distance < 2, far, 0)).astype(
            np.float32
        )


#: Lattice and the share of the no-folding bound that its knots may use. The
#: coarse one gives the shape of a head, the fine one that of gyri and nuclei.
_LEVELS = ((Lattice(60.0), 0.4), (Lattice(30.0), 0.3))
_NO_FOLD = 2.48


@dataclass(frozen=True)
class Deformation:
    """Where each voxel of a person lies in the template.

    Attributes
    ----------
    knots : tuple of numpy.ndarray
        Displacement of the knots of each lattice, in mm, shape (3, x, y, z).
    matrix : numpy.ndarray, shape (3, 3)
        What the affine registration to the template left: rotation and scale.
    shift : numpy.ndarray, shape (3,)
        The same for the position, in mm.
    """

    knots: tuple[np.ndarray, ...]
    matrix: np.ndarray
    shift: np.ndarray

    def displacement(self, grid: Grid, points: np.ndarray | None = None) -> np.ndarray:
        """Return the smooth part in mm, shape (3, x, y, z).

        Parameters
        ----------
        grid : Grid
            Where it is wanted: at its voxels,
        points : numpy.ndarray, shape (3, x, y, z), optional
            or at these positions in mm instead.
        """
        fields = [
            lattice.evaluate(knots, grid)
            if points is None
            else lattice.at(knots, points)
            for (lattice, _), knots in zip(_LEVELS, self.knots, strict=True)
        ]
        return np.asarray(sum(fields), dtype=np.float32)


def draw_deformation(rng: np.random.Generator, size: float = 1.0) -> Deformation:
    """Draw one person's anatomy.

    Parameters
    ----------
    rng : numpy.random.Generator
        The person's own stream.
    size : float
        Mean size of the head after registration, the template's being 1.

    Returns
    -------
    Deformation
        Invertible: its Jacobian determinant is positive everywhere.
    """
    knots = []
    for lattice, share in _LEVELS:
        bound = share * lattice.spacing / _NO_FOLD
        drawn = rng.normal(0, bound / 2, (3, *lattice.shape))
        knots.append(np.clip(drawn, -bound, bound))
    angles = rng.normal(0, np.deg2rad(1.0), 3)
    sizes = size * np.exp(rng.normal(0, 0.015) + rng.normal(0, 0.01, 3))
    # Template positions are looked up, so a larger head divides.
    matrix = _rotation(angles) @ np.diag(1 / sizes)
    return Deformation(tuple(knots), matrix, rng.normal(0, 1.0, 3))


def mix(shared: Deformation, own: Deformation, share: float) -> Deformation:
    """Blend what relatives share with what is a person's own.

    Parameters
    ----------
    shared, own : Deformation
        The family's and the person's.
    share : float
        Fraction of the variance that is shared, between 0 and 1.

    Returns
    -------
    Deformation
        With the variance of either, and still without folds. Position and angle
        in the scanner are the person's own.
    """
    a, b = math.sqrt(share), math.sqrt(1 - share)
    knots = []
    for (lattice, bound_share), ours, theirs in zip(
        _LEVELS, own.knots, shared.knots, strict=True
    ):
        bound = bound_share * lattice.spacing / _NO_FOLD
        knots.append(np.clip(a * theirs + b * ours, -bound, bound))
    return Deformation(tuple(knots), own.matrix, own.shift)


def _rotation(angles: np.ndarray) -> np.ndarray:
    from scipy.spatial.transform import Rotation

    return Rotation.from_euler("xyz", angles).as_matrix()
