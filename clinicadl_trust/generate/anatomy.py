"""The template: tissues and distances of the MNI152 head, which ship offline.

Everything a person's head is made of is a smooth map of template space, looked up
where the person's deformation points. Distances to a surface, rather than binary
masks, let tissue shrink by less than a voxel.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from clinicadl_trust.clinica import load_atlas
from clinicadl_trust.generate.grid import Grid

if TYPE_CHECKING:
    from nibabel import Nifti1Image

__all__ = ["MAPS", "Anatomy", "load_anatomy"]

#: The maps of template space and what a value means.
MAPS = {
    "gm": "fraction of the voxel that is grey matter",
    "wm": "fraction of the voxel that is white matter",
    "detail": "T1w intensity, white matter's being 1, that tissues do not explain",
    "brain": "mm inside the brain's envelope (negative outside)",
    "head": "mm inside the head without its skull and skin",
    "depth": "mm below the surface of the tissue: cortex or ventricle",
    "ventricles": "closeness to the lateral ventricles, from 0 to 1",
    "regions": "mm inside the regions that a disease shrinks",
}


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
    template = datasets.load_mni152_template(resolution=1)
    grid = _coarser(template, factor)
    t1w, gm, wm = (
        _averaged(image.get_fdata(dtype=np.float32), factor)
        for image in (
            template,
            datasets.load_mni152_gm_template(resolution=1),
            datasets.load_mni152_wm_template(resolution=1),
        )
    )
    brain = ndimage.binary_fill_holes(_closed(t1w > 0.1, 8.0, grid.spacing))
    envelope = _signed_distance(brain, grid.spacing)
    csf = np.clip(brain - gm - wm, 0, 1)
    maps = {
        "gm": ndimage.gaussian_filter(gm, blur),
        "wm": ndimage.gaussian_filter(wm, blur),
        "detail": ndimage.gaussian_filter(_detail(t1w, csf, gm, wm), blur),
        "brain": envelope,
        "head": _signed_distance(_head(brain, grid), grid.spacing),
        "depth": _signed_distance(gm + wm > 0.5, grid.spacing),
        "ventricles": _near_ventricles(csf, envelope, grid.spacing),
        "regions": _signed_distance(_inside(regions, grid), grid.spacing),
    }
    return Anatomy(grid, {name: maps[name].astype(np.float32) for name in MAPS})


def _coarser(image: Nifti1Image, factor: int) -> Grid:
    """Return the grid of blocks of voxels."""
    x, y, z = (n // factor for n in image.shape)
    a, b, c = (float(first) for first in image.affine[:3, 3] + (factor - 1) / 2)
    return Grid((x, y, z), (a, b, c), float(factor))


def _averaged(volume: np.ndarray, factor: int) -> np.ndarray:
    x, y, z = (n // factor for n in volume.shape)
    trimmed = volume[: x * factor, : y * factor, : z * factor]
    blocks = trimmed.reshape(x, factor, y, factor, z, factor)
    return blocks.mean(axis=(1, 3, 5), dtype=np.float32)


def _detail(
    t1w: np.ndarray, csf: np.ndarray, gm: np.ndarray, wm: np.ndarray
) -> np.ndarray:
    """Return what a mixture of three tissues leaves of the template's intensity."""
    tissue = gm + wm > 0.5
    parts = np.stack([part[tissue] for part in (csf, gm, wm)], axis=1)
    # The median of nearly pure voxels: a fit by least squares would spread the
    # iron-rich nuclei's darkness over all of the grey matter.
    pure = [np.median(t1w[tissue][part > 0.85]) for part in parts.T[1:]]
    levels = np.array([np.median(t1w[csf > 0.85]), *pure], dtype=np.float32)
    rest = np.zeros_like(t1w)
    rest[tissue] = (t1w[tissue] - parts @ levels) / levels[2]
    return rest


def _closed(mask: np.ndarray, radius: float, spacing: float) -> np.ndarray:
    """Fill the clefts narrower than a ball of that radius, in mm."""
    pad = int(np.ceil(radius / spacing)) + 1
    wide = np.pad(mask, pad)
    grown = ndimage.distance_transform_edt(~wide, sampling=spacing) <= radius
    closed = ndimage.distance_transform_edt(grown, sampling=spacing) > radius
    return closed[pad:-pad, pad:-pad, pad:-pad]


def _head(brain: np.ndarray, grid: Grid) -> np.ndarray:
    """Add a neck and the base of a face to the brain's envelope."""
    # The section through the temporal lobes and the cerebellum, extended downwards.
    base = round((-40.0 - grid.origin[2]) / grid.spacing)
    head = brain.copy()
    head[:, :, :base] |= brain[:, :, base : base + 1]
    return _closed(head, 24.0, grid.spacing)


def _signed_distance(mask: np.ndarray, spacing: float) -> np.ndarray:
    """Return the distance to the surface of a mask in mm, positive inside."""
    inside = ndimage.distance_transform_edt(mask, sampling=spacing)
    outside = ndimage.distance_transform_edt(~mask, sampling=spacing)
    # Half a voxel, as the surface lies between voxel centres.
    distance = inside - outside - np.where(mask, spacing / 2, -spacing / 2)
    return ndimage.gaussian_filter(distance, 0.7)


def _near_ventricles(
    csf: np.ndarray, envelope: np.ndarray, spacing: float
) -> np.ndarray:
    """Return 1 in the CSF deep inside the brain, less within some 8 mm of it."""
    deep = (csf > 0.5) & (envelope > 22)
    parts, _ = ndimage.label(deep)
    sizes = np.bincount(parts.ravel())[1:]
    # Small parts are sulci that lie deep, not ventricles.
    deep = np.isin(parts, 1 + np.flatnonzero(sizes >= 0.1 * sizes.max()))
    distance = _signed_distance(deep, spacing)
    return np.exp(np.clip(distance, None, 0) / 8)


def _inside(regions: tuple[str, ...], grid: Grid) -> np.ndarray:
    """Return the mask of AAL2 regions on a grid."""
    image, labels = load_atlas("AAL2")
    wanted = labels.loc[labels["name"].isin(regions), "index"]
    mask = np.isin(np.asarray(image.dataobj), wanted).astype(np.float32)
    to_atlas = np.linalg.inv(image.affine) @ grid.affine
    return ndimage.affine_transform(
        mask, to_atlas, output_shape=grid.shape, order=1
    ) > np.float32(0.5)
