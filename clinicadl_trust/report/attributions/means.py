"""The mean map of a class over the runs of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from clinicadl_trust.exceptions import AttributionError
from clinicadl_trust.report.attributions.interpreted import Run
from clinicadl_trust.report.attributions.pictures import read_map
from clinicadl_trust.tables import as_text

if TYPE_CHECKING:
    from nibabel.spatialimages import SpatialImage

__all__ = ["mean_map"]


def mean_map(runs: Sequence[Run], name: str, classes: Sequence[str]) -> SpatialImage:
    """Average the mean maps of a class over the runs of one model and method.

    Parameters
    ----------
    runs : sequence of Run
        Folds and seeds.
    name : str
        The class.
    classes : sequence of str
        Those of the task, in the order of their codes.

    Returns
    -------
    nibabel image of shape (x, y, z)
        Weighted by the images of the class in each run.

    Raises
    ------
    AttributionError
        If no run has a mean of this class, or grids differ.
    """
    from nilearn.image import new_img_like

    maps, weights = [], []
    for run in runs:
        path = run.interpretation.means().get(name)
        if path is not None:
            maps.append(read_map(path))
            weights.append(_n_images(run, name, classes))
    if not maps:
        raise AttributionError(
            f"'{runs[0].model}' has no mean map of '{name}': images that are not in "
            "MNI space have none."
        )
    if len({(image.shape, image.affine.tobytes()) for image in maps}) > 1:
        raise AttributionError(
            f"The mean maps of '{runs[0].model}' lie on several grids and cannot be "
            "averaged."
        )
    values = np.average([m.get_fdata() for m in maps], axis=0, weights=weights)
    return new_img_like(maps[0], values.astype(np.float32))


def _n_images(run: Run, name: str, classes: Sequence[str]) -> int:
    """Count the images of a class: labels are its name, or its place in the task."""
    names = {str(place): each for place, each in enumerate(classes)}
    labels = as_text(run.metrics["label"]).astype(str).replace(names)
    return max(int((labels == name).sum()), 1)
