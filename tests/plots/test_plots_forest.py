"""Forests: where rows, the mean and the prediction stand, and what is refused."""

import numpy as np
import pytest
from drawn import find, segments, spilt, texts
from matplotlib.collections import PathCollection
from numpy.testing import assert_allclose

from clinicadl_trust import plots, stats
from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats import on_predictions
from clinicadl_trust.testing import synthetic_study


def test_sites_stand_at_their_values_with_areas_by_weight(sites, ax):
    assert plots.forest(sites, ax) is ax
    table = sites.influence
    assert_allclose(segments(ax)[:, :, 0], table[["low", "high"]])
    (squares,) = [c for c in ax.collections if isinstance(c, PathCollection)]
    assert_allclose(squares.get_offsets()[:, 0], table["value"])
    assert_allclose(squares.get_offsets()[:, 1], segments(ax)[:, 0, 1])
    areas = squares.get_sizes()
    assert_allclose(areas / areas.sum(), table["weight"] / table["weight"].sum())


def test_the_diamond_is_the_mean_and_the_bar_the_prediction(sites, ax):
    plots.forest(sites, ax, metric="ROC AUC", reference=0.5)
    diamond = find(ax, "mean").get_xy()[:, 0]
    assert_allclose([diamond.min(), diamond.max()], [sites.low, sites.high])
    (bar,) = [patch for patch in ax.patches if patch.get_gid() != "mean"]
    ends = [bar.get_x(), bar.get_x() + bar.get_width()]
    assert_allclose(ends, [sites.prediction_low, sites.prediction_high])
    assert bar.get_y() > diamond.min()
    written = texts(ax)
    for word in ("Paris", "Mean over sites", "A new site", "ROC AUC", "Weight"):
        assert word in written
    assert f"{sites.prediction_low:.2f} to {sites.prediction_high:.2f}" in written
    assert "95% prediction interval of a site not seen" in written
    assert f"I² = {sites.i2:.0%}" in written


def test_differences_by_name(images, ax):
    label, first, second, who = images
    made = stats.compare_roc_auc(label, first, second, cluster=who)
    plots.forest({"cnn minus svm": made}, ax, reference=0)
    assert_allclose(segments(ax)[0, :, 0], [made.low, made.high])
    (point,) = [each for each in ax.lines if each.get_marker() == "s"]
    assert_allclose(point.get_xdata(), made.effect)
    one = stats.roc_auc(label, first, who)
    with pytest.raises(StatisticsError, match="share no axis"):
        plots.forest({"cnn": one, "cnn minus svm": made})


def test_what_a_statistic_says_of_each_model_of_a_table(ax):
    table = synthetic_study({"cnn": 1.5, "svm": 1.0})
    answers = on_predictions.roc_auc(table)
    plots.forest(answers, ax)
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["cnn", "svm"]
    found = [(each.result.low, each.result.high) for each in answers.answers]
    assert_allclose(segments(ax)[:, :, 0], found)
    with pytest.raises(StatisticsError, match="'net_benefit' gives no estimate"):
        plots.forest(on_predictions.net_benefit(table))


@pytest.mark.parametrize("n", [3, 8])
def test_a_forest_tells_of_warnings(n, ax):
    values = np.linspace(0.6, 0.95, n)
    result = stats.heterogeneity(values, np.full(n, 0.03))
    plots.forest(result, ax)
    assert ("Read with care" in texts(ax)) == bool(result.warnings) == (n == 3)


def test_estimates_by_name(images, ax):
    label, first, second, who = images
    named = {
        "cnn": stats.roc_auc(label, first, who),
        "svm": stats.roc_auc(label, second, who),
    }
    plots.forest(named, ax)
    expected = [(each.low, each.high) for each in named.values()]
    assert_allclose(segments(ax)[:, :, 0], expected)
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["cnn", "svm"]
    heights = segments(ax)[:, 0, 1]
    assert (
        ax.transData.transform((0, heights[0]))[1]
        > (ax.transData.transform((0, heights[1]))[1])
    )


def test_the_levels_of_a_subgroup(ax):
    table = synthetic_study({"cnn": 1.5})
    result = stats.subgroups(table, "sex", "roc_auc", confidence_level=0.9)
    plots.forest(result, ax)
    assert_allclose(segments(ax)[:, :, 0], result.levels[["low", "high"]])
    assert "(90% interval)" in texts(ax)


def test_influence_is_the_mean_of_the_others(sites, ax):
    plots.influence(sites, ax, metric="ROC AUC")
    table = sites.influence
    assert_allclose(segments(ax)[:, :, 0], table[["low_without", "high_without"]])
    (points,) = [each for each in ax.lines if each.get_marker() == "o"]
    assert_allclose(points.get_xdata(), table["value_without"])


def test_what_cannot_be_drawn_is_refused(images):
    label, first, _, who = images
    two = stats.heterogeneity([0.8, 0.9], [0.05, 0.05])
    with pytest.raises(StatisticsError, match="There are 2 sites"):
        plots.influence(two)
    with pytest.raises(StatisticsError, match="no estimate"):
        plots.forest({})
    levels = {
        str(level): stats.roc_auc(label, first, who, confidence_level=level)
        for level in (0.9, 0.95)
    }
    with pytest.raises(StatisticsError, match=r"0.9, 0.95"):
        plots.forest(levels)
    nan = stats.Estimate(*[np.nan] * 3, 0.95, np.nan, "none", "approximate", 0, 0)
    with pytest.raises(StatisticsError, match="None of the 1 rows has a finite value"):
        plots.forest({"cnn": nan})


def test_nothing_sticks_out_of_the_figure(sites):
    assert spilt(plots.forest(sites, metric="ROC AUC")) == []
    assert spilt(plots.influence(sites, metric="ROC AUC")) == []
