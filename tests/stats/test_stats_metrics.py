"""Values agree with scikit-learn, and influences with derivatives."""

import numpy as np
import pytest
from sklearn import metrics as sk

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats import Metric, get_metric, metric_names, register
from clinicadl_trust.stats import metrics as registry
from clinicadl_trust.stats.metrics import get_metrics

BINARY = {
    "roc_auc": lambda y, s, w=None: sk.roc_auc_score(y, s, sample_weight=w),
    "average_precision": lambda y, s, w=None: sk.average_precision_score(
        y, s, sample_weight=w
    ),
    "balanced_accuracy": lambda y, s, w=None: sk.balanced_accuracy_score(
        y, s >= 0.5, sample_weight=w
    ),
    "sensitivity": lambda y, s, w=None: sk.recall_score(y, s >= 0.5, sample_weight=w),
    "specificity": lambda y, s, w=None: sk.recall_score(
        1 - y, s < 0.5, sample_weight=w
    ),
    "brier": lambda y, s, w=None: sk.brier_score_loss(y, s, sample_weight=w),
}
MULTICLASS = {
    "roc_auc": lambda y, s, w=None: sk.roc_auc_score(
        y, s, multi_class="ovr", sample_weight=w
    ),
    "balanced_accuracy": lambda y, s, w=None: sk.balanced_accuracy_score(
        y, s.argmax(axis=1), sample_weight=w
    ),
    "brier": lambda y, s, w=None: sk.brier_score_loss(
        y, s, sample_weight=w, labels=[0, 1, 2]
    ),
}
REGRESSION = {
    "mae": lambda y, s, w=None: sk.mean_absolute_error(y, s, sample_weight=w),
    "r2": lambda y, s, w=None: sk.r2_score(y, s, sample_weight=w),
}
ALL = [
    (task, name, function)
    for task, functions in (
        ("binary", BINARY),
        ("multiclass", MULTICLASS),
        ("regression", REGRESSION),
    )
    for name, function in functions.items()
]


def sample(task, n=80, seed=0, ties=True):
    rng = np.random.default_rng(seed)
    if task == "regression":
        label = rng.normal(size=n)
        return label, label + 0.5 * rng.normal(size=n)
    if task == "multiclass":
        return rng.integers(0, 3, n).astype(float), rng.dirichlet(np.ones(3), n)
    label = (rng.random(n) < 0.4).astype(float)
    score = 1 / (1 + np.exp(-(rng.normal(size=n) + label)))
    return label, np.round(score, 1) if ties else score


@pytest.mark.parametrize(("task", "name", "reference"), ALL)
@pytest.mark.parametrize("seed", range(3))
def test_values_agree_with_scikit_learn(task, name, reference, seed):
    label, score = sample(task, seed=seed)
    value = get_metric(name, task).value(label, score)
    assert value == pytest.approx(reference(label, score), abs=1e-12)


@pytest.mark.parametrize(("task", "name", "reference"), ALL)
def test_an_influence_is_the_derivative_by_the_weight_of_an_image(
    task, name, reference
):
    label, score = sample(task)
    _, influence = get_metric(name, task).influence(label, score)
    step = 1e-6
    for image in (0, 3, 11, 40):
        weight = np.ones(len(label))
        weight[image] += step
        slope = (reference(label, score, weight) - reference(label, score)) / step
        assert influence[image] == pytest.approx(slope, abs=1e-6)


@pytest.mark.parametrize(("task", "name", "reference"), ALL)
def test_influences_sum_to_zero(task, name, reference):
    label, score = sample(task, seed=5)
    _, influence = get_metric(name, task).influence(label, score)
    assert influence.sum() == pytest.approx(0, abs=1e-12)


def test_every_metric_is_checked_against_scikit_learn():
    tested = {(task, name) for task, name, _ in ALL}
    known = {
        (task, name)
        for task in ("binary", "multiclass", "regression")
        for name in metric_names(task)
    }
    assert tested == known


@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
@pytest.mark.parametrize("seed", range(3))
def test_metrics_of_ranks_do_not_see_a_monotone_transform(name, seed):
    label, score = sample("binary", seed=seed)
    metric = get_metric(name, "binary")
    value, influence = metric.influence(label, score)
    again, same = metric.influence(label, np.exp(5 * score) - 3)
    assert again == value
    np.testing.assert_array_equal(same, influence)


