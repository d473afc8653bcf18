"""Posteriors: areas are the probabilities that are written."""

import numpy as np
import pytest
from drawn import find, spilt, texts
from numpy.testing import assert_allclose

from clinicadl_trust import plots, stats
from clinicadl_trust.exceptions import StatisticsError

DIFFERENCES = [0.02, 0.05, 0.01, 0.04, 0.03, -0.01, 0.02, 0.06, 0.03, 0.0]


@pytest.mark.parametrize("rope", [0.0, 0.01, 0.05])
def test_areas_and_numbers_are_those_of_the_result(rope, ax):
    result = stats.bayesian_correlated_ttest(DIFFERENCES, 90, 10, rope)
    plots.posterior(result, ax, models=("cnn", "svm"), metric="ROC AUC")
    x, y = find(ax, "density").get_xydata().T
    for low, high, share in (
        (-np.inf, -rope, result.p_worse),
        (-rope, rope, result.p_equivalent),
        (rope, np.inf, result.p_better),
    ):
        inside = (x >= low) & (x <= high)
        assert_allclose(np.trapezoid(y[inside], x[inside]), share, atol=2e-3)
    bar = find(ax, "interval").get_segments()[0]
    assert_allclose(bar[:, 0], [result.low, result.high])
    written = texts(ax)
    assert f"cnn better\n{result.p_better:.0%}" in written
    assert f"{result.mean:+.3f}, 95% credible" in written
    assert ("equivalent" in written) == (rope > 0)
    if rope:
        assert_allclose(
            [find(ax, "rope").get_x(), find(ax, "rope").get_width()], [-rope, 2 * rope]
        )


def test_draws_are_drawn(ax):
    result = stats.bayesian_signed_rank(DIFFERENCES, 0.01, n_draws=2000)
    plots.posterior(result, ax)
    x, y = find(ax, "density").get_xydata().T
    inside = (result.draws >= x[0]) & (result.draws <= x[-1])
    assert_allclose(np.trapezoid(y, x), 1, atol=1e-6)
    middle = (x[::2] + x[1::2]) / 2
    assert_allclose(
        np.average(middle, weights=y[::2]), result.draws[inside].mean(), atol=1e-3
    )
    assert f"{result.p_better:.0%}" in texts(ax) or "> 99%" in texts(ax)


def test_a_point_has_no_density():
    result = stats.bayesian_correlated_ttest([0.1, 0.1], 90, 10)
    with pytest.raises(StatisticsError, match=r"single point 0\.1"):
        plots.posterior(result)


@pytest.mark.parametrize("shift", [-0.1, 0.0, 0.1])
def test_texts_stay_in_the_figure_and_apart(shift):
    values = np.array(DIFFERENCES) + shift
    ax = plots.posterior(stats.bayesian_correlated_ttest(values, 90, 10, 0.01))
    assert spilt(ax) == []
    boxes = [text.get_window_extent() for text in ax.texts]
    for rank, one in enumerate(boxes):
        assert not any(one.overlaps(other) for other in boxes[rank + 1 :])
