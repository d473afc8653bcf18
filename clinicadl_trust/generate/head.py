"""What each voxel of a head is made of, at an age and with a disease."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clinicadl_trust.generate.disease import Change
from clinicadl_trust.generate.grid import Grid
from clinicadl_trust.generate.person import THICKNESS, Person
from clinicadl_trust.generate.placement import Placement, occupied

__all__ = ["Head", "build_head"]


@dataclass(frozen=True)
class Head:
    """A head at one visit.

    Attributes
    ----------
    grid : Grid
        Its voxels.
    tissues : dict of str to numpy.ndarray
        Fraction of each voxel by tissue (``csf``, ``gm``, ``wm``, ``lesion``,
        ``bone``, ``muscle``, ``scalp``), and ``detail`` (see ``anatomy.MAPS``).
    changed : numpy.ndarray
        Fraction of each voxel that a disease has changed.
    brain : numpy.ndarray of bool
        The brain's envelope, sulci included.
    """

    grid: Grid
    tissues: dict[str, np.ndarray]
    changed: np.ndarray
    brain: np.ndarray


def build_head(
    person: Person, placement: Placement, age: float, change: Change
) -> Head:
    """Put a head together.

    Parameters
    ----------
    person : Person
        Whose it is.
    placement : Placement
        Where its voxels lie in the template.
    age : float
        At this visit, in years.
    change : Change
        What a disease takes.
    """
    near = placement.sample("ventricles")
    kept = _kept(person, placement, age, near)
    gm, wm, detail = (placement.sample(name) * kept for name in ("gm", "wm", "detail"))
    lesion = (gm * (1 - change.lost) + wm) * change.lesion
    changed = gm * change.lost + lesion
    gm = gm * (1 - change.lost) * (1 - change.lesion)
    wm = wm * (1 - change.lesion)
    detail = detail * (1 - change.lost) * (1 - change.lesion)
    # Everybody's white matter turns hyperintense around the ventricles with age.
    rate = np.float32(min(0.5 * _recession(age) * person.caps, 1.0))
    caps = wm * np.clip(near - 0.35, 0, 1) * rate
    tissues = {"gm": gm, "wm": wm - caps, "lesion": lesion + caps, "detail": detail}
    inside = placement.sample("brain")
    tissues |= _wrap(person, placement, inside, gm + wm + lesion)
    return Head(placement.grid, tissues, changed, inside > 0)


def _recession(age: float) -> float:
    """Return how far surfaces recede on average at an age, in mm; 0 at 20 years."""
    return (max(age - 20.0, 0.0) / 50.0) ** 1.5


def _kept(
    person: Person, placement: Placement, age: float, near: np.ndarray
) -> np.ndarray:
    """Return the fraction of the template's tissue that the person has."""
    # Ventricles widen more than the cortex thins.
    ageing = _recession(age) * person.ageing * (0.25 + 1.25 * near)
    own = placement.spread(THICKNESS, person.thickness)
    depth, width = placement.sample("depth"), placement.width
    template = occupied(depth, width)
    kept = np.ones_like(template)
    np.divide(
        occupied(depth - own - ageing, width), template, out=kept, where=template > 0.02
    )
    return np.clip(kept, 0, 1.3)


def _wrap(
    person: Person, placement: Placement, inside: np.ndarray, solid: np.ndarray
) -> dict[str, np.ndarray]:
    """Return CSF, bone, muscle and scalp: shells around the brain's envelope."""
    outside, beyond = -inside, -placement.sample("head")
    bone = person.space + person.bone
    width = placement.width
    cranium = occupied(person.space - outside, width)
    skull = occupied(bone - outside, width)
    flesh = np.maximum(occupied(bone - beyond, width), skull)
    whole = np.maximum(occupied(bone + person.scalp - beyond, width), flesh)
    return {
        "csf": np.clip(cranium - solid, 0, 1),
        "bone": skull - cranium,
        "muscle": flesh - skull,
        "scalp": whole - flesh,
    }
