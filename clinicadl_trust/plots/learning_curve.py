"""How a metric grows with what a model was given: annotated patients, for example."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.plots.canvas import new_axes, tidy
from clinicadl_trust.plots.palette import LINE, Look, looks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["learning_curve"]

_COLUMNS = ["size", "value", "low", "high"]
#: Curves beside one another, so that no interval hides another's.
_APART = 0.04


def learning_curve(
    curves: Mapping[str, pd.DataFrame],
    ax: Axes | None = None,
    *,
    look: Mapping[str, Look] | None = None,
    xlabel: str = "Annotated participants",
    ylabel: str = "Dice",
) -> Axes:
    """Draw a metric against the number of examples, with its intervals.

    Parameters
    ----------
    curves : mapping of str to pandas.DataFrame
        By name, tables with the columns ``size`` (at least 1), ``value``, ``low`` and
        ``high``: rows of ``stats.evaluate`` with the size of each.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    look : mapping of str to Look, optional
        How each curve is drawn.
    xlabel, ylabel : str
        Below and beside the axes.

    Returns
    -------
    matplotlib.axes.Axes
        Sizes are on a logarithmic scale.

    Raises
    ------
    StatisticsError
        If there is no curve, or a table is empty or lacks a column.
    """
    if not curves:
        raise StatisticsError("There is no curve to draw. Give at least one table.")
    for name, table in curves.items():
        if lacking := [column for column in _COLUMNS if column not in table]:
            raise StatisticsError(
                f"The curve '{name}' lacks the columns {', '.join(lacking)}. Add the "
                "size to rows of stats.evaluate."
            )
        if table.empty:
            raise StatisticsError(f"The curve '{name}' has no row.")
    look = look or looks(curves)
    ax = new_axes(ax)
    for rank, (name, given) in enumerate(curves.items()):
        table = given.sort_values("size")
        shift = np.exp(_APART * (rank - (len(curves) - 1) / 2))
        places = table["size"].to_numpy(float) * shift
        style = look[name]
        ax.vlines(
            places,
            table["low"],
            table["high"],
            color=style.color,
            lw=1.4,
            alpha=0.7,
            gid="intervals",
        )
        ax.plot(
            places,
            table["value"],
            color=style.color,
            ls=style.dash,
            marker=style.marker,
            lw=1.8,
            ms=6,
            mew=0,
            label=name,
        )
    sizes = sorted({int(size) for table in curves.values() for size in table["size"]})
    ax.set_xscale("log")
    ax.set_xticks(sizes, [str(size) for size in sizes])
    ax.xaxis.minorticks_off()
    ax.grid(color=LINE, lw=0.5, axis="y")
    ax.set_axisbelow(True)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.legend(frameon=False, loc="upper left", handlelength=2.5)
    tidy(ax)
    return ax
