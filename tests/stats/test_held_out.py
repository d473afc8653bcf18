"""One test group: DeLong, Obuchowski, sandwich, and what happens at the edges."""

import math
import time

import numpy as np
import pytest
from scipy import stats as scipy_stats

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats import compare_roc_auc, get_metric, roc_auc
from clinicadl_trust.stats.clustered import measure
from clinicadl_trust.stats.held_out import clustered_comparison, clustered_estimate
from clinicadl_trust.stats.influence import r2, r2_jackknife
from clinicadl_trust.stats.sample import Sample


def group(participants=30, images=3, effect=1.0, seed=0, mixed=False):
    """Labels, two models' scores and participants; some change class if mixed."""
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(participants), images)
    label = (np.arange(participants) % 2).astype(float)[cluster]
    if mixed:
        label[::7] = 1 - label[::7]
    noise = rng.normal(size=participants)[cluster]
    scores = [
        np.round(effect * label + noise + rng.normal(size=len(label)), 1)
        for _ in range(2)
    ]
    return label, *scores, cluster


def kernel(positive, negative):
    return 1.0 if positive > negative else 0.5 if positive == negative else 0.0


def obuchowski(label, score_a, score_b, cluster):
    """Covariance of two AUCs by the sums of Obuchowski (1997), one pair at a time."""
    positive, negative = np.flatnonzero(label == 1), np.flatnonzero(label == 0)
    m, n = len(positive), len(negative)
    x, y = [], []
    for score in (score_a, score_b):
        v10 = {
            i: sum(kernel(score[i], score[j]) for j in negative) / n for i in positive
        }
        v01 = {
            j: sum(kernel(score[i], score[j]) for i in positive) / m for j in negative
        }
        auc = sum(v10.values()) / m
        x.append(
            {
                g: sum(v10[i] - auc for i in positive if cluster[i] == g)
                for g in set(cluster)
            }
        )
        y.append(
            {
                g: sum(v01[j] - auc for j in negative if cluster[j] == g)
                for g in set(cluster)
            }
        )
    i10, i01 = len(set(cluster[positive])), len(set(cluster[negative]))
    both = len(set(cluster))
    s10 = i10 / ((i10 - 1) * m) * sum(x[0][g] * x[1][g] for g in x[0])
    s01 = i01 / ((i01 - 1) * n) * sum(y[0][g] * y[1][g] for g in y[0])
    cross = sum(x[0][g] * y[1][g] + x[1][g] * y[0][g] for g in x[0])
    return s10 / m + s01 / n + both / (both - 1) * cross / (m * n)


@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_the_standard_error_is_obuchowskis(mixed, seed):
    label, score, _, cluster = group(seed=seed, mixed=mixed)
    estimate = roc_auc(label, score, cluster)
    expected = obuchowski(label, score, score, cluster)
    assert estimate.standard_error**2 == pytest.approx(expected, rel=1e-10)
    assert estimate.method.startswith("Obuchowski")
    assert (estimate.n, estimate.n_clusters) == (90, 30)


@pytest.mark.parametrize("seed", range(3))
def test_one_image_each_is_delong(seed):
    label, score, other, _ = group(40, 1, seed=seed)
    positive, negative = score[label == 1], score[label == 0]
    v10 = [np.mean([kernel(x, y) for y in negative]) for x in positive]
    v01 = [np.mean([kernel(x, y) for x in positive]) for y in negative]
    variance = np.var(v10, ddof=1) / len(v10) + np.var(v01, ddof=1) / len(v01)
    estimate = roc_auc(label, score)
    assert estimate.standard_error**2 == pytest.approx(variance, rel=1e-10)
    assert estimate.method.startswith("DeLong")
    own = np.arange(len(label))
    assert roc_auc(label, score, own) == estimate
    assert compare_roc_auc(label, score, other, own) == compare_roc_auc(
        label, score, other
    )


