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

    def _change(self, placement: Placement, amount: float, person: str) -> Change:
        rng = stream(self.seed, "lesions", person)
        number = 1 + int(rng.poisson(self.number - 1))
        healthy = np.ones(placement.grid.shape, dtype=np.float32)
        for centre in self._centres(placement.anatomy, rng, number):
            radii = rng.uniform(*self.radius) * np.exp(rng.normal(0, 0.2, 3))
            radii = radii * amount ** (1 / 3)
            window = _around(placement, centre, float(radii.max()))
            place = (slice(None), *window)
            points = placement.points[place]
            healthy[window] *= 1 - _ellipsoid(points, centre, radii, placement.width)
        return Change(np.zeros_like(healthy), 1 - healthy, number)

    def _centres(
        self, anatomy: Anatomy, rng: np.random.Generator, number: int
    ) -> np.ndarray:
        """Draw positions in the template, shape (number, 3), in mm."""
        weight = anatomy.maps[self.place]
        chance = np.cumsum(weight.values, dtype=np.float64)
        voxels = np.searchsorted(chance, rng.random(number) * chance[-1], side="right")
        indices = np.stack(np.unravel_index(voxels, weight.grid.shape), axis=1)
        return np.asarray(weight.grid.origin) + indices * weight.grid.spacing


def _around(
    placement: Placement, centre: np.ndarray, radius: float
) -> tuple[slice, slice, slice]:
    """Return the voxels that may hold a lesion: a box, for speed."""
    reach = radius + placement.width + 30.0  # no voxel is displaced by 30 mm
    grid = placement.grid
    first = (centre - reach - grid.origin) / grid.spacing
    last = (centre + reach - grid.origin) / grid.spacing
    x, y, z = (
        slice(max(0, int(np.floor(a))), max(0, int(np.ceil(b)) + 1))
        for a, b in zip(first, last, strict=True)
    )
    return x, y, z


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
