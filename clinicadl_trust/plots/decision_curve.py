"""Whether acting on a model does more good than treating everyone, or nobody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.plots.canvas import new_axes, tidy
from clinicadl_trust.plots.palette import INK, LINE, MUTED, Look, looks
from clinicadl_trust.stats import DecisionCurve

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["decision_curve"]


def decision_curve(
    curves: DecisionCurve | Mapping[str, DecisionCurve],
    ax: Axes | None = None,
    *,
    look: Mapping[str, Look] | None = None,
    bands: bool | None = None,
    legend: bool = True,
) -> Axes:
    """Draw the net benefit of models, of treating all and of treating none.

    Parameters
    ----------
    curves : DecisionCurve or mapping of str to DecisionCurve
        Of ``stats.net_benefit``: that of one model, or of several on the same people
        by name.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    look : mapping of str to Look, optional
        How each model is drawn.
    bands : bool, optional
        Whether to shade the intervals; by default those of a single model.
    legend : bool
        Whether to name the models. Treating all and none are always named.

    Returns
    -------
    matplotlib.axes.Axes
        From a little below 0 to a little above the most that can be gained: what falls
        below helps nobody, however far.

    Raises
    ------
    StatisticsError
        If a curve holds differences, has a single threshold, or models were not
        tested on the same people.
    """
    named = {"model": curves} if isinstance(curves, DecisionCurve) else dict(curves)
    _check(named)
    look = look or looks(named)
    ax = new_axes(ax, 4.4, 3.4)
    shaded = len(named) == 1 if bands is None else bands
    tables = {name: _of(curve, "model") for name, curve in named.items()}
    for name, table in tables.items():
        if shaded:
            ax.fill_between(
                table.index,
                table["low"],
                table["high"],
                color=look[name].color,
                alpha=0.18,
                lw=0,
                gid="band",
            )
        ax.plot(
            table.index,
            table["net_benefit"],
            color=look[name].color,
            ls=look[name].dash,
            lw=1.8,
            label=f"{name} (band: {named[name].confidence_level:.0%})"
            if shaded
            else name,
        )
    _without_model(ax, next(iter(named.values())), tables)
    ax.grid(axis="y", color=LINE, lw=0.5)
    ax.set_axisbelow(True)
    ax.set(xlabel="Threshold probability for treatment", ylabel="Net benefit")
    tidy(ax)
    if legend:
        ax.legend(frameon=False, loc="upper right", handlelength=2.5)
    return ax


def _without_model(
    ax: Axes, curve: DecisionCurve, tables: Mapping[str, pd.DataFrame]
) -> None:
    """Draw what one would do without a model, and choose the limits."""
    everyone = _of(curve, "treat all")
    x = everyone.index.to_numpy()
    top = max(
        everyone["net_benefit"].max(),
        *(table["net_benefit"].max() for table in tables.values()),
    )
    ax.plot(x, everyone["net_benefit"], color=MUTED, lw=1.1, gid="treat all")
    ax.plot(x, 0 * x, color=INK, lw=1.1, gid="treat none")
    room = max(top, 0.02)
    ax.set(xlim=(x[0], x[-1]), ylim=(-0.22 * room, 1.12 * room))
    # Named where it leaves the drawing, below what models have to offer.
    worth = everyone["net_benefit"].to_numpy()
    height = max(-0.12 * room, worth[-1])
    place = float(np.interp(-height, -worth, x))
    is_left = place < x[0] + 0.35 * (x[-1] - x[0])
    # Beside it, where treating all has not come down yet, or has gone.
    ax.annotate(
        "treat none",
        (x[-1] if is_left else x[0], 0),
        xytext=(0 if is_left else 4, -3),
        textcoords="offset points",
        ha="right" if is_left else "left",
        va="top",
        fontsize="small",
        color=INK,
    )
    ax.annotate(
        "treat all",
        (place, height),
        xytext=(6 if is_left else -6, 0),
        textcoords="offset points",
        ha="left" if is_left else "right",
        va="center",
        fontsize="small",
        color=MUTED,
    )


def _of(curve: DecisionCurve, strategy: str) -> pd.DataFrame:
    points = curve.points
    return points[points["strategy"] == strategy].set_index("threshold")


def _check(named: Mapping[str, DecisionCurve]) -> None:
    if not named:
        raise StatisticsError("There is no decision curve to draw. Give some by name.")
    for name, curve in named.items():
        if "strategy" not in curve.points:
            raise StatisticsError(
                f"The curve of '{name}' holds differences of two models. Give those of "
                "stats.net_benefit, one a model."
            )
        if curve.points["threshold"].nunique() < 2:
            raise StatisticsError(
                f"The curve of '{name}' has a single threshold, which makes no line. "
                "Give stats.net_benefit several, such as numpy.linspace(.05, .5, 46)."
            )
    everyone = [_of(curve, "treat all")["net_benefit"] for curve in named.values()]
    first = everyone[0]
    if not all(len(e) == len(first) and np.allclose(e, first) for e in everyone):
        raise StatisticsError(
            "Treating all is not worth the same for every model: they were tested on "
            "other people, or at other thresholds. Compare them on the same ones."
        )
