"""One head in the scanner, for the tests of what happens to it."""

from functools import lru_cache

from clinicadl_trust.generate.anatomy import load_anatomy
from clinicadl_trust.generate.grid import crop_grid
from clinicadl_trust.generate.person import draw_person
from clinicadl_trust.generate.placement import Placement, place
from clinicadl_trust.generate.streams import stream

REGIONS = ("Hippocampus_L", "Hippocampus_R")
PERSON = draw_person(0, "sub-001", "fam-001", "F")


@lru_cache(maxsize=4)
def scene(resolution: int = 4) -> Placement:
    """Place the same person on the grid of a resolution."""
    return place(
        load_anatomy(resolution, REGIONS),
        PERSON.deformation,
        crop_grid(resolution),
        stream(0, "visit"),
    )
