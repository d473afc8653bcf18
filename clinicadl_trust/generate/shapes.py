"""Shapes as distances to their surface, in mm and positive inside."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from clinicadl_trust.generate.grid import Grid

__all__ = ["closed", "near_ventricles", "signed_distance", "with_neck"]

#: Distances beyond this many mm outside a shape are of no use.
_MARGIN = 40.0


def signed_distance(mask: np.ndarray, spacing: float) -> np.ndarray:
    """Return the distance to the surface of a mask.

    Parameters
    ----------
    mask : numpy.ndarray of bool, shape (x, y, z)
        The shape; not empty.
    spacing : float
        Edge of a voxel, in mm.

    Returns
    -------
    numpy.ndarray of float32, shape (x, y, z)
        In mm, positive inside; -40 or less far from the shape.
    """
    box = _around(mask, round(_MARGIN / spacing))
    part = mask[box]
    inside = ndimage.distance_transform_edt(part, sampling=spacing)
    outside = ndimage.distance_transform_edt(~part, sampling=spacing)
    # Half a voxel, as the surface lies between voxel centres.
    exact = inside - outside - np.where(part, spacing / 2, -spacing / 2)
    distance = np.full(mask.shape, -_MARGIN, dtype=np.float32)
    distance[box] = ndimage.gaussian_filter(exact.astype(np.float32), 0.7)
    return distance


def closed(mask: np.ndarray, radius: float, spacing: float) -> np.ndarray:
    """Fill what a ball of that radius, in mm, cannot enter."""
    pad = int(np.ceil(radius / spacing)) + 1
    wide = np.pad(mask, pad)
    grown = ndimage.distance_transform_edt(~wide, sampling=spacing) <= radius
    shrunk = ndimage.distance_transform_edt(grown, sampling=spacing) > radius
    return ndimage.binary_fill_holes(shrunk[pad:-pad, pad:-pad, pad:-pad])


def with_neck(brain: np.ndarray, grid: Grid) -> np.ndarray:
    """Add a neck and the base of a face to the brain's envelope."""
    # The section through temporal lobes and cerebellum, extended downwards.
    base = round((-40.0 - grid.origin[2]) / grid.spacing)
    head = brain.copy()
    head[:, :, :base] |= brain[:, :, base : base + 1]
    return closed(head, 24.0, grid.spacing)


def near_ventricles(csf: np.ndarray, brain: np.ndarray, spacing: float) -> np.ndarray:
    """Return 1 in the CSF deep inside the brain, less within some 8 mm of it.

    Parameters
    ----------
    csf : numpy.ndarray, shape (x, y, z)
        Fraction of CSF.
    brain : numpy.ndarray, shape (x, y, z)
        Distance inside the brain's envelope, in mm.
    spacing : float
        Edge of a voxel, in mm.
    """
    deep = (csf > 0.5) & (brain > 22)
    parts, _ = ndimage.label(deep)
    sizes = np.bincount(parts.ravel())[1:]
    # Small parts are sulci that lie deep, not ventricles.
    deep = np.isin(parts, 1 + np.flatnonzero(sizes >= 0.1 * sizes.max()))
    return np.exp(np.clip(signed_distance(deep, spacing), None, 0) / 8)


def _around(mask: np.ndarray, margin: int) -> tuple[slice, ...]:
    box = ndimage.find_objects(mask.astype(np.uint8))[0]
    return tuple(slice(max(0, side.start - margin), side.stop + margin) for side in box)
