"""Each split strategy gets the estimate that fits it."""

import numpy as np
import pandas as pd
import pytest
from predictions_factory import (
    cohort,
    concat,
    folds,
    held_out,
    multiclass,
    predict,
    regression,
)
from sklearn.metrics import roc_auc_score

from clinicadl_trust.exceptions import PredictionsError, StatisticsError
from clinicadl_trust.stats import (
    cross_validation_interval,
    evaluate,
    fold_metrics,
    metric_names,
    roc_auc,
    site_metrics,
    unit_interval,
)
from clinicadl_trust.stats.rows import COLUMNS


def one(table, **where):
    for name, value in where.items():
        table = table[table[name] == value]
    (row,) = table.to_dict("records")
    return row


def auc(rows):
    return roc_auc_score(rows["label"], rows["score"])


def test_a_held_out_group_is_clustered_by_participant():
    table = held_out()
    row = one(evaluate(table, "roc_auc"), model="cnn")
    rows = table[table["model"] == "cnn"]
    expected = roc_auc(rows["label"], rows["score"], rows["participant_id"])
    for name in ("value", "low", "high", "standard_error", "method", "calibration"):
        assert row[name] == getattr(expected, name)
    assert row["estimand"] == "a new patient of this test group's hospitals"
    counts = {name: row[name] for name in COLUMNS if name.startswith("n_")}
    assert counts == {"n_images": 80, "n_participants": 40, "n_sites": 4, "n_folds": 1}
    assert (row["kind"], row["primary"], row["warnings"]) == ("estimate", True, "")


def test_a_cross_validation_averages_folds():
    table = folds({"cnn": 1.0}, n_splits=4, repeats=2)
    row = one(evaluate(table, "roc_auc"))
    values = [auc(rows) for _, rows in table.groupby(["repeat", "split"])]
    expected = cross_validation_interval(values, 30, 10, bounds=(0, 1))
    assert row["value"] == pytest.approx(np.mean(values))
    assert row["value"] != pytest.approx(auc(table), abs=1e-4)
    assert (row["low"], row["high"]) == pytest.approx((expected.low, expected.high))
    assert (row["n_folds"], row["df"], row["calibration"]) == (8, 7, "approximate")
    assert "Nadeau and Bengio" in row["method"]


def test_left_out_sites_count_once_each_however_many_folds_they_share():
    table = folds({"cnn": 1.0}, by="site", n_splits=2, sites=4)
    row = one(evaluate(table, "roc_auc"))
    values = [auc(rows) for _, rows in table.groupby("site")]
    expected = unit_interval(values, bounds=(0, 1))
    assert row["value"] == pytest.approx(np.mean(values))
    assert (row["low"], row["df"]) == (pytest.approx(expected.low), 3)
    assert row["estimand"] == "a retrained model in a new hospital"


def test_seeds_are_averaged_within_fold_and_add_no_folds():
    table = folds({"cnn": 1.0}, seeds=3)
    row = one(evaluate(table, "roc_auc"))
    by_run = {key: auc(rows) for key, rows in table.groupby(["split", "seed"])}
    means = pd.Series(by_run).groupby(level=0).mean()
    assert row["value"] == pytest.approx(means.mean())
    assert row["df"] == 3


def test_seeds_of_a_held_out_group_are_named():
    images = cohort()
    table = concat(predict(images, seed=seed) for seed in range(3))
    row = one(evaluate(table, "roc_auc"))
    values = [auc(rows) for _, rows in table.groupby("seed")]
    assert row["value"] == pytest.approx(np.mean(values))
    assert "Mean of 3 seeds" in row["warnings"]


def test_no_effect_is_an_auc_of_half_within_sites_and_less_when_pooled():
    # Without an effect a model ranks sites by the prevalence elsewhere: the more
    # patients a site has, the fewer were in training, and the lower its scores.
    rng = np.random.default_rng(0)
    tables = []
    for site, prevalence in enumerate((0.2, 0.4, 0.6, 0.8)):
        n = 200
        tables.append(
            pd.DataFrame(
                {
                    "participant_id": [f"sub-{site}{i}" for i in range(n)],
                    "site": str(site),
                    "split": site,
                    "label": (np.arange(n) < prevalence * n).astype(float),
                    "score": 0.5 - 0.2 * prevalence + 0.1 * rng.random(n),
                }
            )
        )
    table = concat(tables)
    row = one(evaluate(table, "roc_auc"))
    assert auc(table) < 0.42
    assert row["low"] < 0.5 < row["high"]
    assert row["value"] == pytest.approx(0.5, abs=0.05)


def test_a_fold_with_one_class_is_left_out_and_said():
    table = folds({"cnn": 1.0})
    table.loc[table["split"] == 2, "label"] = table["label"].where(
        table["label"] == 0
    )  # the patients of one fold lose their label
    rows = evaluate(table, ["roc_auc", "specificity"])
    auc_row, specificity = (one(rows, metric=m) for m in ("roc_auc", "specificity"))
    assert "ROC AUC is undefined in 1 of 4 folds" in auc_row["warnings"]
    assert "no positive image" in auc_row["warnings"]
    assert (auc_row["df"], specificity["df"]) == (2, 3)
    assert "undefined" not in specificity["warnings"]


