"""Each rule, on the smallest tables that make it speak."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clinicadl_trust.report.benchmark import Benchmark, Model, Strategy
from clinicadl_trust.report.claims import claims

CNN, SVM = Model("cnn", "trainer"), Model("svm", "scikit-learn")
METADATA = Model("metadata", "metadata")
SEALED = Strategy("sealed", "one matched test set", "participant", sealed=True)
FOLDS = Strategy("folds", "participants in k folds", "participant")
SITES = Strategy("sites", "leave one site out", "site")
SCANS = Strategy("scans", "scans in k folds", "scan", leaky=True)

CLEAN_AUDIT = pd.DataFrame(columns=["severity", "code", "where", "message"])


def estimate(model, value, low, high, strategy="sealed", metric="roc_auc", **more):
    return {
        "kind": "estimate",
        "metric": metric,
        "model": model,
        "split_strategy": strategy,
        "group": "test",
        "value": value,
        "low": low,
        "high": high,
        "confidence_level": 0.95,
        "calibration": "calibrated",
    } | more


def difference(model, reference, value, low, high, p_value, p_adjusted, **more):
    return estimate(model, value, low, high, **more) | {
        "kind": "comparison",
        "reference": reference,
        "p_value": p_value,
        "p_adjusted": p_adjusted,
    }


def benchmark(*rows, sites=4, strategies=(SEALED,), models=(CNN, METADATA), **more):
    cohort = pd.DataFrame({"site": [f"s{n}" for n in range(sites)]}) if sites else None
    info = {
        "task": {
            "kind": "classification",
            "label": "diagnosis",
            "classes": ["CN", "AD"],
        },
        "primary_metric": "roc_auc",
        "finished": "2026-11-20",
    }
    fields = {
        "directory": Path(),
        "info": info | more.pop("info", {}),
        "strategies": strategies,
        "models": models,
        "cohort": cohort,
        "audit": CLEAN_AUDIT,
        "statistics": pd.DataFrame(list(rows)) if rows else None,
    }
    return Benchmark(**(fields | more))


def said(found, verdict):
    return [claim.statement for claim in found if claim.verdict == verdict]


GOOD = estimate("cnn", 0.85, 0.75, 0.92)
BETTER = difference("cnn", "metadata", 0.3, 0.15, 0.42, 0.001, 0.003)


SKILL = "cnn tells AD from CN better than guessing, in people it has never seen."
BEYOND = "cnn does better than age, sex and site alone."


def test_an_image_model_that_beats_guessing_and_the_metadata_may_be_claimed():
    found = claims(benchmark(GOOD, BETTER))
    assert said(found, "may") == [SKILL, BEYOND]
    assert "ROC AUC on the sealed test group: 0.85 (0.75 to 0.92)." in found[0].reason
    assert "+0.30 (+0.15 to +0.42, adjusted p = 0.003)" in found[1].reason


def test_models_of_one_verdict_share_a_sentence():
    rows = [
        GOOD,
        BETTER,
        estimate("svm", 0.9, 0.8, 0.95),
        difference("svm", "metadata", 0.3, 0.2, 0.4, 0.001, 0.002),
    ]
    found = claims(benchmark(*rows, models=(CNN, SVM, METADATA)))
    assert said(found, "may") == [
        "cnn and svm tell AD from CN better than guessing, in people they have never "
        "seen.",
        "cnn and svm do better than age, sex and site alone.",
    ]
    assert found[0].reason.splitlines() == [
        "ROC AUC on the sealed test group:",
        "cnn: 0.85 (0.75 to 0.92)",
        "svm: 0.90 (0.80 to 0.95)",
    ]


def test_the_direction_in_which_a_comparison_was_written_does_not_matter():
    turned = difference("metadata", "cnn", -0.3, -0.42, -0.15, 0.001, 0.003)
    assert claims(benchmark(GOOD, turned)) == claims(benchmark(GOOD, BETTER))


def test_chance_inside_the_interval_forbids_the_claim():
    found = claims(benchmark(estimate("cnn", 0.62, 0.49, 0.74), BETTER))
    assert said(found, "may") == []
    assert "That cnn does better than guessing." in said(found, "may not")
    assert "where guessing scores 0.50: 0.62 (0.49 to 0.74)" in found[0].reason


def redrawn(model, p_value, metric="roc_auc"):
    row = estimate(model, 0.85, np.nan, np.nan, metric=metric)
    return row | {"kind": "chance", "p_value": p_value}


def test_refits_on_redrawn_labels_are_told_with_the_claim():
    found = claims(benchmark(GOOD, BETTER, redrawn("cnn", 0.005)))
    assert said(found, "may") == [SKILL, BEYOND]
    assert found[0].reason.endswith(
        "(0.75 to 0.92), refitted on redrawn labels p = 0.005."
    )


def test_refits_that_do_as_well_by_chance_forbid_the_claim():
    found = claims(benchmark(GOOD, BETTER, redrawn("cnn", 0.2)))
    assert "That cnn does better than guessing." in said(found, "may not")
    assert "guessing scores 0.50: 0.85 (0.75 to 0.92), refitted" in found[0].reason


def test_refits_say_what_guessing_scores_where_that_has_no_fixed_value():
    info = {"task": {"kind": "regression", "label": "age"}, "primary_metric": "mae"}
    rows = [estimate("cnn", 4.0, 3.5, 4.6, metric="mae")]
    assert not any(
        "guessing" in c.statement for c in claims(benchmark(*rows, info=info))
    )
    for p_value, verdict in ((0.01, "may"), (0.4, "may not")):
        chance = redrawn("cnn", p_value, metric="mae")
        found = claims(benchmark(*rows, chance, info=info))
        assert any("guessing" in text for text in said(found, verdict))
        assert all("where guessing scores" not in claim.reason for claim in found)


def test_worse_than_chance_is_no_skill():
    found = claims(benchmark(estimate("cnn", 0.2, 0.1, 0.3), BETTER))
    assert said(found, "may") == []
    assert "That cnn does better than guessing." in said(found, "may not")


def test_no_interval_is_no_claim():
    found = claims(benchmark(estimate("cnn", 0.9, np.nan, np.nan), BETTER))
    assert said(found, "may") == []


@pytest.mark.parametrize(
    "against",
    [
        difference("cnn", "metadata", 0.05, -0.02, 0.12, 0.2, 0.4),
        # The interval is not adjusted for the number of comparisons, the p-value is.
        difference("cnn", "metadata", 0.1, 0.01, 0.2, 0.04, 0.12),
        difference("cnn", "metadata", -0.3, -0.4, -0.2, 0.001, 0.002),
        difference("cnn", "metadata", 0.3, np.nan, np.nan, np.nan, np.nan),
    ],
)
def test_not_beating_the_metadata_forbids_the_claim_on_the_image(against):
    found = claims(benchmark(GOOD, against))
    assert said(found, "may") == [SKILL]
    assert f"That {BEYOND}" in said(found, "may not")


def test_a_single_comparison_needs_no_adjustment():
    row = difference("cnn", "metadata", 0.1, 0.01, 0.2, 0.04, np.nan)
    assert BEYOND in said(claims(benchmark(GOOD, row)), "may")


def test_without_a_comparison_nothing_is_known_of_the_image():
    found = claims(benchmark(GOOD))
    assert said(found, "may") == [SKILL]
    assert f"That {BEYOND}" in said(found, "may not")


@pytest.mark.parametrize(
    ("low", "verdict", "start"),
    [(0.55, "note", "Age, sex and site"), (0.4, "may not", "That age, sex and site")],
)
def test_what_age_sex_and_site_tell_by_themselves(low, verdict, start):
    found = claims(benchmark(GOOD, estimate("metadata", 0.66, low, 0.84)))
    statement = f"{start} alone tell AD from CN better than guessing."
    assert statement in said(found, verdict)


def test_without_the_baseline_nothing_is_known_of_the_image():
    found = claims(benchmark(GOOD, models=(CNN,)))
    assert said(found, "may") == [SKILL]
    assert "That cnn learned anything from the image." in said(found, "may not")


def test_lower_is_better_for_an_error():
    info = {"task": {"kind": "regression", "label": "age"}, "primary_metric": "mae"}
    rows = [
        estimate("cnn", 4.0, 3.5, 4.6, metric="mae"),
        difference("cnn", "metadata", -2, -2.6, -1.3, 0.001, 0.001, metric="mae"),
    ]
    found = claims(benchmark(*rows, info=info))
    assert said(found, "may") == [BEYOND]


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [difference("cnn", "majority", -0.5, -1.2, 0.2, 0.1, 0.2, metric="mae")],
    ],
)
def test_an_error_must_also_beat_always_giving_the_same_answer(rows):
    info = {"task": {"kind": "regression", "label": "age"}, "primary_metric": "mae"}
    rows = [
        estimate("cnn", 4.0, 3.5, 4.6, metric="mae"),
        difference("cnn", "metadata", -2, -2.6, -1.3, 0.001, 0.001, metric="mae"),
        *rows,
    ]
    models = (CNN, METADATA, Model("majority", "majority"))
    found = claims(benchmark(*rows, info=info, models=models))
    assert said(found, "may") == [BEYOND]
    assert "That cnn does better than always giving the same answer." in said(
        found, "may not"
    )


def test_the_sealed_group_decides_even_when_cross_validation_flatters():
    rows = [
        estimate("cnn", 0.55, 0.4, 0.7),
        estimate("cnn", 0.9, 0.85, 0.95, strategy="folds"),
        difference("cnn", "metadata", 0.4, 0.3, 0.5, 0.001, 0.001, strategy="folds"),
    ]
    found = claims(benchmark(*rows, strategies=(SEALED, FOLDS)))
    assert said(found, "may") == []


def test_a_leaky_split_is_never_evidence():
    rows = [
        estimate("svm", 0.99, 0.97, 1.0, strategy="scans"),
        difference("svm", "metadata", 0.4, 0.3, 0.5, 0.001, 0.001, strategy="scans"),
    ]
    found = claims(benchmark(*rows, strategies=(SCANS,), models=(SVM, METADATA)))
    assert said(found, "may") == []
    assert "Anything about how well a model does." in said(found, "may not")
    assert "Any number of the split 'scans'." in said(found, "may not")


def test_a_leak_in_an_honest_split_forbids_everything():
    leak = {
        "severity": "leak",
        "code": "participant-overlap",
        "where": "sealed/repeat-0/split-0",
        "message": "3 participants are in train and in test.",
        "what_to_do": "Split again.",
    }
    found = claims(benchmark(GOOD, BETTER, audit=pd.DataFrame([leak])))
    assert said(found, "may") == []
    assert "until the leak is mended" in said(found, "may not")[0]
    assert "3 participants" in found[0].reason


def test_the_leak_of_the_leaky_split_forbids_nothing_else():
    leak = {"severity": "leak", "where": "scans/repeat-0/split-0", "message": "leak"}
    found = claims(
        benchmark(GOOD, BETTER, strategies=(SEALED, SCANS), audit=pd.DataFrame([leak]))
    )
    assert said(found, "may") == [SKILL, BEYOND]


def test_an_expected_leak_forbids_nothing_else():
    leak = {"severity": "leak", "where": "a fold", "message": "x", "expected": True}
    found = claims(benchmark(GOOD, BETTER, audit=pd.DataFrame([leak])))
    assert said(found, "may") == [SKILL, BEYOND]


def test_models_are_called_by_their_label():
    models = (Model("cnn", "trainer", "Small 3D network"), METADATA)
    statement, _ = said(claims(benchmark(GOOD, BETTER, models=models)), "may")
    assert statement.startswith("“Small 3D network” tells")


def test_an_undecided_ranking_is_said_to_be_undecided():
    rows = [
        GOOD,
        estimate("svm", 0.88, 0.8, 0.95),
        difference("svm", "cnn", 0.03, -0.05, 0.1, 0.4, 0.8),
    ]
    found = claims(benchmark(*rows, models=(CNN, SVM, METADATA)))
    assert "Which of cnn and svm is best." in said(found, "may not")


def test_a_settled_ranking_names_the_better_model():
    row = difference("cnn", "svm", -0.1, -0.15, -0.05, 0.001, 0.002)
    rows = [GOOD, estimate("svm", 0.95, 0.9, 0.99), row]
    found = claims(benchmark(*rows, models=(CNN, SVM, METADATA)))
    assert "svm does better than cnn on the sealed test group." in said(found, "may")


HOSPITAL = "How well a model will do in a hospital that is not in this study."


@pytest.mark.parametrize("sites", [0, 1, 4, 7])
def test_few_sites_say_nothing_of_other_hospitals(sites):
    found = claims(benchmark(GOOD, BETTER, sites=sites, strategies=(SEALED, SITES)))
    assert HOSPITAL in said(found, "may not")


def test_many_sites_all_learned_from_say_nothing_of_other_hospitals():
    assert HOSPITAL in said(claims(benchmark(GOOD, BETTER, sites=9)), "may not")


@pytest.mark.parametrize(("low", "verdict"), [(0.7, "may"), (0.45, "may not")])
def test_enough_left_out_sites_say_something(low, verdict):
    row = estimate("cnn", 0.8, low, 0.9, strategy="sites")
    found = claims(benchmark(GOOD, row, sites=9, strategies=(SEALED, SITES)))
    assert HOSPITAL not in said(found, "may not")
    assert any("it did not learn from" in text for text in said(found, verdict))


def test_nothing_is_claimed_without_statistics():
    found = claims(benchmark())
    assert said(found, "may") == []
    assert "Anything about how well a model does." in said(found, "may not")


def test_synthetic_images_say_nothing_of_a_disease():
    info = {"cohort": {"generated": {"participants": 10}}}
    assert "Anything about a disease." in said(
        claims(benchmark(GOOD, info=info)), "may not"
    )
    assert "Anything about a disease." not in said(claims(benchmark(GOOD)), "may not")


def test_usefulness_to_patients_is_never_claimed():
    assert "That a model helps patients." in said(claims(benchmark(GOOD)), "may not")


def test_numbers_under_a_shift_are_said_to_be_so():
    note = "The test images are of another kind than those of the training."
    image = {"data_type": "t1_linear", "suffix": "T1w"}
    shifted = benchmark(GOOD, info={"cohort": {"test_image": image}})
    assert note in said(claims(shifted), "note")
    plain = benchmark(GOOD, info={"cohort": {"test_image": None}})
    assert note not in said(claims(plain), "note")


def test_reservations_are_named():
    failures = pd.DataFrame([{"model": "cnn"}])
    runs = pd.DataFrame([{"model": "cnn", "seed": 0}, {"model": "cnn", "seed": 0}])
    warning = {"severity": "warning", "where": "cohort", "message": "Site and label."}
    rows = [GOOD | {"split_strategy": "folds", "calibration": "approximate"}]
    notes = said(
        claims(
            benchmark(
                *rows,
                strategies=(FOLDS,),
                failures=failures,
                runs=runs,
                audit=pd.DataFrame([warning]),
                info={
                    "finished": None,
                    "history": [
                        {"date": "2026-12-01T10:00:00", "added": ["models.cnn"]}
                    ],
                },
            )
        ),
        "note",
    )
    assert notes == [
        "No test group was sealed.",
        "The intervals of folds are approximate.",
        "cnn was trained from one seed.",
        "Added on 2026-12-01: models.cnn.",
        "1 run failed.",
        "The benchmark is not finished.",
        "Site and label.",
    ]


def test_intervals_over_sites_are_said_to_be_too_short():
    rows = [GOOD, estimate("cnn", 0.8, 0.7, 0.9, "sites", calibration="approximate")]
    (note,) = [
        claim
        for claim in claims(benchmark(*rows, strategies=(SEALED, SITES)))
        if claim.statement == "The intervals of sites are approximate."
    ]
    assert "too short" in note.reason


def test_intervals_of_a_test_group_are_named_by_their_metric():
    precision = estimate("cnn", 0.8, 0.7, 0.9, metric="average_precision")
    rows = [GOOD, precision | {"calibration": "approximate"}]
    (note,) = [
        claim for claim in claims(benchmark(*rows)) if "approximate" in claim.statement
    ]
    assert note.statement == (
        "On sealed the interval of Average precision is approximate."
    )
    assert "cross-validation" not in note.reason


def test_runs_of_different_versions_are_named():
    versions = [{"torch": "2.6.0", "numpy": "2.3.5"}, {"torch": "2.7.0"}, None]
    runs = pd.DataFrame(
        {"model": "cnn", "seed": [0, 1, 2], "versions": versions}, dtype=object
    )
    (note,) = said(claims(benchmark(GOOD, BETTER, runs=runs)), "note")
    assert note == "The runs were made with different versions: torch 2.6.0 and 2.7.0."
    same = runs.iloc[[0, 0, 2]].assign(seed=[0, 1, 2])
    assert said(claims(benchmark(GOOD, BETTER, runs=same)), "note") == []


def test_a_pair_that_nobody_asked_about_is_exploratory():
    rows = [
        GOOD,
        BETTER,
        estimate("svm", 0.95, 0.9, 0.99),
        difference("cnn", "svm", -0.1, -0.15, -0.05, 0.001, 0.002),
    ]
    models = (CNN, SVM, METADATA)
    found = claims(benchmark(*rows, models=models, info={"reference": "metadata"}))
    told = {claim.statement: claim.reason for claim in found}
    assert told["svm does better than cnn on the sealed test group."].endswith(
        "adjusted p = 0.002); exploratory."
    )
    assert "exploratory" not in told[BEYOND]
    plain = claims(benchmark(*rows, models=models))
    assert not any("exploratory" in claim.reason for claim in plain)


def test_several_seeds_need_no_reservation():
    runs = pd.DataFrame([{"model": "cnn", "seed": 0}, {"model": "cnn", "seed": 1}])
    assert said(claims(benchmark(GOOD, BETTER, runs=runs)), "note") == []


def test_splits_that_were_not_audited_are_said_to_be():
    assert "The splits were not audited." in said(
        claims(benchmark(GOOD, audit=None)), "note"
    )
