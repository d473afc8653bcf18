"""What a disease does to a brain."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from clinicadl_trust.generate.anatomy import Anatomy
from clinicadl_trust.generate.options import GeneratorOptions
from clinicadl_trust.generate.placement import Placement, occupied
from clinicadl_trust.generate.streams import stream

__all__ = ["Atrophy", "Change", "Disease", "Lesions", "make_disease"]

#: Standard deviation of the logarithm of a lesion's radius along each axis.
_SHAPE = 0.2


@dataclass(frozen=True)
class Change:
    """What a disease takes.

    Attributes
    ----------
    lost : numpy.ndarray, shape (x, y, z)
        Fraction of each voxel's grey matter that has become CSF.
    lesion : numpy.ndarray, shape (x, y, z)
        Fraction of each voxel's tissue that has become lesion.
    lesions : int
        Number of lesions.
    """

    lost: np.ndarray
    lesion: np.ndarray
    lesions: int = 0


class Disease(ABC):
    """One kind of planted effect."""

    def change(self, placement: Placement, amount: float, person: str) -> Change:
        """Return what the disease has changed at a visit.

        Parameters
        ----------
        placement : Placement
            Where the patient's voxels lie in the template.
        amount : float
            Severity at this visit; 1 is the mean patient's at the first visit of a
            cohort of effect 1, and 0 changes nothing.
        person : str
            Whose stream to draw from, so that lesions keep their place.
        """
        if amount <= 0:
            nothing = np.zeros(placement.grid.shape, dtype=np.float32)
            return Change(nothing, nothing)
        return self._change(placement, amount, person)

    def burden(self, amount: float, person: str) -> float:
        """Return how much disease there is: 1 in the mean patient of amount 1.

        Parameters
        ----------
        amount, person : float, str
            As in ``change``.
        """
        return amount

    @abstractmethod
    def _change(self, placement: Placement, amount: float, person: str) -> Change:
        """Return the change of a positive amount."""


@dataclass(frozen=True)
class Atrophy(Disease):
    """Regions shrink from their surface inwards, and CSF takes the room.

    Attributes
    ----------
    depth : float
        How far the surface recedes at amount 1, in mm. 0.9 mm takes a quarter of the
        hippocampus, as in dementia.
    """

    depth: float = 0.9

    def _change(self, placement: Placement, amount: float, person: str) -> Change:
        inside, width = placement.sample("regions"), placement.width
        before = occupied(inside, width)
        after = occupied(inside - np.float32(self.depth * amount), width)
        return Change(before - after, np.zeros_like(before))


@dataclass(frozen=True)
class Lesions(Disease):
    """Ellipsoids of damaged tissue, whose volume is proportional to the amount.

    Attributes
    ----------
    seed : int
        The cohort's seed.
    place : {"periventricular", "border"}
        The map of their centres: white matter near the ventricles, as in multiple
        sclerosis, or the border of grey and white matter, as in focal cortical
        dysplasia.
    number : float
        Mean number of lesions of a patient, at least 1.
    radius : tuple of float
        Limits of the radius at amount 1, in mm.
    """

    seed: int
    place: str
    number: float
    radius: tuple[float, float]

    def burden(self, amount: float, person: str) -> float:
        """Return the volume of the ellipsoids over its expectation at amount 1."""
        _, sizes = self._draw(person)
        low, high = self.radius
        cubed = (high**4 - low**4) / (4 * (high - low))  # of a uniform radius
        expected = self.number * cubed * np.exp(3 * _SHAPE**2 / 2)
        return float(amount * np.prod(sizes, axis=1).sum() / expected)

    def _change(self, placement: Placement, amount: float, person: str) -> Change:
        where, sizes = self._draw(person)
        healthy = np.ones(placement.grid.shape, dtype=np.float32)
        centres = self._centres(placement.anatomy, where)
        for centre, size in zip(centres, sizes, strict=True):
            radii = size * amount ** (1 / 3)
            window = placement.around(centre, float(radii.max()))
            place = (slice(None), *window)
            points = placement.points[place]
            healthy[window] *= 1 - _ellipsoid(points, centre, radii, placement.width)
        return Change(np.zeros_like(healthy), 1 - healthy, len(sizes))

    def _draw(self, person: str) -> tuple[np.ndarray, np.ndarray]:
        """Draw ranks of places, shape (n,), and radii at amount 1 in mm, (n, 3)."""
        rng = stream(self.seed, "lesions", person)
        number = 1 + int(rng.poisson(self.number - 1))
        where = rng.random(number)
        # One after the other: more lesions leave the first ones as they are.
        sizes = [
            rng.uniform(*self.radius) * np.exp(rng.normal(0, _SHAPE, 3))
            for _ in range(number)
        ]
        return where, np.stack(sizes)

    def _centres(self, anatomy: Anatomy, where: np.ndarray) -> np.ndarray:
        """Look positions in the template up, shape (number, 3), in mm."""
        weight = anatomy.maps[self.place]
        chance = np.cumsum(weight.values, dtype=np.float64)
        voxels = np.searchsorted(chance, where * chance[-1], side="right")
        indices = np.stack(np.unravel_index(voxels, weight.grid.shape), axis=1)
        return np.asarray(weight.grid.origin) + indices * weight.grid.spacing


def _ellipsoid(
    points: np.ndarray, centre: np.ndarray, radii: np.ndarray, width: float
) -> np.ndarray:
    """Return the fraction of each voxel inside an ellipsoid."""
    offset = points - centre.astype(np.float32).reshape(3, 1, 1, 1)
    offset /= radii.astype(np.float32).reshape(3, 1, 1, 1)
    depth = (1 - np.sqrt(np.sum(offset**2, axis=0))) * np.float32(radii.mean())
    # One that is smaller than a voxel cannot fill it.
    filled = min(1.0, float(np.prod(2 * radii / width)))
    return occupied(depth, width) * np.float32(filled)


def make_disease(options: GeneratorOptions) -> Disease:
    """Return the disease that the options ask for."""
    if options.disease == "atrophy":
        return Atrophy()
    if options.disease == "lesions":
        return Lesions(options.seed, "periventricular", 20.0, (2.5, 6.0))
    return Lesions(options.seed, "border", 1.0, (5.0, 8.0))
