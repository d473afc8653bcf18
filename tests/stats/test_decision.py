"""Net benefit: by hand, special cases, clusters, mistakes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import expit
from scipy.stats import t as student

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.decision.net_benefit import compare_net_benefit, net_benefit


def draw(rng, participants=80, images=3, effect=1.5):
    """Draw two models' scores of participants who share a diagnosis."""
    who = np.repeat(np.arange(participants), images)
    label = (rng.random(participants) < 0.4).astype(float)[who]
    noise = rng.normal(size=(3, participants))[:, who] + rng.normal(size=(3, who.size))
    signal = effect * (label - 0.5)
    return label, expit(signal + noise[0] + noise[1]), expit(signal + noise[0]), who


def by_hand(label, score, threshold):
    true = ((score >= threshold) & (label == 1)).sum()
    false = ((score >= threshold) & (label == 0)).sum()
    return (true - false * threshold / (1 - threshold)) / label.size


def test_the_curve_is_that_of_counting_by_hand():
    label, score, _, who = draw(np.random.default_rng(0))
    cuts = np.array([0.1, 0.3, 0.5, 0.9])
    curve = net_benefit(label, score, cuts, who)
    points = curve.points.pivot(
        index="threshold", columns="strategy", values="net_benefit"
    )
    assert_allclose(points["model"], [by_hand(label, score, t) for t in cuts])
    share = label.mean()
    assert_allclose(points["treat all"], share - (1 - share) * cuts / (1 - cuts))
    assert (points["treat none"] == 0).all()
    assert len(curve.to_frame()) == 12 and "treat all" in str(curve)
    assert "choose the threshold before looking" in curve.warnings[0]


def test_the_interval_is_the_cluster_sandwich():
    label, score, _, who = draw(np.random.default_rng(1))
    row = net_benefit(label, score, 0.4, who).points.iloc[0]
    each = (score >= 0.4) * np.where(label == 1, 1, -0.4 / 0.6)
    sums = np.bincount(who, each - each.mean())
    error = np.sqrt(80 / 79 * (sums**2).sum()) / 240
    assert_allclose(row["standard_error"], error, rtol=1e-12)
    n_smallest = min(len(np.unique(who[label == code])) for code in (0, 1))
    half = student.ppf(0.975, n_smallest - 1) * error
    assert_allclose([row["low"], row["high"]], [each.mean() - half, each.mean() + half])
    alone = net_benefit(label, score, 0.4).points.iloc[0]
    assert alone["standard_error"] < 0.8 * error
    same = net_benefit(label, score, 0.4, np.arange(240)).points.iloc[0]
    assert_allclose(same["low"], alone["low"])


def test_two_models_are_compared_by_image():
    label, a, b, who = draw(np.random.default_rng(2))
    cuts = [0.2, 0.5]
    made = compare_net_benefit(label, a, b, cuts, who).points
    expected = [by_hand(label, a, t) - by_hand(label, b, t) for t in cuts]
    assert_allclose(made["effect"], expected)
    back = compare_net_benefit(label, b, a, cuts, who).points
    assert_allclose(back["effect"], -made["effect"])
    assert_allclose(back["high"], -made["low"])
    assert_allclose(back["p_value"], made["p_value"])
    excludes = (made["low"] > 0) | (made["high"] < 0)
    assert (excludes == (made["p_value"] < 0.05)).all()
    assert (made["p_adjusted"] >= made["p_value"]).all()
    assert (made["p_adjusted"] <= np.minimum(2 * made["p_value"], 1)).all()
    one = compare_net_benefit(label, a, b, 0.5, who).points
    assert_allclose(one["p_adjusted"], one["p_value"])


def test_doing_without_a_model_is_a_model():
    label, score, _, who = draw(np.random.default_rng(3))
    curve = net_benefit(label, score, 0.3, who).points
    none = compare_net_benefit(label, score, "treat none", 0.3, who).points
    for name in ("low", "high"):
        assert_allclose(none[name], curve[name].iloc[:1])
    every = compare_net_benefit(label, score, "treat all", 0.3, who).points
    effect = curve["net_benefit"].iloc[0] - curve["net_benefit"].iloc[1]
    assert_allclose(every["effect"], effect)


