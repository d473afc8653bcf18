"""Each statistic on a predictions table: the rows it takes, and those it refuses."""

import inspect
from configparser import ConfigParser
from importlib import import_module
from pathlib import Path

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

import clinicadl_trust
from clinicadl_trust import stats
from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats import on_predictions
from clinicadl_trust.stats.on_predictions import Answers

MODELS = {"cnn": 1.5, "svm": 1.0, "metadata": 0.2}
SEALED = held_out(MODELS, participants=60, sites=6)
SINGLE = held_out(MODELS, participants=60, visits=1, sites=6)
FOLDS = folds(MODELS, participants=60, repeats=2)
SEEDS = concat(
    predict(cohort(60, sites=6), model, effect, seed)
    for model, effect in MODELS.items()
    for seed in range(3)
)
SITES = folds(MODELS, by="site", participants=60, sites=6, n_splits=6)
READ = concat(
    held_out({f"r{n} {way}": effect}, participants=60, visits=1).assign(
        reader=f"r{n}",
        treatment=way,
        # Half of what a reader sees is theirs alone.
        score=lambda table, n=n: table["score"] + np.sin(n + 7 * np.arange(60)) / 4,
    )
    for n in range(4)
    for way, effect in (("aided", 2.0), ("unaided", 1.0))
)

#: What each of them is made for.
TABLES = {
    "mrmc": (READ,),
    "bayesian_correlated_ttest": (FOLDS,),
    "cohen_kappa": (SINGLE,),
    "corrected_kfold_ttest": (FOLDS,),
    "corrected_resampled_ttest": (FOLDS,),
    "cross_validation_interval": (FOLDS,),
    "heterogeneity": (SEALED, SITES),
    "icc": (SINGLE,),
    "seed_ttest": (SEEDS,),
    "unit_interval": (SEALED, SITES),
    "unit_ttest": (SEALED, SITES),
}
SPECIAL = (
    "cohen_kappa",
    "icc",
    "mrmc",
    "seed_ttest",
)  # refuse other tables for other reasons
FUNCTIONS = [
    name
    for name in on_predictions.__all__
    if inspect.isfunction(getattr(on_predictions, name))
]


def call(name, table, **options):
    function = getattr(on_predictions, name)
    known = inspect.signature(function).parameters
    quick = {"by": "site", "n_resamples": 199, "n_simulations": 99}
    return function(table, **{k: v for k, v in quick.items() if k in known}, **options)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_answers_on_its_tables_and_refuses_all_others(name):
    assert callable(getattr(stats, name)), "no array function of that name"
    mine = TABLES.get(name, (SEALED,))
    for table in mine:
        made = call(name, table)
        assert isinstance(made, Answers) and len(made.answers)
        frame = made.to_frame()
        assert (frame["procedure"] == name).all() and frame.columns.is_unique
        assert name in str(made).splitlines()[0]
    for table, kind in ((SEALED, "sealed"), (FOLDS, "participants"), (SITES, "sites")):
        if not any(table is one for one in mine) and name not in SPECIAL:
            with pytest.raises(StatisticsError, match=f"'{kind}' .*(Use|seal|Seal|A )"):
                call(name, table)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_leaky_table_is_refused_by_all(name):
    leaky = folds(MODELS, by="scan", participants=60, visits=3)
    with pytest.raises(StatisticsError, match=r"is leaky .*split again"):
        call(name, leaky)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_order_of_rows_does_not_matter(name):
    table = TABLES.get(name, (SEALED,))[0]
    first = call(name, table).to_frame()
    again = call(name, table.sample(frac=1, random_state=3)).to_frame()
    pd.testing.assert_frame_equal(first, again, rtol=1e-6, check_exact=False)


def one(table, model):
    return table[table["model"] == model].sort_values(["participant_id", "session_id"])


