"""Forest plots: estimates side by side, their mean, and what a new site may see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.plots.canvas import new_axes
from clinicadl_trust.plots.palette import INK, MUTED, VIVID
from clinicadl_trust.plots.rows import Rows, draw_intervals, header, note_rows
from clinicadl_trust.stats import Comparison, Estimate, Heterogeneity, Subgroups
from clinicadl_trust.stats.on_predictions import Answers

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["forest"]

#: Of the largest square, in points squared.
_LARGEST = 90.0
#: Half the height of the diamond and of the bar, in rows.
_DIAMOND, _BAR = 0.3, 0.16


def forest(
    results: Heterogeneity | Subgroups | Answers | Mapping[str, Estimate | Comparison],
    ax: Axes | None = None,
    *,
    metric: str = "Performance",
    reference: float | None = None,
) -> Axes:
    """Draw estimates with their intervals, one a row.

    Parameters
    ----------
    results : Heterogeneity, Subgroups, Answers or mapping of str to result
        Sites put together, the levels of a subgroup, what a statistic of a predictions
        table says of each model, or any estimates or differences by name.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    metric : str
        What is estimated, with its unit.
    reference : float, optional
        Where a dashed line stands, such as .5 for an AUC.

    Returns
    -------
    matplotlib.axes.Axes
        Of sites, squares have areas in proportion to their weight; the diamond is the
        mean over sites with its interval, and the bar below the prediction interval
        for a site not seen.

    Raises
    ------
    StatisticsError
        If there is nothing to draw, estimates have different levels, or differences
        stand among them.

    Examples
    --------
    >>> from clinicadl_trust import plots, stats
    >>> sites = stats.heterogeneity([0.81, 0.87, 0.78], [0.04, 0.03, 0.05])
    >>> ax = plots.forest(sites, metric="ROC AUC")
    >>> [text.get_text() for text in ax.get_yticklabels()][-1]
    'A new site'
    """
    if isinstance(results, Heterogeneity):
        return _sites(results, ax, metric, reference)
    if isinstance(results, Subgroups):
        table, level = results.levels.set_index("level"), results.confidence_level
    else:
        named = _named(results) if isinstance(results, Answers) else results
        table, level = _table(named)
    rows = Rows.of(table[["value", "low", "high"]], level)
    ax = new_axes(ax, 5.2, 1.0 + 0.3 * len(table))
    draw_intervals(ax, rows)
    ax.plot(table["value"], rows.places, "s", ms=5.5, color=VIVID[0], mew=0)
    _finish(ax, rows, metric, reference)
    return ax


def _named(answers: Answers) -> dict[str, Estimate | Comparison]:
    """Name each answer by its model, and by its split where there are several."""
    named: dict[str, Estimate | Comparison] = {}
    n_splits = len({each.split_strategy for each in answers.answers})
    for each in answers.answers:
        if not isinstance(each.result, Estimate | Comparison):
            raise StatisticsError(
                f"'{answers.statistic}' gives no estimate or difference of each model. "
                "Give one result, such as answers.answers[0].result."
            )
        title = each.title
        named[title if n_splits > 1 else title.rpartition(", on ")[0]] = each.result
    return named


def _table(
    results: Mapping[str, Estimate | Comparison],
) -> tuple[pd.DataFrame, float]:
    """Return estimates, or differences, as rows, and their one level."""
    if not results:
        raise StatisticsError("There is no estimate to draw. Give some by name.")
    levels = {each.confidence_level for each in results.values()}
    if len(levels) > 1:
        raise StatisticsError(
            f"The intervals have different levels ({', '.join(map(str, levels))}): "
            "side by side they would mislead. Compute all at one level."
        )
    if len({type(each) for each in results.values()}) > 1:
        raise StatisticsError(
            "There are estimates and differences, which share no axis. Draw each kind "
            "by itself."
        )
    values = {
        name: (e.effect if isinstance(e, Comparison) else e.value, e.low, e.high)
        for name, e in results.items()
    }
    columns = ["value", "low", "high"]
    return pd.DataFrame.from_dict(values, "index", columns=columns), levels.pop()


def _sites(
    results: Heterogeneity, ax: Axes | None, metric: str, reference: float | None
) -> Axes:
    sites = results.influence.set_index("site")
    summary = pd.DataFrame(
        [
            (results.value, results.low, results.high),
            (np.nan, results.prediction_low, results.prediction_high),
        ],
        index=["Mean over sites", "A new site"],
        columns=["value", "low", "high"],
    )
    rows = Rows.of(
        pd.concat([sites[["value", "low", "high"]], summary]),
        results.confidence_level,
        gap_before=len(sites),
    )
    ax = new_axes(ax, 5.6, 1.6 + 0.28 * len(rows.places))
    draw_intervals(ax, rows, slice(0, len(sites)))
    places, weight = rows.places[: len(sites)], sites["weight"].to_numpy()
    ax.scatter(
        sites["value"],
        places,
        s=_LARGEST * weight / weight.max(),
        marker="s",
        color=VIVID[0],
        linewidths=0,
        zorder=3,
    )
    _summary(ax, results, rows)
    note_rows(ax, rows, [f"{share:.0%}" for share in weight])
    header(ax, rows, "Weight")
    _finish(ax, rows, metric, reference, _between(results), notes=False)
    return ax


def _summary(ax: Axes, results: Heterogeneity, rows: Rows) -> None:
    """Draw the diamond of the mean and the bar of the prediction."""
    middle, below = rows.places[-2:]
    ax.axvline(results.value, color=VIVID[1], lw=0.8, ls=(0, (1, 2)), zorder=0)
    ax.fill(
        [results.low, results.value, results.high, results.value],
        [middle, middle - _DIAMOND, middle, middle + _DIAMOND],
        color=VIVID[1],
        lw=0,
        gid="mean",
    )
    ax.barh(
        below,
        results.prediction_high - results.prediction_low,
        left=results.prediction_low,
        height=2 * _BAR,
        facecolor="none",
        edgecolor=VIVID[1],
        hatch="//////",
        lw=1.0,
        gid="prediction",
    )


def _between(results: Heterogeneity) -> str:
    """Say how much sites differ, in words."""
    scale = f", {results.transform} scale" if results.transform else ""
    tau, squared = "\N{GREEK SMALL LETTER TAU}", "\N{SUPERSCRIPT TWO}"
    n = len(results.warnings)
    care = f"Read with care: the result has {n} warning{'s' * (n > 1)}."
    return "\n".join(
        [
            f"Hatched: {results.confidence_level:.0%} prediction interval of a site "
            "not seen.",
            f"{tau} = {results.tau:.2g} between sites (SD{scale}); {tau}{squared} = "
            f"{results.tau2:.2g}.",
            f"I{squared} = {results.i2:.0%} of the estimates' variance is between "
            "sites.",
            *([care] if n else []),
        ]
    )


def _finish(
    ax: Axes,
    rows: Rows,
    metric: str,
    reference: float | None,
    remark: str = "",
    *,
    notes: bool = True,
) -> None:
    if notes:
        note_rows(ax, rows)
        header(ax, rows)
    if reference is not None:
        ax.axvline(reference, color=MUTED, lw=0.8, ls=(0, (3, 3)), zorder=0)
    ax.set_xlabel(metric, color=INK)
    if remark:
        ax.annotate(
            remark,
            (0, 0),
            xycoords="axes fraction",
            xytext=(0, -38),
            textcoords="offset points",
            va="top",
            fontsize="small",
            color=MUTED,
        )