@pytest.mark.parametrize("mixed", [False, True])
def test_the_paired_difference_is_obuchowskis(mixed):
    label, score, other, cluster = group(mixed=mixed)
    comparison = compare_roc_auc(label, score, other, cluster)
    variance = (
        obuchowski(label, score, score, cluster)
        + obuchowski(label, other, other, cluster)
        - 2 * obuchowski(label, score, other, cluster)
    )
    assert comparison.standard_error**2 == pytest.approx(variance, rel=1e-9)
    difference = roc_auc(label, score).value - roc_auc(label, other).value
    assert comparison.effect == pytest.approx(difference)
    statistic = difference / math.sqrt(variance)
    assert comparison.statistic == pytest.approx(statistic)
    sizes = [np.unique(cluster[label == k], return_counts=True)[1] for k in (0, 1)]
    effective = [each.sum() ** 2 / (each**2).sum() for each in sizes]
    assert comparison.df == pytest.approx(min(effective) - 1)
    expected = 2 * scipy_stats.t.sf(abs(statistic), comparison.df)
    assert comparison.p_value == pytest.approx(expected)
    assert comparison.low < difference < comparison.high


def test_images_taken_for_participants_look_too_certain():
    label, score, _, cluster = group(40, 5)
    assert roc_auc(label, score).standard_error < (
        0.8 * roc_auc(label, score, cluster).standard_error
    )


@pytest.mark.parametrize(
    "name",
    ["roc_auc", "average_precision", "balanced_accuracy", "sensitivity", "brier"],
)
def test_the_standard_error_is_that_of_a_cluster_bootstrap(name):
    label, score, _, cluster = group(60, 3, seed=3)
    score = 1 / (1 + np.exp(-(score - 0.5)))
    metric = get_metric(name, "binary")
    estimate = clustered_estimate(metric, Sample.make(label, cluster), [score])
    rng = np.random.default_rng(0)
    values = []
    for _ in range(1500):
        chosen = rng.integers(0, 60, 60)
        if metric.stratified:  # as many of each class as there are
            chosen = chosen // 2 * 2 + np.arange(60) % 2
        rows = (chosen[:, None] * 3 + np.arange(3)).ravel()
        values.append(metric.value(label[rows], score[rows]))
    assert estimate.standard_error == pytest.approx(np.std(values, ddof=1), rel=0.12)
    low, high = np.quantile(values, [0.025, 0.975])
    assert estimate.low == pytest.approx(low, abs=0.4 * (high - low))
    assert estimate.high == pytest.approx(high, abs=0.4 * (high - low))


def test_r2_is_jackknifed_by_participant():
    rng = np.random.default_rng(0)
    cluster = np.repeat(np.arange(12), 3)
    label = rng.normal(size=12)[cluster] + 50
    score = label + rng.normal(size=36)
    without = np.array(
        [r2(label[cluster != g], score[cluster != g])[0] for g in range(12)]
    )
    expected = 11 / 12 * ((without - without.mean()) ** 2).sum()
    parts = r2_jackknife(label, score, cluster, 12)
    assert 12 / 11 * (parts**2).sum() == pytest.approx(expected)
    metric = get_metric("r2", "regression")
    estimate = clustered_estimate(metric, Sample.make(label, cluster), [score])
    assert estimate.standard_error**2 == pytest.approx(expected)
    assert estimate.low < estimate.value < estimate.high < 1


@pytest.mark.parametrize("per_class", [3, 10, 40])
def test_an_auc_of_1_has_an_interval(per_class):
    label = np.repeat([0.0, 1.0], per_class)
    estimate = roc_auc(label, np.arange(2 * per_class))
    assert (estimate.value, estimate.high) == (1.0, 1.0)
    # The exact limit of per_class successes in as many attempts.
    limit = scipy_stats.binomtest(per_class, per_class).proportion_ci().low
    assert estimate.low == pytest.approx(limit)
    worst = roc_auc(label, -np.arange(2 * per_class))
    assert (worst.value, worst.low) == (0.0, 0.0)
    assert worst.high == pytest.approx(1 - limit)


def test_an_auc_next_to_1_is_not_surer_than_its_images_allow():
    label = np.repeat([0.0, 1.0], 100)
    score = np.arange(200.0)
    score[100] = 98.5  # one pair of 10,000 is wrong
    estimate = roc_auc(label, score)
    assert estimate.value == pytest.approx(0.9999)
    assert estimate.low < 0.9996
    assert estimate.calibration == "conservative"


def test_the_interval_lies_within_the_bounds_of_the_metric():
    label, score, _, cluster = group(12, 2, effect=3)
    estimate = roc_auc(label, score, cluster, 0.999)
    assert 0 < estimate.low < estimate.value < estimate.high < 1