def test_they_are_the_array_functions():
    cnn, svm = one(SEALED, "cnn"), one(SEALED, "svm")
    label, cluster = cnn["label"], cnn["participant_id"]
    made = on_predictions.roc_auc(SEALED, model="cnn").answers[0].result
    assert made.n_clusters == 60 and made.n == 120
    ours = stats.roc_auc(label, cnn["score"], cluster)
    assert (made.value, made.low, made.high) == (ours.value, ours.low, ours.high)
    made = on_predictions.compare_roc_auc(SEALED, model="cnn", reference="svm")
    ours = stats.compare_roc_auc(label, cnn["score"], svm["score"], cluster)
    assert made.answers[0].result.p_value == pytest.approx(ours.p_value)
    made = on_predictions.mcnemar(SINGLE, model="svm", reference="cnn").answers[0]
    right = [
        (one(SINGLE, m)["score"] >= 0.5) == one(SINGLE, m)["label"] for m in MODELS
    ]
    ours = stats.mcnemar(right[1].to_numpy(), right[0].to_numpy())
    assert made.result.p_value == pytest.approx(ours.p_value)
    assert made.result.method == ours.method


def test_families_are_the_units_where_they_are_known():
    number = SINGLE["participant_id"].str[4:].astype(int)
    table = SINGLE.assign(family_id="f" + (number // 2).astype(str))
    assert on_predictions.roc_auc(table).answers[0].result.n_clusters == 30
    assert on_predictions.roc_auc(SINGLE).answers[0].result.n_clusters == 60


def test_folds_and_sites_agree_with_compare():
    row = stats.compare(FOLDS, "roc_auc", reference="svm").iloc[0]
    made = on_predictions.corrected_resampled_ttest(
        FOLDS, "roc_auc", model="cnn", reference="svm"
    )
    assert made.answers[0].result.p_value == pytest.approx(row["p_value"])
    row = stats.compare(SITES, "roc_auc", reference="svm").iloc[0]
    made = on_predictions.unit_ttest(SITES, model="cnn", reference="svm")
    assert made.answers[0].result.p_value == pytest.approx(row["p_value"])
    assert "new hospital" in made.answers[0].result.estimand


def test_left_out_scanners_are_pooled_as_left_out_sites_are():
    scanners = SITES.rename(columns={"site": "scanner"})
    ours = on_predictions.heterogeneity(scanners, model="cnn").answers[0].result
    theirs = on_predictions.heterogeneity(SITES, model="cnn").answers[0].result
    assert ours.value == theirs.value and ours.n_sites == theirs.n_sites


def test_the_pooled_interval_of_folds():
    table = folds(MODELS, participants=60)
    made = on_predictions.cross_validation_interval(table, model="cnn", method="pooled")
    own = one(table, "cnn")
    ours = stats.cross_validation_interval(own, method="pooled")
    assert made.answers[0].result.low == pytest.approx(ours.low)
    assert "pooled within 4 folds" in str(made)
    with pytest.raises(StatisticsError, match="needs models to fit again"):
        on_predictions.cross_validation_interval(table, method="nested")


def test_the_p_values_of_several_pairs_are_adjusted():
    made = on_predictions.compare_roc_auc(SEALED)
    frame = made.to_frame()
    assert frame["p_adjusted"].tolist() == pytest.approx(stats.adjust(frame["p_value"]))
    assert str(made).count("by Holm over the pairs") == 3
    single = on_predictions.compare_roc_auc(SEALED, model="cnn", reference="svm")
    assert "p_adjusted" not in single.to_frame() and "Holm" not in str(single)


def test_an_error_speaks_for_the_model_that_has_less_of_it():
    made = on_predictions.bayesian_correlated_ttest(
        FOLDS, "brier", model="cnn", reference="metadata"
    )
    assert made.answers[0].result.p_better > 0.5


def test_fitting_strategies_are_taken_and_the_others_named():
    made = on_predictions.roc_auc(concat([SEALED, FOLDS]))
    assert {answer.split_strategy for answer in made.answers} == {"sealed"}
    assert any("'participants' is a cross-validation" in note for note in made.notes)
    with pytest.raises(StatisticsError, match="is a cross-validation"):
        on_predictions.roc_auc(concat([SEALED, FOLDS]), split_strategy="participants")


def test_seeds_are_trained_models_of_their_own():
    table = concat([SEALED.assign(seed=1), SEALED.assign(seed=2)])
    frame = on_predictions.roc_auc(table, model="cnn").to_frame()
    assert frame["seed"].tolist() == [1, 2]
    assert len(on_predictions.compare_roc_auc(table).answers) == 6
    table.loc[table["model"] == "svm", "seed"] += 5
    with pytest.raises(StatisticsError, match="none in common"):
        on_predictions.compare_roc_auc(table, model="cnn", reference="svm")
    single = concat([SINGLE.assign(seed=1), SINGLE.assign(seed=2)])
    agreement = on_predictions.icc(single, between="seeds", model="cnn")
    assert agreement.answers[0].result.value == pytest.approx(1)


def test_the_rows_of_a_participant_are_not_participants():
    for name in ("cohen_kappa", "icc"):
        with pytest.raises(StatisticsError, match=r"60 participants .* have several"):
            call(name, SEALED)
    with pytest.raises(StatisticsError, match=r"Add ' \+ \(1 \| participant_id\)'"):
        on_predictions.mixed_model(SEALED, "squared_error ~ model")
    fit = on_predictions.mixed_model(SEALED, "correct ~ model + (1 | participant_id)")
    assert "logistic" in str(fit)


def test_readers_are_people():
    made = on_predictions.mrmc(READ).answers[0].result
    row = READ.sort_values(["treatment", "reader", "participant_id"])
    ours = stats.mrmc(
        *(row[name].to_numpy() for name in ("score", "label", "reader")),
        row["participant_id"].to_numpy(),
        row["treatment"].to_numpy(),
    )
    pd.testing.assert_frame_equal(made.to_frame(), ours.to_frame())
    with pytest.raises(StatisticsError, match="names who read in 'reader'"):
        on_predictions.mrmc(SINGLE)
    twice = held_out(MODELS).assign(reader="a", treatment="b")
    with pytest.raises(StatisticsError, match="40 are further images"):
        on_predictions.mrmc(twice)


def test_scores_that_are_no_probabilities_are_refused_where_they_must_be():
    logits = SEALED.assign(score=5 * SEALED["score"] - 2)
    assert len(on_predictions.roc_auc(logits).answers) == 3
    for name in ("calibration_slope", "net_benefit", "brier_decomposition"):
        with pytest.raises(StatisticsError, match="needs probabilities"):
            call(name, logits)


def test_other_tasks_are_told():
    with pytest.raises(StatisticsError, match="these are regression"):
        on_predictions.roc_auc(regression())
    assert len(on_predictions.bootstrap(regression(), n_resamples=199).answers) == 2
    assert on_predictions.proportion(multiclass()).answers[0].result.n == 120


def test_unknown_names_are_told():
    with pytest.raises(StatisticsError, match="Did you mean 'cnn'"):
        on_predictions.roc_auc(SEALED, model="cn")
    with pytest.raises(StatisticsError, match="No split strategy is 'x'"):
        on_predictions.roc_auc(SEALED, split_strategy="x")
    with pytest.raises(StatisticsError, match="compared with itself"):
        on_predictions.compare_roc_auc(SEALED, model="cnn", reference="cnn")
    with pytest.raises(StatisticsError, match="no column 'site'"):
        on_predictions.unit_interval(SEALED.drop(columns="site"))


def test_a_plan_for_power_takes_two_models():
    made = on_predictions.required_sample_size(
        SEALED, power=0.8, difference=0.1, model="cnn", reference="svm"
    )
    assert made.answers[0].result.n_participants > 10
    with pytest.raises(StatisticsError, match="give power"):
        on_predictions.required_sample_size(SEALED, reference="svm")


def test_a_site_without_an_error_has_the_spread_that_its_interval_implies():
    table = held_out({"cnn": 1.5}, participants=80, visits=1, sites=8)
    rows = stats.site_metrics(table, "roc_auc").set_index("site")
    perfect = rows[rows["value"] == 1]
    assert len(perfect) == 2
    implied = (1 - perfect["low"]) / 1.959964
    assert np.allclose(perfect["standard_error"], implied)
    assert on_predictions.heterogeneity(table).answers[0].result.n_sites == 8


def test_each_is_registered_under_its_name():
    setup = ConfigParser(delimiters=("=",))
    setup.optionxform = str
    setup.read(Path(clinicadl_trust.__file__).parents[1] / "setup.cfg")
    if not setup.sections():
        pytest.skip("installed without its setup.cfg")
    lines = setup["options.entry_points"]["clinicadl.statistics"].strip().splitlines()
    entries = dict(line.split(" = ") for line in lines)
    for name in FUNCTIONS:
        module, _, attribute = entries[name].partition(":")
        assert getattr(import_module(module), attribute) is getattr(
            on_predictions, name
        )
