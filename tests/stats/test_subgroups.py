"""Subgroups: each level by itself, differences, covariance, warnings, mistakes."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from predictions_factory import folds, held_out, multiclass, regression
from scipy import stats

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats import compare_roc_auc, roc_auc
from clinicadl_trust.stats.subgroups.performance import subgroups


def one_model(participants=160, sites=2, **options):
    return held_out({"cnn": 1.0}, participants=participants, sites=sites, **options)


def test_each_level_is_the_estimate_of_its_images():
    table = one_model(sites=3)
    made = subgroups(table, "site")
    assert list(made.levels["level"]) == ["site-0", "site-1", "site-2"]
    for _, row in made.levels.iterrows():
        part = table[table["site"] == row["level"]]
        alone = roc_auc(part["label"], part["score"], part["participant_id"])
        assert_allclose(
            [row["value"], row["low"], row["high"]],
            [alone.value, alone.low, alone.high],
        )
        assert row["calibration"] == alone.calibration
    assert made.n == 320 and made.n_clusters == 160 and not made.warnings
    assert "roc_auc by site" in str(made) and "p_adjusted" in str(made)
    assert list(made.to_frame()["by"]) == ["site"] * 3
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.by = "sex"


def test_a_difference_adds_the_variances_of_levels_that_share_nobody():
    made = subgroups(one_model(), "site", "balanced_accuracy")
    first, second = made.levels.to_dict("records")
    (row,) = made.differences.to_dict("records")
    assert row["n_shared"] == 0
    assert_allclose(row["effect"], first["value"] - second["value"])
    error = np.hypot(first["standard_error"], second["standard_error"])
    assert_allclose(row["standard_error"], error)
    # Newcombe: each side from the levels' own intervals, here of equal df.
    t = [stats.t.ppf(0.975, level["df"]) for level in (first, second)]
    sides = (
        (first["value"] - first["low"]) / t[0],
        (second["high"] - second["value"]) / t[1],
    )
    squares = np.square(sides)
    df = squares.sum() ** 2 / (squares**2 / [first["df"], second["df"]]).sum()
    reach = stats.t.ppf(0.975, df) * np.hypot(*sides)
    assert_allclose(row["low"], row["effect"] - reach)
    assert row["p_adjusted"] == pytest.approx(row["p_value"])


@pytest.mark.parametrize("seed", range(4))
def test_p_values_agree_with_intervals_and_max_t_with_bounds(seed):
    rng = np.random.default_rng(seed)
    table = one_model(sites=4)
    noise = rng.normal(size=len(table)) * np.where(table["site"] == "site-0", 1, 0.4)
    table["score"] = 1 / (1 + np.exp(-(3 * (table["label"] - 0.5) + 2 * noise)))
    made = subgroups(table, "site", "brier").differences
    excludes = (made["low"] > 0) | (made["high"] < 0)
    assert (excludes == (made["p_value"] < 0.05)).all()
    assert (made["p_adjusted"] >= made["p_value"]).all()
    assert (made["p_adjusted"] <= np.minimum(6 * made["p_value"], 1)).all()
    again = subgroups(table, "site", "brier").differences
    pd.testing.assert_frame_equal(made, again)


def test_participants_in_both_levels_are_paired():
    table = one_model()
    table["scanner"] = np.tile(["A", "B"], len(table) // 2)
    made = subgroups(table, "scanner", "brier")
    (row,) = made.differences.to_dict("records")
    assert row["n_shared"] == 160 and "in several levels" in made.warnings[0]
    each = (table["score"] - table["label"]) ** 2
    gap = each[::2].to_numpy() - each[1::2].to_numpy()
    assert_allclose(row["effect"], gap.mean())
    assert_allclose(row["standard_error"], gap.std(ddof=1) / 160**0.5)
    auc = subgroups(table, "scanner").differences.iloc[0]
    wide = table.iloc[::2].assign(other=table["score"].iloc[1::2].to_numpy())
    paired = compare_roc_auc(wide["label"], wide["score"], wide["other"])
    assert_allclose(auc["effect"], paired.effect)
    assert_allclose(auc["standard_error"], paired.standard_error, rtol=0.02)


def test_numbers_are_cut_into_bands():
    table = one_model()
    ages = np.random.default_rng(0).uniform(50, 90, 160).repeat(2)
    table["age"] = ages
    table.loc[:3, "age"] = np.nan
    table.loc[4, "age"] = table.loc[5, "age"] = 65
    made = subgroups(table, "age", bands=[65, 75, 200])
    assert list(made.levels["level"]) == ["<65", "65 to <75", "75 to <200"]
    sizes = pd.cut(table["age"], [0, 65, 75, 200], right=False).value_counts(sort=False)
    assert list(made.levels["n"]) == list(sizes)
    assert made.n == 316 and "4 images without a value of 'age'" in made.warnings[0]
    reference = subgroups(table, "age", bands=[65, 75], reference="<65").differences
    assert list(reference["minus"]) == ["<65", "<65"]


def test_a_level_without_a_class_is_kept_and_said():
    table = one_model()
    table = table[(table["site"] == "site-0") | (table["label"] == 1)]
    made = subgroups(table, "site")
    assert np.isnan(made.levels["value"].iloc[1]) and made.levels["n"].iloc[1] == 80
    assert "site = site-1: ROC AUC cannot be computed here" in made.warnings[0]
    assert made.differences[["effect", "p_value", "p_adjusted"]].isna().all(axis=None)
    assert "nan" in str(made).lower()


def test_ties_everywhere_and_perfect_scores_have_an_answer():
    (row,) = subgroups(one_model().assign(score=0.5), "site").differences.to_dict(
        "records"
    )
    assert (row["effect"], row["low"], row["high"], row["p_value"]) == (0, 0, 0, 1)
    perfect = one_model(sites=3)
    perfect["score"] = 0.2 + 0.6 * perfect["label"]
    made = subgroups(perfect, "site").differences
    assert (made["low"] < 0).all() and (made["high"] > 0).all()
    assert (made["effect"] == 0).all() and (made["p_adjusted"] == 1).all()


def test_few_participants_are_said():
    table = one_model()
    few = table["participant_id"].isin([f"sub-{n:03d}" for n in range(6)])
    table["scanner"] = np.where(few, "rare", "usual")
    made = subgroups(table, "scanner")
    assert (
        "scanner = rare: Only 3 participants in the smallest class" in made.warnings[0]
    )
    assert list(made.differences["calibration"]) == ["approximate"]


def test_folds_are_approximate_and_other_tasks_work():
    made = subgroups(folds({"cnn": 1.0}, participants=160), "site")
    assert set(made.levels["calibration"]) == {"approximate"}
    assert "come from 4 folds" in made.warnings[-1]
    ages = regression()
    made = subgroups(ages[ages["model"] == "cnn"], "site")
    assert made.metric == "mae" and made.differences["p_value"].notna().all()
    classes = multiclass(participants=240)
    made = subgroups(classes[classes["model"] == "cnn"], "site", "balanced_accuracy")
    assert made.levels["value"].between(0, 1).all()


def test_the_order_of_rows_and_the_names_of_participants_do_not_matter():
    table = one_model()
    mixed = table.sample(frac=1, random_state=0)
    mixed["participant_id"] = "x" + mixed["participant_id"].str[::-1]
    first, second = subgroups(table, "site"), subgroups(mixed, "site")
    numbers = ["effect", "low", "high", "p_value"]
    assert_allclose(first.differences[numbers], second.differences[numbers], rtol=1e-9)


def test_differences_keep_their_level_in_a_short_simulation():
    rng = np.random.default_rng(1)
    ids = [f"s{n}" for n in range(120)]
    covered = rejected = 0
    for _ in range(60):
        label = (rng.random(120) < 0.5).astype(float)
        score = stats.norm.cdf(label - 0.5 + rng.normal(size=120))
        table = pd.DataFrame({"participant_id": ids, "label": label, "score": score})
        table["sex"] = np.repeat(["F", "M"], 60)
        row = subgroups(table, "sex").differences.iloc[0]
        covered += row["low"] <= 0 <= row["high"]
        rejected += row["p_value"] < 0.05
    assert covered >= 0.9 * 60 and rejected == 60 - covered


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"by": "sit"}, "no column 'sit'. Did you mean 'site'"),
        ({"by": "score"}, "different values, too many .*bands"),
        ({"by": "model"}, "has 1 level among"),
        ({"by": "site", "bands": [1]}, "'site-0' is no number"),
        ({"by": "score", "bands": [0.6, 0.4]}, "numbers that increase"),
        ({"by": "score", "bands": []}, "numbers that increase"),
        ({"by": "site", "reference": "site-9"}, "no level of 'site'. Did you mean"),
        ({"by": "site", "metric": "auc"}, "Unknown metric"),
        ({"by": "site", "confidence_level": 95}, "0.95"),
        ({"by": "site", "group": "tset"}, "no group 'tset'"),
    ],
)
def test_mistakes_are_named(options, message):
    with pytest.raises(StatisticsError, match=message):
        subgroups(one_model(), **options)


def test_one_model_and_one_run_are_asked_for():
    with pytest.raises(StatisticsError, match=r"'model': cnn, metadata\. Choose"):
        subgroups(held_out(), "site")
    with pytest.raises(StatisticsError, match="80 rows predict an image that another"):
        subgroups(folds({"cnn": 1.0}, seeds=2), "site")
    logits = one_model().assign(score=lambda table: 5 * table["score"])
    with pytest.raises(StatisticsError, match="needs probabilities"):
        subgroups(logits, "site", "brier")
    assert subgroups(logits, "site").metric == "roc_auc"
