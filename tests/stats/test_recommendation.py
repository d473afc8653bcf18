"""Recommendations follow from how a table was split."""

import pytest
from predictions_factory import concat, folds, held_out

from clinicadl_trust import stats
from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.recommendation import recommend

TABLE = concat(
    [
        held_out(participants=48, sites=6),
        folds(participants=48, sites=6),
        folds(by="site", participants=48, sites=6, n_splits=6),
        folds(by="scan", participants=48, sites=6, visits=3),
    ]
)


@pytest.mark.parametrize(
    ("estimand", "strategy", "estimate", "compare"),
    [
        ("patient", "sealed", "evaluate", "compare"),
        ("hospital", "site", "unit_interval", "unit_ttest"),
        (
            "retrained",
            "participant",
            "cross_validation_interval",
            "corrected_resampled_ttest",
        ),
    ],
)
def test_each_question_has_its_split_and_its_procedure(
    estimand, strategy, estimate, compare
):
    made = recommend(TABLE, estimand)
    assert strategy in made.split_strategy
    assert (made.estimate, made.compare) == (estimate, compare)
    assert callable(getattr(stats, made.estimate))
    assert callable(getattr(stats, made.compare))
    assert made.n_participants == 48 and made.n_sites == 6
    assert f"Use stats.{estimate}" in str(made)
    assert made.to_frame()["reason"][0] == made.reason


@pytest.mark.parametrize(
    ("table", "estimand"),
    [
        (held_out(), "patient"),
        (folds(), "retrained"),
        (folds(by="site", sites=6, n_splits=6), "hospital"),
    ],
)
def test_without_a_question_it_is_the_one_that_the_table_was_made_for(table, estimand):
    made = recommend(table)
    assert made.estimand == estimand and made.estimate


def test_what_is_wrong_is_a_list_that_reads_as_one():
    made = recommend(TABLE, "retrained")
    assert made.sentences.count(";") == len(made.wrong) - 1


def test_what_would_be_wrong_is_said_with_figures():
    wrong = recommend(TABLE, "retrained").wrong.set_index("procedure")["reason"]
    assert ".84" in wrong["one AUC of pooled out-of-fold scores"]
    assert ".15" in wrong["permuting the labels of out-of-fold scores"]
    assert ".79" in wrong["a bootstrap over 6 sites"]
    assert ".71" in wrong["DeLong or a bootstrap over images"]
    pooled = recommend(TABLE, "hospital").wrong["procedure"]
    assert "one AUC of pooled left-out sites" in set(pooled)


def test_delong_is_no_mistake_that_one_makes_with_ages():
    ages = held_out(visits=2).assign(label=70.5, score=71.0)
    ages["label"] += ages.groupby("model").cumcount()
    assert "DeLong" not in recommend(ages).sentences
    assert "a bootstrap over images" in recommend(ages).sentences


@pytest.mark.parametrize(
    ("table", "estimand", "reason"),
    [
        (held_out(), "retrained", "tested once"),
        (held_out(sites=4), "hospital", "There are 4 sites"),
        (folds(), "patient", "Seal a test"),
        (folds(), "hospital", "LeaveOneSiteOut"),
        (folds(by="site"), "retrained", "estimand hospital"),
        (held_out().drop(columns="site"), "hospital", "no 'site'"),
    ],
)
def test_what_a_table_cannot_answer_is_said(table, estimand, reason):
    made = recommend(table, estimand)
    assert made.estimate == made.compare == made.split_strategy == ""
    assert reason in made.reason and str(made).startswith("No procedure.")


def test_families_are_the_units_where_they_are_known():
    table = held_out(participants=40)
    number = table["participant_id"].str[4:].astype(int)
    families = table.assign(family_id="f" + (number // 2).astype(str))
    assert "its 40 participants are the units" in recommend(table).reason
    assert "its 20 families (of 40 participants) are" in recommend(families).reason


def test_left_out_scanners_are_no_hospitals():
    scanners = folds(by="site", sites=6, n_splits=6).rename(columns={"site": "scanner"})
    said = recommend(scanners).sentences
    assert "about a scanner not seen" in said and "as a new scanner" in said
    assert "hospital" not in said and "pooled left-out scanners" in said


def test_many_sites_of_a_test_group_tell_of_a_new_hospital():
    made = recommend(held_out(participants=60, sites=10), "hospital")
    assert (made.estimate, made.compare) == ("unit_interval", "unit_ttest")
    assert "prediction interval" in made.reason and "10 sites" in made.reason
    assert "counting patients, not hospitals" in set(made.wrong["procedure"])


def test_a_leaky_split_is_refused():
    leaky = folds(by="scan", visits=3)
    with pytest.raises(StatisticsError, match="No split strategy gives a result"):
        recommend(leaky)
    name = leaky["split_strategy"].iloc[0]
    assert "split again" in recommend(leaky, split_strategy=name).reason


def test_mistakes_are_named():
    with pytest.raises(StatisticsError, match="Did you mean 'hospital'"):
        recommend(TABLE, "hospitals")
    with pytest.raises(StatisticsError, match="No split strategy is called 'x'"):
        recommend(TABLE, split_strategy="x")
