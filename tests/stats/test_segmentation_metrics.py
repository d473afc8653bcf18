"""Dice and distances of each image: patients only, clustered, compared in pairs."""

import numpy as np
import pandas as pd
import pytest

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats import compare, evaluate, fold_metrics, site_metrics
from clinicadl_trust.stats.metrics import metric_names


def segmented(models=(("unet", 0.0), ("better", 0.1)), folds=1, seeds=1, visits=2):
    """Return predictions of 30 patients and 20 healthy people."""
    rng = np.random.default_rng(0)
    people = np.arange(50)
    skill = rng.uniform(0.3, 0.7, 50)
    volume = np.where(people < 30, rng.uniform(500, 5000, 50), 0.0)
    parts = []
    for name, gain in models:
        for seed in range(seeds):
            for visit in range(visits):
                noise = rng.normal(0, 0.03, 50)
                dice = np.clip(skill + gain + noise, 0, 1)
                table = pd.DataFrame(
                    {
                        "participant_id": [f"sub-{n:02}" for n in people],
                        "session_id": f"ses-M{visit:03}",
                        "site": [f"site-{n % 3}" for n in people],
                        "split_strategy": "people" if folds > 1 else "sealed",
                        "split": people % folds,
                        "seed": seed,
                        "model": name,
                        "group": "test",
                        "label": volume,
                        "score": volume * (0.8 + noise) + 10,
                        "dice": dice,
                        "surface_distance": 5 * (1 - dice),
                        "false_positive_volume": 10.0,
                    }
                )
                ill = table["label"] > 0
                table.loc[~ill, ["dice", "surface_distance"]] = np.nan
                table.loc[ill, "false_positive_volume"] = np.nan
                parts.append(table)
    return pd.concat(parts, ignore_index=True)


def row(table, metric, model="unet"):
    (found,) = table[(table["metric"] == metric) & (table["model"] == model)].to_dict(
        "records"
    )
    return found


def test_dice_is_the_mean_over_patients():
    table = segmented()
    found = row(evaluate(table, "dice"), "dice")
    mine = table[(table["model"] == "unet") & (table["label"] > 0)]
    assert found["value"] == pytest.approx(mine["dice"].mean())
    assert (found["n_images"], found["n_participants"]) == (60, 30)
    assert 0 < found["low"] < found["value"] < found["high"] < 1


def test_visits_of_a_patient_are_no_more_patients():
    one, two = (
        row(evaluate(segmented(visits=n), "dice"), "dice")["standard_error"]
        for n in (1, 2)
    )
    # Two visits that are alike tell little more than one; as patients they would
    # divide the standard error by 1.41.
    assert two > 0.95 * one
    patients = segmented(visits=1)
    mine = patients[(patients["model"] == "unet") & (patients["label"] > 0)]["dice"]
    assert one == pytest.approx(mine.std() / np.sqrt(30))


def test_healthy_people_have_false_positives_only():
    found = row(evaluate(segmented(), "false_positive_volume"), "false_positive_volume")
    assert found["value"] == 10.0
    assert (found["n_images"], found["n_participants"]) == (40, 20)


def test_by_default_dice_comes_first_and_volumes_are_there():
    found = evaluate(segmented(models=[("unet", 0.0)]), None)
    names = list(found["metric"])
    assert names[:2] == ["dice", "surface_distance"]
    assert {"mae", "r2"} <= {*names} <= {*metric_names("segmentation")}
    assert row(found, "mae")["n_images"] == 100


def test_models_are_compared_patient_by_patient():
    table = segmented()
    found = compare(table, ["dice", "surface_distance"])
    dice = found[found["metric"] == "dice"].iloc[0]
    mean = table[table["label"] > 0].groupby("model")["dice"].mean()
    better, worse = dice["model"], dice["reference"]
    assert dice["value"] == pytest.approx(mean[better] - mean[worse])
    assert (dice["n_images"], dice["p_value"] < 1e-6) == (60, True)
    assert dice["low"] < dice["value"] < dice["high"]
    assert dice["high"] - dice["low"] < 0.05  # paired: what people differ in drops out


def test_it_works_in_folds_and_seeds():
    table = segmented(folds=5, seeds=2)
    found = row(evaluate(table, "dice"), "dice")
    each = fold_metrics(table, "dice")
    assert len(each) == 2 * 2 * 5
    unet = each[each["model"] == "unet"]
    assert found["value"] == pytest.approx(unet["value"].mean())
    assert (each["n_participants"] == 6).all()
    of_sites = site_metrics(segmented(), "dice")
    assert (of_sites["n_participants"] == 10).all()


def test_a_table_without_labels_is_measured_too():
    table = segmented().assign(label=np.nan)
    table["score"] = table["dice"].fillna(0)
    found = row(evaluate(table, "dice"), "dice")
    assert found["value"] == row(evaluate(segmented(), "dice"), "dice")["value"]
    assert "folds" not in found["warnings"]


def test_where_nobody_has_a_lesion_dice_has_no_value():
    table = segmented()
    first = (table["participant_id"] == "sub-00") & (table["session_id"] == "ses-M000")
    few = table[(table["label"] == 0) | first].drop(columns="surface_distance")
    few["surface_distance"] = np.nan
    one = few.loc[first & (few["model"] == "unet"), "dice"].item()
    found = row(evaluate(few, "dice"), "dice")
    assert found["value"] == one and np.isnan(found["low"])  # one patient
    found = row(evaluate(few, "surface_distance"), "surface_distance")
    assert np.isnan(found["value"])
    assert "no image has a value of it" in found["warnings"]


def test_a_column_that_is_not_there_is_named():
    table = segmented().drop(columns="surface_distance")
    with pytest.raises(StatisticsError, match="no column 'surface_distance'"):
        evaluate(table, "surface_distance")


def test_a_probability_beside_a_dice_is_no_segmentation():
    table = segmented()
    table["label"] = (table["label"] > 0).astype(float)
    table["score"] = np.random.default_rng(0).uniform(size=len(table))
    assert "roc_auc" in set(evaluate(table)["metric"])
