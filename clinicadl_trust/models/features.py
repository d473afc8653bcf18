"""What a scikit-learn model sees of an image: regional values, or voxels.

Features are computed from one image at a time, with an atlas and a brain mask that
are fixed beforehand: nothing is fitted to the data, so nothing can leak here.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from clinicadl_trust.exceptions import CapsError, ConfigError, did_you_mean
from clinicadl_trust.models.reading import read_options
from clinicadl_trust.models.volumes import Geometry

if TYPE_CHECKING:
    from nibabel import Nifti1Image

__all__ = ["FeatureOptions", "FeatureReader", "RegionOptions", "VoxelOptions"]

logger = logging.getLogger(__name__)

#: Part of the template's brain that must lie in the field of view.
_COVERED = 0.5


@dataclass(frozen=True)
class FeatureReader:
    """Computes the features of images of one grid.

    Attributes
    ----------
    names : tuple of str
        What each feature is.
    read : callable
        From a ``nibabel.Nifti1Image`` of shape (x, y, z, n_images) to an array of
        shape (n_images, n_features).
    """

    names: tuple[str, ...]
    read: Callable[[Any], np.ndarray]


@dataclass(frozen=True)
class FeatureOptions(ABC):
    """Which features; its fields are the options of ``features`` in a file."""

    #: Changes when the same options give other numbers: old cached values are left.
    version: ClassVar[int] = 1

    @staticmethod
    def parse(options: str | Mapping[str, Any], where: str) -> FeatureOptions:
        """Read the table ``features`` of a model.

        Parameters
        ----------
        options : str or mapping
            ``"regions"`` or ``"voxels"``, or a mapping with that ``name`` and the
            fields of ``RegionOptions`` or ``VoxelOptions``.
        where : str
            The key it stands under, for messages.

        Raises
        ------
        ConfigError
            If the name, an option or its value is wrong.
        """
        given = {"name": options} if isinstance(options, str) else dict(options)
        name = given.pop("name", "regions")
        kinds: dict[str, type[FeatureOptions]]
        kinds = {"regions": RegionOptions, "voxels": VoxelOptions}
        if name not in kinds:
            raise ConfigError(
                f"{where}.name is '{name}'.{did_you_mean(str(name), kinds)}"
            )
        return read_options(kinds[name], given, where)

    @abstractmethod
    def reader(self, geometry: Geometry) -> FeatureReader:
        """Bring atlas and mask onto a grid, once for all of its images.

        Raises
        ------
        CapsError
            If the grid does not cover the brain of MNI space.
        """


@dataclass(frozen=True)
class RegionOptions(FeatureOptions):
    """One value per region of an atlas.

    Parameters
    ----------
    atlas : {"AAL2", "AICHA"}
        An atlas of Clinica.
    values : {"intensity", "grey-matter", "white-matter", "csf"}
        The mean intensity of the region, or the mean probability of a tissue in it,
        from a mixture model of the image alone (see ``tissue``).
    normalization : {"zscore", "none"}
        Intensities less the mean over the brain, divided by their standard deviation
        over it, image by image; or as they are.
    """

    atlas: str = "AAL2"
    values: Literal["intensity", "grey-matter", "white-matter", "csf"] = "intensity"
    normalization: Literal["zscore", "none"] = "zscore"

    def __post_init__(self) -> None:
        from clinicadl_trust.clinica import ATLASES

        if self.atlas not in ATLASES:
            raise ConfigError(
                f"Unknown atlas '{self.atlas}'.{did_you_mean(self.atlas, ATLASES)}"
            )

    def reader(self, geometry: Geometry) -> FeatureReader:  # noqa: D102
        from nilearn.maskers import NiftiLabelsMasker

        mask = brain_mask(geometry)
        atlas, names = _resampled_atlas(self.atlas, geometry)
        masker = NiftiLabelsMasker(atlas, standardize=None, resampling_target=None)
        masker.fit()

        def read(images: Nifti1Image) -> np.ndarray:
            if self.values != "intensity":
                return masker.transform(_tissue(images, mask, self.values))
            values = masker.transform(images)
            return values if self.normalization == "none" else _scale(values, images)

        def _scale(values: np.ndarray, images: Nifti1Image) -> np.ndarray:
            mean, deviation = _brain_moments(_in_brain(images, mask))
            return (values - mean) / deviation

        return FeatureReader(names, read)


@dataclass(frozen=True)
class VoxelOptions(FeatureOptions):
    """Every voxel of the brain.

    Parameters
    ----------
    smoothing : float
        Full width at half maximum of a Gaussian, in mm; 0 for none.
    normalization : {"zscore", "none"}
        As for regions.
    """

    smoothing: float = 0.0
    normalization: Literal["zscore", "none"] = "zscore"

    def __post_init__(self) -> None:
        if not 0 <= self.smoothing < 100:
            raise ConfigError(
                "smoothing is a full width at half maximum in mm, 0 or more; got "
                f"{self.smoothing}."
            )

    def reader(self, geometry: Geometry) -> FeatureReader:  # noqa: D102
        from nilearn.maskers import NiftiMasker

        mask = brain_mask(geometry)
        fwhm = self.smoothing or None
        masker = NiftiMasker(mask, standardize=None, smoothing_fwhm=fwhm).fit()
        indices = np.argwhere(np.asarray(mask.dataobj) != 0)

        def read(images: Nifti1Image) -> np.ndarray:
            values = masker.transform(images)
            if self.normalization == "none":
                return values
            mean, deviation = _brain_moments(values)
            return (values - mean) / deviation

        names = tuple("voxel " + " ".join(map(str, index)) for index in indices)
        return FeatureReader(names, read)


@lru_cache(maxsize=4)
def brain_mask(geometry: Geometry) -> Nifti1Image:
    """Bring the brain mask of nilearn's MNI152 template onto a grid.

    It is the same for every image of that grid, whatever the data.

    Parameters
    ----------
    geometry : Geometry
        The grid, in MNI space.

    Returns
    -------
    nibabel.Nifti1Image
        Ones in the brain, zeros elsewhere.

    Raises
    ------
    CapsError
        If less than half of the template's brain lies on the grid.
    """
    from nilearn.datasets import load_mni152_brain_mask

    template = load_mni152_brain_mask(resolution=1)
    mask = _resample(template, geometry, "nearest")
    voxel = abs(np.linalg.det(geometry.matrix[:3, :3]))
    share = np.sum(mask.dataobj) * voxel / np.sum(template.dataobj)
    if share < _COVERED:
        raise CapsError(
            f"The images' grid, shape {geometry.shape}, holds {share:.0%} of the brain "
            "of MNI space: they are not registered to it. Use images that are, for "
            "example of `clinica run t1-linear`."
        )
    return mask


def _resampled_atlas(
    name: str, geometry: Geometry
) -> tuple[Nifti1Image, tuple[str, ...]]:
    """Return an atlas on a grid and the names of the regions that are left there."""
    from clinicadl_trust.clinica import load_atlas

    image, labels = load_atlas(name)
    resampled = _resample(image, geometry, "nearest")
    present = np.unique(np.asarray(resampled.dataobj))
    names = dict(zip(labels["index"], labels["name"], strict=True))
    lost = sorted(names[index] for index in set(names) - set(present))
    if lost:
        logger.warning(
            "%d regions of %s are smaller than a voxel of the images and are left "
            "out: %s",
            len(lost),
            name,
            ", ".join(lost),
        )
    return resampled, tuple(names[index] for index in present if index != 0)


def _resample(image: Nifti1Image, geometry: Geometry, how: str) -> Nifti1Image:
    from nilearn.image import resample_img

    return resample_img(
        image,
        target_affine=geometry.matrix,
        target_shape=geometry.shape,
        interpolation=how,
        force_resample=True,
        copy_header=True,
    )


def _in_brain(images: Nifti1Image, mask: Nifti1Image) -> np.ndarray:
    from nilearn.masking import apply_mask

    return apply_mask(images, mask)


def _brain_moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each image's mean and standard deviation over the brain, as columns."""
    mean = values.mean(axis=1, dtype=float, keepdims=True)
    return mean, values.std(axis=1, dtype=float, keepdims=True)


def _tissue(images: Nifti1Image, mask: Nifti1Image, kind: str) -> Nifti1Image:
    from nilearn.masking import unmask

    from clinicadl_trust.models.tissue import TISSUES, posteriors, priors

    values = _in_brain(images, mask)
    index = TISSUES.index(kind)
    expected = priors(mask)
    return unmask(np.stack([posteriors(v, expected)[index] for v in values]), mask)
