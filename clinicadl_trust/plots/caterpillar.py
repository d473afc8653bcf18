"""The random effects of a mixed model, level by level, in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from clinicadl_trust.exceptions import StatisticsError, did_you_mean
from clinicadl_trust.plots.canvas import new_axes, tidy
from clinicadl_trust.plots.palette import GREYS, LINE, MUTED, VIVID
from clinicadl_trust.stats import MixedModel

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["caterpillar"]

#: Levels that are named; more could not be read.
_NAMED = 40


def caterpillar(
    model: MixedModel,
    ax: Axes | None = None,
    *,
    group: str | None = None,
    effect: str | None = None,
    confidence_level: float | None = None,
) -> Axes:
    """Draw the conditional modes of a grouping factor with their intervals, sorted.

    Parameters
    ----------
    model : MixedModel
        Fitted.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    group : str, optional
        Grouping factor, such as ``site``; needed where there are several.
    effect : str, optional
        Random effect, such as ``age``; the first by default.
    confidence_level : float, optional
        Of the intervals; that of the model by default.

    Returns
    -------
    matplotlib.axes.Axes
        Levels whose interval leaves out 0 are coloured: they stand out one by one,
        which is no test of all. Modes are shrunk towards 0, and intervals take the
        variances as known.

    Raises
    ------
    StatisticsError
        If the factor or the effect is unknown, or has to be chosen.
    """
    group, effect = _chosen(model, group, effect)
    level = confidence_level or model.confidence_level
    modes = model.conditional_modes(level)
    modes = modes[(modes["group"] == group) & (modes["effect"] == effect)]
    modes = modes.sort_values("value", ignore_index=True)
    named = len(modes) <= _NAMED
    ax = new_axes(ax, 4.2, 1.1 + 0.2 * len(modes) if named else 4.0)
    _draw(ax, modes)
    response = model.formula.partition("~")[0].strip()
    unit = "log odds of " if model.family == "binomial" else ""
    what = "" if effect == "Intercept" else f", effect of {effect}"
    ax.set_xlabel(
        f"{unit}{response}{what}: deviation from the mean\n({level:.0%} interval)"
    )
    if named:
        ax.set_yticks(modes.index, modes["level"].astype(str))
        ax.set_ylabel(group)
    else:
        ax.set_yticks([])
        ax.set_ylabel(f"{len(modes)} levels of {group}, sorted")
    return ax


def _draw(ax: Axes, modes: pd.DataFrame) -> None:
    apart = (modes["low"] > 0) | (modes["high"] < 0)
    ax.axvline(0, color=MUTED, lw=0.8, ls=(0, (3, 3)), zorder=0)
    size = float(np.clip(160 / len(modes), 1.5, 5.5))
    for rows, color in ((modes[~apart], GREYS[1]), (modes[apart], VIVID[0])):
        ax.hlines(rows.index, rows["low"], rows["high"], color=color, lw=size / 4)
        ax.plot(rows["value"], rows.index, "o", ms=size, mew=0, color=color)
    ax.set_ylim(-0.7, len(modes) - 0.3)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", color=LINE, lw=0.5)
    ax.set_axisbelow(True)
    tidy(ax, "left")


def _chosen(
    model: MixedModel, group: str | None, effect: str | None
) -> tuple[str, str]:
    groups = list(model.random_effects)
    if group is None and len(groups) > 1:
        raise StatisticsError(
            f"The model has several grouping factors: {', '.join(groups)}. Choose one "
            f"by group='{groups[0]}'."
        )
    group = group or groups[0]
    if group not in groups:
        raise StatisticsError(
            f"'{group}' is no grouping factor.{did_you_mean(group, groups)}"
        )
    effects = [str(name) for name in model.random_effects[group]]
    effect = effect or effects[0]
    if effect not in effects:
        raise StatisticsError(
            f"'{effect}' does not vary between levels of '{group}'."
            f"{did_you_mean(effect, effects)}"
        )
    return group, effect
