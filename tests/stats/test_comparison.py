"""One paired comparison for each question, its estimand named."""

import numpy as np
import pytest
from predictions_factory import concat, folds, held_out, multiclass, regression
from scipy import stats as scipy_stats
from sklearn.metrics import roc_auc_score

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats import (
    adjust,
    compare,
    compare_roc_auc,
    corrected_resampled_ttest,
)
from clinicadl_trust.stats.rows import COLUMNS

THREE = {"cnn": 1.5, "svm": 1.4, "metadata": 0.2}


def one(table, **where):
    for name, value in where.items():
        table = table[table[name] == value]
    (row,) = table.to_dict("records")
    return row


def aucs(table, by):
    return {
        key: roc_auc_score(rows["label"], rows["score"])
        for key, rows in table.groupby(["model", *by])
    }


def test_a_held_out_group_is_compared_by_participant():
    table = held_out()
    row = one(compare(table))
    first, second = (table[table["model"] == m] for m in ("cnn", "metadata"))
    expected = compare_roc_auc(
        first["label"], first["score"], second["score"], first["participant_id"]
    )
    assert (row["model"], row["reference"]) == ("cnn", "metadata")
    assert row["value"] == expected.effect
    for name in ("low", "high", "p_value", "statistic", "df", "standard_error"):
        assert row[name] == getattr(expected, name)
    assert row["p_adjusted"] == row["p_value"]
    assert row["estimand"] == "a new patient of this test group's hospitals"
    assert (row["kind"], row["metric"], row["primary"]) == (
        "comparison",
        "roc_auc",
        True,
    )
    assert row["n_participants"] == 40


def test_rows_of_the_two_models_may_come_in_any_order():
    table = held_out()
    shuffled = table.sample(frac=1, random_state=1)
    models = ["cnn", "metadata"]
    first, second = (
        one(compare(each, reference="metadata")) for each in (table, shuffled)
    )
    assert first == second
    assert sorted(shuffled["model"].unique()) == models


def test_a_cross_validation_is_the_corrected_resampled_t():
    table = folds(repeats=2)
    row = one(compare(table))
    values = aucs(table, ["repeat", "split"])
    differences = [
        values[("cnn", r, s)] - values[("metadata", r, s)]
        for r in range(2)
        for s in range(4)
    ]
    expected = corrected_resampled_ttest(differences, 30, 10)
    assert row["value"] == pytest.approx(expected.effect)
    assert row["p_value"] == pytest.approx(expected.p_value)
    assert (row["df"], row["calibration"]) == (7, "approximate")
    assert row["estimand"].startswith("a retrained model and a new patient")


def test_left_out_sites_are_the_paired_t():
    table = folds(by="site", n_splits=2, sites=4)
    row = one(compare(table))
    values = aucs(table, ["site"])
    pairs = [
        [values[(model, f"site-{s}")] for s in range(4)]
        for model in ("cnn", "metadata")
    ]
    expected = scipy_stats.ttest_rel(*pairs)
    assert row["p_value"] == pytest.approx(expected.pvalue)
    assert row["estimand"] == "a retrained model in a new hospital"


def test_each_question_has_one_p_value_for_each_pair():
    table = concat([held_out(THREE), folds(THREE), folds(THREE, by="site")])
    rows = compare(table, ["roc_auc", "brier"])
    assert list(rows.columns) == list(COLUMNS)
    assert len(rows) == 3 * 3 * 2
    assert not rows.duplicated(["metric", "split_strategy", "model", "reference"]).any()
    estimands = rows.groupby("split_strategy")["estimand"].nunique()
    assert (estimands == 1).all()
    assert rows["estimand"].nunique() == 3
    primary = rows[rows["primary"]]
    assert set(primary["metric"]) == {"roc_auc"}
    assert set(primary["split_strategy"]) == {"sealed"}
    for _, question in rows.groupby(["metric", "split_strategy"]):
        np.testing.assert_allclose(
            question["p_adjusted"], adjust(question["p_value"].tolist())
        )


def test_against_a_reference_there_are_fewer_pairs():
    rows = compare(held_out(THREE), reference="metadata")
    assert rows["reference"].tolist() == ["metadata"] * 2
    assert rows["model"].tolist() == ["cnn", "svm"]
    turned = compare(held_out(THREE), reference="cnn")
    assert turned["model"].tolist() == ["svm", "metadata"]
    forth = one(rows, model="cnn")
    back = one(turned, model="metadata")
    assert forth["value"] == pytest.approx(-back["value"])


