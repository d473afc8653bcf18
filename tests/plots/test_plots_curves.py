"""ROC, calibration and decision curves, and the scatter of a regression."""

import numpy as np
import pandas as pd
import pytest
from drawn import find, line, segments, spilt, texts
from numpy.testing import assert_allclose

from clinicadl_trust import plots, stats
from clinicadl_trust.exceptions import StatisticsError

THRESHOLDS = np.linspace(0.05, 0.9, 18)


@pytest.fixture
def roc(images):
    label, first, second, who = images
    tables = [
        pd.DataFrame(
            {
                "participant_id": [f"sub-{n}" for n in who],
                "session_id": [f"ses-{n % 2}" for n in range(len(who))],
                "label": label,
                "score": score,
                "model": model,
            }
        ).assign(
            split_strategy="sealed", group="test", split=0, repeat=0, seed=0, fold=""
        )
        for model, score in (("cnn", first), ("svm", second))
    ]
    return stats.roc_curve(pd.concat(tables, ignore_index=True))


def test_roc_curves_hold_the_table_and_the_areas(roc, images, ax):
    label, first, _, who = images
    auc = {"cnn": stats.roc_auc(label, first, who)}
    plots.roc_curve(roc, ax, auc=auc)
    each = auc["cnn"]
    name = f"cnn: {each.value:.2f} ({each.low:.2f} to {each.high:.2f})"
    for model, label in (("cnn", name), ("svm", "svm")):
        rows = roc[roc["model"] == model]
        assert_allclose(line(ax, label), rows[["fpr", "tpr"]])
    assert ax.get_legend().get_title().get_text() == "AUC (95% interval)"


def test_roc_curves_of_two_strategies_or_no_model_are_refused(roc, images):
    label, first, _, who = images
    twice = pd.concat([roc, roc.assign(split_strategy="sites")])
    with pytest.raises(StatisticsError, match="'split_strategy': sealed, sites"):
        plots.roc_curve(twice)
    with pytest.raises(StatisticsError, match="an AUC of 'cnm' and no such curve"):
        plots.roc_curve(roc, auc={"cnm": stats.roc_auc(label, first, who)})
    with pytest.raises(StatisticsError, match="columns fpr, tpr"):
        plots.roc_curve(roc[["model"]])
    with pytest.raises(StatisticsError, match="no point"):
        plots.roc_curve(roc[:0])


def test_a_calibration_curve_shows_intervals_and_how_many(images, ax):
    label, first, _, who = images
    table = stats.reliability_curve(label, first, who)
    plots.calibration_curve(table, ax, scores=first)
    (drawn,) = [each for each in ax.lines if each.get_marker() == "o"]
    assert_allclose(drawn.get_xydata(), table[["predicted", "observed"]])
    assert_allclose(segments(ax)[:, :, 1], table[["low", "high"]])
    (below,) = ax.child_axes
    (bars,) = below.patches
    assert bars.get_xy()[:, 1].max() == np.histogram(first, 20, (0, 1))[0].max()
    assert below.get_xlabel() == "Predicted probability" and not ax.get_xlabel()


def test_several_calibration_curves_have_names_and_no_intervals(images, ax):
    label, first, second, who = images
    tables = {
        "cnn": stats.reliability_curve(label, first, who),
        "svm": stats.reliability_curve(label, second, who, n_bins=5),
    }
    plots.calibration_curve(tables, ax, scores={"cnn": first, "svm": second})
    for name, table in tables.items():
        assert_allclose(line(ax, name), table[["predicted", "observed"]])
    assert not [each for each in ax.collections if each.get_gid() == "intervals"]
    with pytest.raises(StatisticsError, match="scores of 'cnm'"):
        plots.calibration_curve(tables, scores={"cnm": first})


def test_a_calibration_curve_without_bins_or_columns_is_refused(images):
    label, first, _, who = images
    table = stats.reliability_curve(label, first, who)
    with pytest.raises(StatisticsError, match="columns low, high"):
        plots.calibration_curve(table[["predicted", "observed"]])
    with pytest.raises(StatisticsError, match="no bin"):
        plots.calibration_curve(table[:0])
    two = pd.concat([table.assign(model="a"), table.assign(model="b")])
    with pytest.raises(StatisticsError, match="several values of 'model': a, b"):
        plots.calibration_curve(two)


def test_a_decision_curve_holds_the_points(images, ax):
    label, first, _, who = images
    curve = stats.net_benefit(label, first, THRESHOLDS, who)
    plots.decision_curve(curve, ax)
    points = curve.points[curve.points["strategy"] == "model"]
    drawn = line(ax, "model (band: 95%)")
    assert_allclose(drawn, points[["threshold", "net_benefit"]])
    band = find(ax, "band").get_paths()[0].vertices
    assert {round(v, 9) for v in points["low"]} <= {round(v, 9) for v in band[:, 1]}
    everyone = curve.points[curve.points["strategy"] == "treat all"]
    found = find(ax, "treat all").get_ydata()
    assert_allclose(found, everyone["net_benefit"])
    assert_allclose(find(ax, "treat none").get_ydata(), 0)
    assert ax.get_ylim()[0] < 0 < points["net_benefit"].max() < ax.get_ylim()[1]
    assert "treat all" in texts(ax) and "treat none" in texts(ax)


def test_decision_curves_that_cannot_be_compared_are_refused(images):
    label, first, second, who = images
    curve = stats.net_benefit(label, first, THRESHOLDS, who)
    with pytest.raises(StatisticsError, match="single threshold"):
        plots.decision_curve(stats.net_benefit(label, first, 0.5, who))
    difference = stats.compare_net_benefit(label, first, second, THRESHOLDS, who)
    with pytest.raises(StatisticsError, match="differences of two models"):
        plots.decision_curve({"cnn": difference})
    others = stats.net_benefit(label[2:], second[2:], THRESHOLDS, who[2:])
    with pytest.raises(StatisticsError, match="other people"):
        plots.decision_curve({"cnn": curve, "svm": others})
    with pytest.raises(StatisticsError, match="no decision curve"):
        plots.decision_curve({})


def test_a_scatter_holds_the_values(ax):
    plots.predicted_against_true([60, 70, 80], [62, 69, 75], ax, unit="years")
    (points,) = [each for each in ax.lines if each.get_gid() != "diagonal"]
    assert_allclose(points.get_xydata(), [(60, 62), (70, 69), (80, 75)])
    assert "True value (years)" in texts(ax)
    with pytest.raises(StatisticsError, match=r"\(2,\).*\(3,\)"):
        plots.predicted_against_true([1, 2], [1, 2, 3])


def test_nothing_sticks_out_of_the_figures(images, roc):
    label, first, second, who = images
    curves = {
        name: stats.net_benefit(label, score, THRESHOLDS, who)
        for name, score in (("cnn", first), ("svm", second))
    }
    table = stats.reliability_curve(label, first, who)
    for ax in (
        plots.roc_curve(roc),
        plots.calibration_curve(table, scores=first),
        plots.decision_curve(curves),
        plots.predicted_against_true(label, first),
    ):
        assert spilt(ax) == []
