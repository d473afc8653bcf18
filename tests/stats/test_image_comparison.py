"""Models compared image by image: closed forms, planted truth, mistakes."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats import mcnemar
from clinicadl_trust.stats.image_comparison import compare_models


def dice(
    models=("a", "b", "c"), shift=0.0, n=60, visits=1, sites=6, site_sd=0.0, seed=0
):
    """Draw a Dice score per image and model; the last model is better by ``shift``."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(n), visits)
    base = 0.8 + 0.05 * rng.normal(size=n)[who]
    tables = []
    for model in models:
        tables.append(
            pd.DataFrame(
                {
                    "participant_id": [f"sub-{i:03d}" for i in who],
                    "session_id": [f"ses-M{m:03d}" for m in np.tile(range(visits), n)],
                    "site": [f"site-{i % sites}" for i in who],
                    "model": model,
                    "dice": base
                    + shift * (model == models[-1])
                    + site_sd * rng.normal(size=sites)[who % sites]
                    + 0.02 * rng.normal(size=n)[who]
                    + 0.02 * rng.normal(size=len(who)),
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def wide(table, value="dice"):
    return table.pivot_table(
        index=["participant_id", "session_id"], columns="model", values=value
    )


def test_one_image_each_without_sites_is_the_paired_t_test():
    table = dice(models=("a", "b"), shift=0.01)
    made = compare_models(table, "dice", site=None)
    theirs = stats.ttest_rel(wide(table)["a"], wide(table)["b"])
    row = made.comparisons.iloc[0]
    assert_allclose([row["p_value"], row["df"]], [theirs.pvalue, 59])
    low, high = theirs.confidence_interval()
    assert_allclose([row["low"], row["high"]], [low, high])


def test_models_that_are_seldom_of_another_opinion_say_what_that_costs():
    table = dice(models=("a", "b", "c"), n=80).assign(label=1.0, score=1.0)
    who = table["participant_id"].str[4:].astype(int)
    table.loc[(table["model"] == "b") & (who < 5), "score"] = 0.0
    table.loc[(table["model"] == "c") & (who < 40), "score"] = 0.0
    made = compare_models(table, "correct", site=None)
    labels = made.comparisons.set_index(["model", "reference"])["calibration"]
    assert labels["a", "b"] == "conservative" == made.calibration
    assert labels["a", "c"] == "calibrated"


def test_balanced_sites_have_the_t_test_of_their_means():
    table = dice(models=("a", "b"), site_sd=0.05, seed=3)
    row = compare_models(table, "dice").comparisons.iloc[0]
    d = wide(table)["a"] - wide(table)["b"]
    site = table.drop_duplicates("participant_id")["site"].to_numpy()
    means = d.groupby(site).mean()
    theirs = stats.ttest_1samp(means, 0)
    assert_allclose(row["effect"], means.mean())
    assert_allclose([row["p_value"], row["df"]], [theirs.pvalue, 5], rtol=1e-3)
    assert row["site_sd"] > 0.02


def test_right_answers_are_compared_by_mcnemar():
    rng = np.random.default_rng(0)
    table = dice(models=("a", "b"), visits=2)
    table["label"] = (table["participant_id"].str[4:].astype(int) % 2).astype(float)
    table["score"] = np.clip(
        0.4 * table["label"] + rng.uniform(0, 0.7, len(table)), 0, 1
    )
    made = compare_models(table, "correct", site=None)
    right = table.assign(right=((table["score"] >= 0.5) == (table["label"] == 1)) * 1.0)
    right = wide(right, "right")
    theirs = mcnemar(right["a"], right["b"], right.index.get_level_values(0))
    row = made.comparisons.iloc[0]
    assert_allclose([row["p_value"], row["low"]], [theirs.p_value, theirs.low])
    assert made.estimand == "a new patient of this test group's hospitals"


def test_the_better_model_is_found_and_the_pairs_are_adjusted():
    made = compare_models(dice(shift=0.03, visits=3, site_sd=0.004), "dice")
    table = made.to_frame().set_index(["model", "reference"])
    assert table.loc[("a", "c"), "p_adjusted"] < 0.05
    assert table.loc[("a", "c"), "effect"] < 0
    assert table.loc[("a", "b"), "p_adjusted"] > 0.05
    assert (table["p_adjusted"] >= table["p_value"]).all()
    assert made.n == 180 and made.n_participants == 60 and made.n_sites == 6
    assert "new hospital" in str(made)
    assert_allclose(made.means["c"] - made.means["a"], -table.loc[("a", "c"), "effect"])


def test_a_reference_stands_second_and_its_pairs_are_the_only_ones():
    made = compare_models(dice(shift=0.03), "dice", reference="a").comparisons
    assert list(zip(made["model"], made["reference"], strict=True)) == [
        ("b", "a"),
        ("c", "a"),
    ]


def test_seeds_are_averaged_and_squared_errors_are_those_of_the_score():
    table = dice(models=("a", "b"))
    table["label"], table["score"] = 1.0, table["dice"]
    twice = pd.concat([table.assign(seed=0), table.assign(seed=1)])
    one = compare_models(table, "squared_error", site=None).comparisons
    two = compare_models(twice, "squared_error", site=None).comparisons
    pd.testing.assert_frame_equal(one, two)
    errors = (wide(table) - 1) ** 2
    assert_allclose(one["effect"][0], (errors["a"] - errors["b"]).mean())


def test_a_model_and_its_copy_differ_in_nothing():
    table = dice(models=("a",))
    both = pd.concat([table, table.assign(model="b"), dice(models=("c",), seed=2)])
    made = compare_models(both, "dice", site=None)
    row = made.comparisons.iloc[0]
    assert row["effect"] == 0 and row["p_value"] == 1
    assert any("differs alike" in warning for warning in made.warnings)


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (lambda t: t, {"metric": "dic"}, "Did you mean 'dice'"),
        (lambda t: t, {"metric": "correct"}, "no column 'label'"),
        (lambda t: t.head(0), {}, "empty"),
        (lambda t: t[t["model"] == "a"], {}, "one model, 'a'"),
        (lambda t: t.drop(index=0), {}, "1 of 60 images lack a model"),
        (lambda t: t.assign(dice=np.nan), {}, "180 rows have no dice"),
        (lambda t: t.assign(site=None), {}, "60 images have no site"),
        (lambda t: t, {"reference": "d"}, "no model 'd'"),
        (lambda t: t, {"confidence_level": 95}, "between 0 and 1"),
    ],
)
def test_mistakes_are_named(change, options, message):
    given = {"metric": "dice", **options}
    with pytest.raises(StatisticsError, match=message):
        compare_models(change(dice()), **given)


def test_only_one_group_of_one_strategy_is_compared():
    table = dice(models=("a", "b"), shift=0.03).assign(group="test", split_strategy="x")
    other = table.assign(dice=0.0, split_strategy="leaky")
    chosen_on = table.assign(group="validation", dice=1.0)
    chosen_on["participant_id"] = "other-" + chosen_on["participant_id"]
    both = pd.concat([table, other, chosen_on])
    with pytest.raises(StatisticsError, match="several split strategies: x, leaky"):
        compare_models(both, "dice")
    with pytest.raises(StatisticsError, match="no split_strategy 'y'"):
        compare_models(both, "dice", split_strategy="y")
    chosen = compare_models(both, "dice", split_strategy="x").comparisons
    pd.testing.assert_frame_equal(chosen, compare_models(table, "dice").comparisons)


def test_few_sites_are_told():
    made = compare_models(dice(sites=3), "dice")
    assert made.calibration == "approximate" and "3 sites" in made.warnings[0]


def test_a_variance_of_0_between_few_sites_is_no_proof_that_they_are_alike():
    made = compare_models(dice(models=("a", "b")), "dice")
    assert made.comparisons["site_sd"][0] == 0
    assert "1 of 1 pairs show no variance between sites" in made.warnings[-1]
    spread = compare_models(dice(models=("a", "b"), site_sd=0.05), "dice")
    assert spread.warnings == ()


def test_a_metric_goes_by_its_other_names():
    table = dice(shift=0.03)
    for name in ("Dice", "DICE"):
        made = compare_models(table, name)
        pd.testing.assert_frame_equal(
            made.comparisons, compare_models(table, "dice").comparisons
        )
    with pytest.raises(StatisticsError, match="no column 'dices'"):
        compare_models(table, "dices")


def test_labels_other_than_0_and_1_are_not_wrong_answers():
    table = dice(models=("a", "b")).assign(score=0.7)
    table["label"] = 1.0 + (table["participant_id"] < "sub-030")
    with pytest.raises(StatisticsError, match="one is 2"):
        compare_models(table)


@pytest.mark.parametrize(
    ("fold", "about"),
    [("site", "a retrained model in a new hospital"), ("half", "new patient of these")],
)
def test_only_folds_of_whole_sites_tell_of_a_new_hospital(fold, about):
    table = dice(models=("a", "b"))
    table["half"] = table["participant_id"] < "sub-030"
    table["split"] = table[fold].rank(method="dense").astype(int)
    made = compare_models(table, "dice")
    assert about in made.estimand and made.calibration == "approximate"
    assert "share training data" in made.warnings[-1]
    assert (made.comparisons["calibration"] == "approximate").all()


def test_the_method_and_its_label_are_printed_and_sites_only_where_there_are_some():
    made = compare_models(dice(), "dice")
    assert "about a new hospital, for these trained models: 60 images" in str(made)
    assert "(1 | site), Satterthwaite (calibrated)" in str(made)
    alone = str(compare_models(dice(), "dice", site=None))
    assert "sites" not in alone and "site_sd" not in alone


def test_ages_are_compared_by_their_errors():
    table = dice(models=("a", "b")).assign(label=70.0, score=lambda t: 70 + t["dice"])
    with pytest.raises(StatisticsError, match="give metric 'absolute_error'"):
        compare_models(table)
    assert compare_models(table, "mae").value == "absolute_error"


def test_folds_that_are_only_named_are_folds():
    table = dice(models=("a", "b"))
    table["fold"] = table["site"].str[-1].astype(int)
    assert (
        compare_models(table, "dice").estimand == "a retrained model in a new hospital"
    )


def test_a_leaky_split_is_refused():
    table = dice(models=("a", "b"), visits=2)
    table["split"] = (table["session_id"] == "ses-M000").astype(int)
    with pytest.raises(StatisticsError, match="60 participants are in training"):
        compare_models(table, "dice")
    held_out = dice(models=("a", "b")).assign(group="test")
    seen = held_out[held_out["participant_id"] < "sub-004"].assign(group="train")
    with pytest.raises(StatisticsError, match="4 participants are in training"):
        compare_models(pd.concat([held_out, seen]), "dice")


def test_one_image_each_needs_no_session():
    table = dice(models=("a", "b"))
    pd.testing.assert_frame_equal(
        compare_models(table.drop(columns="session_id"), "dice").comparisons,
        compare_models(table, "dice").comparisons,
    )
    visits = dice(models=("a", "b"), visits=2).drop(columns="session_id")
    with pytest.raises(StatisticsError, match="no column 'session_id'"):
        compare_models(visits, "dice")


def test_a_family_is_one_participant():
    table = dice(shift=0.03).assign(site=None).drop(columns="site")
    number = table["participant_id"].astype("category").cat.codes
    related = table.assign(family_id=[f"f{n // 2}" for n in number])
    other = table.assign(
        participant_id=related["family_id"], session_id=[f"s{n % 2}" for n in number]
    )
    found, wanted = (compare_models(t, "dice") for t in (related, other))
    pd.testing.assert_frame_equal(found.comparisons, wanted.comparisons)
    assert found.n_participants == wanted.n_participants
    assert found.n_participants < table["participant_id"].nunique()
    alone = compare_models(table.assign(family_id=None), "dice").comparisons
    pd.testing.assert_frame_equal(alone, compare_models(table, "dice").comparisons)
