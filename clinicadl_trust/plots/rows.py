"""Rows with an interval each, and their numbers beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.plots.canvas import decimals, tidy, written
from clinicadl_trust.plots.palette import LINE, MUTED, VIVID

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Rows", "draw_intervals", "header", "note_rows"]

#: Points between the axes and the numbers; width of a character in font sizes.
_AWAY, _CHARACTER = 8.0, 0.53


@dataclass(frozen=True)
class Rows:
    """What stands where.

    Attributes
    ----------
    table : pandas.DataFrame
        ``value``, ``low`` and ``high``, indexed by name, from top to bottom.
    places : ndarray of float, shape (n_rows,)
        Heights; the y axis points downwards.
    level : float
        Of the intervals.
    digits : int
        Decimals that show them.
    """

    table: pd.DataFrame
    places: npt.NDArray[np.float64]
    level: float
    digits: int

    @classmethod
    def of(
        cls, table: pd.DataFrame, level: float, gap_before: int | None = None
    ) -> Rows:
        """Place the rows of a table, some of them below a gap.

        Raises
        ------
        StatisticsError
            If no row has a finite value.
        """
        if not np.isfinite(table["value"].to_numpy(float)).any():
            raise StatisticsError(
                f"None of the {len(table)} rows has a finite value, so there is "
                "nothing to draw. Why is in their warnings."
            )
        places = np.arange(len(table), dtype=float)
        if gap_before is not None:
            places[gap_before:] += 0.5
        widths = table["high"] - table["low"]
        return cls(table, places, level, decimals(widths))

    def numbers(self) -> list[str]:
        """Write each row's value and interval."""
        made = []
        for value, low, high in self.table[["value", "low", "high"]].to_numpy(float):
            ends = f"{written(low, self.digits)} to {written(high, self.digits)}"
            if not np.isfinite([low, high]).all():
                made.append(written(value, self.digits))
            elif np.isfinite(value):
                made.append(f"{written(value, self.digits)} ({ends})")
            else:
                made.append(ends)
        return made


def draw_intervals(
    ax: Axes, rows: Rows, part: slice = slice(None), **look: Any
) -> None:
    """Draw the intervals of some rows, name all rows, and turn the axis downwards."""
    shown, places = rows.table.iloc[part], rows.places[part]
    ax.hlines(
        places, shown["low"], shown["high"], color=VIVID[0], lw=1.4, gid="intervals"
    )
    ax.set_yticks(rows.places, [str(name) for name in rows.table.index])
    ax.set_ylim(rows.places[-1] + 0.6, -0.7)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", color=LINE, lw=0.5)
    ax.set_axisbelow(True)
    ax.margins(x=0.06)
    tidy(ax, "left")


def note_rows(ax: Axes, rows: Rows, further: Sequence[str] = ()) -> None:
    """Write numbers to the right of the rows, and what else is given per row."""
    size, width = _sizes(rows)
    for place, text in zip(rows.places, rows.numbers(), strict=True):
        _beside(ax, text, place, _AWAY, ha="left")
    for place, text in zip(rows.places, further, strict=False):
        _beside(ax, text, place, _AWAY + width + 4 * size, ha="right")


def header(ax: Axes, rows: Rows, further: str = "") -> None:
    """Name the columns of numbers."""
    size, width = _sizes(rows)
    names = [(f"({rows.level:.0%} interval)", _AWAY, "left")]
    if further:
        names.append((further, _AWAY + width + 4 * size, "right"))
    for text, away, ha in names:
        _beside(ax, text, -1.0, away, ha=ha, color=MUTED)


def _sizes(rows: Rows) -> tuple[float, float]:
    """Return the font's size and the width of the numbers, in points."""
    from matplotlib import rcParams
    from matplotlib.font_manager import FontProperties

    size = FontProperties(size=rcParams["ytick.labelsize"]).get_size_in_points()
    return size, _CHARACTER * size * max(map(len, rows.numbers()))


def _beside(ax: Axes, text: str, place: float, away: float, **look: Any) -> None:
    from matplotlib import rcParams

    ax.annotate(
        text,
        (1, place),
        xycoords=ax.get_yaxis_transform(),
        xytext=(away, 0),
        textcoords="offset points",
        va="center",
        fontsize=rcParams["ytick.labelsize"],
        annotation_clip=False,
        **look,
    )
