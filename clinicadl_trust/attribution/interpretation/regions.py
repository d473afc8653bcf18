"""Attribution by region of an atlas, where images are in MNI space."""

from __future__ import annotations

import numpy as np

from clinicadl_trust.caps import ImageType
from clinicadl_trust.exceptions import CapsError
from clinicadl_trust.models.template import brain_mask, region_numbers
from clinicadl_trust.models.volumes import Geometry

__all__ = ["ATLAS", "by_region", "why_not_mni"]

ATLAS = "AAL2"


def why_not_mni(image: ImageType, geometry: Geometry) -> str:
    """Say why images are not in MNI space; nothing where they are.

    Parameters
    ----------
    image : ImageType
        Of which the name may tell.
    geometry : Geometry
        The grid of the image in the CAPS.
    """
    space = str(image.with_entities.get("space", "MNI"))
    if not space.startswith("MNI"):
        return f"the images are in the space '{space}', not MNI"
    try:
        brain_mask(geometry)
    except CapsError as error:
        return str(error)
    return ""


def by_region(attribution: np.ndarray, geometry: Geometry) -> list[dict[str, object]]:
    """Return what is attributed to each region of AAL2.

    Parameters
    ----------
    attribution : numpy.ndarray of shape (x, y, z)
        A map in MNI space.
    geometry : Geometry
        Its grid.

    Returns
    -------
    list of dict
        ``region``; ``mean``, of a voxel; ``share`` of the absolute attribution of the
        whole image and ``share_positive`` of the positive one, nan where there is
        none.
    """
    numbers, names = region_numbers(ATLAS, geometry)
    labels = numbers.ravel()
    flat = attribution.ravel().astype(float)
    positive, absolute = np.clip(flat, 0, None), np.abs(flat)
    sums = [
        np.bincount(labels, weights=values, minlength=len(names) + 1)[1:]
        for values in (np.ones_like(flat), flat, absolute, positive)
    ]
    count, total, absolutes, positives = sums
    whole, whole_positive = absolute.sum() or np.nan, positive.sum() or np.nan
    columns = (total / count, absolutes / whole, positives / whole_positive)
    return [
        {"region": name, "mean": mean, "share": share, "share_positive": positive_share}
        for name, mean, share, positive_share in zip(
            names, *(column.tolist() for column in columns), strict=True
        )
    ]
