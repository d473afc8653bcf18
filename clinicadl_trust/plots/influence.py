"""What the mean over sites would be without each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.plots.canvas import new_axes
from clinicadl_trust.plots.palette import LINE, MUTED, VIVID
from clinicadl_trust.plots.rows import Rows, draw_intervals, header, note_rows
from clinicadl_trust.stats import Heterogeneity

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["influence"]


def influence(
    results: Heterogeneity, ax: Axes | None = None, *, metric: str = "Performance"
) -> Axes:
    """Draw the mean over all other sites, leaving out one at a time.

    Parameters
    ----------
    results : Heterogeneity
        Of three sites or more.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    metric : str
        What is estimated, with its unit.

    Returns
    -------
    matplotlib.axes.Axes
        One row a site, in the order of the result; behind them the mean over all sites
        and its interval. A site whose row stands apart carries the result alone.

    Raises
    ------
    StatisticsError
        If there are fewer than three sites.
    """
    if results.n_sites < 3:
        raise StatisticsError(
            f"There are {results.n_sites} sites: without one of them no mean over "
            "sites with an interval is left. Three are needed."
        )
    columns = {f"{name}_without": name for name in ("value", "low", "high")}
    table = results.influence.set_index("site")[list(columns)]
    rows = Rows.of(table.rename(columns=columns), results.confidence_level)
    ax = new_axes(ax, 5.2, 1.1 + 0.28 * len(table))
    ax.axvspan(results.low, results.high, color=LINE, alpha=0.6, lw=0, zorder=0)
    ax.axvline(results.value, color=MUTED, lw=0.9, zorder=0.5)
    draw_intervals(ax, rows)
    ax.plot(rows.table["value"], rows.places, "o", ms=5.5, color=VIVID[0], mew=0)
    note_rows(ax, rows)
    header(ax, rows)
    ax.set_ylabel("Without", rotation=0, ha="right", va="bottom", color=MUTED)
    ax.yaxis.set_label_coords(-0.02, 1.0)
    ax.set_xlabel(f"{metric}, mean over the other sites (shaded: all sites)")
    return ax
