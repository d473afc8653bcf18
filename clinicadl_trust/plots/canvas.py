"""Axes to draw on, and how numbers are written beside a drawing."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from clinicadl_trust.plots.palette import LINE, MUTED

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["decimals", "new_axes", "signed", "tidy", "unit_square", "written"]

_MINUS = "\N{MINUS SIGN}"


def new_axes(ax: Axes | None, width: float = 4.2, height: float = 3.6) -> Axes:
    """Return the axes given, or those of a new figure that pyplot does not know.

    Parameters
    ----------
    ax : matplotlib.axes.Axes, optional
        Where to draw.
    width, height : float
        Of the new figure, in inches; a journal's column is 3.5 wide.

    Returns
    -------
    matplotlib.axes.Axes
        Of a figure that can be saved by ``ax.figure.savefig``.
    """
    if ax is not None:
        return ax
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", dpi=150)
    return figure.subplots()


def tidy(ax: Axes, *hidden: str) -> None:
    """Take away the frame's upper and right side, and any other that is named."""
    for side in ("top", "right", *hidden):
        ax.spines[side].set_visible(False)


def unit_square(ax: Axes) -> None:
    """Show 0 to 1 on both axes at the same scale, with the diagonal."""
    ax.plot(
        [0, 1], [0, 1], color=MUTED, lw=0.8, ls=(0, (3, 3)), zorder=0, gid="diagonal"
    )
    ticks, labels = [0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"]
    ax.set_xticks(ticks, labels)
    ax.set_yticks(ticks, labels)
    ax.grid(color=LINE, lw=0.5)
    ax.set_axisbelow(True)
    # A little room, so that lines along the border are seen whole.
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    tidy(ax)


def decimals(widths: Iterable[float]) -> int:
    """Return how many decimals show intervals of these widths."""
    found = [width for width in widths if math.isfinite(width) and width > 0]
    if not found:
        return 2
    typical = sorted(found)[len(found) // 2]
    least = 2 if typical < 2 else 0
    return min(max(math.ceil(0.7 - math.log10(typical)), least), 4)


def signed(value: float, digits: int = 2) -> str:
    """Write a number with its sign."""
    return f"{value:+.{digits}f}".replace("-", _MINUS)


def written(value: float, digits: int = 2) -> str:
    """Write a number with a true minus sign, a dash where there is none."""
    if not math.isfinite(value):
        return "\N{EM DASH}"
    return f"{value:.{digits}f}".replace("-", _MINUS)
