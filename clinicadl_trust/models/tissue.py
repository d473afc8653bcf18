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

from functools import lru_cache

import numpy as np

from clinicadl_trust.models.template import brain_mask
from clinicadl_trust.models.volumes import Geometry

__all__ = ["TISSUES", "posteriors", "priors"]

TISSUES = ("grey-matter", "white-matter", "csf")

#: Smoothing of the template's maps (mm): affine registration leaves anatomy to differ.
_BLUR = 6.0
#: No tissue is ruled out anywhere.
_LEAST_PRIOR = 0.01
#: A tissue may shrink to a few equal voxels (variance 1 is that of the brain).
_LEAST_VARIANCE = 1e-4
_LEAST_EVIDENCE = 1e-300
_ITERATIONS = 30
_TOLERANCE = 1e-5


@lru_cache(maxsize=4)
def priors(geometry: Geometry) -> np.ndarray:
    """Bring the template's tissue probabilities to the voxels of the brain.

    Parameters
    ----------
    geometry : Geometry
        The images' grid, in MNI space.

    Returns
    -------
    numpy.ndarray of shape (3, n_voxels)
        Grey matter, white matter and fluid in the voxels of ``brain_mask``; they sum
        to 1 in each.
    """
    from nilearn.datasets import load_mni152_gm_template, load_mni152_wm_template
    from nilearn.image import resample_to_img
    from nilearn.masking import apply_mask

    mask = brain_mask(geometry)
    maps = []
    for load in (load_mni152_gm_template, load_mni152_wm_template):
        resampled = resample_to_img(
            load(resolution=1), mask, "linear", force_resample=True, copy_header=True
        )
        maps.append(apply_mask(resampled, mask, smoothing_fwhm=_BLUR).astype(float))
    grey, white = np.clip(maps, 0.0, 1.0)
    prior = np.clip([grey, white, 1.0 - grey - white], _LEAST_PRIOR, None)
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
        Probability of each tissue; the prior's where all intensities are equal.
    """
    values = np.asarray(values, dtype=float)
    if not np.ptp(values):
        return prior
    values = (values - values.mean()) / values.std()
    weight, previous = prior, -np.inf
    for _ in range(_ITERATIONS):
        total = weight.sum(axis=1)
        mean = weight @ values / total
        spread = (values - mean[:, None]) ** 2
        variance = (weight * spread).sum(axis=1) / total
        variance = np.maximum(variance, _LEAST_VARIANCE)
        density = np.exp(-0.5 * spread / variance[:, None])
        joint = prior * density / np.sqrt(variance)[:, None]
        # Far in the tails every density underflows: the prior decides there.
        evidence = np.maximum(joint.sum(axis=0), _LEAST_EVIDENCE)
        weight = np.where(evidence > _LEAST_EVIDENCE, joint / evidence, prior)
        likelihood = np.log(evidence).mean()
        if likelihood - previous < _TOLERANCE:
            break
        previous = likelihood
    return weight
