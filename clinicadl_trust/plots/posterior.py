"""The posterior of a difference, with what does not matter in practice shaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy import stats as distributions

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.plots.canvas import decimals, new_axes, signed, tidy
from clinicadl_trust.plots.palette import GREYS, INK, LINE, MUTED, VIVID
from clinicadl_trust.stats import BayesianComparison

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["posterior"]

Array = npt.NDArray[np.float64]

#: Share of the posterior that is drawn, and bins of one that is known by its draws.
_DRAWN, _N_BINS = 0.998, 30
#: Least share of the width on either side of the ROPE.
_SIDE = 0.3


def posterior(
    result: BayesianComparison,
    ax: Axes | None = None,
    *,
    models: tuple[str, str] = ("the first", "the second"),
    metric: str = "performance",
) -> Axes:
    """Draw how probable each difference between two models is.

    Parameters
    ----------
    result : BayesianComparison
        Of ``bayesian_correlated_ttest`` or ``bayesian_signed_rank``.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    models : tuple of str
        The first and the second model.
    metric : str
        What differs.

    Returns
    -------
    matplotlib.axes.Axes
        The density, the region of practical equivalence (ROPE) shaded, and the three
        probabilities of the result written in their regions. Of the signed rank the
        density is that of the pseudo-median, and the probabilities are the shares of
        draws in which each region is the most probable: near the areas, not the same.

    Raises
    ------
    StatisticsError
        If the posterior is a single point.
    """
    if not result.scale > 0:
        raise StatisticsError(
            f"The posterior is the single point {result.mean:g}, for all differences "
            "are the same: it has no density to draw."
        )
    ax = new_axes(ax, 4.2, 2.9)
    x, density = _density(result)
    rope = result.rope
    ax.set_xlim(_limits(float(x[0]), float(x[-1]), rope))
    ax.set_ylim(-0.1 * density.max(), 1.4 * density.max())
    if rope:
        ax.axvspan(-rope, rope, color=LINE, alpha=0.7, lw=0, zorder=0, gid="rope")
    ax.axvline(0, color=MUTED, lw=0.8, ls=(0, (3, 3)), zorder=0.5)
    for color, low, high in (
        (VIVID[1], -np.inf, -rope),
        (GREYS[0], -rope, rope),
        (VIVID[0], rope, np.inf),
    ):
        inside = (x >= low) & (x <= high)
        ax.fill_between(x, density, where=inside, color=color, alpha=0.45, lw=0)
    ax.plot(x, density, color=INK, lw=1.2, gid="density")
    _interval(ax, result, density.max())
    _regions(ax, result, models)
    _label(ax, result, metric)
    ax.set_yticks([])
    ax.locator_params(axis="x", nbins=6)
    tidy(ax, "left")
    return ax


def _limits(low: float, high: float, rope: float) -> tuple[float, float]:
    """Leave room for a text on either side of the ROPE."""
    low, high = min(low, -rope), max(high, rope)
    for _ in range(5):
        low = min(low, -(_SIDE * high + rope) / (1 - _SIDE))
        high = max(high, (rope - _SIDE * low) / (1 - _SIDE))
    return low, high


def _density(result: BayesianComparison) -> tuple[Array, Array]:
    """Return the density, with points at the ends of the ROPE."""
    tail = (1 - _DRAWN) / 2
    if result.draws is not None:
        low, high = np.quantile(result.draws, [tail, 1 - tail])
        edges = np.linspace(low, high, _N_BINS + 1)
        share, _ = np.histogram(result.draws, edges, density=True)
        # Each bar as its two upper corners.
        return np.repeat(edges, 2)[1:-1], np.repeat(share, 2)
    known = distributions.t(result.df, result.mean, result.scale)
    x = np.linspace(known.ppf(tail), known.ppf(1 - tail), 401)
    borders = [edge for edge in (-result.rope, result.rope) if x[0] < edge < x[-1]]
    x = np.sort(np.append(x, borders))
    return x, known.pdf(x)


def _interval(ax: Axes, result: BayesianComparison, peak: float) -> None:
    """Draw the credible interval below the density."""
    ax.hlines(-0.05 * peak, result.low, result.high, color=INK, lw=2, gid="interval")
    ax.plot(result.mean, -0.05 * peak, "o", ms=5, color=INK, mew=0)


def _label(ax: Axes, result: BayesianComparison, metric: str) -> None:
    """Say what differs, and below by how much."""
    digits = decimals([result.high - result.low])
    ax.annotate(
        f"{signed(result.mean, digits)}, {result.credible_level:.0%} credible: "
        f"{signed(result.low, digits)} to {signed(result.high, digits)}",
        (0.5, 0),
        xycoords=ax.set_xlabel(f"Difference in {metric}"),
        xytext=(0, -3),
        textcoords="offset points",
        ha="center",
        va="top",
    )


def _regions(ax: Axes, result: BayesianComparison, models: tuple[str, str]) -> None:
    """Write each probability where its region is, the middle one above."""
    for share, name, place, ha, color in (
        (result.p_worse, models[1], 0.01, "left", VIVID[1]),
        (result.p_better, models[0], 0.99, "right", VIVID[0]),
    ):
        look: dict[str, Any] = {"ha": ha, "va": "top", "color": color}
        # One text a line: an SVG is set in a font whose widths are not known here.
        first = ax.text(place, 0.98, f"{name} better", transform=ax.transAxes, **look)
        edge = 0 if ha == "left" else 1
        ax.annotate(
            _percent(share),
            (edge, 0),
            xycoords=first,
            xytext=(0, -2),
            textcoords="offset points",
            **look,
        )
    if result.rope:
        low, high = ax.get_xlim()
        middle = min(max(-low / (high - low), 0.25), 0.75)
        ax.text(
            middle,
            1.02,
            f"equivalent (\N{PLUS-MINUS SIGN}{result.rope:g}): "
            f"{_percent(result.p_equivalent)}",
            transform=ax.transAxes,
            ha="center",
            va="bottom",
            color=GREYS[0],
        )


def _percent(share: float) -> str:
    if share < 0.01:
        return "< 1%"
    return "> 99%" if share > 0.99 else f"{share:.0%}"
