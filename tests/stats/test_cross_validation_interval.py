import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from clinicadl_trust import stats
from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats import NestedLosses, cross_validation_interval
from clinicadl_trust.stats.cross_validation.corrected import corrected_interval


def table(n=100, n_folds=5, visits=1, effect=1.0, n_repeats=1):
    rng = np.random.default_rng(0)
    label = np.arange(n) % 2
    parts = []
    for repeat in range(n_repeats):
        fold = np.empty(n, dtype=int)
        for code in (0, 1):
            people = rng.permutation(np.flatnonzero(label == code))
            fold[people] = np.arange(people.size) % n_folds
        for visit in range(visits):
            scores = effect * label + rng.normal(size=n)
            part = {
                "participant_id": [f"sub-{i}" for i in range(n)],
                "session_id": f"ses-{visit}",
                "repeat": repeat,
                "split": fold,
                "label": label,
                "score": 1 / (1 + np.exp(-scores)),
            }
            parts.append(pd.DataFrame(part))
    return pd.concat(parts, ignore_index=True)


LOSSES = NestedLosses(
    outer=np.array([[0.0, 1, 0, 1, 1, 0]]),
    inner=np.where(
        np.eye(3, dtype=bool)[[0, 0, 1, 1, 2, 2]],
        np.nan,
        np.array([[0.0, 1, 0], [1, 0, 1], [0, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 0]]),
    )[None],
    folds=np.array([[0, 0, 1, 1, 2, 2]]),
)


def test_the_corrected_one_is_the_default_and_takes_fold_values():
    made = cross_validation_interval([0.6, 0.7, 0.8], 80, 40, 0.9, bounds=(0, 1))
    assert made == corrected_interval([0.6, 0.7, 0.8], 80, 40, 0.9, bounds=(0, 1))
    assert made == cross_validation_interval(
        [0.6, 0.7, 0.8], 80, 40, 0.9, bounds=(0, 1), method="corrected"
    )


def test_the_nested_one_takes_nested_losses():
    made = cross_validation_interval(LOSSES, method="nested", bounds=(0, 1))
    again = stats.nested_cross_validation_interval(LOSSES, bounds=(0, 1))
    assert str(made) == str(again)


def test_the_pooled_one_adds_up_the_variances_of_the_folds():
    rows = table()
    made = cross_validation_interval(rows, method="pooled")
    folds = [
        stats.roc_auc(part["label"], part["score"]) for _, part in rows.groupby("split")
    ]
    assert made.value == pytest.approx(np.mean([fold.value for fold in folds]))
    # Folds of one size: DeLong's variances, each with its own n / (n - 1).
    error = math.sqrt(sum(fold.standard_error**2 for fold in folds)) / len(folds)
    assert made.standard_error == pytest.approx(error)
    assert made.low < made.value < made.high
    assert made.calibration == "approximate"
    assert (made.n, made.n_clusters, made.df) == (100, 100, 45.0)
    assert "cover" in made.warnings[0]
    evaluated = stats.evaluate(rows, "roc_auc")
    assert evaluated["value"].item() == pytest.approx(made.value)


@pytest.mark.parametrize("metric", ["roc_auc", "balanced_accuracy", "brier"])
def test_copies_of_images_and_repeats_add_nothing_to_the_pooled_one(metric):
    rows = table()
    made = cross_validation_interval(rows, method="pooled", metric=metric)
    twice = pd.concat([rows, rows.assign(session_id="ses-again")])
    copied = cross_validation_interval(twice, method="pooled", metric=metric)
    again = pd.concat([rows, rows.assign(repeat=1)])
    repeated = cross_validation_interval(again, method="pooled", metric=metric)
    for other in (copied, repeated):
        assert other.standard_error == pytest.approx(made.standard_error)
        assert (other.low, other.high) == pytest.approx((made.low, made.high))
        assert other.n_clusters == 100


def test_the_pooled_one_knows_other_tasks():
    rng = np.random.default_rng(1)
    rows = table().assign(label=rng.normal(size=100))
    made = cross_validation_interval(rows, method="pooled", metric="mae")
    assert made.low < made.value < made.high


@pytest.mark.parametrize(
    ("values", "options", "words"),
    [
        ([0.5, 0.6], {}, "needs n_train and n_test.*list of numbers"),
        ([0.5, 0.6], {"n_train": 4}, "got 4 and None"),
        ([0.5, 0.6], {"method": "pooled"}, "DataFrame.*got a list.*for.*'corrected'"),
        ([0.5, 0.6], {"method": "nested"}, "NestedLosses.*for method='corrected'"),
        (LOSSES, {}, "got a NestedLosses. .*for method='nested'"),
        (LOSSES, {"method": "nested", "n_train": 5}, "no use for n_train"),
        (table(), {}, "got a DataFrame. .*for method='pooled'"),
        (table(), {"method": "pooled", "n_test": 5}, "no use for n_test"),
        (table(), {"method": "pooled", "bounds": (0, 1)}, "no use for bounds"),
        ([0.5], {"metric": "brier", "n_train": 1, "n_test": 1}, "no use for metric"),
        ([0.5], {"method": "polled"}, "'pooled'"),
        (table(), {"method": "pooled", "metric": "auc"}, "roc_auc"),
        (table(n_folds=1), {"method": "pooled"}, "single test group"),
        (
            table().assign(split=lambda r: r["split"].where(r["label"] == 0, 1)),
            {"method": "pooled"},
            "Repeat 0, fold 0: .* no positive image.*fewer folds",
        ),
        (
            pd.concat([table(), table().assign(model="other")]),
            {"method": "pooled"},
            "2 cross-validations: 'model' on 'given', 'other' on 'given'",
        ),
        (
            table(visits=2).assign(split=np.arange(200) // 50),
            {"method": "pooled"},
            "leak",
        ),
        (
            table().assign(site=lambda rows: rows["split"].astype(str)),
            {"method": "pooled"},
            "Whole sites are left out.*unit_interval",
        ),
    ],
)
def test_refusals_say_which_input_a_method_wants(values, options, words):
    with pytest.raises(StatisticsError, match=words):
        cross_validation_interval(values, **options)


def test_one_participant_of_a_class_in_each_fold_gives_no_pooled_interval():
    rows = table(10)
    made = cross_validation_interval(rows, method="pooled")
    assert math.isnan(made.low)
    assert "interval" in " ".join(made.warnings)


def test_all_right_is_not_certain():
    rows = table()
    rows["score"] = 0.1 + 0.8 * rows["label"]
    made = cross_validation_interval(rows, method="pooled")
    assert made.value == made.high == 1.0
    assert 0.8 < made.low < 1.0
    assert replace(made, warnings=()).standard_error == 0.0
