"""Permutation tests of models: exactness, error rate, mistakes."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.stats import permutation_test as scipy_permutation_test

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.resampling import permutation_test


def images(n_clusters=30, n_images=3, shift=0.0, seed=0):
    """Draw three models' scores, the second worse by ``shift``."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(n_clusters), n_images)
    label = (who % 2).astype(float)
    person = rng.normal(size=n_clusters)[who]
    draw = lambda: 0.6 * label + 0.5 * person + 0.5 * rng.normal(size=len(who))  # noqa: E731
    table = pd.DataFrame({"participant_id": who, "label": label})
    return table.assign(a=draw(), b=draw() - shift * label, c=draw())


def test_few_clusters_are_permuted_exactly():
    table = images(8, 1)
    made = permutation_test(table, "mean", models=["a", "b"], cluster=None)
    theirs = scipy_permutation_test(
        (table["a"], table["b"]),
        lambda x, y, axis: (x - y).mean(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf,
    )
    assert made.exact and made.n_resamples == 128
    assert_allclose(made.comparisons["p_value"][0], theirs.pvalue)
    assert_allclose(made.comparisons["effect"][0], (table["a"] - table["b"]).mean())


def test_five_sites_cannot_reject():
    made = permutation_test(
        images(5, 40, shift=9), "mean", models=["a", "b"], cluster="participant_id"
    )
    assert_allclose(made.smallest_p_value, 0.0625)
    assert_allclose(made.comparisons["p_value"][0], 0.0625)
    assert "cannot reject" in made.warnings[0] and "0.0625" in str(made)


def test_a_worse_model_is_found_among_its_pairs():
    made = permutation_test(
        images(60, shift=1.5),
        ["roc_auc", "mae"],
        models=["a", "b", "c"],
        cluster="participant_id",
        n_resamples=499,
    )
    table = made.to_frame().set_index(["metric", "model_a", "model_b"])
    assert len(table) == 6 and not made.exact
    assert table.loc[("roc_auc", "a", "b"), "p_adjusted"] < 0.05
    assert table.loc[("roc_auc", "a", "b"), "effect"] > 0
    assert table.loc[("roc_auc", "a", "c"), "p_adjusted"] > 0.05
    assert (table["p_adjusted"] >= table["p_value"]).all()


def test_scales_of_scores_do_not_matter_to_the_order():
    table = images(40)
    options = {"models": ["a", "b"], "cluster": "participant_id", "n_resamples": 199}
    one = permutation_test(table, "roc_auc", **options)
    other = permutation_test(table.assign(b=np.exp(table["b"])), "roc_auc", **options)
    pd.testing.assert_frame_equal(one.comparisons, other.comparisons)


def test_a_function_is_swapped_as_the_metric_is():
    table = images(20)
    options = {"models": ["a", "b"], "cluster": "participant_id", "n_resamples": 199}
    metric = permutation_test(table, "mae", **options).comparisons
    function = permutation_test(
        table, lambda label, score: np.abs(label - score).mean(), **options
    ).comparisons
    columns = ["effect", "p_value", "p_adjusted"]
    assert_allclose(metric[columns], function[columns])


@pytest.mark.parametrize("name", ["fold", "split"])
def test_out_of_fold_scores_are_warned_of(name):
    table = images(20)
    options = {"models": ["a", "b"], "cluster": "participant_id", "n_resamples": 99}
    folds = table.assign(**{name: np.arange(len(table)) % 5})
    made = permutation_test(folds, "mae", **options)
    assert "Scores of 5 folds" in made.warnings[0]
    assert "corrected_kfold_ttest" in made.warnings[0]
    one = permutation_test(table.assign(**{name: 0}), "mae", **options)
    assert one.warnings == ()
    assert_allclose(one.comparisons["p_value"], made.comparisons["p_value"])


def test_equal_models_are_rejected_at_the_nominal_rate():
    rejected = adjusted = 0
    for seed in range(300):
        made = permutation_test(
            images(24, 3, seed=seed),
            "mae",
            models=["a", "b", "c"],
            cluster="participant_id",
            n_resamples=199,
            seed=seed,
        ).comparisons
        rejected += int((made["p_value"] <= 0.05).sum())
        adjusted += bool((made["p_adjusted"] <= 0.05).any())
    assert 0.03 < rejected / 900 < 0.07
    assert adjusted / 300 < 0.09


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"models": ["a", "d"]}, "no column 'd'"),
        ({"models": ["a", "a"]}, "Two models or more.*refit_permutation_test"),
        ({"models": ["a"], "permute": "label"}, "share training .*refit_permutation"),
        ({"permute": "labels"}, "permute='labels' is unknown"),
        ({"cluster": None}, "cluster='participant_id'"),
        ({"cluster": "patient"}, "cluster='patient' is no column"),
        ({"n_resamples": 9}, "from 99 on"),
        ({"label": "truth"}, "no column 'truth'"),
        ({"statistic": "auc"}, "Unknown metric 'auc'"),
    ],
)
def test_mistakes_are_named(options, message):
    given = {
        "statistic": "roc_auc",
        "models": ["a", "b"],
        "cluster": "participant_id",
        **options,
    }
    with pytest.raises(StatisticsError, match=message):
        permutation_test(images(), given.pop("statistic"), **given)


def test_tables_that_say_nothing_are_refused():
    options = {"models": ["a", "b"], "cluster": "participant_id"}
    with pytest.raises(StatisticsError, match="empty"):
        permutation_test(images().head(0), "mean", **options)
    table = images()
    table.loc[3, "a"] = np.nan
    with pytest.raises(StatisticsError, match="1 of 90 scores of 'a' are missing"):
        permutation_test(table, "mean", **options)
    with pytest.raises(StatisticsError, match="undefined on some permutations"):
        permutation_test(images().assign(label=1.0), "roc_auc", **options)


def test_models_are_the_columns_of_scores():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(30, 2)), columns=["cnn", "svm"])
    table["label"] = rng.integers(0, 2, 30)
    table["participant_id"], table["site"] = np.arange(30) // 2, 1
    given = {"cluster": "participant_id", "n_resamples": 199}
    found = permutation_test(table, "roc_auc", **given)
    wanted = permutation_test(table, "roc_auc", models=["cnn", "svm"], **given)
    pd.testing.assert_frame_equal(found.comparisons, wanted.comparisons)
    with pytest.raises(StatisticsError, match=r"1 columns of scores \(cnn\)"):
        permutation_test(table.drop(columns="svm"), "roc_auc", **given)


@pytest.mark.parametrize(("n", "label"), [(5, "conservative"), (6, "calibrated")])
def test_too_few_clusters_are_in_the_label(n, label):
    table = pd.DataFrame({"a": np.arange(n) + 1.0, "b": 0.0})
    made = permutation_test(table, "mean", models=["a", "b"], cluster=None)
    assert made.calibration == label and label in str(made)
    assert set(made.to_frame()["calibration"]) == {label}
