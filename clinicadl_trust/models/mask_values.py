"""How near a predicted mask is to the true one: overlap, distances, volumes."""

from __future__ import annotations

import math

import numpy as np

from clinicadl_trust.models.volumes import Geometry

__all__ = ["VALUES", "mask_values"]

#: What is measured of each image, as columns of a predictions table. ``label`` and
#: ``score`` are the true and the predicted volume in mm3.
VALUES = (
    "label",
    "score",
    "dice",
    "surface_distance",
    "hausdorff95",
    "false_positive_volume",
)


def mask_values(
    true: np.ndarray | None, predicted: np.ndarray, grid: Geometry
) -> dict[str, float]:
    """Measure a predicted mask.

    Parameters
    ----------
    true : numpy.ndarray of shape (x, y, z), or None
        The true mask; None where it is not known.
    predicted : numpy.ndarray of shape (x, y, z)
        The predicted one.
    grid : Geometry
        Of both.

    Returns
    -------
    dict of str to float
        ``VALUES``. Volumes are in mm3, distances in mm: ``surface_distance`` the
        average symmetric one, ``hausdorff95`` the 95th percentile of distances from
        one surface to the other, the larger of both ways.

    Notes
    -----
    Where the true mask is empty nothing is to be found: Dice and the distances are
    nan (a convention of 1 for an empty prediction would mix who is healthy into how
    well lesions are drawn), and what was predicted is ``false_positive_volume``, nan
    elsewhere. Where the predicted mask alone is empty Dice is 0 and the distances,
    which do not exist, are the diagonal of the field of view: a model must not gain
    from drawing nothing where it is unsure.
    """
    voxel = grid.voxel_volume
    values = dict.fromkeys(VALUES, math.nan)
    values["score"] = round(float(predicted.sum()) * voxel, 3)
    if true is None:
        return values
    values["label"] = round(float(true.sum()) * voxel, 3)
    if not true.any():
        return values | {"false_positive_volume": values["score"]}
    both = float(np.logical_and(true, predicted).sum())
    values["dice"] = 2 * both / float(true.sum() + predicted.sum(dtype=float))
    mean, largest = _distances(true, predicted, grid)
    return values | {"surface_distance": mean, "hausdorff95": largest}


def _distances(
    true: np.ndarray, predicted: np.ndarray, grid: Geometry
) -> tuple[float, float]:
    if not predicted.any():
        sides = np.linalg.norm(grid.matrix[:3, :3] * grid.shape, axis=0)
        diagonal = float(np.linalg.norm(sides))
        return diagonal, diagonal
    import torch
    from monai.metrics import (
        compute_average_surface_distance,
        compute_hausdorff_distance,
    )

    spacing = np.linalg.norm(grid.matrix[:3, :3], axis=0).tolist()
    ours, theirs = (torch.from_numpy(m[None, None] > 0) for m in (predicted, true))
    mean = compute_average_surface_distance(
        ours, theirs, include_background=True, symmetric=True, spacing=spacing
    )
    largest = compute_hausdorff_distance(
        ours, theirs, include_background=True, percentile=95, spacing=spacing
    )
    return float(mean), float(largest)
