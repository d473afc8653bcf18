"""How each model is drawn: colour, shape and dash together, never colour alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clinicadl_trust.plots import Look
from clinicadl_trust.plots.palette import DASHES, GREYS, MARKERS, VIVID, Dash
from clinicadl_trust.report.benchmark import Model
from clinicadl_trust.report.svg import PAINT

__all__ = ["Style", "styles"]

#: Shapes in the page that look like the markers of the plots.
_SHAPES = ("circle", "square", "diamond", "triangle", "down", "plus")


@dataclass(frozen=True)
class Style:
    """How one model is drawn.

    Attributes
    ----------
    colour : str
        The name of a colour of the style sheet, light and dark: ``m0`` to ``m5``
        for image models, ``b0`` and ``b1`` for baselines.
    shape, marker : str
        Its symbol in the page and in plots.
    dash : str or tuple
        Its line in plots.
    """

    colour: str
    shape: str
    marker: str
    dash: Dash

    @property
    def look(self) -> Look:
        """How plots draw it."""
        return Look(PAINT[self.colour], self.marker, self.dash)

    @property
    def dasharray(self) -> str:
        """The line in SVG, as matplotlib draws it at a width of 1.8."""
        if isinstance(self.dash, str):
            return ""
        return " ".join(f"{1.8 * length:g}" for length in self.dash[1])


def styles(models: Sequence[Model]) -> dict[str, Style]:
    """Give each model a style: vivid for image models, grey for baselines."""
    found = {}
    vivid = grey = 0
    for rank, model in enumerate(models):
        if model.is_baseline:
            colour, grey = f"b{grey % len(GREYS)}", grey + 1
        else:
            colour, vivid = f"m{vivid % len(VIVID)}", vivid + 1
        symbol = rank % len(MARKERS)
        found[model.name] = Style(
            colour, _SHAPES[symbol], MARKERS[symbol], DASHES[rank % len(DASHES)]
        )
    return found
