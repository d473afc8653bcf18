"""Whether probabilities mean what they say, above how often each was given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from clinicadl_trust.exceptions import StatisticsError, did_you_mean
from clinicadl_trust.plots.canvas import new_axes, tidy, unit_square
from clinicadl_trust.plots.palette import Look, looks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["calibration_curve"]

_COLUMNS = ["predicted", "observed", "low", "high"]
_N_BINS = 20


def calibration_curve(
    curves: pd.DataFrame | Mapping[str, pd.DataFrame],
    ax: Axes | None = None,
    *,
    scores: npt.ArrayLike | Mapping[str, npt.ArrayLike] | None = None,
    look: Mapping[str, Look] | None = None,
    intervals: bool | None = None,
    legend: bool = True,
) -> Axes:
    """Draw how often it was true against what was predicted.

    Parameters
    ----------
    curves : pandas.DataFrame or mapping of str to pandas.DataFrame
        Of ``stats.reliability_curve`` or ``stats.calibration_curve``: that of one
        model, or of several by name.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    scores : array-like of float, or mapping of str to array-like, optional
        The probabilities themselves, by name as the curves are: their histogram is
        drawn below the axes, which needs a third of their height as room.
    look : mapping of str to Look, optional
        How each model is drawn.
    intervals : bool, optional
        Whether to draw the intervals of the observed shares; by default those of a
        single curve, for several hide one another.
    legend : bool
        Whether to name several models.

    Returns
    -------
    matplotlib.axes.Axes
        On the dashed diagonal, probabilities mean what they say.

    Raises
    ------
    StatisticsError
        If a table is empty or lacks a column, or scores have other names.
    """
    named = {"": curves} if isinstance(curves, pd.DataFrame) else dict(curves)
    for name, table in named.items():
        _check(name, table)
    given = _scores(scores, named)
    look = look or looks(named)
    ax = new_axes(ax, 3.7, 4.6 if given else 3.6)
    for name, table in named.items():
        if len(named) == 1 if intervals is None else intervals:
            _intervals(ax, table, look[name])
        ax.plot(
            table["predicted"],
            table["observed"],
            color=look[name].color,
            ls=look[name].dash,
            lw=1.8,
            marker=look[name].marker,
            ms=6,
            mew=0,
            label=name,
        )
    unit_square(ax)
    ax.set(xlabel="Predicted probability", ylabel="Observed share")
    if legend and len(named) > 1:
        ax.legend(frameon=False, loc="upper left", handlelength=2.5)
    if given:
        _histograms(ax, given, look)
    return ax


def _intervals(ax: Axes, table: pd.DataFrame, look: Look) -> None:
    ax.vlines(
        table["predicted"],
        table["low"],
        table["high"],
        color=look.color,
        lw=1.2,
        alpha=0.7,
        gid="intervals",
    )


def _check(name: str, table: pd.DataFrame) -> None:
    of = f" of '{name}'" if name else ""
    lacking = [column for column in _COLUMNS if column not in table]
    if lacking:
        raise StatisticsError(
            f"The curve{of} lacks the columns {', '.join(lacking)}. Give what "
            "stats.reliability_curve returns."
        )
    if table.empty:
        raise StatisticsError(f"The curve{of} has no bin: there is nothing to draw.")
    for column in ("model", "split_strategy", "positive"):
        if column in table and table[column].nunique() > 1:
            raise StatisticsError(
                f"The curve{of} holds several values of '{column}': "
                f"{', '.join(map(str, table[column].unique()))}. Give them by name, "
                "such as dict(list(table.groupby('model')))."
            )


def _scores(
    scores: npt.ArrayLike | Mapping[str, npt.ArrayLike] | None,
    named: Mapping[str, pd.DataFrame],
) -> dict[str, np.ndarray]:
    if scores is None:
        return {}
    given = dict(scores) if isinstance(scores, Mapping) else {"": scores}
    for name in given:
        if name not in named:
            raise StatisticsError(
                f"There are scores of '{name}' and no such curve."
                f"{did_you_mean(str(name), list(named))}"
            )
    return {name: np.asarray(each, dtype=float) for name, each in given.items()}


def _histograms(
    ax: Axes, scores: Mapping[str, np.ndarray], look: Mapping[str, Look]
) -> None:
    """Count the probabilities in axes below, which take the x axis over."""
    below = ax.inset_axes((0, -0.25, 1, 0.19), sharex=ax)
    edges = np.linspace(0, 1, _N_BINS + 1).tolist()
    for name, values in scores.items():
        filled = len(scores) == 1
        below.hist(
            values,
            edges,
            histtype="stepfilled" if filled else "step",
            color=look[name].color,
            alpha=0.45 if filled else 1,
            ls="-" if filled else look[name].dash,
        )
    below.set(xlabel=ax.get_xlabel(), ylabel="Images")
    below.locator_params(axis="y", nbins=2, integer=True)
    tidy(below)
    ax.tick_params(axis="x", labelbottom=False)
    ax.set_xlabel("")
