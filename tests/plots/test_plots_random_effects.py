"""Caterpillars and diagnostics of mixed models."""

import numpy as np
import pytest
from drawn import find, spilt, texts
from matplotlib.figure import Figure
from numpy.testing import assert_allclose

from clinicadl_trust import plots
from clinicadl_trust.exceptions import StatisticsError


def points(ax):
    """Return the positions of all round symbols, sorted by height."""
    found = [each.get_xydata() for each in ax.lines if each.get_marker() == "o"]
    return np.concatenate(found)


def test_a_caterpillar_shows_modes_sorted_with_intervals(linear, ax):
    plots.caterpillar(linear, ax, effect="age", confidence_level=0.9)
    modes = linear.conditional_modes(0.9)
    modes = modes[modes["effect"] == "age"].sort_values("value")
    drawn = points(ax)
    drawn = drawn[np.argsort(drawn[:, 1])]
    assert_allclose(drawn[:, 0], modes["value"])
    bars = np.concatenate([c.get_segments() for c in ax.collections])
    bars = bars[np.argsort(bars[:, 0, 1])]
    assert_allclose(bars[:, :, 0], modes[["low", "high"]])
    ticks = [tick.get_text() for tick in ax.get_yticklabels()]
    assert ticks == list(modes["level"])
    assert "score, effect of age" in texts(ax) and "90% interval" in texts(ax)


def test_levels_apart_from_0_are_coloured(linear, ax):
    plots.caterpillar(linear, ax)
    modes = linear.conditional_modes()
    modes = modes[modes["effect"] == "Intercept"]
    apart = ((modes["low"] > 0) | (modes["high"] < 0)).sum()
    sizes = [len(c.get_segments()) for c in ax.collections]
    assert sizes == [len(modes) - apart, apart]


def test_a_logistic_caterpillar_names_its_scale(logistic, ax):
    plots.caterpillar(logistic, ax)
    assert "log odds of correct" in texts(ax)


def test_an_unknown_factor_or_effect_is_refused(linear):
    with pytest.raises(StatisticsError, match="'sitte' is no grouping factor"):
        plots.caterpillar(linear, group="sitte")
    with pytest.raises(StatisticsError, match="'sex' does not vary"):
        plots.caterpillar(linear, effect="sex")


def test_diagnostics_are_quantiles_of_modes_and_residuals(linear):
    axes = plots.random_effect_diagnostics(linear)
    assert len(axes) == 4
    for ax, values in (
        (axes[0], linear.random_effects["site"]["Intercept"]),
        (axes[1], linear.random_effects["site"]["age"]),
        (axes[3], linear.residuals),
    ):
        x, y = points(ax).T
        standard = (values - np.mean(values)) / np.std(values, ddof=1)
        assert_allclose(y, np.sort(standard))
        assert_allclose(x, -x[::-1], atol=1e-9)
        assert find(ax, "band") is not None
    assert_allclose(points(axes[2]), np.column_stack([linear.fitted, linear.residuals]))
    assert spilt(axes[0]) == []


def test_a_logistic_model_has_no_normal_residuals(logistic):
    axes = Figure().subplots(1, 2)
    assert plots.random_effect_diagnostics(logistic, axes) == tuple(axes)
    with pytest.raises(StatisticsError, match="2 diagnostics, and 3 axes"):
        plots.random_effect_diagnostics(logistic, Figure().subplots(1, 3))
