"""A predictions table is checked before any number is computed from it."""

import numpy as np
import pandas as pd
import pytest
from predictions_factory import concat, held_out, multiclass, predict, regression

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats import evaluate, fold_metrics
from clinicadl_trust.stats.prepared import CLUSTER, IMAGE, prepare


def test_the_task_is_read_from_the_table():
    assert prepare(held_out()).task == "binary"
    assert prepare(regression()).task == "regression"
    prepared = prepare(multiclass())
    assert (prepared.task, prepared.classes) == ("multiclass", ("CN", "MCI", "AD"))
    assert prepared.rows["label"].tolist()[:6] == [0, 0, 0, 0, 1, 1]
    assert prepared.scores(prepared.rows).shape == (240, 3)


def test_several_outputs_are_measured_by_their_error():
    table = regression()
    table["error"] = np.abs(table["score"] - table["label"]) / 2
    assert prepare(table).task == "regression"  # a user's own column of that name
    table["predicted_x"] = table["score"]
    assert prepare(table).task == "outputs"
    found = evaluate(table)
    assert found["metric"].unique().tolist() == ["error", "mae", "r2"]
    value = found.set_index(["model", "metric"])["value"]
    test = table[table["group"] == "test"]
    for model, rows in test.groupby("model"):
        assert value[model, "error"] == pytest.approx(rows["error"].mean())
        assert value[model, "mae"] == pytest.approx(2 * rows["error"].mean())


def test_the_participant_is_the_cluster_whatever_the_table_says():
    prepared = prepare(held_out(participants=20, visits=3))
    assert prepared.rows[CLUSTER].nunique() == 20
    assert prepared.rows[IMAGE].nunique() == 60


def test_relatives_are_one_cluster():
    table = held_out(participants=20)
    table["family_id"] = "fam-" + (
        table["participant_id"].str[4:].astype(int) // 4
    ).astype(str)
    table.loc[table["participant_id"] == "sub-000", "family_id"] = np.nan
    assert prepare(table).rows[CLUSTER].nunique() == 6
    alone = held_out(participants=20)
    df = [evaluate(each, "roc_auc")["df"].iloc[0] for each in (alone, table)]
    assert df[1] < df[0]


def test_images_without_a_label_are_left_out_and_counted():
    table = held_out(participants=20)
    table.loc[table["participant_id"].isin(["sub-000", "sub-001"]), "label"] = np.nan
    rows = evaluate(table, "roc_auc")
    assert rows["n_images"].tolist() == [36, 36]
    assert rows["warnings"].str.contains("4 images without a label").all()


def test_a_group_that_is_absent_is_answered_with_those_there_are():
    with pytest.raises(StatisticsError, match=r"no group 'tset'.*'test'"):
        evaluate(held_out(), group="tset")


@pytest.mark.parametrize(
    ("value", "message"),
    [(np.nan, "No image of group 'test' has a label"), (1.0, "same label")],
)
def test_labels_that_tell_nothing_apart_are_refused(value, message):
    with pytest.raises(StatisticsError, match=message):
        evaluate(held_out().assign(label=value))


@pytest.mark.parametrize("values", [(1, 2), (-1, 1)])
def test_two_classes_by_other_numbers_are_no_quantity(values):
    table = held_out()
    table["label"] = table["label"].map(dict(enumerate(values)))
    with pytest.raises(StatisticsError, match=rf"are {values[0]} and .*--positive"):
        evaluate(table)


def test_models_must_agree_on_the_truth():
    table = held_out()
    table.loc[0, "label"] = 1 - table.loc[0, "label"]
    with pytest.raises(StatisticsError, match=r"sub-000 ses-M000 has the labels"):
        evaluate(table)


def test_scores_that_are_no_probabilities_are_fine_for_ranks_only():
    table = held_out()
    table["score"] = 10 * table["score"] - 5
    assert len(evaluate(table, ["roc_auc", "average_precision"])) == 4
    for metric in ("brier", "balanced_accuracy"):
        with pytest.raises(
            StatisticsError, match=r"needs probabilities.*outside 0 to 1"
        ):
            fold_metrics(table, metric)


def test_two_tasks_in_one_table_are_refused():
    with pytest.raises(StatisticsError, match="two tasks"):
        evaluate(concat([multiclass(), held_out({"two": 1.0})]))
    three, two = multiclass(), multiclass().query("model == 'cnn' and label != 'MCI'")
    two = two.drop(columns="score_MCI").assign(model="two")
    with pytest.raises(StatisticsError, match="other classes"):
        evaluate(pd.concat([three, two]))


def test_a_seed_that_lacks_images_is_refused_by_name():
    images = held_out({"cnn": 1.0})
    table = concat([predict(images), predict(images[:-3], seed=1)])
    with pytest.raises(
        StatisticsError, match=r"seed 1 lacks images that seed 0 of 'cnn' has: sub-038"
    ):
        evaluate(table)
