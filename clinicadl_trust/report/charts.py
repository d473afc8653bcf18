"""The charts that need two axes: ROC, calibration, predicted against true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from clinicadl_trust.report.palette import Style
from clinicadl_trust.report.svg import PAINT, SETTINGS, to_svg

__all__ = ["Curve", "calibration_chart", "roc_chart", "scatter_chart"]

#: Width and height in CSS pixels: small enough for a phone at full size.
_SIZE = 320
_INCH = 72


@dataclass(frozen=True)
class Curve:
    """One model's line.

    Attributes
    ----------
    name : str
        The model.
    style : Style
        How it is drawn.
    x, y : numpy.ndarray
        Its points, in the order of the line.
    """

    name: str
    style: Style
    x: np.ndarray
    y: np.ndarray


def roc_chart(
    curves: Sequence[Curve], key: str, title: str, description: str
) -> Markup:
    """Draw sensitivity against false alarms, one line a model, diagonal dashed."""
    with rc_context(SETTINGS):
        figure, axes = _square(
            "False alarms (1 \N{MINUS SIGN} specificity)", "Sensitivity"
        )
        for rank, curve in enumerate(curves):
            # Symbols are few and staggered: they tell lines apart without colour.
            axes.plot(
                curve.x,
                curve.y,
                **_look(curve.style),
                markevery=(0.04 * rank, 0.3),
            )
        _unit(axes)
    return to_svg(figure, key, title, description)


def calibration_chart(
    curves: Sequence[Curve], key: str, title: str, description: str
) -> Markup:
    """Draw how often it was true against what was predicted, one line a model."""
    with rc_context(SETTINGS):
        figure, axes = _square("Predicted probability", "Observed share")
        for curve in curves:
            axes.plot(curve.x, curve.y, **_look(curve.style))
        _unit(axes)
    return to_svg(figure, key, title, description)


def scatter_chart(
    curve: Curve, limits: tuple[float, float], key: str, title: str, description: str
) -> Markup:
    """Draw predicted against true values of one model, the identity dashed."""
    with rc_context(SETTINGS):
        figure, axes = _square("True value", "Predicted value")
        axes.plot(limits, limits, color=PAINT["muted"], lw=0.8, ls=(0, (3, 3)))
        axes.plot(
            curve.x,
            curve.y,
            ls="none",
            marker=curve.style.marker,
            ms=4,
            mew=0,
            alpha=0.5,
            color=PAINT[curve.style.colour],
        )
        axes.set(xlim=limits, ylim=limits)
        axes.locator_params(nbins=5)
    return to_svg(figure, key, title, description)


def _square(x_label: str, y_label: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(_SIZE / _INCH, _SIZE / _INCH), dpi=_INCH)
    axes = figure.add_axes((0.16, 0.145, 0.81, 0.83))
    axes.set(xlabel=x_label, ylabel=y_label, aspect="equal")
    axes.patch.set_visible(False)
    return figure, axes


def _unit(axes: Axes) -> None:
    """Show 0 to 1 on both axes, with the diagonal."""
    axes.plot([0, 1], [0, 1], color=PAINT["muted"], lw=0.8, ls=(0, (3, 3)), zorder=0)
    ticks = [0, 0.25, 0.5, 0.75, 1]
    labels = ["0", "0.25", "0.5", "0.75", "1"]
    axes.set_xticks(ticks, labels)
    axes.set_yticks(ticks, labels)
    axes.grid(color=PAINT["line"], lw=0.5)
    axes.set_axisbelow(True)
    # A little room, so that lines along the border are seen whole.
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))


def _look(style: Style) -> dict[str, Any]:
    return {
        "color": PAINT[style.colour],
        "ls": style.dash,
        "lw": 1.8,
        "marker": style.marker,
        "ms": 6,
        "mew": 0,
    }
