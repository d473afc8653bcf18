"""Estimators by import path: found, checked, and suggested when misspelt."""

import sys
import types

import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import BaggingClassifier
from sklearn.svm import SVC

from clinicadl_trust.exceptions import ConfigError
from clinicadl_trust.models.estimators import build_estimator, import_estimator
from clinicadl_trust.models.scikit import check_scikit
from clinicadl_trust.task import Task

BINARY = Task("classification", "diagnosis", ("CN", "AD"))
QUANTITY = Task("regression", "score")


def table(**given) -> dict:
    return {"type": "scikit-learn", "estimator": "sklearn.svm.LinearSVC", **given}


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (
            "sklearn.linear_model.LogisticRegresion",
            "Did you mean 'sklearn.linear_model.LogisticRegression'",
        ),
        (
            "sklearn.linear_models.LogisticRegression",
            "no module 'sklearn.linear_models'.*'sklearn.linear_model.Logistic",
        ),
        ("LinearSVC", "no import path. Did you mean 'sklearn.svm.LinearSVC'"),
        ("sklearn.tree.RandomForestClassifier", "'sklearn.ensemble.RandomForest"),
        ("labtools.models.Net", "no module 'labtools'.*install the package"),
        ("pathlib.Path", "no estimator: it has no fit"),
        ("sklearn.base.clone", "no estimator"),
        (None, "needs a 'name'"),
        (3, "needs a 'name'"),
    ],
)
def test_a_wrong_path_is_refused(path, message):
    with pytest.raises(ConfigError, match=message) as error:
        import_estimator(path, "models.tried.estimator")
    assert "models.tried.estimator" in str(error.value)


def test_an_unknown_parameter_has_a_near_one():
    options = {"name": "sklearn.linear_model.LogisticRegression", "max_iters": 3}
    with pytest.raises(ConfigError, match="Did you mean 'max_iter'"):
        build_estimator(options, "models.tried.estimator")


def test_a_wrong_value_is_refused_before_anything_is_fitted():
    options = {"name": "sklearn.svm.SVC", "C": "much"}
    with pytest.raises(ConfigError, match="'C' parameter of SVC must be a float"):
        build_estimator(options, "models.tried.estimator")


def test_the_seed_becomes_the_random_state():
    assert build_estimator("sklearn.svm.SVC", "x", seed=7).random_state == 7
    own = build_estimator({"name": "sklearn.svm.SVC", "random_state": 1}, "x", seed=7)
    assert own.random_state == 1


def test_an_estimator_may_hold_another():
    options = {
        "name": "sklearn.ensemble.BaggingClassifier",
        "estimator": {"name": "sklearn.svm.SVC", "C": 2.0},
    }
    built = build_estimator(options, "x", seed=5)
    assert isinstance(built, BaggingClassifier)
    assert isinstance(built.estimator, SVC)
    assert (built.estimator.C, built.estimator.random_state) == (2.0, 5)
    with pytest.raises(ConfigError, match=r"x\.estimator"):
        build_estimator({**options, "estimator": {"name": "sklearn.svm.SCV"}}, "x")


class Theirs(ClassifierMixin, BaseEstimator):
    """An estimator of another package, whose parameters its signature hides."""

    def __init__(self, **options):
        self.options = options

    def get_params(self, deep=True):
        return {"depth": 3, **self.options}

    def fit(self, X, y):
        return self


def test_another_package_s_estimator_is_used(monkeypatch):
    module = types.ModuleType("labtools")
    module.Theirs = Theirs
    monkeypatch.setitem(sys.modules, "labtools", module)
    assert build_estimator({"name": "labtools.Theirs", "depth": 5}, "x").options == {
        "depth": 5
    }
    with pytest.raises(ConfigError, match="Did you mean 'depth'"):
        build_estimator({"name": "labtools.Theirs", "dept": 5}, "x")


@pytest.mark.parametrize(
    ("config", "task", "message"),
    [
        ({"type": "sklearn"}, BINARY, "Did you mean 'scikit-learn'"),
        ({}, BINARY, "models.tried.type is None"),
        (table(estimater="x"), BINARY, "Did you mean 'estimator'"),
        (table(columns=["age"]), BINARY, "Unknown key 'columns'"),
        ({"type": "majority", "estimator": "x"}, BINARY, "Unknown key 'estimator'"),
        (table(features="region"), BINARY, "Did you mean 'regions'"),
        (table(standardize="perhaps"), BINARY, "standardize cannot be 'perhaps'"),
        (table(steps=["sklearn.svm.SVC"]), BINARY, "transforms nothing"),
        (
            table(steps=[{"name": "sklearn.feature_selection.SelectKBst"}]),
            BINARY,
            r"steps\[0\].*Did you mean 'sklearn.feature_selection.SelectKBest'",
        ),
        (table(search={"c": [1]}), BINARY, "search.*Did you mean 'C'"),
        (table(search={"C": []}), BINARY, "search.C lists no value"),
        (table(search={"C": [1, "x"]}), BINARY, r"search\.C: The 'C' parameter"),
        (table(search={"selectkbest__k": [1]}), BINARY, "Unknown key 'selectkbest__k'"),
        (table(search_metric="roc_acu"), BINARY, "Did you mean 'roc_auc'"),
        (table(estimator="sklearn.linear_model.Ridge"), BINARY, "not a classifier"),
        (table(), QUANTITY, "not a regressor"),
        (
            table(estimator="sklearn.linear_model.LinearRegression"),
            BINARY,
            "LinearRegression, not a classifier",
        ),
        (
            table(
                estimator="sklearn.neighbors.KNeighborsClassifier",
                weights="participant",
            ),
            BINARY,
            "KNeighborsClassifier takes no weights",
        ),
    ],
)
def test_a_wrong_table_is_refused_before_anything_runs(config, task, message):
    with pytest.raises(ConfigError, match=message) as error:
        check_scikit("tried", config, task)
    assert "models.tried" in str(error.value)


@pytest.mark.parametrize(
    ("config", "task"),
    [
        (table(), BINARY),
        (table(), None),
        (table(label="Linear SVM", seeds=[0, 1], splits=["sites"]), BINARY),
        (table(estimator="sklearn.linear_model.Ridge"), QUANTITY),
        (
            table(
                steps=[{"name": "sklearn.feature_selection.SelectKBest", "k": 50}],
                search={"C": [0.01, 1], "selectkbest__k": [20, 50]},
            ),
            BINARY,
        ),
        ({"type": "scikit-learn"}, QUANTITY),
        ({"type": "metadata"}, BINARY),
        ({"type": "metadata"}, QUANTITY),
        ({"type": "majority"}, QUANTITY),
    ],
)
def test_a_right_table_passes(config, task):
    check_scikit("tried", config, task)


def test_two_steps_of_one_class_get_names_of_their_own():
    from clinicadl_trust.models.pipelines import make_pipeline
    from clinicadl_trust.models.scikit_config import ScikitConfig

    select = {"name": "sklearn.feature_selection.SelectKBest"}
    config = ScikitConfig.parse("tried", table(steps=[select, select]))
    assert list(make_pipeline(config, BINARY, "x").named_steps) == [
        "standardscaler",
        "selectkbest",
        "selectkbest-2",
        "estimator",
    ]
