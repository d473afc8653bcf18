"""Tissue probabilities of one image: a mixture of intensities under fixed priors.

A volume registered to MNI space, the template's tissue maps as prior probabilities of
each voxel, and one Gaussian per tissue, fitted by expectation maximisation on the
voxels of that image alone: the mixture model of unified segmentation without its
deformation and bias field. It needs no other image, so it cannot leak.

References
----------
Ashburner and Friston (2005). Unified segmentation. NeuroImage 26, 839-851.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from nibabel import Nifti1Image

__all__ = ["TISSUES", "posteriors", "priors"]

TISSUES = ("grey-matter", "white-matter", "csf")

#: Smoothing of the template's maps (mm): affine registration leaves anatomy to differ.
_BLUR = 6.0
#: No tissue is ruled out anywhere.
_LEAST_PRIOR = 0.01
_ITERATIONS = 30
_TOLERANCE = 1e-5


def priors(mask: Nifti1Image) -> np.ndarray:
    """Bring the template's tissue probabilities to the voxels of a brain mask.

    Parameters
    ----------
    mask : nibabel.Nifti1Image
        The brain, in MNI space.

    Returns
    -------
    numpy.ndarray of shape (3, n_voxels)
        Grey matter, white matter and fluid; they sum to 1 in each voxel.
    """
    from nilearn.datasets import load_mni152_gm_template, load_mni152_wm_template
    from nilearn.image import resample_to_img, smooth_img
    from nilearn.masking import apply_mask

    maps = []
    for load in (load_mni152_gm_template, load_mni152_wm_template):
        template = smooth_img(load(resolution=2), _BLUR)
        resampled = resample_to_img(
            template, mask, "linear", force_resample=True, copy_header=True
        )
        maps.append(apply_mask(resampled, mask).astype(float))
    grey, white = np.clip(maps, 0.0, 1.0)
    prior = np.stack([grey, white, 1.0 - grey - white])
    prior = np.clip(prior, _LEAST_PRIOR, None)
    return prior / prior.sum(axis=0)


def posteriors(values: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Fit the mixture to one image.

    Parameters
    ----------
    values : numpy.ndarray of shape (n_voxels,)
        Intensities in the brain, in any unit and of any contrast.
    prior : numpy.ndarray of shape (3, n_voxels)
        See ``priors``.

    Returns
    -------
    numpy.ndarray of shape (3, n_voxels)
        Probability of each tissue; not finite where all intensities are equal.
    """
    values = np.asarray(values, dtype=float)
    with np.errstate(invalid="ignore", divide="ignore"):
        values = (values - values.mean()) / values.std()
        weight = prior
        previous = -np.inf
        for _ in range(_ITERATIONS):
            total = weight.sum(axis=1)
            mean = weight @ values / total
            spread = (values - mean[:, None]) ** 2
            # A floor on the variance: a tissue may shrink to a few equal voxels.
            variance = np.maximum((weight * spread).sum(axis=1) / total, 1e-4)
            density = np.exp(-0.5 * spread / variance[:, None])
            joint = prior * density / np.sqrt(variance)[:, None]
            # Far in the tails every density underflows: the prior decides there.
            evidence = joint.sum(axis=0)
            weight = np.where(evidence > 0, joint / evidence, prior)
            likelihood = np.log(np.maximum(evidence, 1e-300)).mean()
            if likelihood - previous < _TOLERANCE:
                break
            previous = likelihood
    return np.where(np.isfinite(values), weight, np.nan)
