"""Forest plots as tables: each row holds its number, interval and drawing.

A drawing inside a table row reflows with the page, stays readable at 400 pixels,
and needs no text alternative, for the numbers stand beside it.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from matplotlib.ticker import MaxNLocator

from clinicadl_trust.report.palette import Style
from clinicadl_trust.report.text import number

__all__ = ["Axis", "Forest", "Group", "Mark", "Row", "make_axis"]


@dataclass(frozen=True)
class Axis:
    """A horizontal scale.

    Attributes
    ----------
    low, high : float
        Its ends.
    ticks : tuple of float
        Where it is labelled.
    reference : float or None
        Where a dashed line stands: chance level, or no difference.
    """

    low: float
    high: float
    ticks: tuple[float, ...]
    reference: float | None = None

    def position(self, value: float) -> str:
        """Return where a value stands, in percent of the width, kept inside."""
        share = (value - self.low) / (self.high - self.low)
        return f"{100 * min(max(share, 0.0), 1.0):.2f}%"

    def label(self, tick: float) -> str:
        """Write the label of a tick."""
        if self.high - self.low > 8:
            return number(tick, 0)
        # As many decimals as tell all ticks apart, and the same for each of them.
        digits = (n for n in (2, 3, 4) if all(_ends_at(t, n) for t in self.ticks))
        return number(tick, next(digits, 4))


def _ends_at(value: float, digits: int) -> bool:
    return math.isclose(value, round(value, digits), abs_tol=1e-9)


@dataclass(frozen=True)
class Mark:
    """A further point drawn in a row, for example the leaky value beside it."""

    value: float
    style: Style
    hollow: bool = False


@dataclass(frozen=True)
class Row:
    """One line of a forest plot.

    Attributes
    ----------
    label : str
        What is estimated, in general a model.
    cells : tuple of str
        The texts beside the drawing, one per column of the forest.
    style : Style
        Its symbol and colour.
    value, low, high : float
        What is drawn; nan where there is none.
    dots : tuple of float
        Values of single folds, drawn faintly behind.
    other : Mark, optional
        A second point joined to the first.
    emphasis : bool
        Whether it is highlighted.
    is_prediction : bool
        Whether its interval is where others may lie, and not that of a value.
    """

    label: str
    cells: tuple[str, ...]
    style: Style
    value: float
    low: float = math.nan
    high: float = math.nan
    dots: tuple[float, ...] = ()
    other: Mark | None = None
    emphasis: bool = False
    is_prediction: bool = False

    @property
    def has_value(self) -> bool:
        """Whether there is a point to draw."""
        return math.isfinite(self.value)

    @property
    def has_interval(self) -> bool:
        """Whether there is an interval to draw."""
        return math.isfinite(self.low) and math.isfinite(self.high)


@dataclass(frozen=True)
class Group:
    """Rows under one heading; ``leaky`` ones are marked as no result.

    ``size`` says how many people the rows rest on.
    """

    title: str
    rows: tuple[Row, ...]
    leaky: bool = False
    sealed: bool = False
    size: str = ""


@dataclass(frozen=True)
class Forest:
    """A forest plot.

    Attributes
    ----------
    key : str
        Names the figure in the page, for tests and links.
    caption : str
        What the table is.
    axis : Axis
        The scale that all rows share.
    groups : tuple of Group
        The rows.
    columns : tuple of str
        Headings of the texts beside the drawing.
    row_heading : str
        Heading of the labels.
    scale : str
        What the scale measures.
    direction : tuple of str
        What the left and right ends mean; may be empty.
    """

    key: str
    caption: str
    axis: Axis
    groups: tuple[Group, ...]
    columns: tuple[str, ...]
    row_heading: str = "Model"
    scale: str = ""
    direction: tuple[str, str] = ("", "")

    @property
    def ruler(self) -> str:
        """The id of its ruler: a digest, for a key may hold any character."""
        return f"ruler-{hashlib.sha256(self.key.encode()).hexdigest()[:10]}"


def make_axis(
    values: Iterable[float],
    reference: float | None = None,
    bounds: tuple[float | None, float | None] = (None, None),
    n_ticks: int = 5,
) -> Axis:
    """Choose a scale that holds all values and the reference.

    Parameters
    ----------
    values : iterable of float
        Points and interval ends; those not finite are passed over.
    reference : float, optional
        A value to include and draw.
    bounds : tuple of float or None
        What the scale never exceeds.
    n_ticks : int
        About how many ticks.
    """
    found: Sequence[float] = [v for v in values if math.isfinite(v)]
    found = [*found, *([] if reference is None else [reference])]
    low, high = (min(found), max(found)) if found else (0.0, 1.0)
    if bounds[0] is not None:
        low = max(low, bounds[0])
    if bounds[1] is not None:
        high = min(high, bounds[1])
    if high - low < 1e-9:
        low, high = low - 0.05, high + 0.05
    ticks = MaxNLocator(nbins=n_ticks, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    low, high = float(ticks[0]), float(ticks[-1])
    if bounds[0] is not None:
        low = max(low, bounds[0])
    if bounds[1] is not None:
        high = min(high, bounds[1])
    kept = tuple(float(t) for t in ticks if low - 1e-9 <= t <= high + 1e-9)
    return Axis(low, high, kept, reference)
