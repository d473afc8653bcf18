"""The template: tissues and distances of the MNI152 brain, which ship offline.

Everything a person's brain is made of is a smooth map of template space, looked up
where the person's deformation points. Distances to a surface, rather than binary
masks, let tissue shrink by less than a voxel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import ndimage

from clinicadl_trust.clinica import load_atlas
from clinicadl_trust.generate.grid import Grid

__all__ = ["MAPS", "Anatomy", "load_anatomy"]

#: The maps of template space and what a value means.
MAPS = {
    "gm": "fraction of the voxel that is grey matter",
    "wm": "fraction of the voxel that is white matter",
    "detail": "T1w intensity that grey, white and CSF do not explain",
    "brain": "mm inside the envelope of the brain (negative outside)",
    "depth": "mm below the surface of the tissue: cortex or ventricle",
    "ventricles": "closeness to the ventricles, from 0 to 1",
    "regions": "mm inside the regions that a disease shrinks",
}

#: T1w intensity of CSF, grey and white matter in nilearn's template.
_TEMPLATE_T1W = (0.25, 0.70, 0.93)


@dataclass(frozen=True)
class Anatomy:
    """Maps of template space, see ``MAPS``.

    Attributes
    ----------
    grid : Grid
        Their voxels.
    maps : dict of str to numpy.ndarray of float32
        By name, each of shape ``grid.shape``.
    """

    grid: Grid
    maps: dict[str, np.ndarray]

    def sample(self, name: str, points: np.ndarray) -> np.ndarray:
        """Look a map up at positions in mm, shape (3, x, y, z)."""
        return ndimage.map_coordinates(
            self.maps[name],
            self.grid.to_voxels(points),
            order=1,
            mode="nearest",
            output=np.float32,
        )


@lru_cache(maxsize=2)
def load_anatomy(resolution: int, regions: tuple[str, ...]) -> Anatomy:
    """Prepare the template for images of a resolution.

    Parameters
    ----------
    resolution : int
        Edge of a voxel of the images, in mm. The maps are smoothed accordingly,
        as a scanner averages over a voxel.
    regions : tuple of str
        AAL2 regions whose distance map is wanted.

    Returns
    -------
    Anatomy
        At 1 mm for images below 4 mm, else at 2 mm.
    """
    from nilearn import datasets

    factor = 1 if resolution < 4 else 2
    blur = 0.3 * resolution / factor if resolution > 1 else 0.0
    images = [
        datasets.load_mni152_template(resolution=1),
        datasets.load_mni152_gm_template(resolution=1),
        datasets.load_mni152_wm_template(resolution=1),
    ]
    grid = _coarse_grid(images[0], factor)
    t1w, gm, wm = (
        _averaged(image.get_fdata(dtype=np.float32), factor) for image in images
    )
    envelope = _signed_distance(_filled(t1w > 0.1, grid.spacing), grid.spacing)
    tissue = gm + wm
    csf = np.clip((envelope > 0) - tissue, 0, 1)
    ventricles = _ventricles(csf, envelope, grid.spacing)
    fitted = sum(
        value * part for value, part in zip(_TEMPLATE_T1W, (csf, gm, wm), strict=True)
    )
    maps = {
        "gm": _smooth(gm, blur),
        "wm": _smooth(wm, blur),
        "detail": _smooth((t1w - fitted) * (tissue > 0.5), blur),
        "brain": envelope,
        "depth": _signed_distance(tissue > 0.5, grid.spacing),
        "ventricles": np.exp(-np.clip(-ventricles, 0, None) / 8).astype(np.float32),
        "regions": _signed_distance(_regions(regions, grid), grid.spacing),
    }
    return Anatomy(grid, {name: maps[name].astype(np.float32) for name in MAPS})


def _coarse_grid(image, factor: int) -> Grid:  # type: ignore[no-untyped-def]
    first = image.affine[:3, 3] + (factor - 1) / 2
    x, y, z = (n // factor for n in image.shape)
    return Grid((x, y, z), (first[0], first[1], first[2]), float(factor))


def _averaged(volume: np.ndarray, factor: int) -> np.ndarray:
    if factor == 1:
        return volume
    x, y, z = (n // factor for n in volume.shape)
    trimmed = volume[: x * factor, : y * factor, : z * factor]
    blocks = trimmed.reshape(x, factor, y, factor, z, factor)
    return blocks.mean(axis=(1, 3, 5), dtype=np.float32)


def _smooth(volume: np.ndarray, sigma: float) -> np.ndarray:
    return ndimage.gaussian_filter(volume, sigma) if sigma else volume


def _filled(mask: np.ndarray, spacing: float) -> np.ndarray:
    """Close the sulci: what lies inside the skull."""
    steps = max(1, round(8 / spacing))
    padded = np.pad(mask, steps)
    closed = ndimage.binary_closing(padded, iterations=steps)
    inner = closed[steps:-steps, steps:-steps, steps:-steps]
    return ndimage.binary_fill_holes(inner)


def _signed_distance(mask: np.ndarray, spacing: float) -> np.ndarray:
    """Return the distance to the surface of a mask in mm, positive inside."""
    inside = ndimage.distance_transform_edt(mask, sampling=spacing)
    outside = ndimage.distance_transform_edt(~mask, sampling=spacing)
    # Half a voxel, as the surface lies between voxel centres.
    distance = inside - outside - np.where(mask, spacing / 2, -spacing / 2)
    return ndimage.gaussian_filter(distance, 0.7).astype(np.float32)


def _ventricles(csf: np.ndarray, envelope: np.ndarray, spacing: float) -> np.ndarray:
    """Return the signed distance of the CSF deep inside the brain, in mm."""
    deep = (csf > 0.5) & (envelope > 22)
    parts, count = ndimage.label(deep)
    if count > 1:  # the largest parts are the lateral ventricles
        sizes = np.bincount(parts.ravel())[1:]
        deep = np.isin(parts, 1 + np.flatnonzero(sizes >= 0.1 * sizes.max()))
    return _signed_distance(deep, spacing)


def _regions(names: Sequence[str], grid: Grid) -> np.ndarray:
    image, labels = load_atlas("AAL2")
    wanted = labels.loc[labels["name"].isin(names), "index"]
    mask = np.isin(np.asarray(image.dataobj), wanted).astype(np.float32)
    axes = np.meshgrid(*grid.axes, indexing="ij")
    to_voxel = np.linalg.inv(image.affine)
    points = np.tensordot(to_voxel[:3, :3], np.stack(axes), axes=1)
    points += to_voxel[:3, 3].reshape(3, 1, 1, 1)
    inside = ndimage.map_coordinates(mask, points, order=1, output=np.float32)
    return inside > 0.5
