"""Whether attributions lie where they should: in a mask, of a lesion for example."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from clinicadl_trust.exceptions import AttributionError

__all__ = [
    "auprc",
    "best_dice",
    "localisation",
    "pointing",
    "share_inside",
]

Map = npt.NDArray[np.floating]
Mask = npt.NDArray[np.number]


def localisation(
    attribution: Map, mask: Mask, affine: np.ndarray, tolerance: float = 0.0
) -> dict[str, float]:
    """Measure one image's map against its mask.

    Parameters
    ----------
    attribution : numpy.ndarray of shape (x, y, z)
        Positive where a voxel speaks for disease.
    mask : numpy.ndarray of shape (x, y, z)
        Where it should; anything above 0. Without a voxel, as for healthy people,
        every value is nan.
    affine : numpy.ndarray of shape (4, 4)
        From voxels to mm.
    tolerance : float
        Of the pointing game, in mm.

    Returns
    -------
    dict of str to float
        The metrics of ``interpretations.METRICS`` that begin with ``lesion_``.

    Raises
    ------
    AttributionError
        If shapes differ, or the map holds NaN.
    """
    flat, inside = _checked(attribution, mask)
    positive, absolute = np.clip(flat, 0, None), np.abs(flat)
    return {
        "lesion_auprc": auprc(positive, inside),
        "lesion_auprc_absolute": auprc(absolute, inside),
        "lesion_prevalence": float(inside.mean()) if inside.any() else float("nan"),
        "lesion_share": share_inside(absolute, inside),
        "lesion_share_positive": share_inside(positive, inside),
        "lesion_dice": best_dice(positive, inside),
        "lesion_dice_absolute": best_dice(absolute, inside),
        "lesion_pointing": pointing(attribution, mask, affine, tolerance),
    }


def share_inside(values: Map, mask: Mask) -> float:
    """Return the part of what is attributed that lies in the mask.

    Parameters
    ----------
    values : numpy.ndarray
        Not negative: absolute or positive attributions.
    mask : numpy.ndarray of the same shape
        Anything above 0 is inside.

    Returns
    -------
    float
        From 0 to 1; nan for an empty mask, or where nothing is attributed.

    Raises
    ------
    AttributionError
        If shapes differ, or the map holds NaN.
    """
    flat, inside = _checked(values, mask)
    total = flat.sum(dtype=float)
    if not inside.any() or total == 0:
        return float("nan")
    return float(flat[inside].sum(dtype=float) / total)


def auprc(values: Map, mask: Mask) -> float:
    """Return the average precision of values as a score of being in the mask.

    Parameters
    ----------
    values : numpy.ndarray
        Attributions: the higher, the more.
    mask : numpy.ndarray of the same shape
        Anything above 0 is inside.

    Returns
    -------
    float
        Of scikit-learn; chance gives the part of the voxels inside. nan for an empty
        mask.

    Raises
    ------
    AttributionError
        If shapes differ, or the map holds NaN.
    """
    from sklearn.metrics import average_precision_score

    flat, inside = _checked(values, mask)
    if not inside.any():
        return float("nan")
    return float(average_precision_score(inside, flat))


def best_dice(values: Map, mask: Mask) -> float:
    """Return the best Dice coefficient of the mask with values above a threshold.

    Parameters
    ----------
    values : numpy.ndarray
        Not negative. What is 0 is above no threshold.
    mask : numpy.ndarray of the same shape
        Anything above 0 is inside.

    Returns
    -------
    float
        2 |A and M| / (|A| + |M|), the largest over thresholds; nan for an empty mask.

    Raises
    ------
    AttributionError
        If shapes differ, or the map holds NaN.
    """
    flat, inside = _checked(values, mask)
    if not inside.any():
        return float("nan")
    order = np.argsort(-flat, kind="stable")
    ranked = flat[order]
    # A threshold cannot part voxels of one value.
    last = np.flatnonzero((np.diff(ranked, append=-np.inf) < 0) & (ranked > 0))
    hits = np.cumsum(inside[order])[last]
    dice = 2 * hits / (last + 1 + inside.sum())
    return float(dice.max(initial=0.0))


def pointing(
    attribution: Map, mask: Mask, affine: np.ndarray, tolerance: float = 0.0
) -> float:
    """Play the pointing game: say whether the largest attribution is in the mask.

    Parameters
    ----------
    attribution : numpy.ndarray of shape (x, y, z)
        Positive where a voxel speaks for disease.
    mask : numpy.ndarray of shape (x, y, z)
        Anything above 0 is inside.
    affine : numpy.ndarray of shape (4, 4)
        From voxels to mm.
    tolerance : float
        A voxel that is so near to the mask, in mm between centres, is a hit.

    Returns
    -------
    float
        1 or 0; among equal maxima the part that hits. nan for an empty mask.

    Raises
    ------
    AttributionError
        If shapes differ, or the map holds NaN.

    References
    ----------
    Zhang, Lin, Brandt, Shen, Sclaroff (2016), Top-down neural attention by excitation
    backprop, ECCV.
    """
    _checked(attribution, mask)
    inside = np.argwhere(mask > 0)
    if not len(inside):
        return float("nan")
    tops = np.argwhere(attribution == attribution.max())
    if tolerance <= 0:
        return float((mask[tuple(tops.T)] > 0).mean())
    from scipy.spatial import KDTree

    to_mm = np.asarray(affine, dtype=float)[:3, :3].T
    distance, _ = KDTree(inside @ to_mm).query(tops @ to_mm)
    return float((distance <= tolerance + 1e-6).mean())


def _checked(values: Map, mask: Mask) -> tuple[np.ndarray, np.ndarray]:
    if values.shape != mask.shape:
        raise AttributionError(
            f"The map has the shape {values.shape} and the mask {mask.shape}. Give "
            "both on one grid."
        )
    if not np.isfinite(values).all():
        bad = int((~np.isfinite(values)).sum())
        raise AttributionError(
            f"The attribution map has {bad} voxels that are NaN or infinite. The "
            "network's gradient is not finite: look at its weights and at the image."
        )
    return np.ravel(values), np.ravel(mask) > 0