@pytest.mark.parametrize(
    ("name", "flipped"),
    [
        ("roc_auc", "roc_auc"),
        ("balanced_accuracy", "balanced_accuracy"),
        ("sensitivity", "specificity"),
        ("brier", "brier"),
    ],
)
def test_exchanging_the_classes_exchanges_the_metrics(name, flipped):
    label, score = sample("binary", ties=False)
    value, influence = get_metric(name, "binary").influence(label, score)
    mirror, mirrored = get_metric(flipped, "binary").influence(1 - label, 1 - score)
    assert mirror == pytest.approx(value)
    np.testing.assert_allclose(mirrored, influence, atol=1e-15)


@pytest.mark.parametrize(("task", "name", "reference"), ALL)
def test_the_order_of_images_does_not_matter(task, name, reference):
    label, score = sample(task)
    order = np.random.default_rng(1).permutation(len(label))
    value, influence = get_metric(name, task).influence(label, score)
    again, shuffled = get_metric(name, task).influence(label[order], score[order])
    assert again == pytest.approx(value, abs=1e-12)
    np.testing.assert_allclose(shuffled, influence[order], atol=1e-12)


def test_two_classes_as_columns_are_two_classes():
    label, score = sample("binary")
    both = np.stack([1 - score, score], axis=1)
    metric = get_metric("roc_auc", "multiclass")
    value, influence = metric.influence(label, both)
    expected, same = get_metric("roc_auc", "binary").influence(label, score)
    assert value == pytest.approx(expected)
    np.testing.assert_allclose(influence, same)


@pytest.mark.parametrize(
    ("name", "label", "reason"),
    [
        ("roc_auc", [1, 1, 1], "no negative"),
        ("average_precision", [0, 0, 0], "no positive"),
        ("balanced_accuracy", [0, 0, 0], "no positive"),
        ("sensitivity", [0, 0, 0], "no positive"),
        ("specificity", [1, 1, 1], "no negative"),
        ("roc_auc", [], "no image"),
    ],
)
def test_a_metric_says_why_it_is_undefined(name, label, reason):
    metric, label = get_metric(name, "binary"), np.array(label, dtype=float)
    score = np.linspace(0, 1, len(label))
    assert reason in metric.undefined(label, score)
    assert np.isnan(metric.value(label, score))


def test_one_class_is_enough_for_some_metrics():
    label, score = np.zeros(3), np.array([0.1, 0.2, 0.9])
    assert get_metric("specificity", "binary").value(label, score) == pytest.approx(
        2 / 3
    )
    assert get_metric("brier", "binary").value(label, score) == pytest.approx(0.86 / 3)
    r2 = get_metric("r2", "regression")
    assert "constant" in r2.undefined(label, score)
    lacking = get_metric("roc_auc", "multiclass")
    assert "class" in lacking.undefined(np.array([0.0, 1, 1]), np.eye(3))


def test_an_unknown_metric_is_answered_with_the_nearest():
    with pytest.raises(StatisticsError, match="Did you mean 'roc_auc'"):
        get_metric("rocauc", "binary")
    with pytest.raises(StatisticsError, match="Did you mean 'brier'"):
        get_metric("brier_score", "binary")


def test_a_metric_of_another_task_is_refused_with_the_right_ones():
    with pytest.raises(StatisticsError, match=r"regression.*Choose from roc_auc"):
        get_metric("mae", "binary")
    with pytest.raises(StatisticsError, match=r"two classes.*Choose from mae, r2"):
        get_metric("sensitivity", "regression")


def test_metrics_are_chosen_once_each_and_at_least_one():
    names = [m.name for m in get_metrics(["brier", "roc_auc", "brier"], "binary")]
    assert names == ["brier", "roc_auc"]
    assert [m.name for m in get_metrics("mae", "regression")] == ["mae"]
    assert [m.name for m in get_metrics(None, "regression")] == ["mae", "r2"]
    with pytest.raises(StatisticsError, match="No metric"):
        get_metrics([], "binary")


def test_a_metric_of_ones_own_can_be_registered_once(monkeypatch):
    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))
    mine = Metric(
        name="accuracy",
        title="Accuracy",
        task="binary",
        influence=lambda label, score: (0.0, np.zeros(len(label))),
        scale="logit",
        bounds=(0.0, 1.0),
    )
    assert register(mine) is get_metric("accuracy", "binary")
    assert metric_names("binary")[-1] == "accuracy"
    with pytest.raises(StatisticsError, match="registered already"):
        register(mine)