def test_models_on_different_images_are_not_compared():
    table = held_out()
    lacking = table[
        ~((table["model"] == "metadata") & (table["participant_id"] == "sub-007"))
    ]
    with pytest.raises(
        StatisticsError,
        match=r"'metadata' lacks images that 'cnn' has: sub-007 ses-M000, sub-007 ses-",
    ):
        compare(lacking)
    with pytest.raises(StatisticsError, match=r"'cnn' lacks .*and 5 more"):
        compare(
            table[
                (table["model"] == "metadata") | (table["participant_id"] > "sub-003")
            ]
        )


def test_images_must_be_the_same_in_each_fold_not_only_in_all():
    table = folds()
    swapped = table.copy()
    mine = swapped["model"] == "metadata"
    swapped.loc[mine, "split"] = (swapped.loc[mine, "split"] + 1) % 4
    with pytest.raises(StatisticsError, match="lacks images"):
        compare(swapped)


def test_a_failed_fold_is_left_out_of_both_and_said():
    table = folds()
    table = table[(table["model"] == "cnn") | (table["split"] != 1)]
    row = one(compare(table))
    assert row["df"] == 2
    assert "'metadata' has predictions of 3 of 4 folds only" in row["warnings"]


def test_what_a_comparison_rests_on_is_what_both_predict():
    table = folds(by="site", repeats=2, n_splits=4, sites=4)
    failed = (table["model"] == "metadata") & (table["split"] == 1)
    row = one(compare(table[~(failed & (table["repeat"] == 0))]))
    assert (row["n_folds"], row["n_images"], row["df"]) == (7, 80, 3)
    values = aucs(table, ["site", "repeat"])
    expected = []
    for site in [f"site-{number}" for number in range(4)]:
        repeats = [1] if site == "site-1" else [0, 1]  # in both models
        each = [
            values[("cnn", site, repeat)] - values[("metadata", site, repeat)]
            for repeat in repeats
        ]
        expected.append(np.mean(each))
    assert row["value"] == pytest.approx(np.mean(expected))
    row = one(compare(table[~failed]))
    assert (row["n_folds"], row["n_images"], row["n_sites"]) == (6, 60, 3)


def test_models_without_a_common_fold_have_no_comparison():
    table = folds(participants=40)
    table = table[(table["model"] == "cnn") == (table["split"] < 2)]
    row = one(compare(table))
    assert np.isnan(row["p_value"])
    assert "no value of both models in any fold" in row["warnings"]
    assert row["n_images"] == 0


def test_seeds_may_differ_in_number():
    table = concat([folds({"cnn": 1.5}, seeds=3), folds({"metadata": 0.2})])
    row = one(compare(table))
    values = aucs(table, ["split", "seed"])
    expected = np.mean(
        [
            np.mean([values[("cnn", s, seed)] for seed in range(3)])
            - values[("metadata", s, 0)]
            for s in range(4)
        ]
    )
    assert row["value"] == pytest.approx(expected)


def test_folds_that_test_everyone_cannot_be_tested():
    table = concat(held_out().assign(repeat=repeat) for repeat in range(2))
    row = one(compare(table))
    assert np.isnan(row["p_value"])
    assert "how many trained" in row["warnings"]


def test_a_leak_is_compared_but_never_primary():
    table = folds(by="scan", visits=3)
    row = one(compare(table))
    assert row["warnings"].startswith("leaky:")
    assert row["estimand"].startswith("none")
    assert not row["primary"]
    assert np.isfinite(row["p_value"])


def test_a_metric_without_value_is_a_row_that_says_so():
    table = concat([held_out(), folds()])
    table = table[(table["split_strategy"] != "sealed") | (table["label"] == 1)]
    row = one(compare(table), split_strategy="sealed")
    assert np.isnan(row["p_value"])
    assert np.isnan(row["p_adjusted"])
    assert "no value" in row["warnings"]


@pytest.mark.parametrize(
    ("table", "metric"), [(regression(), "mae"), (multiclass(), "roc_auc")]
)
def test_other_tasks_are_compared_by_their_first_metric(table, metric):
    row = one(compare(table))
    assert row["metric"] == metric
    assert row["low"] < row["value"] < row["high"]
    assert row["p_value"] < 0.001


def test_one_model_or_an_unknown_one_is_refused():
    with pytest.raises(StatisticsError, match="only model is 'cnn'"):
        compare(held_out({"cnn": 1.0}))
    with pytest.raises(StatisticsError, match="Did you mean 'metadata'"):
        compare(held_out(), reference="meta-data")
    apart = concat([held_out({"cnn": 1.0}), folds({"svm": 1.0})])
    with pytest.raises(StatisticsError, match="two models to compare"):
        compare(apart)
