"""How networks trained in one way do when they are explained in another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.plots.canvas import new_axes, written
from clinicadl_trust.plots.palette import INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import LinearSegmentedColormap

__all__ = ["attribution_matrix", "cell_colors"]

_COLUMNS = ("model", "method", "value")
#: Of cells without a value.
_EMPTY = "#eceff1"
#: The least difference that takes up the whole range of colours.
_LEAST = 1e-9


def attribution_matrix(
    table: pd.DataFrame,
    ax: Axes | None = None,
    *,
    metric: str = "AUPRC in lesions",
    greater_is_better: bool = True,
) -> Axes:
    """Draw the train-method by test-method matrix of a metric.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per cell: ``model`` (as it was trained), ``method`` (as it was
        explained), ``value``, and ``low`` and ``high`` where there is an interval.
        Rows and columns are drawn in the order in which they come.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    metric : str
        What the cells hold.
    greater_is_better : bool
        Whether dark cells are the high ones.

    Returns
    -------
    matplotlib.axes.Axes
        The value and its interval are printed in each cell; a dash where there is
        none. Compare down a column: down it the question put to the networks is the
        same, and along a row it is not.

    Raises
    ------
    StatisticsError
        If a column is missing, a cell is given twice, or no value is finite.
    """
    _check(table)
    cells = table.set_index(["model", "method"])
    models = list(dict.fromkeys(table["model"]))
    methods = list(dict.fromkeys(table["method"]))
    ax = new_axes(ax, 2.0 + 1.25 * len(methods), 1.3 + 0.55 * len(models))
    colors = dict(
        zip(
            cells.index,
            cell_colors(cells["value"], greater_is_better=greater_is_better),
            strict=True,
        )
    )
    for row, model in enumerate(models):
        for column, method in enumerate(methods):
            paint, ink = colors.get((model, method), (_EMPTY, INK))
            known = (model, method) in colors
            text = _text(cells.loc[(model, method)]) if known else written(np.nan)
            ax.fill_between(
                [column - 0.5, column + 0.5], row - 0.5, row + 0.5, fc=paint
            )
            ax.text(column, row, text, color=ink, ha="center", va="center", fontsize=8)
    _name(ax, models, methods)
    ax.set_title(metric, fontsize=9, loc="left")
    return ax


def cell_colors(
    values: Sequence[float] | pd.Series, *, greater_is_better: bool = True
) -> list[tuple[str, str]]:
    """Return the colour of each cell, and of what is written in it.

    Parameters
    ----------
    values : sequence of float
        Of all cells; nan where there is none.
    greater_is_better : bool
        Whether dark cells are the high ones.

    Returns
    -------
    list of tuple of str
        Light to dark from the worst to the best, and black or white, whichever
        contrasts more.
    """
    from matplotlib.colors import to_hex

    numbers = np.asarray(values, dtype=float)
    known = numbers[np.isfinite(numbers)]
    # From 0: cells that hold nearly the same value have nearly the same colour.
    low, high = known.min(initial=0.0), known.max(initial=0.0)
    colormap, made = _colormap(), []
    for number in numbers:
        if not np.isfinite(number):
            made.append((_EMPTY, INK))
            continue
        share = (number - low) / (high - low) if high - low > _LEAST else 0.5
        paint = to_hex(colormap(share if greater_is_better else 1 - share))
        made.append((paint, _readable(paint)))
    return made


def _check(table: pd.DataFrame) -> None:
    lacking = [name for name in _COLUMNS if name not in table]
    if lacking:
        raise StatisticsError(
            f"The table lacks the columns {', '.join(lacking)}: a matrix has one row "
            "per model and method."
        )
    twice = table[table.duplicated(["model", "method"])]
    if len(twice):
        model, method = twice[["model", "method"]].iloc[0]
        raise StatisticsError(
            f"'{model}' by '{method}' is given twice. Keep one metric, group and split "
            "strategy."
        )
    if not np.isfinite(table["value"].to_numpy(float)).any():
        raise StatisticsError(
            f"None of the {len(table)} cells has a finite value, so there is nothing "
            "to draw."
        )


def _text(cell: pd.Series) -> str:
    low, high = (float(cell.get(name, np.nan)) for name in ("low", "high"))
    value = written(float(cell["value"]))
    if not np.isfinite([low, high]).all():
        return value
    return f"{value}\n({written(low)} to {written(high)})"


def _name(ax: Axes, models: list[str], methods: list[str]) -> None:
    ax.set(xlim=(-0.5, len(methods) - 0.5), ylim=(len(models) - 0.5, -0.5))
    names = [name.replace("_x_", " × ").replace("_", "\n") for name in methods]
    ax.set_xticks(range(len(methods)), names, fontsize=8)
    ax.set_yticks(range(len(models)), models, fontsize=8)
    ax.set_xlabel("explained by")
    ax.set_ylabel("trained as")
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)


def _colormap() -> LinearSegmentedColormap:
    """Return one hue from light to dark: lightness alone is seen by everyone."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("cells", ["#eef3fb", "#7fa8d9", "#0b3c73"])


def _readable(paint: str) -> str:
    """Return black or white: the one of more contrast (WCAG 2.1)."""
    from matplotlib.colors import to_rgb

    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in to_rgb(paint)
    )
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "#ffffff" if 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05 else INK
