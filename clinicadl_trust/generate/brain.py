"""One person's brain at one visit: what each voxel is made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clinicadl_trust.generate.anatomy import Anatomy
from clinicadl_trust.generate.deformation import (
    Deformation,
    Lattice,
    draw_deformation,
    mix,
)
from clinicadl_trust.generate.disease import Change, occupied
from clinicadl_trust.generate.grid import Grid
from clinicadl_trust.generate.streams import stream

__all__ = ["TISSUES", "Brain", "Person", "draw_person"]

#: What a voxel can be made of; the rest of it is air.
TISSUES = ("csf", "gm", "wm", "lesion", "bone", "scalp", "detail")

#: Siblings share half of their genes, and twin studies find most of the variance
#: of brain shape inherited.
_FAMILY_SHARE = 0.6

_THICKNESS = Lattice(40.0)


@dataclass(frozen=True)
class Person:
    """What stays with a person from visit to visit.

    Attributes
    ----------
    deformation : Deformation
        The shape of the head.
    thickness : numpy.ndarray
        Knots of how far the tissue's surface lies behind the template's, in mm.
    ageing : float
        How fast tissue is lost with age, 1 on average.
    skull : tuple of float
        Thickness of subarachnoid space, bone and scalp, in mm.
    contrast : numpy.ndarray, shape (len(TISSUES),)
        Own intensity of each tissue, as a factor.
    caps : float
        White-matter hyperintensities of age around the ventricles, 1 on average.
    """

    deformation: Deformation
    thickness: np.ndarray
    ageing: float
    skull: tuple[float, float, float]
    contrast: np.ndarray
    caps: float


def draw_person(seed: int, participant_id: str, family_id: str, sex: str) -> Person:
    """Draw a person, partly from the family's stream."""
    rng = stream(seed, "anatomy", participant_id)
    shared = draw_deformation(stream(seed, "family", family_id))
    # Affine registration removes most of the difference in head size, not all.
    own = draw_deformation(rng, scale=1.008 if sex == "M" else 0.992)
    return Person(
        deformation=mix(shared, own, _FAMILY_SHARE),
        thickness=rng.normal(0, 0.5, _THICKNESS.shape),
        ageing=float(np.exp(rng.normal(0, 0.25))),
        skull=(
            float(rng.uniform(1.5, 3.0)),
            float(rng.uniform(4.5, 8.0)),
            float(rng.uniform(4.0, 7.0)),
        ),
        contrast=np.exp(rng.normal(0, 0.02, len(TISSUES))),
        caps=float(np.exp(rng.normal(0, 0.5))),
    )


@dataclass(frozen=True)
class Brain:
    """What each voxel is made of at one visit.

    Attributes
    ----------
    tissues : dict of str to numpy.ndarray
        Fraction of each voxel by tissue, and ``detail`` (see ``anatomy.MAPS``).
    points : numpy.ndarray, shape (3, x, y, z)
        Where each voxel lies in the template, in mm.
    """

    tissues: dict[str, np.ndarray]
    points: np.ndarray


def template_points(
    person: Person, grid: Grid, rng: np.random.Generator, field: np.ndarray
) -> np.ndarray:
    """Return where each voxel lies in the template, shape (3, x, y, z), in mm.

    Parameters
    ----------
    person : Person
        Whose head it is.
    grid : Grid
        The image's voxels.
    rng : numpy.random.Generator
        The visit's stream: no two registrations agree to the last tenth of a mm.
    field : numpy.ndarray
        ``person.deformation.displacement(grid)``, computed once for all visits.
    """
    position = person.deformation.shift + rng.normal(0, 0.2, 3)
    matrix = person.deformation.matrix.astype(np.float32)
    axes = np.stack(np.meshgrid(*grid.axes, indexing="ij"))
    moved = np.tensordot(matrix, axes, axes=1)
    return moved + field + position.astype(np.float32).reshape(3, 1, 1, 1)


def compose(
    anatomy: Anatomy,
    person: Person,
    age: float,
    points: np.ndarray,
    grid: Grid,
    change: Change | None,
) -> Brain:
    """Put a brain together from its template, its age and its disease."""
    width = max(grid.spacing, 1.5)
    near = anatomy.sample("ventricles", points)
    gm, wm, detail = (anatomy.sample(name, points) for name in ("gm", "wm", "detail"))
    depth = anatomy.sample("depth", points)
    receded = _THICKNESS.evaluate(person.thickness, grid)
    receded = receded + _age_loss(age) * person.ageing * (0.25 + 1.25 * near)
    below = occupied(depth, width)
    kept = np.divide(
        occupied(depth - receded, width),
        below,
        out=np.ones_like(below),
        where=below > 0.02,
    ).clip(0, 1.3)
    gm, wm, detail = gm * kept, wm * kept, detail * kept
    lesion = np.zeros_like(gm)
    if change is not None:
        gm = gm * (1 - change.lost)
        detail = detail * (1 - change.lost) * (1 - change.lesion)
        lesion = (gm + wm) * change.lesion
        gm, wm = gm * (1 - change.lesion), wm * (1 - change.lesion)
    caps = wm * np.clip(near - 0.35, 0, 1) * min(0.5 * _age_loss(age) * person.caps, 1)
    wm, lesion = wm - caps, lesion + caps
    tissues = {"gm": gm, "wm": wm, "lesion": lesion, "detail": detail}
    return Brain({**tissues, **_head(anatomy, person, points, width, tissues)}, points)


def _age_loss(age: float) -> float:
    """Return how far surfaces have receded at an age, in mm; 0 at 20 years."""
    return max(age - 20.0, 0.0) ** 1.5 / 50**1.5


def _head(anatomy, person, points, width, tissues):  # type: ignore[no-untyped-def]
    """Return CSF, bone and scalp: shells around the brain's envelope."""
    outside = -anatomy.sample("brain", points)
    edges = np.cumsum(person.skull)
    within = [occupied(edge - outside, width) for edge in edges]
    solid = tissues["gm"] + tissues["wm"] + tissues["lesion"]
    return {
        "csf": np.clip(within[0] - solid, 0, 1),
        "bone": within[1] - within[0],
        "scalp": within[2] - within[1],
    }
