"""How models are drawn: colour, symbol and dash together, never colour alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = [
    "DASHES",
    "GREYS",
    "INK",
    "LINE",
    "MARKERS",
    "MUTED",
    "VIVID",
    "Dash",
    "Look",
    "looks",
]

Dash = str | tuple[float, tuple[float, ...]]

#: Text, what is beside the point, and grids. All colours are the report's.
INK = "#17212b"
MUTED = "#55616d"
LINE = "#d8dde2"

#: Told apart with any kind of colour vision, and at least 3 to 1 on white.
VIVID = ("#0b62a4", "#c2500a", "#0b7d5b", "#8b3a8f", "#8f7400", "#b3265e")
GREYS = ("#5b6470", "#868f99")

MARKERS = ("o", "s", "D", "^", "v", "P")
DASHES = ("-", (0, (5, 2)), (0, (2, 1.5)), (0, (6, 2, 1.5, 2)))


@dataclass(frozen=True)
class Look:
    """How one model is drawn.

    Attributes
    ----------
    color : str
        A colour of matplotlib.
    marker : str
        Its symbol.
    dash : str or tuple
        Its line style.
    """

    color: str = VIVID[0]
    marker: str = MARKERS[0]
    dash: Dash = DASHES[0]


def looks(names: Iterable[str]) -> dict[str, Look]:
    """Give each name a look of its own, in their order.

    Parameters
    ----------
    names : iterable of str
        For example models.

    Returns
    -------
    dict of str to Look
        Colours come back after six names, with other dashes.
    """
    return {
        name: Look(
            VIVID[rank % len(VIVID)],
            MARKERS[rank % len(MARKERS)],
            DASHES[rank % len(DASHES)],
        )
        for rank, name in enumerate(dict.fromkeys(names))
    }
