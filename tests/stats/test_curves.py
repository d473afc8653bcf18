"""Points of curves: what the report draws."""

import numpy as np
import pandas as pd
import pytest
from predictions_factory import folds, held_out, multiclass, regression
from sklearn import metrics as sk

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats import calibration_curve, roc_curve


def test_a_single_curve_is_scikit_learns():
    table = held_out({"cnn": 1.0})
    curve = roc_curve(table)
    fpr, tpr, _ = sk.roc_curve(table["label"], table["score"])
    np.testing.assert_array_equal(curve["fpr"], fpr)
    np.testing.assert_array_equal(curve["tpr"], tpr)
    assert curve["n_curves"].unique().tolist() == [1]
    assert curve["positive"].unique().tolist() == ["1"]


def test_several_curves_are_averaged_vertically():
    table = folds({"cnn": 1.0}, n_splits=4, seeds=2, participants=80)
    curve = roc_curve(table)
    assert curve["n_curves"].unique().tolist() == [8]
    areas = [
        sk.roc_auc_score(rows["label"], rows["score"])
        for _, rows in table.groupby(["split", "seed"])
    ]
    area = np.trapezoid(curve["tpr"], curve["fpr"])
    assert area == pytest.approx(np.mean(areas), abs=0.02)
    assert (np.diff(curve["tpr"]) >= 0).all()
    ends = curve.iloc[[0, -1]][["fpr", "tpr"]].to_numpy()
    np.testing.assert_array_equal(ends, [[0, 0], [1, 1]])


def test_left_out_sites_have_a_curve_each():
    curve = roc_curve(folds({"cnn": 1.0}, by="site", n_splits=2, sites=4))
    assert curve["n_curves"].unique().tolist() == [4]


def test_each_of_several_classes_has_a_curve_against_the_rest():
    table = multiclass()
    curve = roc_curve(table)
    assert set(curve["positive"]) == {"CN", "MCI", "AD"}
    part = table[table["model"] == "cnn"]
    chosen = curve[(curve["model"] == "cnn") & (curve["positive"] == "AD")]
    area = np.trapezoid(chosen["tpr"], chosen["fpr"])
    expected = sk.roc_auc_score(part["label"] == "AD", part["score_AD"])
    assert area == pytest.approx(expected)


def test_a_fold_with_one_class_has_no_curve():
    table = folds({"cnn": 1.0})
    table = table[(table["split"] != 0) | (table["label"] == 1)]
    assert roc_curve(table)["n_curves"].unique().tolist() == [3]
    sealed = held_out()
    sealed = sealed[(sealed["model"] != "cnn") | (sealed["label"] == 1)]
    assert set(roc_curve(sealed)["model"]) == {"metadata"}


def test_no_curve_at_all_is_an_empty_table():
    table = folds({"cnn": 1.0}, n_splits=2)
    table["split"] = table["label"].astype(int)
    curve = roc_curve(table)
    assert curve.empty
    assert "tpr" in curve


def test_calibration_bins_hold_every_image_once():
    table = held_out({"cnn": 1.0}, participants=100)
    curve = calibration_curve(table)
    assert len(curve) == 10
    assert curve["n_images"].tolist() == [20] * 10
    assert curve["predicted"].is_monotonic_increasing
    mean = np.average(curve["observed"], weights=curve["n_images"])
    assert mean == pytest.approx(table["label"].mean())
    assert (
        (curve["low"] <= curve["observed"]) & (curve["observed"] <= curve["high"])
    ).all()
    assert (curve["low"] < curve["high"]).all()


def test_calibration_is_clustered_by_participant():
    rng = np.random.default_rng(0)
    label = (rng.random(200) < 0.5).astype(float)
    table = pd.DataFrame(
        {
            "participant_id": np.repeat([f"sub-{i}" for i in range(200)], 4),
            "session_id": np.tile([f"ses-{i}" for i in range(4)], 200),
            "label": np.repeat(label, 4),
            "score": 0.5,
        }
    )
    (row,) = calibration_curve(table).to_dict("records")
    half = (row["high"] - row["low"]) / 2
    assert half == pytest.approx(1.97 * 0.5 / np.sqrt(200), rel=0.02)
    assert (row["n_images"], row["n_participants"]) == (800, 200)


def test_a_bin_of_one_class_has_an_interval():
    table = held_out({"cnn": 1.0}, participants=60)
    table["score"] = 0.1 + 0.8 * table["label"]
    curve = calibration_curve(table)
    assert curve["observed"].tolist() == [0, 1]
    assert curve["high"].iloc[0] == pytest.approx(1 - 0.025 ** (1 / 30))


def test_folds_share_the_bins_and_count_images_once():
    table = folds({"cnn": 1.0}, seeds=2, participants=80)
    curve = calibration_curve(table, n_bins=4)
    assert len(curve) == 4
    assert curve["n_images"].max() <= 160


def test_each_class_is_calibrated_by_itself():
    assert set(calibration_curve(multiclass())["positive"]) == {"CN", "MCI", "AD"}


def test_curves_of_a_quantity_are_refused():
    for function in (roc_curve, calibration_curve):
        with pytest.raises(StatisticsError, match="is for a classification"):
            function(regression())


def test_calibration_needs_probabilities_and_a_bin():
    with pytest.raises(StatisticsError, match="needs probabilities"):
        calibration_curve(held_out().assign(score=lambda t: 3 * t["score"]))
    with pytest.raises(StatisticsError, match="n_bins=0 makes no sense"):
        calibration_curve(held_out(), n_bins=0)
