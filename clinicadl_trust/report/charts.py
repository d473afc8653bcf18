"""Plots in the page: those of ``clinicadl_trust.plots``, in its size and style."""

from __future__ import annotations

from collections.abc import Callable

from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from clinicadl_trust.report.svg import SETTINGS, to_svg

__all__ = ["draw"]

#: Width in CSS pixels: small enough for a phone at full size.
_WIDTH = 320
_INCH = 72
#: Room around the axes, in pixels: left, bottom, right, top.
_ROOM = (51, 46, 10, 8)


def draw(
    plot: Callable[[Axes], object],
    *,
    key: str,
    title: str,
    description: str,
    height: int = _WIDTH,
    room: tuple[int, int, int, int] = _ROOM,
) -> Markup:
    """Draw a plot as inline SVG.

    Parameters
    ----------
    plot : callable
        Draws on the axes that it is given, for example ``plots.roc_curve``.
    key, title, description : str
        As in ``to_svg``.
    height : int
        In CSS pixels.
    room : tuple of int
        Around the axes, in pixels: left, bottom, right, top.

    Returns
    -------
    markupsafe.Markup
        An ``<svg>``.
    """
    left, bottom, right, top = room
    with rc_context(SETTINGS):
        figure = Figure(figsize=(_WIDTH / _INCH, height / _INCH), dpi=_INCH)
        axes = figure.add_axes(
            (
                left / _WIDTH,
                bottom / height,
                1 - (left + right) / _WIDTH,
                1 - (bottom + top) / height,
            )
        )
        axes.patch.set_visible(False)
        plot(axes)
    return to_svg(figure, key, title, description)
