"""Fit a scikit-learn model on the training rows, and on nothing else."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from clinicadl_trust.exceptions import RunError
from clinicadl_trust.models.calibration import GroupedSigmoid
from clinicadl_trust.models.classes import check_classes
from clinicadl_trust.task import Task

__all__ = ["Fitted", "Search", "Table", "fit", "take"]


@dataclass(frozen=True)
class Table:
    """Rows to fit on.

    Attributes
    ----------
    inputs : numpy.ndarray or pandas.DataFrame of shape (n_images, n_features)
        Features, or columns of the participants table.
    targets : numpy.ndarray of shape (n_images,)
        Class indices, or values.
    participants : numpy.ndarray of str, shape (n_images,)
        Whose image each is.
    """

    inputs: Any
    targets: np.ndarray
    participants: np.ndarray

    def __len__(self) -> int:
        return len(self.targets)


@dataclass(frozen=True)
class Search:
    """How hyper-parameters are chosen.

    Attributes
    ----------
    grid : mapping
        Parameter of the pipeline to values.
    metric : str
        A scoring name of scikit-learn, more is better.
    table : Table
        Rows that are not tested on.
    splits : sequence of (fitted, scored)
        Row numbers of ``table``.
    """

    grid: Mapping[str, Sequence[Any]]
    metric: str
    table: Table
    splits: Sequence[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Fitted:
    """A fitted model.

    Attributes
    ----------
    estimator : estimator
        With ``predict_proba`` for a classification, ``predict`` for a regression.
    chosen : dict
        The hyper-parameters found by a search.
    scores : list of dict
        What the search tried: the parameters and their mean ``score``.
    notes : tuple of str
        What scikit-learn warned of.
    """

    estimator: BaseEstimator
    chosen: dict[str, Any] = field(default_factory=dict)
    scores: list[dict[str, Any]] = field(default_factory=list)
    notes: tuple[str, ...] = ()

    def scores_of(self, inputs: Any, task: Task) -> np.ndarray:
        """Predict.

        Parameters
        ----------
        inputs : array of shape (n_images, n_features)
            As it was fitted on.
        task : Task
            What is predicted.

        Returns
        -------
        numpy.ndarray of shape (n_images,) or (n_images, n_scores)
            Probability of the positive class, of each class when there are more than
            two, or predicted value, of each output when there are several.

        Raises
        ------
        RunError
            If a prediction is not finite.
        """
        if task.kind == "regression":
            scores = np.asarray(self.estimator.predict(inputs), dtype=float)
            if not task.outputs:
                scores = scores.reshape(len(scores))
        else:
            found = self.estimator.predict_proba(inputs)
            scores = np.zeros((len(found), len(task.classes)))
            scores[:, self.estimator.classes_] = found
            scores = scores[:, 1] if task.is_binary else scores
        if not np.isfinite(scores).all():
            raise RunError(
                f"{int((~np.isfinite(scores)).sum())} of {scores.size} predictions are "
                "not finite: the estimator diverged. Scale the features (standardize = "
                "true), or regularise more."
            )
        return scores


def take(inputs: Any, rows: np.ndarray) -> Any:
    """Return some rows of an array or a table."""
    return inputs.iloc[rows] if isinstance(inputs, pd.DataFrame) else inputs[rows]


def fit(
    pipeline: Pipeline,
    task: Task,
    train: Table,
    *,
    search: Search | None = None,
    weights: str = "image",
    seed: int = 0,
) -> Fitted:
    """Choose hyper-parameters, fit on the training rows, and make scores probabilities.

    Parameters
    ----------
    pipeline : Pipeline
        Not fitted; it is left so.
    task : Task
        What is predicted.
    train : Table
        The training rows: all that the model is fitted on.
    search : Search, optional
        How to choose hyper-parameters.
    weights : {"image", "participant"}
        What counts alike.
    seed : int
        Deals the folds of ``GroupedSigmoid``.

    Raises
    ------
    RunError
        If the training rows lack a class or vary in nothing, the search cannot tell
        its candidates apart, or scikit-learn refuses a value.
    """
    _check_rows(train, task)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            chosen, scores = _choose(pipeline, search, weights) if search else ({}, [])
            model: BaseEstimator = clone(pipeline).set_params(**chosen)
            given = _fit_params(train, weights)
            if task.kind == "classification" and not hasattr(model, "predict_proba"):
                model = GroupedSigmoid(model, seed=seed)
                model.fit(train.inputs, train.targets, train.participants, **given)
            else:
                model.fit(train.inputs, train.targets, **given)
        except (ValueError, TypeError, ArithmeticError) as error:
            raise RunError(
                f"{type(pipeline[-1]).__name__} cannot be fitted on {len(train)} "
                f"images: {error} Check the values under 'estimator' and 'steps'."
            ) from error
    notes = dict.fromkeys(f"{w.category.__name__}: {w.message}" for w in caught)
    return Fitted(model, chosen, scores, tuple(notes))


def _choose(
    pipeline: Pipeline, search: Search, weights: str
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the best parameters on the inner rows, the first of equals, and all."""
    table = search.table
    grid = GridSearchCV(
        pipeline,
        dict(search.grid),
        scoring=search.metric,
        cv=list(search.splits),
        refit=False,
        error_score="raise",
    )
    grid.fit(table.inputs, table.targets, **_fit_params(table, weights))
    means = grid.cv_results_["mean_test_score"]
    tried = [
        {**params, "score": float(mean)}
        for params, mean in zip(grid.cv_results_["params"], means, strict=True)
    ]
    if not np.isfinite(means).all():
        raise RunError(
            f"The search cannot compute '{search.metric}' on the inner validation "
            "rows: a class is missing there. Use a larger validation_fraction, a "
            "nested split, or another search_metric."
        )
    return grid.cv_results_["params"][int(np.argmax(means))], tried


def _fit_params(table: Table, weights: str) -> dict[str, np.ndarray]:
    if weights == "image":
        return {}
    counts = pd.Series(table.participants).value_counts()
    per_image = 1.0 / counts[table.participants].to_numpy()
    # Of mean 1, so that the strength of a penalty keeps its meaning.
    return {"estimator__sample_weight": per_image / per_image.mean()}


def _check_rows(train: Table, task: Task) -> None:
    if not len(train):
        raise RunError("There are no training images in this fold.")
    if not np.isfinite(np.asarray(train.targets, dtype=float)).all():
        raise RunError(f"Label '{task.label}' is missing in a training row.")
    check_classes(train.targets, task)
    varies = (
        isinstance(train.inputs, pd.DataFrame) or np.ptp(train.inputs, axis=0).any()
    )
    if not varies and train.inputs.shape[1] > 1:
        raise RunError(
            f"Every feature is the same in all {len(train)} training images: are they "
            "copies of one image?"
        )