def test_a_site_with_one_class_is_left_out_and_said():
    table = folds({"cnn": 1.0}, by="site")
    table = table[~((table["site"] == "site-3") & (table["label"] == 1))]
    row = one(evaluate(table, "roc_auc"))
    assert "undefined in 1 of 4 sites" in row["warnings"]
    assert row["df"] == 2


def test_a_metric_without_any_value_is_a_row_that_says_so():
    table = concat([held_out({"cnn": 1.0}), folds({"cnn": 1.0})])
    table.loc[table["split_strategy"] == "sealed", "label"] *= 0
    table = table[(table["split_strategy"] != "sealed") | (table["label"] == 0)]
    table = table[
        ~(
            table["participant_id"].isin(
                table.loc[table["label"] == 1, "participant_id"]
            )
        )
        | (table["split_strategy"] != "sealed")
    ]
    row = one(evaluate(table, "roc_auc"), split_strategy="sealed")
    assert np.isnan(row["value"])
    assert "undefined here: it has no positive image" in row["warnings"]


def test_a_failed_fold_is_said():
    table = folds()
    table = table[(table["model"] == "cnn") | (table["split"] != 1)]
    row = one(evaluate(table, "roc_auc"), model="metadata")
    assert row["n_folds"] == 3
    assert "'metadata' has predictions of 3 of 4 folds only" in row["warnings"]


def test_a_leak_is_computed_marked_and_never_primary():
    table = concat(
        [folds(by="scan", n_splits=4, visits=3), folds(n_splits=4, visits=3)]
    )
    rows = evaluate(table, "roc_auc")
    leaky = rows[rows["split_strategy"] == "scans"]
    assert np.isfinite(leaky["low"]).all()
    assert leaky["warnings"].str.startswith("leaky: 40 participants").all()
    assert leaky["method"].str.endswith("; leaky").all()
    assert not leaky["primary"].any()
    assert rows[rows["split_strategy"] == "participants"]["primary"].all()
    alone = evaluate(folds(by="scan", visits=3), "roc_auc")
    assert not alone["primary"].any()


def test_only_the_first_metric_on_one_strategy_is_primary():
    table = concat([folds(), held_out()])
    rows = evaluate(table, ["brier", "roc_auc"])
    primary = rows[rows["primary"]]
    assert set(primary["metric"]) == {"brier"}
    assert set(primary["split_strategy"]) == {"sealed"}
    chosen = evaluate(table, "brier", primary="participants")
    assert set(chosen[chosen["primary"]]["split_strategy"]) == {"participants"}


def test_a_model_that_never_looks_is_known_beforehand():
    table = folds({"majority": 1.0}).assign(score=0.4)
    rows = evaluate(table)
    row = one(rows, metric="roc_auc")
    assert (row["low"], row["value"], row["high"]) == (0.5, 0.5, 0.5)
    assert "known beforehand" in row["warnings"]


def test_constants_that_differ_between_folds_are_not_known_beforehand():
    table = folds({"majority": 1.0})
    table["score"] = table["split"].map({0: 0.49, 1: 0.51, 2: 0.49, 3: 0.51})
    rows = evaluate(table, ["roc_auc", "sensitivity"])
    auc_row, share = (one(rows, metric=m) for m in ("roc_auc", "sensitivity"))
    assert auc_row["method"] == "by definition"
    assert share["value"] == 0.5
    assert share["low"] < 0.4 < 0.6 < share["high"]


