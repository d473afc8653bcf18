"""What holds for any data: order, names, scales, exchanges, levels and bounds."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from clinicadl_trust import stats
from clinicadl_trust.exceptions import StatisticsError

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

settings.register_profile("steady", max_examples=25, deadline=None, derandomize=True)
quickly = settings(settings.get_profile("steady"))

#: Numbers of a result that must be what they were.
FIELDS = ("value", "effect", "low", "high", "standard_error", "p_value", "statistic")
FIELDS += ("df", "brier", "reliability", "resolution", "expected_if_calibrated")

ESTIMATES = {
    "roc_auc": stats.roc_auc,
    "plain roc_auc": lambda y, x, c, **o: stats.roc_auc(y, x, c, transform=None, **o),
    "sensitivity": lambda y, x, c, **o: stats.sensitivity_at_specificity(
        y, x, 0.7, c, **o
    ),
    "slope": stats.calibration_slope,
    "intercept": stats.calibration_intercept,
    "brier": stats.brier_score,
    "net benefit": lambda y, x, c, **o: stats.net_benefit(y, x, [0.3, 0.6], c, **o),
    "reliability": lambda y, x, c, **o: stats.reliability_curve(y, x, c, n_bins=3, **o),
    "proportion": lambda y, x, c, **o: stats.proportion(
        (x > 0.5).astype(int) == y, cluster=c, **o
    ),
}
COMPARISONS = {
    "roc_auc": stats.compare_roc_auc,
    "net benefit": lambda y, a, b, c=None, **o: stats.compare_net_benefit(
        y, a, b, 0.45, c, **o
    ),
    "mcnemar": lambda y, a, b, c=None, **o: stats.mcnemar(
        (a > 0.5).astype(int) == y, (b > 0.5).astype(int) == y, c, **o
    ),
}
RANKED = ("roc_auc", "plain roc_auc", "sensitivity")
MONOTONE = {
    "exponential": lambda x: np.exp(4 * x),
    "cube": lambda x: (x - 0.5) ** 3,
    "shift and scale": lambda x: 1e5 * x - 7,
    "ranks": lambda x: pd.Series(x).rank(method="dense").to_numpy(),
    "small": lambda x: 1e-12 * x,
}


@st.composite
def images(draw):
    """Return label, two scores and cluster of a small group, with ties and trouble."""
    n = draw(st.integers(2, 9))
    sizes = draw(st.lists(st.integers(1, 3), min_size=n, max_size=n))
    cluster = np.repeat(np.arange(n), sizes)
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    if draw(st.booleans()):  # a diagnosis of the participant
        label = rng.integers(0, 2, n)[cluster]
    else:
        label = rng.integers(0, 2, cluster.size)
    levels = draw(st.sampled_from([1, 2, 5, 40]))
    effect = draw(st.sampled_from([-1.0, 0.0, 0.5, 3.0]))
    scores = []
    for _ in range(2):
        raw = effect * (label - 0.5) + rng.normal(size=label.size)
        share = np.clip((raw + 3) / 6, 0.05, 0.95)
        scores.append((np.floor(share * levels) + 0.5) / levels)
    return label, *scores, cluster


def outcome(function, *args, **options):
    """Return a result's numbers, or that it was refused."""
    try:
        made = function(*args, **options)
    except StatisticsError:
        return "refused"
    table = getattr(made, "points", made if isinstance(made, pd.DataFrame) else None)
    if table is not None:
        return table.select_dtypes("number").to_numpy(float)
    return np.array([getattr(made, name, math.nan) for name in FIELDS], dtype=float)