def test_the_plain_interval_is_given_on_request():
    label, score, _, cluster = group()
    estimate = roc_auc(label, score, cluster, transform=None)
    half = scipy_stats.norm.ppf(0.975) * estimate.standard_error
    assert estimate.low == pytest.approx(estimate.value - half)
    assert estimate.high == pytest.approx(min(estimate.value + half, 1))
    assert estimate.calibration == "approximate"
    assert "normal" in estimate.method


def test_a_participant_with_most_of_the_images_leaves_few_degrees_of_freedom():
    label, score, other, cluster = group(60, 3)
    assert roc_auc(label, score, cluster).df == 29
    # Participant 1 stands for 20 of the 30 patients.
    cluster = np.where((label == 1) & (cluster < 40), 1, cluster)
    estimate = roc_auc(label, score, cluster)
    effective = 90**2 / (60**2 + 10 * 3**2)
    assert estimate.df == pytest.approx(effective - 1)
    assert estimate.calibration == "approximate"
    assert estimate.warnings == (
        "A few of the 11 participants in the smallest class have most of the images: "
        "all of them weigh like 2.",
    )
    comparison = compare_roc_auc(label, score, other, cluster)
    assert comparison.calibration == "approximate"
    assert comparison.warnings == estimate.warnings
    perfect = roc_auc(label, label, cluster)
    assert perfect.low == pytest.approx(0.025 ** (1 / effective))


@pytest.mark.parametrize(
    ("per_class", "label"),
    [(3, "approximate"), (10, "conservative"), (40, "calibrated")],
)
def test_the_label_of_an_interval_follows_its_participants(per_class, label):
    truth, score, _, cluster = group(2 * per_class, 2, seed=1)
    estimate = roc_auc(truth, score, cluster)
    assert estimate.calibration == label
    assert bool(estimate.warnings) == (per_class < 5)


def test_the_label_of_a_test_follows_the_metric_and_how_near_1_it_is():
    label, score, other, cluster = group(80, 2, seed=1)
    assert compare_roc_auc(label, score, other, cluster).calibration == "calibrated"
    easy, also = score + 9 * label, other + 9 * label
    assert compare_roc_auc(label, easy, also, cluster).calibration == "conservative"
    sample = Sample.make(label, cluster)
    ap = get_metric("average_precision", "binary")
    comparison = clustered_comparison(ap, sample, [score], [other])
    assert comparison.calibration == "approximate"
    mae = get_metric("mae", "regression")
    for participants, expected in ((40, "approximate"), (80, "calibrated")):
        part = slice(0, 2 * participants)
        few = Sample.make(label[part], cluster[part])
        estimate = clustered_estimate(mae, few, [score[part]])
        assert estimate.calibration == expected


def test_a_single_participant_in_a_class_has_a_value_but_no_interval():
    label = np.array([1.0, 1, 0, 0, 0])
    estimate = roc_auc(label, [0.9, 0.4, 0.1, 0.5, 0.2], [0, 0, 1, 2, 3])
    assert estimate.value == pytest.approx(5 / 6)
    assert math.isnan(estimate.low)
    assert "no interval" in estimate.warnings[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [("roc_auc", 0.5), ("balanced_accuracy", 0.5), ("sensitivity", 0.0)],
)
def test_a_constant_score_is_known_beforehand(name, value):
    label, _, _, cluster = group()
    sample = Sample.make(label, cluster)
    estimate = clustered_estimate(
        get_metric(name, "binary"), sample, [np.full(90, 0.3)]
    )
    assert (estimate.low, estimate.value, estimate.high) == (value,) * 3
    assert "same score" in estimate.warnings[0]
    # The prevalence, and so the Brier score, is known no better than the labels are.
    brier = clustered_estimate(
        get_metric("brier", "binary"), sample, [np.full(90, 0.3)]
    )
    assert brier.low < brier.value < brier.high


def test_the_same_decision_for_all_these_images_is_not_known_beforehand():
    label, _, _, cluster = group()
    score = np.linspace(0.1, 0.4, 90)
    metric = get_metric("specificity", "binary")
    estimate = clustered_estimate(metric, Sample.make(label, cluster), [score])
    assert estimate.value == 1.0
    assert estimate.low == pytest.approx(0.025 ** (1 / 15))


