"""Decision values become probabilities without turning the ranking around."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import RidgeClassifier
from sklearn.metrics import brier_score_loss
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.svm import SVC, LinearSVC

from clinicadl_trust.exceptions import RunError
from clinicadl_trust.models.calibration import GroupedSigmoid


def data(n: int, n_classes: int = 2, effect: float = 1.0, seed: int = 0):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % n_classes
    x = rng.normal(size=(n, 5))
    x[:, 0] += effect * y
    return x, y


def test_two_classes_agree_with_scikit_learn():
    """Same folds, a positive slope: the sigmoid of CalibratedClassifierCV."""
    x, y = data(120)
    groups = np.arange(120) // 2
    ours = GroupedSigmoid(LinearSVC(), seed=3).fit(x, y, groups)
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=3)
    peer = CalibratedClassifierCV(
        LinearSVC(), cv=list(folds.split(x, y, groups)), ensemble=False
    ).fit(x, y)
    new, _ = data(50, seed=1)
    np.testing.assert_allclose(
        ours.predict_proba(new), peer.predict_proba(new), atol=1e-4
    )


class Contrary(ClassifierMixin, BaseEstimator):
    """Scores unseen participants the wrong way round, as chance often does."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.seen_ = {tuple(row) for row in X}
        return self

    def decision_function(self, X):
        sign = [1.0 if tuple(row) in self.seen_ else -1.0 for row in X]
        return X[:, 0] * np.array(sign)

    def predict(self, X):
        return self.classes_[(self.decision_function(X) > 0).astype(int)]


def test_the_ranking_is_always_the_estimator_s_own():
    x, y = data(100, effect=2.0)
    peer = CalibratedClassifierCV(Contrary(), ensemble=False).fit(x, y)
    values = peer.calibrated_classifiers_[0].estimator.decision_function(x)
    order = np.argsort(values)
    assert np.all(np.diff(peer.predict_proba(x)[order, 1]) <= 0)  # turned around

    ours = GroupedSigmoid(Contrary()).fit(x, y)
    assert ours.slope_ > 0
    probability = ours.predict_proba(x)[:, 1]
    assert np.all(np.diff(probability[np.argsort(ours.decision_function(x))]) > 0)
    # It knows nothing, and says so: everyone has the share of the class.
    np.testing.assert_allclose(probability, 0.5, atol=1e-3)


class Spy(ClassifierMixin, BaseEstimator):
    """Remembers who it was fitted on, and asserts that it does not score them."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.people_ = set(X[:, 1])
        return self

    def decision_function(self, X):
        people = set(X[:, 1])
        assert people == self.people_ or not people & self.people_
        return X[:, 0]


def test_a_participant_is_never_on_both_sides():
    x, y = data(60)
    people = np.repeat(np.arange(20), 3)
    y = people % 2
    x[:, 1] = people
    GroupedSigmoid(Spy()).fit(x, y, people)
    with pytest.raises(AssertionError):
        GroupedSigmoid(Spy()).fit(x, y)


def test_sessions_of_one_participant_do_not_make_it_overconfident():
    """Noise features that name the participant: the honest sigmoid stays flat."""
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(60), 4)
    y = people % 2
    anatomy = rng.normal(size=(60, 70))
    x = anatomy[people] + 0.1 * rng.normal(size=(240, 70))
    new, truth = rng.normal(size=(400, 70)), np.arange(400) % 2
    svm = SVC(kernel="linear")
    by_image = StratifiedKFold(5, shuffle=True, random_state=0)
    leaky = CalibratedClassifierCV(clone(svm), cv=by_image, ensemble=False).fit(x, y)
    ours = GroupedSigmoid(svm).fit(x, y, people)
    assert brier_score_loss(truth, leaky.predict_proba(new)[:, 1]) > 0.4
    assert brier_score_loss(truth, ours.predict_proba(new)[:, 1]) < 0.26  # .25: chance


def test_probabilities_are_calibrated():
    """Normal classes one unit apart: the true probability is a known sigmoid."""
    x, y = data(2000)
    model = GroupedSigmoid(RidgeClassifier()).fit(x, y)
    truth = 1 / (1 + np.exp(-(x[:, 0] - 0.5)))
    found = model.predict_proba(x)[:, 1]
    assert np.abs(found - truth).mean() < 0.03


def test_several_classes_sum_to_one_and_are_calibrated():
    x, y = data(1500, n_classes=3, effect=2.0)
    model = GroupedSigmoid(SVC(kernel="linear")).fit(x, y)
    found = model.predict_proba(x)
    assert found.shape == (1500, 3)
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    np.testing.assert_allclose(found.mean(axis=0), 1 / 3, atol=0.02)
    assert (model.predict(x) == y).mean() > 0.7
    density = np.exp(-0.5 * (x[:, :1] - 2.0 * np.arange(3)) ** 2)
    truth = density / density.sum(axis=1, keepdims=True)
    assert np.abs(found - truth).mean() < 0.1


def test_separable_classes_keep_finite_probabilities():
    x = np.repeat([[0.0], [1.0]], 20, axis=0)
    model = GroupedSigmoid(LinearSVC()).fit(x, np.repeat([0, 1], 20))
    found = model.predict_proba(x)[:, 1]
    assert 0 < found.min() < 0.1
    assert 0.9 < found.max() < 1


def test_a_class_with_one_participant_is_refused():
    x, y = data(20)
    people = np.where(y == 1, 0, 1 + np.arange(20))
    with pytest.raises(RunError, match="at least two training participants"):
        GroupedSigmoid(LinearSVC()).fit(x, y, people)


def test_one_against_one_values_are_refused():
    x, y = data(80, n_classes=4)
    with pytest.raises(RunError, match="decision_function_shape"):
        GroupedSigmoid(SVC(decision_function_shape="ovo")).fit(x, y)


def test_the_same_seed_gives_the_same_sigmoid():
    x, y = data(60, effect=0.5)
    slopes = [GroupedSigmoid(LinearSVC(), seed=s).fit(x, y).slope_ for s in (1, 1, 2)]
    assert slopes[0] == slopes[1] != slopes[2]
