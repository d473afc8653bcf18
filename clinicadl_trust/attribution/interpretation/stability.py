"""Whether networks that differ by their seed alone look at the same voxels."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from clinicadl_trust.attribution.interpretation.similarity import spearman, top_dice
from clinicadl_trust.cohort import IDS
from clinicadl_trust.exceptions import AttributionError
from clinicadl_trust.interpretations import METRICS, Interpretation, interpretations
from clinicadl_trust.models.volumes import open_volume

__all__ = ["stability"]


def stability(
    maps_list: Sequence[str | os.PathLike[str]],
    *,
    group: str = "test",
    method: str = "gradient",
    part: float = 0.01,
) -> pd.DataFrame:
    """Compare the maps of each image between runs, two by two.

    Parameters
    ----------
    maps_list : sequence of path-like
        MAPS of one model trained with several seeds, interpreted.
    group, method : str
        Which interpretation.
    part : float
        Of the voxels, those of the largest attributions, for the Dice coefficient.

    Returns
    -------
    pandas.DataFrame
        One row an image: what a predictions table says of it, scores averaged;
        ``n_maps``; ``stability_spearman``, the mean rank correlation of two maps, and
        ``stability_top_dice``, the mean Dice coefficient of their largest voxels
        (``part`` is what chance gives).

    Raises
    ------
    AttributionError
        If there are fewer than two runs, one is not interpreted to the end, or they
        have other images or grids.
    """
    found = [_finished(maps, group, method) for maps in maps_list]
    if len(found) < 2:
        raise AttributionError(
            f"Stability is about several seeds, and {len(found)} run was given. Give "
            "the MAPS of two or more."
        )
    tables = [each.metrics().set_index(list(IDS)).sort_index() for each in found]
    first = tables[0]
    for each, table in zip(found, tables, strict=True):
        if not table.index.equals(first.index):
            raise AttributionError(
                f"'{each.maps}' and '{found[0].maps}' have interpreted other images of "
                f"'{group}'. Seeds of one fold can be compared."
            )
    kept = [name for name in first if name not in METRICS and name != "seed"]
    made = first[kept].copy()
    for name in [name for name in kept if str(name).startswith("score")]:
        made[name] = np.mean([table[name] for table in tables], axis=0)
    alike = [_alike(found, ids, part) for ids in first.index]
    made["n_maps"] = len(found)
    made["stability_spearman"], made["stability_top_dice"] = np.transpose(alike)
    return made.reset_index()


def _finished(maps: str | os.PathLike[str], group: str, method: str) -> Interpretation:
    for each in interpretations(maps):
        if (each.group, each.method) == (group, method) and each.is_finished:
            return each
    raise AttributionError(
        f"'{maps}' has no finished interpretation of '{group}' by {method}. Run "
        "`clinicadl interpret` on it first."
    )


def _alike(
    found: list[Interpretation], ids: tuple[str, str], part: float
) -> tuple[float, float]:
    paths = [each.map_of(*ids) for each in found]
    opened = [open_volume(path) for path in paths]
    for path, (_, grid) in zip(paths, opened, strict=True):
        opened[0][1].check(grid, str(path), f"'{paths[0]}'")
    pairs = list(combinations([values for values, _ in opened], 2))
    correlation = float(np.mean([spearman(*pair) for pair in pairs]))
    return correlation, float(np.mean([top_dice(*pair, part) for pair in pairs]))
