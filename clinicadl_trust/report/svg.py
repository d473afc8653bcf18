"""Matplotlib figures as inline SVG that follows the page: colours, font, dark mode.

The plots' colours are replaced by the style sheet's variables, text stays text, and
ids are made unique, so that several figures live in one page.
"""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from typing import Any

from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.figure import Figure

from clinicadl_trust.plots.palette import GREYS, INK, LINE, MUTED, VIVID

__all__ = ["PAINT", "SETTINGS", "to_svg"]

#: A colour of the style sheet to the one that the plots use, which is its light form.
PAINT = {
    "ink": INK,
    "muted": MUTED,
    "line": LINE,
    **{f"m{rank}": color for rank, color in enumerate(VIVID)},
    **{f"b{rank}": color for rank, color in enumerate(GREYS)},
}

#: How every figure is drawn.
SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "clinicadl-trust",
    "path.simplify": True,
    "font.size": 12,
    "axes.labelsize": 12,
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    "text.color": PAINT["ink"],
    "axes.labelcolor": PAINT["ink"],
    "axes.edgecolor": PAINT["muted"],
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": PAINT["muted"],
    "ytick.color": PAINT["muted"],
    "xtick.labelcolor": PAINT["ink"],
    "ytick.labelcolor": PAINT["ink"],
}

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "{http://www.w3.org/1999/xlink}href"
#: Older matplotlib writes the short form.
_FONT = re.compile(r"font:\s*([\d.]+)px[^;\"]*")
_FONT_FAMILY = re.compile(r"font-family:[^;\"]*;?\s*")


def to_svg(figure: Figure, key: str, title: str, description: str) -> Markup:
    """Write a figure as an accessible inline SVG.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Drawn with the colours of ``PAINT``, one inch for 72 pixels.
    key : str
        Prefix of every id: letters, digits and hyphens, unique in the page.
    title, description : str
        What a screen reader says: what it is, and what it shows.

    Returns
    -------
    markupsafe.Markup
        An ``<svg role="img">``; both texts are escaped.
    """
    stream = io.StringIO()
    with rc_context(SETTINGS):
        figure.savefig(
            stream,
            format="svg",
            transparent=True,
            metadata={"Date": None, "Creator": None},
        )
    ET.register_namespace("", _SVG)
    root = ET.fromstring(stream.getvalue())
    for metadata in root.findall(f"{{{_SVG}}}metadata"):
        root.remove(metadata)
    _prefix_ids(root, key)
    for side in ("width", "height"):
        del root.attrib[side]
    root.attrib |= {
        "role": "img",
        "class": "chart",
        "aria-labelledby": f"{key}-title {key}-desc",
    }
    for name, text in (("desc", description), ("title", title)):
        element = ET.Element(f"{{{_SVG}}}{name}", {"id": f"{key}-{name}"})
        element.text = text
        root.insert(0, element)
    return Markup(_follow_page(ET.tostring(root, encoding="unicode")))


def _prefix_ids(root: ET.Element, key: str) -> None:
    """Make ids unique in the page, and every reference to them."""
    for element in root.iter():
        if "id" in element.attrib:
            element.attrib["id"] = f"{key}-{element.attrib['id']}"
        if _XLINK in element.attrib:
            target = element.attrib.pop(_XLINK).removeprefix("#")
            element.attrib["href"] = f"#{key}-{target}"
        for name, value in element.attrib.items():
            if "url(#" in value:
                element.attrib[name] = value.replace("url(#", f"url(#{key}-")


def _follow_page(text: str) -> str:
    for name, color in PAINT.items():
        text = text.replace(color, f"var(--{name})")
    return _FONT_FAMILY.sub("", _FONT.sub(r"font-size: \1px", text))
