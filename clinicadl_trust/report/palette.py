"""How each model is drawn: colour, shape and dash together, never colour alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clinicadl_trust.report.benchmark import Model

__all__ = ["Style", "styles"]

#: Shape in the page, and the marker of matplotlib that looks like it.
_SHAPES = (
    ("circle", "o"),
    ("square", "s"),
    ("diamond", "D"),
    ("triangle", "^"),
    ("down", "v"),
    ("plus", "P"),
)
_DASHES = ("-", (0, (5, 2)), (0, (2, 1.5)), (0, (6, 2, 1.5, 2)))
_N_COLOURS = 6
_N_GREYS = 2


@dataclass(frozen=True)
class Style:
    """How one model is drawn.

    Attributes
    ----------
    colour : str
        The name of a colour of the style sheet, light and dark: ``m0`` to ``m5``
        for image models, ``b0`` and ``b1`` for baselines.
    shape, marker : str
        Its symbol in the page and in matplotlib.
    dash : str or tuple
        Its line in matplotlib.
    """

    colour: str
    shape: str
    marker: str
    dash: str | tuple[float, tuple[float, ...]]

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
        shape, marker = _SHAPES[rank % len(_SHAPES)]
        if model.is_baseline:
            colour, grey = f"b{grey % _N_GREYS}", grey + 1
        else:
            colour, vivid = f"m{vivid % _N_COLOURS}", vivid + 1
        found[model.name] = Style(colour, shape, marker, _DASHES[rank % len(_DASHES)])
    return found
