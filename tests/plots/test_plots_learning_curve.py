"""A metric against the number of examples."""

import numpy as np
import pandas as pd
import pytest

from clinicadl_trust import plots
from clinicadl_trust.exceptions import StatisticsError


def curve(gain=0.0):
    value = np.array([0.4, 0.1, 0.2]) + gain
    return pd.DataFrame(
        {"size": [12, 3, 6], "value": value, "low": value - 0.1, "high": value + 0.05}
    )


def test_values_and_intervals_are_drawn_where_they_are():
    ax = plots.learning_curve({"without": curve(), "with": curve(0.1)})
    first, second = ax.get_lines()
    assert np.allclose(first.get_ydata(), [0.1, 0.2, 0.4])
    assert np.allclose(second.get_ydata(), [0.2, 0.3, 0.5])
    for line, bars in zip(ax.get_lines(), ax.collections, strict=True):
        ends = np.array([path.vertices[:, 1] for path in bars.get_paths()])
        assert np.allclose(ends[:, 0], line.get_ydata() - 0.1)
        assert np.allclose(ends[:, 1], line.get_ydata() + 0.05)
        assert np.allclose(line.get_xdata(), [3, 6, 12], rtol=0.03)
    assert (first.get_xdata() < second.get_xdata()).all()
    assert [label.get_text() for label in ax.get_xticklabels()] == ["3", "6", "12"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "without",
        "with",
    ]
    ax.figure.canvas.draw()


def test_one_curve_stays_at_its_sizes():
    (line,) = plots.learning_curve({"one": curve()}).get_lines()
    assert np.allclose(line.get_xdata(), [3, 6, 12])


@pytest.mark.parametrize(
    ("curves", "said"),
    [
        ({}, "no curve"),
        ({"one": curve().head(0)}, "'one' has no row"),
        ({"one": curve().drop(columns="size")}, "'one' lacks the columns size"),
    ],
)
def test_what_cannot_be_drawn_is_told(curves, said):
    with pytest.raises(StatisticsError, match=said):
        plots.learning_curve(curves)