def same(first, second):
    if isinstance(first, str) or isinstance(second, str):
        assert isinstance(first, str) and isinstance(second, str)
        return
    assert_allclose(second, first, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("name", ESTIMATES)
@quickly
@given(images(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(name, group, random):
    label, score, _, cluster = group
    order = list(range(label.size))
    random.shuffle(order)
    same(
        outcome(ESTIMATES[name], label, score, cluster),
        outcome(ESTIMATES[name], label[order], score[order], cluster[order]),
    )


@pytest.mark.parametrize("name", COMPARISONS)
@quickly
@given(images(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter_to_a_comparison(name, group, random):
    order = list(range(group[0].size))
    random.shuffle(order)
    shuffled = [values[order] for values in group]
    same(outcome(COMPARISONS[name], *group), outcome(COMPARISONS[name], *shuffled))


@pytest.mark.parametrize("name", RANKED)
@pytest.mark.parametrize("transform", MONOTONE)
@quickly
@given(images())
def test_the_scale_of_scores_does_not_matter_to_ranks(name, transform, group):
    label, score, _, cluster = group
    changed = MONOTONE[transform](score)
    same(
        outcome(ESTIMATES[name], label, score, cluster),
        outcome(ESTIMATES[name], label, changed, cluster),
    )


@pytest.mark.parametrize("transform", MONOTONE)
@quickly
@given(images())
def test_each_model_may_have_a_scale_of_its_own(transform, group):
    label, first, second, cluster = group
    assume(not np.array_equal(first, second))  # the same scores are the same model
    changed = MONOTONE[transform](second)
    same(
        outcome(stats.compare_roc_auc, label, first, second, cluster),
        outcome(stats.compare_roc_auc, label, first, changed, cluster),
    )


@pytest.mark.parametrize("name", [*ESTIMATES, *(f"two: {n}" for n in COMPARISONS)])
@quickly
@given(images(), st.permutations(range(9)))
def test_the_names_of_participants_do_not_matter(name, group, names):
    label, first, second, cluster = group
    scores, function = [first], ESTIMATES.get(name)
    if function is None:
        scores, function = [first, second], COMPARISONS[name.removeprefix("two: ")]
    expected = outcome(function, label, *scores, cluster)
    other = np.array(names)[cluster]
    mixed = [f"sub-{i}" if i % 2 else i for i in other.tolist()]
    for ids in (other, other.astype(str), mixed, other * 1.5 - 4):
        same(expected, outcome(function, label, *scores, ids))


@pytest.mark.parametrize("name", [n for n in ESTIMATES if n != "proportion"])
@quickly
@given(images(), st.permutations(range(27)))
def test_a_cluster_per_image_is_none(name, group, names):
    label, score, _, _ = group
    each = np.array(names)[: label.size]
    same(
        outcome(ESTIMATES[name], label, score, None),
        outcome(ESTIMATES[name], label, score, each),
    )


@pytest.mark.parametrize("name", COMPARISONS)
@quickly
@given(images())
def test_a_cluster_per_image_is_none_in_a_comparison(name, group):
    label, first, second, _ = group
    same(
        outcome(COMPARISONS[name], label, first, second),
        outcome(COMPARISONS[name], label, first, second, np.arange(label.size)),
    )


@quickly
@given(images())
def test_a_proportion_with_a_cluster_per_image_has_the_same_value(group):
    label, score, _, _ = group
    right = (score > 0.5).astype(int) == label
    alone = stats.proportion(right)
    clustered = stats.proportion(right, cluster=np.arange(right.size))
    assert_allclose(clustered.value, alone.value)
    assert_allclose(
        clustered.standard_error,
        alone.standard_error * math.sqrt(right.size / (right.size - 1)),
        atol=1e-12,
    )


@pytest.mark.parametrize("name", COMPARISONS)
@quickly
@given(images())
def test_exchanging_the_models_turns_the_difference_round(name, group):
    label, first, second, cluster = group
    for ids in (None, cluster):
        made = outcome(COMPARISONS[name], label, first, second, ids)
        other = outcome(COMPARISONS[name], label, second, first, ids)
        if isinstance(made, str):
            assert isinstance(other, str)
            continue
        try:
            a = COMPARISONS[name](label, first, second, ids)
            b = COMPARISONS[name](label, second, first, ids)
        except StatisticsError:
            continue
        a, b = (
            (getattr(m, "points", None) for m in (a, b))
            if name == "net benefit"
            else (a.to_frame(), b.to_frame())
        )
        for one, two, sign in (
            ("effect", "effect", -1),
            ("low", "high", -1),
            ("high", "low", -1),
            ("p_value", "p_value", 1),
        ):
            assert_allclose(
                b[one].to_numpy(float), sign * a[two].to_numpy(float), atol=1e-9
            )


@quickly
@given(images())
def test_the_other_class_mirrors_the_auc(group):
    label, score, _, cluster = group
    made = outcome(stats.roc_auc, label, score, cluster)
    assume(not isinstance(made, str))
    made = stats.roc_auc(label, score, cluster)
    for other in (
        stats.roc_auc(1 - label, score, cluster),
        stats.roc_auc(label, -score, cluster),
    ):
        assert_allclose(other.value, 1 - made.value, atol=1e-12)
        assert_allclose(
            [other.low, other.high], [1 - made.high, 1 - made.low], atol=1e-9
        )
        assert_allclose(other.standard_error, made.standard_error, atol=1e-12)


@pytest.mark.parametrize("name", ESTIMATES)
@quickly
@given(images())
def test_a_higher_level_holds_the_lower_one(name, group):
    label, score, _, cluster = group
    try:
        narrow, wide = (
            ESTIMATES[name](label, score, cluster, confidence_level=level)
            for level in (0.9, 0.99)
        )
    except StatisticsError:
        return
    pairs = [
        (
            m.points
            if hasattr(m, "points")
            else m
            if isinstance(m, pd.DataFrame)
            else m.to_frame()
        )
        for m in (narrow, wide)
    ]
    low, high = (pairs[1][k].to_numpy(float) for k in ("low", "high"))
    known = np.isfinite(low)
    assert (low <= pairs[0]["low"].to_numpy(float) + 1e-9)[known].all()
    assert (high >= pairs[0]["high"].to_numpy(float) - 1e-9)[known].all()
    assert (np.isfinite(pairs[0]["low"].to_numpy(float)) == known).all()


@pytest.mark.parametrize(
    "name", ["roc_auc", "plain roc_auc", "sensitivity", "proportion"]
)
@quickly
@given(images())
def test_shares_lie_between_0_and_1_inside_their_interval(name, group):
    label, score, _, cluster = group
    for ids in (None, cluster):
        try:
            made = ESTIMATES[name](label, score, ids)
        except StatisticsError:
            continue
        assert 0 <= made.value <= 1
        if math.isnan(made.low):
            assert made.warnings
        else:
            assert 0 <= made.low <= made.value + 1e-12
            assert made.value - 1e-12 <= made.high <= 1


@pytest.mark.parametrize("name", COMPARISONS)
@quickly
@given(images())
def test_a_p_value_below_5_percent_is_an_interval_without_0(name, group):
    label, first, second, cluster = group
    try:
        made = COMPARISONS[name](label, first, second, cluster)
    except StatisticsError:
        return
    table = made.points if hasattr(made, "points") else made.to_frame()
    # McNemar's test and Agresti and Min's interval are of two statistics.
    assume(name != "mcnemar" or made.method[-1] == "t")
    for row in table.itertuples():
        assert 0 <= row.p_value <= 1 or (math.isnan(row.p_value) and made.warnings)
        bounded = max(abs(row.low), abs(row.high)) >= 1  # cut, which moves no end to 0
        if np.isfinite([row.p_value, row.low]).all() and row.standard_error > 0:
            excludes = row.low > 0 or row.high < 0
            assert bounded or excludes == (row.p_value < 0.05)


@quickly
@given(images())
def test_the_same_images_again_in_their_cluster_add_nothing(group):
    label, score, _, cluster = group
    twice = [np.concatenate([v, v]) for v in (label, score, cluster)]
    first = outcome(stats.roc_auc, label, score, cluster)
    assume(not isinstance(first, str))
    first, second = stats.roc_auc(label, score, cluster), stats.roc_auc(*twice)
    assert_allclose(second.value, first.value)
    assert_allclose(second.standard_error, first.standard_error, atol=1e-12)
    assert second.df == pytest.approx(first.df)


@quickly
@given(images())
def test_more_participants_alike_narrow_the_interval(group):
    label, score, _, cluster = group
    first = outcome(stats.roc_auc, label, score, cluster)
    assume(not isinstance(first, str))
    first = stats.roc_auc(label, score, cluster)
    assume(np.isfinite(first.low) and first.low < first.high)
    doubled = stats.roc_auc(
        np.tile(label, 2),
        np.tile(score, 2),
        np.concatenate([cluster, cluster + 100]),
    )
    assert_allclose(doubled.value, first.value)
    assert doubled.high - doubled.low <= first.high - first.low + 1e-9


@quickly
@given(st.lists(st.integers(-20, 20), min_size=1, max_size=12), st.integers(0, 10**6))
def test_tests_of_values_know_no_order_and_turn_round(values, seed):
    values = np.array(values) / 100
    shuffled = np.random.default_rng(seed).permutation(values)
    tests = {
        "t": stats.unit_ttest,
        "wilcoxon": stats.wilcoxon,
        "resampled": lambda d: stats.corrected_resampled_ttest(d, 80, 20),
        "bayes": lambda d: stats.bayesian_signed_rank(d, 0.01, n_draws=200),
        "correlated": lambda d: stats.bayesian_correlated_ttest(d, 80, 20, 0.01),
    }
    for name, test in tests.items():
        made, other = outcome(test, values), outcome(test, shuffled)
        same(made, other)
        if isinstance(made, str):
            continue
        first, turned = test(values), test(-values)
        if name in ("bayes", "correlated"):
            total = first.p_worse + first.p_equivalent + first.p_better
            assert total == pytest.approx(1)
            if name == "correlated":
                assert first.p_worse == pytest.approx(turned.p_better)
            continue
        assert turned.effect == pytest.approx(-first.effect)
        assert_allclose(
            [turned.low, turned.high], [-first.high, -first.low], atol=1e-12
        )
        assert_allclose(turned.p_value, first.p_value)
        if np.isfinite([first.low, first.p_value]).all() and first.standard_error > 0:
            excludes = first.low > 0 or first.high < 0
            assert excludes == (first.p_value < 0.05)


@quickly
@given(
    st.lists(
        st.sampled_from([0.0, 0.001, 0.01, 0.02, 0.5, 1.0]), min_size=1, max_size=9
    ),
    st.sampled_from(["holm", "bonferroni", "hommel", "fdr_bh", "fdr_by"]),
    st.integers(0, 10**6),
)
def test_adjusted_p_values_keep_their_order_and_are_no_smaller(p_values, method, seed):
    raw = np.array(p_values)
    made = stats.adjust(raw, method)
    order = np.random.default_rng(seed).permutation(raw.size)
    assert_allclose(stats.adjust(raw[order], method), made[order])
    assert (made >= raw).all() and (made <= 1).all()
    sorted_by_raw = made[np.argsort(raw, kind="stable")]
    assert (np.diff(sorted_by_raw) >= -1e-15).all()


@quickly
@given(
    st.integers(2, 5),
    st.integers(2, 8),
    st.integers(0, 10**6),
    st.sampled_from([2, 5, 100]),
)
def test_agreement_knows_neither_rows_nor_the_unit(n_raters, n, seed, levels):
    rng = np.random.default_rng(seed)
    ratings = np.floor(levels * rng.uniform(size=(n, n_raters)))
    assume(np.ptp(ratings) > 0)
    for form in ("1", "2", "3", "1k", "2k", "3k"):
        made = outcome(stats.icc, ratings, form)
        same(made, outcome(stats.icc, ratings[rng.permutation(n)], form))
        same(made, outcome(stats.icc, ratings[:, rng.permutation(n_raters)], form))
        same(made, outcome(stats.icc, 3 * ratings - 8, form))
        result = stats.icc(ratings, form)
        assert not result.value > 1 + 1e-12
        if np.isfinite([result.value, result.low]).all():
            assert result.low <= result.value + 1e-9 <= result.high + 2e-9
        else:
            assert result.warnings


@quickly
@given(
    st.lists(st.integers(50, 99), min_size=2, max_size=8),
    st.integers(0, 10**6),
    st.sampled_from(["reml", "dl", "pm"]),
)
def test_sites_have_no_order_and_no_unit(values, seed, method):
    rng = np.random.default_rng(seed)
    y = np.array(values) / 100
    errors = rng.choice([0.02, 0.05, 0.1], y.size)
    made = stats.heterogeneity(y, errors, method)
    order = rng.permutation(y.size)
    other = stats.heterogeneity(y[order], errors[order], method)
    scaled = stats.heterogeneity(10 * y + 3, 10 * errors, method)
    ends = ("value", "low", "high", "prediction_low", "prediction_high")
    for name in ends:
        expected = getattr(made, name)
        assert_allclose(getattr(other, name), expected, atol=1e-6)
        assert_allclose(getattr(scaled, name), 10 * expected + 3, atol=1e-4)
    assert made.prediction_low <= made.low <= made.value <= made.high
    assert made.tau2 >= 0 and 0 <= made.i2 <= 1
