"""What a disease does to a brain, in amounts that the truth table records."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from clinicadl_trust.generate.anatomy import Anatomy
from clinicadl_trust.generate.options import GeneratorOptions
from clinicadl_trust.generate.streams import stream

__all__ = ["Change", "Disease", "make_disease", "occupied"]


def occupied(depth: np.ndarray, width: float) -> np.ndarray:
    """Return the fraction of a voxel that lies below a surface.

    Parameters
    ----------
    depth : numpy.ndarray
        Distance of the voxel centre below the surface, in mm.
    width : float
        Over how many mm the fraction goes from 0 to 1.
    """
    return np.clip(0.5 + depth / width, 0.0, 1.0)


@dataclass(frozen=True)
class Change:
    """What a disease takes from each voxel.

    Attributes
    ----------
    lost : numpy.ndarray
        Fraction of the voxel's grey matter that has become CSF.
    lesion : numpy.ndarray
        Fraction of the voxel's tissue that has become lesion.
    lesions : int
        Number of lesions.
    """

    lost: np.ndarray
    lesion: np.ndarray
    lesions: int = 0


class Disease(ABC):
    """One kind of planted effect."""

    @abstractmethod
    def change(
        self,
        anatomy: Anatomy,
        points: np.ndarray,
        amount: float,
        person: str,
        width: float,
    ) -> Change:
        """Return what a patient's disease changes.

        Parameters
        ----------
        anatomy : Anatomy
            The template.
        points : numpy.ndarray, shape (3, x, y, z)
            Where each voxel of the patient lies in it, in mm.
        amount : float
            Severity now: 1 is the mean patient at the first session at effect 1.
        person : str
            Whose stream the places of lesions are drawn from.
        width : float
            Softness of an edge in mm, about a voxel.
        """


@dataclass(frozen=True)
class Atrophy(Disease):
    """Regions shrink from their surface inwards and CSF takes the room.

    Attributes
    ----------
    depth : float
        How far the surface recedes at amount 1, in mm.
    """

    depth: float = 0.8

    def change(self, anatomy, points, amount, person, width):  # type: ignore[no-untyped-def]
        inside = anatomy.sample("regions", points)
        lost = occupied(inside, width) - occupied(inside - self.depth * amount, width)
        return Change(lost, np.zeros_like(lost))


@dataclass(frozen=True)
class Lesions(Disease):
    """Ellipsoids whose volume grows with the amount.

    Attributes
    ----------
    seed : int
        The cohort's seed.
    where : {"periventricular", "border"}
        White matter near the ventricles, or the border of grey and white matter.
    mean_number : float
        Mean number of lesions of a patient.
    radius : tuple of float
        Limits of the radius at amount 1, in mm.
    """

    seed: int
    where: str
    mean_number: float
    radius: tuple[float, float]

    def change(self, anatomy, points, amount, person, width):  # type: ignore[no-untyped-def]
        rng = stream(self.seed, "lesions", person)
        number = 1 + rng.poisson(self.mean_number - 1)
        free = np.ones(points.shape[1:], dtype=np.float32)
        for centre in self._places(anatomy, rng, number):
            axes = rng.uniform(*self.radius) * np.exp(rng.normal(0, 0.2, 3))
            # Volume, not radius, is proportional to the amount.
            axes = axes * amount ** (1 / 3)
            offset = points - centre.reshape(3, 1, 1, 1).astype(np.float32)
            scaled = np.sqrt(
                sum((o / a) ** 2 for o, a in zip(offset, axes, strict=True))
            )
            depth = (1 - scaled) * axes.mean()
            free *= 1 - occupied(depth, width) * _covers(axes, width)
        return Change(np.zeros_like(free), 1 - free, int(number))

    def _places(self, anatomy, rng, number):  # type: ignore[no-untyped-def]
        gm, wm = anatomy.maps["gm"], anatomy.maps["wm"]
        if self.where == "periventricular":
            weight = np.where(wm > 0.8, anatomy.maps["ventricles"], 0)
        else:
            weight = np.where((np.minimum(gm, wm) > 0.35), 1.0, 0.0)
            weight *= anatomy.maps["ventricles"] < 0.05
        chance = np.cumsum(weight.ravel(), dtype=np.float64)
        voxels = np.searchsorted(chance, rng.random(number) * chance[-1])
        indices = np.stack(np.unravel_index(voxels, weight.shape), axis=1)
        return np.asarray(anatomy.grid.origin) + indices * anatomy.grid.spacing


def _covers(axes: np.ndarray, width: float) -> float:
    """Return how much of a voxel a lesion smaller than it can fill."""
    return float(min(1.0, np.prod(2 * axes / width)))


def make_disease(options: GeneratorOptions) -> Disease:
    """Return the disease that the options ask for."""
    if options.disease == "atrophy":
        return Atrophy()
    if options.disease == "lesions":
        return Lesions(options.seed, "periventricular", 12.0, (2.5, 5.0))
    return Lesions(options.seed, "border", 1.0, (7.0, 10.0))
