"""What stands on axes, read back from the artists."""

from __future__ import annotations

import numpy as np


def find(ax, gid):
    """Return the one artist with an id."""
    (found,) = [each for each in ax.get_children() if each.get_gid() == gid]
    return found


def segments(ax, gid="intervals"):
    """Return both ends of each line of a collection, shape (n, 2, 2)."""
    return np.array(find(ax, gid).get_segments())


def texts(ax):
    """Return all that is written on axes: texts, labels, ticks and legend."""
    found = [text.get_text() for text in ax.texts]
    found += [ax.get_xlabel(), ax.get_ylabel(), ax.get_title(loc="left")]
    found += [tick.get_text() for tick in ax.get_yticklabels()]
    if ax.get_legend() is not None:
        found += [text.get_text() for text in ax.get_legend().get_texts()]
    return "\n".join(found)


def line(ax, label):
    """Return the points of a line by its label, shape (n, 2)."""
    (found,) = [each for each in ax.lines if each.get_label() == label]
    return found.get_xydata()


def spilt(ax):
    """Return the texts that stick out of the figure when it is drawn."""
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    figure = ax.figure
    FigureCanvasAgg(figure).draw()
    room = figure.bbox.padded(2)
    # Of ticks beyond the limits there are texts, too, which are not drawn.
    ticks = {
        label
        for each in figure.findobj(Axes)
        for axis in (each.xaxis, each.yaxis)
        for label in axis.get_ticklabels(which="both")
    }
    boxes = [
        (each.get_text(), each.get_window_extent())
        for each in figure.findobj(Text)
        if each.get_visible() and each.get_text() and each not in ticks
    ]
    return [
        text
        for text, box in boxes
        if box.x0 < room.x0 or box.y0 < room.y0 or box.x1 > room.x1 or box.y1 > room.y1
    ]
