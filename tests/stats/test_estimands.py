"""Evaluate and compare follow the question that they are asked."""

import pytest
from predictions_factory import concat, folds, held_out

from clinicadl_trust import stats
from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats import on_predictions

SEALED = held_out(participants=60, sites=6)
TABLE = concat(
    [
        SEALED,
        folds(participants=60, sites=6),
        folds(by="site", participants=60, sites=6, n_splits=6),
    ]
)


def primary(table):
    return table[table["primary"]]


@pytest.mark.parametrize(
    ("estimand", "strategy", "about"),
    [
        ("patient", "sealed", "a new patient of"),
        ("retrained", "participants", "a retrained model and a new patient"),
        ("hospital", "sites", "a retrained model in a new hospital"),
    ],
)
def test_the_primary_answer_is_about_what_was_asked(estimand, strategy, about):
    for function in (stats.evaluate, stats.compare):
        rows = primary(function(TABLE, "roc_auc", estimand=estimand))
        assert set(rows["split_strategy"]) == {strategy}
        assert rows["estimand"].str.startswith(about).all()
        assert len(function(TABLE, "roc_auc")) == len(
            function(TABLE, "roc_auc", estimand=estimand)
        )


@pytest.mark.parametrize("estimand", ["patient", "hospital", "retrained"])
def test_what_is_recommended_is_what_is_run(estimand):
    made = stats.recommend(TABLE, estimand)
    row = primary(stats.compare(TABLE, "roc_auc", estimand=estimand)).iloc[0]
    direct = {"compare": "compare_roc_auc"}.get(made.compare, made.compare)
    answers = getattr(on_predictions, direct)(
        TABLE,
        model=row["model"],
        reference=row["reference"],
        split_strategy=made.split_strategy,
    )
    assert answers.answers[0].result.p_value == pytest.approx(row["p_value"])


def test_the_sites_of_a_test_group_are_counted_once_each():
    estimates = stats.evaluate(SEALED, "roc_auc", estimand="hospital")
    sites = stats.site_metrics(SEALED, "roc_auc").query("model == 'cnn'")
    row = estimates.query("model == 'cnn'").iloc[0]
    assert row["value"] == pytest.approx(sites["value"].mean())
    assert row["df"] == 5 and "t over sites" in row["method"]
    assert "rather too good" in row["warnings"]
    row = stats.compare(SEALED, "roc_auc", estimand="hospital").iloc[0]
    made = on_predictions.unit_ttest(SEALED).answers[0].result
    assert (row["p_value"], row["df"]) == (pytest.approx(made.p_value), 5)
    assert row["estimand"] == "a new hospital, for these trained models"


@pytest.mark.parametrize(
    ("table", "estimand", "message"),
    [
        (folds(), "patient", "cannot tell of a new patient .* Seal a test"),
        (SEALED, "retrained", "cannot tell of a model trained again.*Cross-validate"),
        (held_out(sites=3), "hospital", "There are 3 sites"),
        (SEALED, "patients", "Did you mean 'patient'"),
    ],
)
def test_what_a_table_cannot_tell_is_refused_with_what_to_do(table, estimand, message):
    for function in (stats.evaluate, stats.compare):
        with pytest.raises(StatisticsError, match=message):
            function(table, estimand=estimand)


def test_the_sentences_are_for_people():
    text = stats.recommend(SEALED, "patient").sentences
    assert text.startswith("The question is about a new patient of these hospitals")
    assert "60 participants are the units" in text
    assert "Wrong here: DeLong or a bootstrap over images" in text
    assert stats.recommend(folds(), None).estimand == "retrained"


def test_a_number_that_is_not_there_is_a_sentence():
    nan = float("nan")
    common = {
        "low": nan,
        "high": nan,
        "method": "none",
        "calibration": "approximate",
        "n": 0,
        "n_clusters": 0,
        "confidence_level": 0.95,
        "standard_error": nan,
    }
    made = stats.Estimate(value=nan, warnings=("No image.",), **common)
    assert str(made) == "No value: No image."
    made = stats.Comparison(
        effect=nan, p_value=nan, statistic=nan, df=nan, estimand="", **common
    )
    assert str(made) == "No difference: it is undefined on these data."
    made = stats.Estimate(value=0.5, warnings=("One participant.",), **common)
    assert "0.500 without an interval" in str(made) and "nan" not in str(made)
