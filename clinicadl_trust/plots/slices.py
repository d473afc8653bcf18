"""Which slices of a volume are shown, by a rule that does not look at the result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from nibabel.spatialimages import SpatialImage

__all__ = ["axial_slices"]


def axial_slices(
    image: SpatialImage, mask: SpatialImage | None = None, n_slices: int = 6
) -> list[float]:
    """Choose axial slices through a mask, and then through the image.

    The attributions have no say, so that models are shown on the same slices and none
    on those that flatter it.

    Parameters
    ----------
    image : nibabel image of shape (x, y, z)
        The background.
    mask : nibabel image of shape (x, y, z), optional
        A lesion. At most half of the slices are at evenly spaced quantiles of its
        voxels.
    n_slices : int
        How many; fewer where the image has fewer.

    Returns
    -------
    list of float
        Heights in mm, from below to above.
    """
    values = np.asanyarray(image.dataobj, dtype=float)
    heights = _heights(image, values > values.mean())
    if mask is None or not (inside := np.asanyarray(mask.dataobj) > 0.5).any():
        return _spread(heights, n_slices)
    chosen = _spread(_heights(mask, inside), -(-n_slices // 2))
    # Without the neck and the top of the head.
    others = _spread(heights, 8 * n_slices, (0.1, 0.9))
    while len(chosen) < n_slices and others:
        far = max(others, key=lambda z: min(abs(z - known) for known in chosen))
        others.remove(far)
        if far not in chosen:
            chosen.append(far)
    return sorted(chosen)


def _heights(
    image: SpatialImage, inside: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    """Return the z of each voxel inside, in mm."""
    places = np.argwhere(inside)
    affine = np.asarray(image.affine, dtype=float)
    return np.round(places @ affine[2, :3] + affine[2, 3], 3)


def _spread(
    heights: npt.NDArray[np.float64], n: int, ends: tuple[float, float] = (0.0, 1.0)
) -> list[float]:
    """Return evenly spaced quantiles between two, each the height of a voxel."""
    if not heights.size:
        return []
    low, high = ends
    shares = low + (high - low) * (np.arange(n) + 0.5) / n
    found = np.quantile(heights, shares, method="inverted_cdf")
    return [float(height) for height in np.unique(found)]
