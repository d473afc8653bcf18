"""Predicted against true values of a regression."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.plots.canvas import new_axes, tidy
from clinicadl_trust.plots.palette import MUTED, Look

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["predicted_against_true"]


def predicted_against_true(
    label: npt.ArrayLike,
    score: npt.ArrayLike,
    ax: Axes | None = None,
    *,
    limits: tuple[float, float] | None = None,
    look: Look | None = None,
    unit: str = "",
) -> Axes:
    """Draw predicted against true values, the identity dashed.

    Parameters
    ----------
    label, score : array-like of shape (n_images,)
        True and predicted values.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    limits : tuple of float, optional
        Ends of both axes; by default what holds all values.
    look : Look, optional
        How points are drawn.
    unit : str
        Of the values, such as years.

    Returns
    -------
    matplotlib.axes.Axes
        One point an image.

    Raises
    ------
    StatisticsError
        If there are no values, or as many of one as not of the other.
    """
    x, y = np.asarray(label, dtype=float), np.asarray(score, dtype=float)
    if x.ndim != 1 or x.shape != y.shape or not x.size:
        raise StatisticsError(
            f"True values have shape {x.shape}, predicted ones {y.shape}: one of each "
            "per image is needed."
        )
    look = look or Look()
    if limits is None:
        low, high = min(x.min(), y.min()), max(x.max(), y.max())
        room = 0.03 * (high - low) or 1.0
        limits = (float(low - room), float(high + room))
    ax = new_axes(ax, 3.7, 3.6)
    ax.plot(limits, limits, color=MUTED, lw=0.8, ls=(0, (3, 3)), gid="diagonal")
    ax.plot(x, y, look.marker, ms=4, mew=0, alpha=0.5, color=look.color)
    of = f" ({unit})" if unit else ""
    ax.set(
        xlim=limits,
        ylim=limits,
        aspect="equal",
        xlabel=f"True value{of}",
        ylabel=f"Predicted value{of}",
    )
    ax.locator_params(nbins=5)
    tidy(ax)
    return ax
