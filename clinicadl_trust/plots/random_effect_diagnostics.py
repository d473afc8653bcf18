"""Whether what a mixed model takes to be normal looks so."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy import stats as distributions

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.plots.canvas import tidy
from clinicadl_trust.plots.palette import LINE, MUTED, VIVID
from clinicadl_trust.stats import MixedModel

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["random_effect_diagnostics"]

Array = npt.NDArray[np.float64]

_BAND = 0.95
#: Points of which a vector drawing becomes heavy.
_MANY = 2000


def random_effect_diagnostics(
    model: MixedModel, axes: Sequence[Axes] | None = None
) -> tuple[Axes, ...]:
    """Draw normal quantiles of random effects and of residuals.

    Parameters
    ----------
    model : MixedModel
        Fitted.
    axes : sequence of matplotlib.axes.Axes, optional
        Where to draw: one per random effect, one of residuals against fitted values
        and, for a linear model, one of residuals' quantiles; by default of a new
        figure.

    Returns
    -------
    tuple of matplotlib.axes.Axes
        In that order. Points within the shaded band (95 % each, of independent normal
        values) are no reason for doubt. Modes are shrunk towards normality, so
        these plots see only what is far from it. Residuals are Pearson's; the line is
        their mean among neighbours.

    Raises
    ------
    StatisticsError
        If the number of axes is wrong.
    """
    effects = [
        (group, str(name), table[name].to_numpy(float))
        for group, table in model.random_effects.items()
        for name in table
    ]
    linear = model.family == "gaussian"
    given = _axes(axes, len(effects) + 1 + linear)
    for ax, (group, name, modes) in zip(given, effects, strict=False):
        what = "intercepts" if name == "Intercept" else f"slopes of {name}"
        _quantiles(ax, modes, f"{group}: {what}")
    _against_fitted(given[len(effects)], model)
    if linear:
        _quantiles(given[-1], model.residuals, "Residuals")
    return given


def _axes(axes: Sequence[Axes] | None, n: int) -> tuple[Axes, ...]:
    if axes is not None:
        given = tuple(np.ravel(np.asarray(axes, dtype=object)))
        if len(given) != n:
            raise StatisticsError(
                f"This model has {n} diagnostics, and {len(given)} axes were given."
            )
        return given
    from matplotlib.figure import Figure

    columns = min(n, 3) if n != 4 else 2
    n_rows = math.ceil(n / columns)
    figure = Figure((2.7 * columns, 2.6 * n_rows), layout="constrained", dpi=150)
    made = figure.subplots(n_rows, columns, squeeze=False).ravel()
    for spare in made[n:]:
        spare.remove()
    return tuple(made[:n])


def _quantiles(ax: Axes, values: Array, title: str) -> None:
    """Draw standardized values against those that a normal sample would have."""
    ordered = np.sort(values)
    n = len(ordered)
    spread = ordered.std(ddof=1) if n > 1 else 0.0
    ax.set_title(title, fontsize="medium", loc="left")
    ax.set(xlabel="Normal quantiles", ylabel="Observed (SD)")
    tidy(ax)
    if not spread > 0:
        ax.text(
            0.5,
            0.5,
            "All are 0: the variance\nis estimated as 0",
            transform=ax.transAxes,
            ha="center",
            va="center",
            color=MUTED,
        )
        ax.set(xticks=[], yticks=[])
        return
    rank = np.arange(1, n + 1)
    expected = distributions.norm.ppf((rank - 0.375) / (n + 0.25))
    tail = (1 - _BAND) / 2
    ends = [
        distributions.norm.ppf(distributions.beta.ppf(q, rank, n + 1 - rank))
        for q in (tail, 1 - tail)
    ]
    ax.fill_between(expected, *ends, color=LINE, alpha=0.7, lw=0, gid="band")
    ax.plot(expected[[0, -1]], expected[[0, -1]], color=MUTED, lw=0.8)
    _points(ax, expected, (ordered - ordered.mean()) / spread)


def _against_fitted(ax: Axes, model: MixedModel) -> None:
    ax.set_title("Residuals against fitted", fontsize="medium", loc="left")
    ax.set(xlabel="Fitted value", ylabel="Pearson residual")
    ax.axhline(0, color=MUTED, lw=0.8, ls=(0, (3, 3)), zorder=0)
    _points(ax, model.fitted, model.residuals)
    x, y = _neighbours(model.fitted, model.residuals)
    ax.plot(x, y, color=VIVID[1], lw=1.6, gid="mean")
    tidy(ax)


def _neighbours(x: Array, y: Array) -> tuple[Array, Array]:
    """Average both among values of about the same rank."""
    order = np.argsort(x, kind="stable")
    parts = np.array_split(order, max(2, min(20, len(x) // 20)))
    parts = [part for part in parts if part.size]
    return (
        np.array([x[part].mean() for part in parts]),
        np.array([y[part].mean() for part in parts]),
    )


def _points(ax: Axes, x: Array, y: Array) -> None:
    n = len(x)
    ax.plot(
        x,
        y,
        "o",
        ms=float(np.clip(90 / n**0.5, 1.5, 4.5)),
        mew=0,
        alpha=float(np.clip(40 / n**0.5, 0.15, 0.8)),
        color=VIVID[0],
        rasterized=n > _MANY,
    )
