"""How attributions are coloured: blue speaks for healthy, red for pathological."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from clinicadl_trust.exceptions import AttributionError

if TYPE_CHECKING:
    from matplotlib.colors import LinearSegmentedColormap

__all__ = [
    "HEALTHY",
    "OUTLINE",
    "PATHOLOGICAL",
    "PERCENTILE",
    "relevance_colormap",
    "relevance_limit",
]

#: Ends and weak sides of the colour map. RdBu's own ends are both almost black on a
#: brain, and 35 apart (CIELAB) to who lacks the long cones; these are 100.
HEALTHY = "#3b8bff"
PATHOLOGICAL = "#f5402c"
_HEALTHY_WEAK = "#a9cdff"
_PATHOLOGICAL_WEAK = "#ffb3a3"
#: Of masks.
OUTLINE = "#ffe000"

#: Of absolute attributions, where colours saturate: a few voxels may be far beyond.
PERCENTILE = 99.5
#: The share of the limit from which the image below is hidden.
_OPAQUE_FROM = 0.5


def relevance_colormap(*, transparent: bool = False) -> LinearSegmentedColormap:
    """Return the colour map of attributions.

    Parameters
    ----------
    transparent : bool
        Whether weak attributions let through what lies below: from opaque at half of
        the limit to invisible at 0.

    Returns
    -------
    matplotlib.colors.LinearSegmentedColormap
        Blue below the middle, red above, a step between, so that the sign of weak
        attributions can be told.
    """
    from matplotlib.colors import LinearSegmentedColormap, to_rgba

    def mixed(one: str, other: str, share: float, alpha: float) -> tuple[float, ...]:
        ends = zip(to_rgba(one)[:3], to_rgba(other)[:3], strict=True)
        return (*((1 - share) * a + share * b for a, b in ends), alpha)

    weakest = 0.0 if transparent else 1.0
    half = _OPAQUE_FROM / 2
    points = [
        (0.0, mixed(HEALTHY, _HEALTHY_WEAK, 0, 1)),
        (0.5 - half, mixed(HEALTHY, _HEALTHY_WEAK, 1 - _OPAQUE_FROM, 1)),
        (0.5, mixed(HEALTHY, _HEALTHY_WEAK, 1, weakest)),
        (0.5, mixed(PATHOLOGICAL, _PATHOLOGICAL_WEAK, 1, weakest)),
        (0.5 + half, mixed(PATHOLOGICAL, _PATHOLOGICAL_WEAK, 1 - _OPAQUE_FROM, 1)),
        (1.0, mixed(PATHOLOGICAL, _PATHOLOGICAL_WEAK, 0, 1)),
    ]
    return LinearSegmentedColormap.from_list("relevance", points)


def relevance_limit(
    maps: Iterable[npt.ArrayLike], percentile: float = PERCENTILE
) -> float:
    """Return the value at which colours saturate, the same for several maps.

    Parameters
    ----------
    maps : iterable of array-like
        Attributions, of any shape each. Zeros are background and are left out.
    percentile : float
        Of the absolute values of each map.

    Returns
    -------
    float
        The largest over maps, 0 where all are 0.

    Raises
    ------
    AttributionError
        If a map has a value that is not finite, or there is no map.
    """
    found = []
    for values in maps:
        magnitude = np.abs(np.asarray(values, dtype=float))
        if not np.isfinite(magnitude).all():
            n_bad = int((~np.isfinite(magnitude)).sum())
            raise AttributionError(
                f"{n_bad} attributions are not finite. A diverged network or a "
                "division by 0 gives such maps: leave them out, or interpret again."
            )
        magnitude = magnitude[magnitude > 0]
        found.append(np.percentile(magnitude, percentile) if magnitude.size else 0.0)
    if not found:
        raise AttributionError("There is no map to take a limit of. Give one at least.")
    return float(max(found))