def test_no_error_at_all_has_no_interval_where_errors_have_no_bound():
    label = np.arange(20.0)
    estimate = clustered_estimate(
        get_metric("mae", "regression"), Sample.make(label), [label]
    )
    assert estimate.value == 0
    assert math.isnan(estimate.low)
    assert "no error" in estimate.warnings[0]


def test_a_quantity_has_no_classes_to_be_short_of():
    label = np.arange(3.0)
    metric = get_metric("mae", "regression")
    score = np.array([0.1, 1.2, 1.9])
    few = clustered_estimate(metric, Sample.make(label), [score])
    assert few.warnings[0].startswith("Only 3 participants: too few")
    cluster = np.minimum(np.arange(40), 9)
    error = np.random.default_rng(0).normal(size=40)
    uneven = Sample.make(np.arange(40.0), cluster)
    estimate = clustered_estimate(metric, uneven, [uneven.label + error])
    assert "the 10 participants have most of the images" in estimate.warnings[0]


def test_r2_that_one_participant_carries_has_no_interval():
    label = np.array([1.0, 1.0, 2.0, 2.0])
    sample = Sample.make(label, [0, 0, 1, 1])
    score = label + np.array([0.1, -0.2, 0.0, 0.1])
    estimate = clustered_estimate(get_metric("r2", "regression"), sample, [score])
    assert math.isnan(estimate.low)
    assert "undefined without" in estimate.warnings[-1]


def test_errors_that_differ_by_the_same_everywhere_have_a_p_value_only():
    label = np.arange(8.0)
    comparison = clustered_comparison(
        get_metric("mae", "regression"), Sample.make(label), [label + 1], [label + 2]
    )
    assert comparison.effect == -1
    assert math.isnan(comparison.low)
    assert comparison.p_value == pytest.approx(2 * 0.5**8)


def test_seeds_are_averaged_as_metrics_not_as_scores():
    label, score, other, cluster = group()
    metric, sample = get_metric("roc_auc", "binary"), Sample.make(label, cluster)
    both = clustered_estimate(metric, sample, [score, other])
    values = [roc_auc(label, each).value for each in (score, other)]
    assert both.value == pytest.approx(np.mean(values))
    assert both.value != pytest.approx(roc_auc(label, score + other).value, abs=1e-3)
    assert "mean of 2 seeds" in both.method
    twice = clustered_estimate(metric, sample, [score, score])
    once = clustered_estimate(metric, sample, [score])
    assert twice.low == pytest.approx(once.low)


@pytest.mark.parametrize("name", ["roc_auc", "average_precision", "brier"])
def test_participants_names_and_order_do_not_matter(name):
    label, score, other, cluster = group()
    score, other = (1 / (1 + np.exp(-each)) for each in (score, other))
    metric = get_metric(name, "binary")
    order = np.random.default_rng(0).permutation(90)
    names = np.array([f"sub-{7919 * c % 97}" for c in cluster])
    first = Sample.make(label, cluster), score, other
    second = Sample.make(label[order], names[order]), score[order], other[order]
    one, two = (clustered_estimate(metric, s, [a]) for s, a, _ in (first, second))
    assert one.low == pytest.approx(two.low, rel=1e-9)
    one, two = (
        clustered_comparison(metric, s, [a], [b]) for s, a, b in (first, second)
    )
    assert one.p_value == pytest.approx(two.p_value, rel=1e-9)


def test_exchanging_the_models_turns_the_difference_round():
    label, score, other, cluster = group()
    one = compare_roc_auc(label, score, other, cluster)
    two = compare_roc_auc(label, other, score, cluster)
    assert one.effect == pytest.approx(-two.effect)
    assert one.low == pytest.approx(-two.high)
    assert one.p_value == pytest.approx(two.p_value)


def test_the_p_value_is_the_level_where_the_interval_reaches_0():
    label, score, other, cluster = group(seed=2)
    p_value = compare_roc_auc(label, score, other, cluster).p_value
    at_p = compare_roc_auc(label, score, other, cluster, confidence_level=1 - p_value)
    assert min(abs(at_p.low), abs(at_p.high)) == pytest.approx(0, abs=1e-9)


