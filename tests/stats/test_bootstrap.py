"""The clustered bootstrap: closed forms, agreement, invariance, mistakes."""

from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn import metrics

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats import roc_auc
from clinicadl_trust.stats.resampling import bootstrap, bootstrap_difference
from clinicadl_trust.stats.resampling.weighted import weighted_metric


def visits(n_participants=40, n_visits=3, seed=0):
    """Draw participants with several images and two models."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(n_participants), n_visits)
    label = (who % 2).astype(float)
    score = 0.8 * label + rng.normal(size=n_participants)[who] * 0.7
    score = 1 / (1 + np.exp(-score - 0.5 * rng.normal(size=len(who))))
    other = np.clip(score + 0.1 * rng.normal(size=len(who)), 0, 1)
    return pd.DataFrame(
        {"participant_id": who, "label": label, "score": score.round(2), "other": other}
    )


SKLEARN = {
    "roc_auc": metrics.roc_auc_score,
    "brier": metrics.brier_score_loss,
    "balanced_accuracy": lambda y, s: metrics.balanced_accuracy_score(y, s >= 0.5),
    "sensitivity": lambda y, s: metrics.recall_score(y, s >= 0.5),
    "specificity": lambda y, s: metrics.recall_score(1 - y, s < 0.5),
    "mae": metrics.mean_absolute_error,
    "r2": metrics.r2_score,
}


@pytest.mark.parametrize("name", SKLEARN)
def test_weighted_metrics_are_those_of_repeated_images(name):
    table = visits()
    y, s, who = (table[c].to_numpy() for c in ("label", "score", "participant_id"))
    counts = np.random.default_rng(1).multinomial(40, np.full(40, 1 / 40), 20)
    quick = weighted_metric(name)(y, s, who)(counts)
    for value, count in zip(quick, counts, strict=True):
        rows = np.repeat(np.arange(len(y)), count[who])
        assert_allclose(value, SKLEARN[name](y[rows], s[rows]), rtol=1e-12)


def test_resamples_without_a_class_have_no_auc():
    counts = np.array([[1, 0], [0, 2], [1, 1]])
    quick = weighted_metric("roc_auc")(
        np.array([0.0, 1.0]), np.array([0.2, 0.7]), np.array([0, 1])
    )
    assert np.isnan(quick(counts)[:2]).all() and quick(counts)[2] == 1


@pytest.mark.parametrize("method", ["bca", "percentile", "basic", "studentized"])
def test_the_interval_is_near_that_of_obuchowski(method):
    table = visits(200)
    made = bootstrap(
        "roc_auc", table, cluster="participant_id", n_resamples=999, method=method
    )
    exact = roc_auc(table["label"], table["score"], table["participant_id"])
    assert_allclose(made.value, exact.value)
    assert_allclose(made.standard_error, exact.standard_error, rtol=0.12)
    assert_allclose([made.low, made.high], [exact.low, exact.high], atol=0.012)
    assert made.n_clusters == 200 and made.calibration == "approximate"


def test_images_are_not_counted_as_participants():
    table = visits(60, 8)
    whole = bootstrap("brier", table, cluster="participant_id", n_resamples=999)
    naive = bootstrap("brier", table, cluster=range(len(table)), n_resamples=999)
    assert whole.standard_error > 1.5 * naive.standard_error
    with pytest.raises(StatisticsError, match="cluster='participant_id'"):
        bootstrap("brier", table, cluster=None)


def test_a_function_gives_what_the_metric_gives():
    table = visits()
    options = {"cluster": "participant_id", "n_resamples": 199}
    quick = bootstrap("roc_auc", table, **options)
    slow = bootstrap(
        lambda rows: metrics.roc_auc_score(rows["label"], rows["score"]),
        table,
        **options,
    )
    assert_allclose([quick.low, quick.high], [slow.low, slow.high], rtol=1e-12)


def test_who_is_drawn_twice_is_two_people():
    table = visits(25)
    seen = []

    def count(rows):
        seen.append(rows["participant_id"].nunique())
        return rows["score"].mean()

    bootstrap(count, table, cluster="participant_id", n_resamples=99)
    assert set(seen[1:100]) == {25}


def test_bca_of_a_mean_has_the_acceleration_of_its_skewness():
    rng = np.random.default_rng(0)
    x = rng.exponential(size=60)
    data = pd.DataFrame({"x": x})
    made = bootstrap(lambda t: t["x"].mean(), data, cluster=None, n_resamples=4999)
    skewness = ((x - x.mean()) ** 3).sum() / ((x - x.mean()) ** 2).sum() ** 1.5
    from scipy.stats import bootstrap as scipy_bootstrap

    theirs = scipy_bootstrap(
        (x,), np.mean, n_resamples=4999, method="BCa", rng=np.random.default_rng(1)
    )
    assert skewness > 0
    low, high = theirs.confidence_interval
    assert_allclose([made.low, made.high], [low, high], atol=0.02)


def test_processes_and_the_order_of_rows_do_not_matter():
    table = visits()
    options = {"cluster": "participant_id", "n_resamples": 199}

    def found(rows, **others):
        return asdict(bootstrap("roc_auc", rows, **options, **others))

    one = found(table)
    assert one == found(table, n_jobs=2)
    assert one == found(table.sample(frac=1, random_state=0))
    assert one != found(table, seed=1)


def test_strata_keep_the_classes():
    table = visits(24)
    made = bootstrap(
        lambda rows: rows["label"].mean(),
        table,
        cluster="participant_id",
        strata="label",
        n_resamples=99,
    )
    assert np.isnan(made.low) and "same value" in made.warnings[0]
    with pytest.raises(StatisticsError, match="two strata"):
        bootstrap("roc_auc", table, cluster="participant_id", strata=np.arange(72) % 2)


def test_drawing_within_clusters_widens():
    table = visits(40, 6)
    options = {"cluster": "participant_id", "n_resamples": 999}
    whole = bootstrap("brier", table, **options)
    both = bootstrap("brier", table, within=True, **options)
    assert both.standard_error > whole.standard_error


def test_few_clusters_are_told_with_the_t_interval():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"site": np.repeat(list("abcde"), 40)})
    table["label"] = np.tile([0.0, 1.0], 100)
    table["score"] = 0.5 * table["label"] + rng.normal(size=200)
    made = bootstrap("roc_auc", table, cluster="site", n_resamples=199)
    (warning,) = made.warnings
    values = [
        metrics.roc_auc_score(t["label"], t["score"]) for _, t in table.groupby("site")
    ]
    assert "covers .79 with 4" in warning and f"is {np.mean(values):.3f} [" in warning


@pytest.mark.parametrize("method", ["bca", "percentile", "basic", "studentized"])
def test_the_difference_agrees_with_its_interval(method):
    table = visits(120)
    table["worse"] = np.random.default_rng(3).uniform(size=len(table))
    options = {"cluster": "participant_id", "n_resamples": 999, "method": method}
    clear = bootstrap_difference(
        "roc_auc", table, score_a="score", score_b="worse", **options
    )
    assert clear.low > 0 and clear.p_value < 0.05 and clear.effect > 0
    alike = bootstrap_difference(
        "roc_auc", table, score_a="score", score_b="other", **options
    )
    assert (alike.low <= 0 <= alike.high) == (alike.p_value >= 0.05)
    back = bootstrap_difference(
        "roc_auc", table, score_a="worse", score_b="score", **options
    )
    assert_allclose(back.effect, -clear.effect)


def test_a_difference_of_functions_sees_both_scores():
    table = visits()
    made = bootstrap_difference(
        lambda rows: metrics.roc_auc_score(rows["label"], rows["score"]),
        table,
        score_a="score",
        score_b="other",
        cluster="participant_id",
        n_resamples=99,
    )
    quick = bootstrap_difference(
        "roc_auc",
        table,
        score_a="score",
        score_b="other",
        cluster="participant_id",
        n_resamples=99,
    )
    assert_allclose([made.effect, made.low], [quick.effect, quick.low])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cluster": "participant"}, "Did you mean 'participant_id'"),
        ({"cluster": ["a"]}, "cluster has 1 values; the table has 120 rows"),
        ({"cluster": [None] * 120}, "120 values of cluster are missing"),
        ({"cluster": ["a"] * 120}, "There is one cluster"),
        ({"method": "bcaa"}, "Did you mean 'bca'"),
        ({"n_resamples": 10}, "from 99 on"),
        ({"label": "diagnosis"}, "no column 'diagnosis'"),
        ({"score": "scor"}, "Did you mean 'score'"),
        ({"confidence_level": 95}, "between 0 and 1"),
    ],
)
def test_mistakes_are_named(options, message):
    given = {"cluster": "participant_id", "n_resamples": 99, **options}
    with pytest.raises(StatisticsError, match=message):
        bootstrap("roc_auc", visits(), **given)


def test_tables_that_say_nothing_are_refused():
    table = visits()
    options = {"cluster": "participant_id", "n_resamples": 99}
    with pytest.raises(StatisticsError, match="empty"):
        bootstrap("roc_auc", table.head(0), **options)
    with pytest.raises(StatisticsError, match="undefined on the data"):
        bootstrap("roc_auc", table.assign(label=1.0), **options)
    with pytest.raises(
        StatisticsError, match="120 of 120 values of 'score' are missing"
    ):
        bootstrap("roc_auc", table.assign(score=np.nan), **options)
    with pytest.raises(StatisticsError, match="Unknown metric"):
        bootstrap("auc", table, **options)
    with pytest.raises(StatisticsError, match="must return a value and its"):
        bootstrap(lambda t: 1.0, table, method="studentized", **options)
