"""How alike two maps are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["likeness", "spearman", "structural_similarity", "top_dice"]

Map = npt.NDArray[np.floating]

#: Side of the window of the structural similarity, in voxels.
_WINDOW = 7


def likeness(first: Map, second: Map) -> dict[str, float]:
    """Say how alike two maps are, signs ignored.

    Parameters
    ----------
    first, second : numpy.ndarray of one shape
        The maps.

    Returns
    -------
    dict of str to float
        ``spearman`` and ``ssim``, of absolute values.
    """
    first, second = np.abs(first), np.abs(second)
    return {
        "spearman": spearman(first, second),
        "ssim": structural_similarity(first, second),
    }


def spearman(first: Map, second: Map) -> float:
    """Return the rank correlation of two maps, voxel by voxel.

    Parameters
    ----------
    first, second : numpy.ndarray of one shape
        The maps.

    Returns
    -------
    float
        From -1 to 1; nan where a map is constant.
    """
    from scipy.stats import spearmanr

    if not (np.ptp(first) and np.ptp(second)):
        return float("nan")  # without scipy's warning
    return float(spearmanr(first, second, axis=None).statistic)


def structural_similarity(first: Map, second: Map) -> float:
    """Return the structural similarity of two maps.

    Parameters
    ----------
    first, second : numpy.ndarray of shape (x, y) or (x, y, z)
        The maps; each is divided by its largest absolute value, so that scale does
        not count.

    Returns
    -------
    float
        1 for equal maps. The mean over windows of a Gaussian weight, of 7 voxels a
        side or fewer in a smaller image.

    References
    ----------
    Wang, Bovik, Sheikh, Simoncelli (2004), Image quality assessment: from error
    visibility to structural similarity, IEEE TIP 13, equation 13.
    """
    import torch
    from monai.metrics.regression import compute_ssim_and_cs

    shortest = min(first.shape)
    window = min(_WINDOW, shortest - 1 + shortest % 2)
    scaled = [
        torch.from_numpy(np.asarray(each / (np.abs(each).max() or 1.0), dtype=float))
        for each in (first, second)
    ]
    found, _ = compute_ssim_and_cs(
        scaled[0][None, None],
        scaled[1][None, None],
        spatial_dims=first.ndim,
        kernel_size=[window] * first.ndim,
        kernel_sigma=[1.5] * first.ndim,
        data_range=2.0,
    )
    return float(found.mean())


def top_dice(first: Map, second: Map, part: float = 0.01) -> float:
    """Return the Dice coefficient of the largest voxels of two maps.

    Parameters
    ----------
    first, second : numpy.ndarray of one shape
        The maps.
    part : float
        Of the voxels, those of the largest values.
    """
    number = max(1, round(part * first.size))
    tops = [
        set(np.argsort(-each.ravel(), kind="stable")[:number].tolist())
        for each in (first, second)
    ]
    return len(tops[0] & tops[1]) / number
