"""The template: tissues and distances of the MNI152 head, which ship offline.

Everything a person's head is made of is a smooth map of template space, looked up
where the person's deformation points. Distances to a surface, rather than binary
masks, let tissue shrink by less than a voxel.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import ndimage

from clinicadl_trust.clinica import atlas_labels, load_atlas
from clinicadl_trust.generate.grid import Grid
from clinicadl_trust.generate.shapes import (
    closed,
    near_ventricles,
    signed_distance,
    with_neck,
)

__all__ = ["MAPS", "Anatomy", "Map", "load_anatomy"]

#: The maps of template space and what a value means.
MAPS = {
    "gm": "fraction of the voxel that is grey matter",
    "wm": "fraction of the voxel that is white matter",
    "detail": "T1w intensity, white matter's being 1, that tissues do not explain",
    "depth": "mm below the surface of the tissue: cortex or ventricle",
    "regions": "mm inside the regions that a disease shrinks",
    "brain": "mm inside the brain's envelope",
    "head": "mm inside the head without its skull and skin",
    "ventricles": "closeness to the lateral ventricles, from 0 to 1",
    "periventricular": "chance of a lesion's centre: white matter near ventricles",
    "border": "chance of a lesion's centre: the white border of the cortex",
}

#: How the names of AAL2's other regions begin.
_NOT_CORTEX = (
    "Amygdala",
    "Caudate",
    "Cerebelum",
    "Hippocampus",
    "Pallidum",
    "Putamen",
    "Thalamus",
    "Vermis",
)


@dataclass(frozen=True)
class Map:
    """One map of template space.

    Attributes
    ----------
    grid : Grid
        Its voxels.
    values : numpy.ndarray of float32, shape ``grid.shape``
        See ``MAPS``.
    """

    grid: Grid
    values: np.ndarray

    def sample(self, points: np.ndarray) -> np.ndarray:
        """Look the map up at positions in mm, shape (3, x, y, z)."""
        return ndimage.map_coordinates(
            self.values,
            self.grid.to_voxels(points),
            order=1,
            mode="nearest",
            output=np.float32,
        )


@dataclass(frozen=True)
class Anatomy:
    """The template.

    Attributes
    ----------
    maps : dict of str to Map
        See ``MAPS``.
    """

    maps: dict[str, Map]


@lru_cache(maxsize=2)
def load_anatomy(resolution: int, regions: tuple[str, ...]) -> Anatomy:
    """Prepare the template for images of a resolution.

    Parameters
    ----------
    resolution : int
        Edge of a voxel of the images, in mm. Tissues are smoothed accordingly, as a
        scanner averages over a voxel, and kept at 1 mm for images below 4 mm, else
        at 2 mm. Whatever is smooth by nature is kept at 2 mm.
    regions : tuple of str
        AAL2 regions whose distance map is wanted.
    """
    factor = 1 if resolution < 4 else 2
    fine = _tissues(factor)
    grid = fine.grid
    blur = 0.3 * resolution / grid.spacing if resolution > 1 else 0.0
    smooth = {
        "gm": ndimage.gaussian_filter(fine.gm, blur),
        "wm": ndimage.gaussian_filter(fine.wm, blur),
        "detail": ndimage.gaussian_filter(fine.detail(), blur),
        "depth": _depth(factor),
        "regions": _distance(factor, regions),
    }
    maps = {name: Map(grid, values) for name, values in smooth.items()}
    return Anatomy(maps | _shapes())


@dataclass(frozen=True)
class _Tissues:
    grid: Grid
    t1w: np.ndarray
    gm: np.ndarray
    wm: np.ndarray

    def detail(self) -> np.ndarray:
        """Return what a mixture of two tissues leaves of the T1w intensity."""
        # The median of nearly pure voxels: a fit by least squares would spread the
        # darkness of iron-rich nuclei over all of the grey matter.
        grey, white = (np.median(self.t1w[part > 0.85]) for part in (self.gm, self.wm))
        rest = (self.t1w - grey * self.gm - white * self.wm) / white
        # Next to CSF the rest is CSF's own intensity.
        rest *= self.gm + self.wm > 0.9
        return rest.astype(np.float32)


@lru_cache(maxsize=2)
def _tissues(factor: int) -> _Tissues:
    """Load nilearn's templates and average blocks of 1 mm voxels."""
    from nilearn import datasets

    images = [
        load(resolution=1)
        for load in (
            datasets.load_mni152_template,
            datasets.load_mni152_gm_template,
            datasets.load_mni152_wm_template,
        )
    ]
    x, y, z = (n // factor for n in images[0].shape)
    a, b, c = (float(first) for first in images[0].affine[:3, 3] + (factor - 1) / 2)
    volumes = []
    for image in images:
        whole = image.get_fdata(dtype=np.float32, caching="unchanged")
        trimmed = whole[: x * factor, : y * factor, : z * factor]
        blocks = trimmed.reshape(x, factor, y, factor, z, factor)
        volumes.append(blocks.mean(axis=(1, 3, 5), dtype=np.float32))
    t1w, gm, wm = volumes
    return _Tissues(Grid((x, y, z), (a, b, c), float(factor)), t1w, gm, wm)


@lru_cache(maxsize=1)
def _depth(factor: int) -> np.ndarray:
    """Return the distance to the surface of the tissues, in mm."""
    fine = _tissues(factor)
    return signed_distance(fine.gm + fine.wm > 0.5, fine.grid.spacing)


@lru_cache(maxsize=4)
def _distance(factor: int, regions: tuple[str, ...]) -> np.ndarray:
    """Return the distance to the surface of AAL2 regions, in mm."""
    grid = _tissues(factor).grid
    return signed_distance(_inside(regions, grid), grid.spacing)


@lru_cache(maxsize=1)
def _shapes() -> dict[str, Map]:
    """Return the maps that are the same for images of every resolution."""
    tissues = _tissues(2)
    spacing, gm, wm = tissues.grid.spacing, tissues.gm, tissues.wm
    inside = closed(tissues.t1w > 0.1, 8.0, spacing)
    brain = signed_distance(inside, spacing)
    near = near_ventricles(np.clip(inside - gm - wm, 0, 1), brain, spacing)
    shapes = {
        "brain": brain,
        "head": signed_distance(with_neck(inside, tissues.grid), spacing),
        "ventricles": near,
        "periventricular": near**2 * (wm > 0.8),
        "border": (np.minimum(gm, wm) > 0.35) & _inside(_cortex(), tissues.grid),
    }
    return {
        name: Map(tissues.grid, values.astype(np.float32))
        for name, values in shapes.items()
    }


def _cortex() -> tuple[str, ...]:
    """Name the regions of the cerebral cortex."""
    names = atlas_labels("AAL2")["name"]
    return tuple(names[~names.str.startswith(_NOT_CORTEX)])


def _inside(regions: tuple[str, ...], grid: Grid) -> np.ndarray:
    """Return the mask of AAL2 regions on a grid."""
    image, labels = load_atlas("AAL2")
    wanted = labels.loc[labels["name"].isin(regions), "index"]
    mask = np.isin(np.asarray(image.dataobj), wanted).astype(np.float32)
    to_atlas = np.linalg.inv(image.affine) @ grid.affine
    return (
        ndimage.affine_transform(mask, to_atlas, output_shape=grid.shape, order=1) > 0.5
    )
