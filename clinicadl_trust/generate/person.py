"""What stays with a person from visit to visit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clinicadl_trust.generate.deformation import (
    Deformation,
    Lattice,
    draw_deformation,
    mix,
)
from clinicadl_trust.generate.streams import stream

__all__ = ["THICKNESS", "Person", "draw_person"]

#: Where a person's own thickness of tissue is drawn.
THICKNESS = Lattice(40.0)

#: Twin studies find most of the variance of the brain's shape inherited.
_FAMILY_SHARE = 0.6


@dataclass(frozen=True)
class Person:
    """An anatomy, drawn without a look at the diagnosis.

    Attributes
    ----------
    deformation : Deformation
        The shape of the head.
    thickness : numpy.ndarray, shape ``THICKNESS.shape``
        How far the surface of the tissue lies behind the template's, in mm.
    ageing : float
        How fast tissue is lost with age; about 1.
    space, bone, scalp : float
        Thickness of the subarachnoid space, the skull and the skin, in mm.
    contrast : dict of str to float
        Own intensity of a tissue, as a factor of the usual one; about 1.
    caps : float
        How fast white matter around the ventricles turns hyperintense with age;
        about 1.
    """

    deformation: Deformation
    thickness: np.ndarray
    ageing: float
    space: float
    bone: float
    scalp: float
    contrast: dict[str, float]
    caps: float


def draw_person(seed: int, participant_id: str, family_id: str, sex: str) -> Person:
    """Draw a person, in part from the family's stream.

    Parameters
    ----------
    seed : int
        The cohort's seed.
    participant_id, family_id : str
        Whose streams to draw from.
    sex : {"F", "M"}
        Men's heads are larger; registration leaves a little of that.
    """
    rng = stream(seed, "anatomy", participant_id)
    shared = draw_deformation(stream(seed, "family", family_id))
    own = draw_deformation(rng, size=1.008 if sex == "M" else 0.992)
    tissues = ("csf", "gm", "wm", "lesion", "scalp")
    return Person(
        deformation=mix(shared, own, _FAMILY_SHARE),
        thickness=rng.normal(0, 0.5, THICKNESS.shape),
        ageing=float(np.exp(rng.normal(0, 0.25))),
        space=float(rng.uniform(1.5, 3.0)),
        bone=float(rng.uniform(4.5, 8.0)),
        scalp=float(rng.uniform(4.0, 7.0)),
        contrast={name: float(np.exp(rng.normal(0, 0.02))) for name in tissues},
        caps=float(np.exp(rng.normal(0, 0.5))),
    )