def test_a_model_against_itself_is_no_different():
    label, score, _, cluster = group()
    comparison = compare_roc_auc(label, score, score, cluster)
    assert (comparison.effect, comparison.low, comparison.high) == (0, 0, 0)
    assert comparison.p_value == 1
    assert comparison.warnings == ("Both models give each image the same score.",)


def test_two_perfect_models_may_still_differ():
    label = np.repeat([0.0, 1.0], 20)
    comparison = compare_roc_auc(label, np.arange(40.0), np.arange(40.0) ** 3)
    assert comparison.effect == 0
    assert comparison.p_value == 1
    assert comparison.low < -0.1 < 0.1 < comparison.high


def test_a_perfect_model_beats_a_constant_one_as_a_sign_test_says():
    label = np.repeat([0.0, 1.0], 6)
    comparison = compare_roc_auc(label, np.arange(12.0), np.ones(12))
    assert comparison.effect == 0.5
    assert comparison.p_value == pytest.approx(2 * 0.5**6)
    assert (comparison.low > 0) == (comparison.p_value < 0.05)
    assert comparison.calibration == "conservative"
    assert "sign test" in comparison.warnings[0]
    few = compare_roc_auc([0, 0, 0, 1, 1, 1], np.arange(6.0), np.ones(6))
    assert few.p_value == pytest.approx(0.25)
    assert few.low < 0


def test_results_read_as_a_sentence_and_become_a_row():
    label, score, other, cluster = group()
    estimate = roc_auc(label, score, cluster)
    assert "90 values of 30 units" in str(estimate)
    assert estimate.to_frame()["value"].tolist() == [estimate.value]
    comparison = compare_roc_auc(label, score, other, cluster)
    assert "a new patient" in str(comparison)
    assert comparison.to_frame()["df"].tolist() == [14.0]


@pytest.mark.parametrize(
    ("label", "score", "cluster", "message"),
    [
        ([1, 1, 1], [1, 2, 3], None, "no negative image"),
        ([0, 1, 2], [1, 2, 3], None, "0 or 1"),
        ([0, 1, np.nan], [1, 2, 3], None, "1 of 3 labels"),
        ([], [], None, "at least one"),
        ([0, 1, 1], [1, 2, np.nan], None, "1 scores are not finite"),
        ([0, 1, 1], [1, 2], None, "3 labels and 2 scores"),
        ([0, 1, 1], [1, 2, 3], [1, 2], "3 labels and 2 cluster ids"),
        ([0, 1, 1], [1, 2, 3], [1, np.nan, np.nan], "2 of 3 cluster ids are missing"),
        ([0, 1, 1], [1, 2, 3], ["a", None, "b"], "1 of 3 cluster ids are missing"),
        (["CN", "AD"], [0, 1], None, r"Labels must be numbers.*'CN'.*Write 1"),
        ([0, 1], ["low", "high"], None, "Scores must be numbers"),
        ([0, 1], [[0.1], [0.9]], None, r"Scores .* \(2, 1\)"),
        ([[0], [1]], [0.1, 0.9], None, r"Labels .* \(2, 1\)"),
    ],
)
def test_nonsense_is_refused(label, score, cluster, message):
    with pytest.raises(StatisticsError, match=message):
        roc_auc(label, score, cluster)


def test_a_confidence_level_in_percent_is_refused_with_what_to_write():
    with pytest.raises(StatisticsError, match=r"Write 0\.95"):
        roc_auc([0, 1], [0, 1], confidence_level=95)


def test_ids_of_any_kind_tell_participants_apart():
    label, score = [0, 0, 1, 1], [0.1, 0.3, 0.2, 0.4]
    mixed = np.array(["a", 1, "b", 1], dtype=object)
    same = roc_auc(label, score, [0, 1, 2, 1])
    assert roc_auc(label, score, mixed) == same


def test_measuring_without_scores_is_refused():
    with pytest.raises(StatisticsError, match="no scores"):
        measure(get_metric("roc_auc", "binary"), Sample.make([0, 1]), [])


def test_a_hundred_thousand_scores_take_less_than_a_second():
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, 100_000)
    score = rng.normal(size=100_000) + label
    cluster = np.arange(100_000) // 3
    start = time.perf_counter()
    estimate = roc_auc(label, score, cluster)
    assert time.perf_counter() - start < 1
    assert estimate.value == pytest.approx(0.76, abs=0.01)