def test_seeds_that_draw_the_folds_too_are_refused():
    images = cohort()
    number = images["participant_id"].str[4:].astype(int) // 2
    fold = [(number + number // 4 * seed) % 4 for seed in range(2)]
    table = concat(
        predict(images[fold[seed] == split], seed=seed, split=split)
        for seed in range(2)
        for split in range(4)
    )
    with pytest.raises(StatisticsError, match="draws the folds, call it the repeat"):
        evaluate(table, "roc_auc")
    assert len(evaluate(table.rename(columns={"seed": "repeat", "repeat": "x"}))) == 6


def test_validation_images_are_marked_optimistic():
    table = concat([held_out(), held_out().assign(group="validation")])
    rows = evaluate(table, "roc_auc", group="validation")
    assert rows["warnings"].str.contains("optimistic").all()
    assert not rows["primary"].any()
    assert set(rows["group"]) == {"validation"}


def test_folds_that_test_everyone_cannot_tell_who_trained():
    table = concat(held_out({"cnn": 1.0}).assign(repeat=r) for r in range(2))
    row = one(evaluate(table, "roc_auc"))
    assert np.isfinite(row["value"])
    assert np.isnan(row["low"])
    assert "how many trained" in row["warnings"]


@pytest.mark.parametrize("table", [held_out(), multiclass(), regression()])
def test_all_metrics_of_the_task_by_default(table):
    rows = evaluate(table)
    task = {4: "binary", 3: "multiclass", 2: "regression"}
    assert list(rows.columns) == list(COLUMNS)
    names = list(dict.fromkeys(rows["metric"]))
    assert names in [metric_names(kind) for kind in task.values()]
    assert (rows["low"] < rows["value"]).all()
    assert (rows["value"] < rows["high"]).all()


def test_a_wider_level_is_a_wider_interval():
    narrow, wide = (evaluate(held_out(), "roc_auc", level) for level in (0.8, 0.99))
    assert (wide["low"] < narrow["low"]).all()
    assert (wide["confidence_level"] == 0.99).all()


def test_the_order_of_rows_changes_nothing():
    table = concat([held_out(), folds(), folds(by="site")])
    keys = ["metric", "model", "split_strategy"]
    rows, shuffled = (
        evaluate(each).sort_values(keys, ignore_index=True)
        for each in (table, table.sample(frac=1, random_state=0))
    )
    pd.testing.assert_frame_equal(rows, shuffled)


def test_a_table_from_elsewhere_needs_three_columns():
    table = held_out({"cnn": 1.0}, visits=1)[["participant_id", "label", "score"]]
    row = one(evaluate(table, "roc_auc"))
    assert (row["model"], row["split_strategy"]) == ("model", "given")
    assert np.isfinite(row["low"])
    with pytest.raises(PredictionsError, match="participant_id"):
        evaluate(table.drop(columns="participant_id"))


def test_an_impossible_level_is_refused():
    with pytest.raises(StatisticsError, match="between 0 and 1"):
        evaluate(held_out(), confidence_level=1)


def test_fold_metrics_have_a_row_per_run():
    table = folds(seeds=2)
    rows = fold_metrics(table, ["roc_auc", "brier"])
    assert len(rows) == 2 * 4 * 2 * 2
    row = one(rows, model="cnn", split=1, seed=1, metric="roc_auc")
    part = table[
        (table["model"] == "cnn") & (table["split"] == 1) & (table["seed"] == 1)
    ]
    assert row["value"] == pytest.approx(auc(part))
    assert (row["n_images"], row["n_participants"]) == (20, 10)
    assert (row["group"], row["repeat"], row["fold"]) == ("test", 0, "")


def test_fold_metrics_average_the_sites_of_a_fold():
    table = folds({"cnn": 1.0}, by="site", n_splits=2, sites=4)
    row = one(fold_metrics(table, "roc_auc"), split=0)
    part = table[table["split"] == 0]
    values = [auc(rows) for _, rows in part.groupby("site")]
    assert row["value"] == pytest.approx(np.mean(values))
    assert row["n_images"] == len(part)


def test_fold_metrics_say_why_a_value_is_missing():
    table = folds({"cnn": 1.0})
    table = table[(table["split"] != 0) | (table["label"] == 0)]
    row = one(fold_metrics(table, "roc_auc"), split=0)
    assert np.isnan(row["value"])
    assert row["warnings"] == "it has no positive image"


def test_site_metrics_have_clustered_intervals():
    table = held_out()
    row = one(site_metrics(table, "roc_auc"), model="cnn", site="site-1")
    part = table[(table["model"] == "cnn") & (table["site"] == "site-1")]
    expected = roc_auc(part["label"], part["score"], part["participant_id"])
    assert (row["value"], row["low"]) == (expected.value, expected.low)
    assert (row["n_images"], row["n_participants"]) == (20, 10)


def test_site_metrics_are_averaged_over_folds_without_an_interval():
    table = folds({"cnn": 1.0}, participants=80, visits=1)
    row = one(site_metrics(table, "brier"), site="site-0")
    part = table[table["site"] == "site-0"]
    assert row["value"] == pytest.approx(((part["score"] - part["label"]) ** 2).mean())
    assert np.isnan(row["low"])


def test_site_metrics_say_where_a_class_is_missing():
    table = held_out({"cnn": 1.0})
    table = table[(table["site"] != "site-2") | (table["label"] == 1)]
    row = one(site_metrics(table, "roc_auc"), site="site-2")
    assert np.isnan(row["value"])
    assert "no negative image" in row["warnings"]
    table = folds({"cnn": 1.0})
    table = table[
        ~((table["site"] == "site-2") & (table["label"] == 1) & (table["split"] < 2))
    ]
    assert "folds" in one(site_metrics(table, "roc_auc"), site="site-2")["warnings"]


def test_site_metrics_group_by_another_column():
    table = held_out().assign(scanner="A")
    assert set(site_metrics(table, "roc_auc", by="scanner")["scanner"]) == {"A"}
    with pytest.raises(StatisticsError, match="no column 'centre'"):
        site_metrics(table, by="centre")
