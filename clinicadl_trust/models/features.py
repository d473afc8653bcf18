"""What a scikit-learn model sees of an image: regional values, or voxels.

Features are computed from one image at a time, with an atlas and a brain mask that
are fixed beforehand: nothing is fitted to the data, so nothing can leak here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from clinicadl_trust.exceptions import ConfigError, did_you_mean
from clinicadl_trust.models.reading import read_options
from clinicadl_trust.models.template import atlas_on, brain_mask
from clinicadl_trust.models.volumes import Geometry

if TYPE_CHECKING:
    from nibabel import Nifti1Image

__all__ = ["FeatureOptions", "FeatureReader", "RegionOptions", "VoxelOptions"]


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
        from nilearn.masking import apply_mask, unmask

        from clinicadl_trust.models.tissue import TISSUES, posteriors, priors

        mask = brain_mask(geometry)
        atlas, names = atlas_on(self.atlas, geometry)
        masker = NiftiLabelsMasker(
            atlas, standardize=None, resampling_target=None, reports=False
        ).fit()

        def read(images: Nifti1Image) -> np.ndarray:
            brain = apply_mask(images, mask)
            mean, deviation = _brain_moments(brain)
            if self.values == "intensity":
                values = masker.transform(images)
                raw = self.normalization == "none"
                return values if raw else (values - mean) / deviation
            prior, index = priors(geometry), TISSUES.index(self.values)
            tissue = np.stack([posteriors(v, prior)[index] for v in brain])
            values = masker.transform(unmask(tissue, mask))
            return np.where(deviation > 0, values, np.nan)

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
        masker = NiftiMasker(
            mask, standardize=None, smoothing_fwhm=fwhm, reports=False
        ).fit()
        indices = np.argwhere(np.asarray(mask.dataobj) != 0)

        def read(images: Nifti1Image) -> np.ndarray:
            values = masker.transform(images)
            if self.normalization == "none":
                return values
            mean, deviation = _brain_moments(values)
            return ((values - mean) / deviation).astype(np.float32)

        names = tuple("voxel " + " ".join(map(str, index)) for index in indices)
        return FeatureReader(names, read)


def _brain_moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each image's mean and standard deviation over the brain, as columns.

    The deviation of equal values is 0, whatever the rounding of their mean.
    """
    mean = values.mean(axis=1, dtype=float, keepdims=True)
    deviation = values.std(axis=1, dtype=float, keepdims=True)
    return mean, deviation * (np.ptp(values, axis=1, keepdims=True) > 0)
