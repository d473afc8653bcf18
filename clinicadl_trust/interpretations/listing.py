"""Which interpretations are there."""

from __future__ import annotations

import os

from clinicadl_trust.interpretations.interpretation import Interpretation
from clinicadl_trust.interpretations.places import ABOUT, FOLDER
from clinicadl_trust.records import find_records

__all__ = ["interpretations"]


def interpretations(root: str | os.PathLike[str]) -> list[Interpretation]:
    """List the interpretations of a MAPS, or of all finished runs below a folder.

    Parameters
    ----------
    root : path-like
        A MAPS, or the output of a benchmark.

    Returns
    -------
    list of Interpretation
        By run, group and method; also those that were interrupted.
    """
    found = []
    for record in find_records(root):
        maps, split = record.parents[2], int(record.parent.name.removeprefix("split-"))
        for path in sorted((record / FOLDER).glob(f"*/*/{ABOUT}")):
            method, group = path.parent.name, path.parent.parent.name
            found.append(Interpretation(maps, split, group, method))
    return found