def test_intervals_keep_their_level_in_a_short_simulation():
    rng = np.random.default_rng(4)
    label, score, other, _ = draw(rng, 200_000, 1)
    cuts = [0.2, 0.5]
    truth = [by_hand(label, score, t) for t in cuts]
    without = [by_hand(label, score, t) - by_hand(label, other, t) for t in cuts]
    covered = np.zeros((2, 2))
    for _ in range(200):
        label, score, other, who = draw(rng)
        points = net_benefit(label, score, cuts, who).points
        points = points[points["strategy"] == "model"]
        covered[0] += (points["low"] <= truth) & (truth <= points["high"])
        points = compare_net_benefit(label, score, other, cuts, who).points
        covered[1] += (points["low"] <= without) & (without <= points["high"])
    assert (covered > 0.9 * 200).all() and (covered < 200).all()


def test_no_decision_at_all_has_a_cautious_interval():
    label = np.repeat([0, 1], 30)
    curve = net_benefit(label, np.full(60, 0.2), 0.5)
    row = curve.points.iloc[0]
    unseen = 1 - 0.025 ** (1 / 60)
    assert row["net_benefit"] == 0 and row["calibration"] == "conservative"
    assert_allclose([row["low"], row["high"]], [-unseen, unseen])
    assert "no decision counts" in curve.warnings[0]
    score = np.linspace(0.01, 0.99, 60)
    same = compare_net_benefit(label, score, score, 0.3).points.iloc[0]
    assert same["p_value"] == 1 and same["effect"] == 0 and same["high"] > 0


def test_no_interval_goes_beyond_what_is_possible():
    points = net_benefit([0, 1, 1, 0], [0.2, 0.8, 0.7, 0.4], [0.2, 0.5]).points
    assert_allclose(points["low"].iloc[[0, 3]], [-0.25, -1])
    assert (points["high"] <= 1).all()


def test_few_decisions_are_pointed_out():
    label, score, _, who = draw(np.random.default_rng(5))
    curve = net_benefit(label, score, 0.95, who)
    assert curve.points["calibration"].iloc[0] == "approximate"
    assert "At 1 thresholds (the first is 0.95)" in curve.warnings[0]
    alone = net_benefit([0, 1, 1], [0.2, 0.6, 0.7], 0.5, ["a", "a", "a"])
    assert np.isnan(alone.points["low"].iloc[0])


@pytest.mark.parametrize(
    ("label", "score", "thresholds", "message"),
    [
        ([0, 1], [0.2, 0.7], 1.0, "one is 1"),
        ([0, 1], [0.2, 0.7], [0.2, 0], "one is 0"),
        ([0, 1], [0.2, 0.7], [0.2, np.nan], "one is nan"),
        ([0, 1], [0.2, 0.7], [], "one is needed"),
        ([0, 1], [0.2, 2.0], 0.3, "outside 0 to 1"),
        ([0, 1], [0.2], 0.3, "2 labels and 1 scores"),
        ([1, 1], [0.2, 0.7], 0.3, "All 2 labels are 1"),
        ([0, 3], [0.2, 0.7], 0.3, "such as 3"),
        ([], [], 0.3, "at least one"),
    ],
)
def test_mistakes_are_named(label, score, thresholds, message):
    with pytest.raises(StatisticsError, match=message):
        net_benefit(label, score, thresholds)
    with pytest.raises(StatisticsError, match=message):
        compare_net_benefit(label, score, "treat all", thresholds)


def test_an_unknown_strategy_is_named():
    with pytest.raises(StatisticsError, match="'all' is no strategy"):
        compare_net_benefit([0, 1], [0.2, 0.7], "all", 0.3)


def test_a_curve_is_drawn_over_all_thresholds():
    label, score = np.tile([0, 1], 20), np.linspace(0.1, 0.9, 40)
    assert net_benefit(label, score).points["threshold"].nunique() == 19
