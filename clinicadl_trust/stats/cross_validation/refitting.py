"""Fit a scikit-learn estimator in folds, and measure it within each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.cross_validation.participant_folds import Fold
from clinicadl_trust.stats.metric import Metric, TaskKind
from clinicadl_trust.stats.metrics import get_metrics

__all__ = ["ScoreMethod", "Study"]

Labels = npt.NDArray[np.generic]
ScoreMethod = Literal["predict_proba", "decision_function", "predict"]
_METHODS = ("predict_proba", "decision_function", "predict")


@dataclass(frozen=True)
class Study:
    """An estimator, what it is given, and how it is measured.

    Attributes
    ----------
    estimator : scikit-learn estimator
        Cloned for each fit.
    features : numpy.ndarray or pandas.DataFrame of shape (n_images, n_features)
        What it is fitted on.
    labels : numpy.ndarray of shape (n_images,)
        Classes or values.
    classes : tuple
        The classes in order, empty for a quantity.
    metric : Metric
        What is measured within a fold.
    method : str
        Of the estimator, which gives the scores.
    """

    estimator: Any
    features: Any
    labels: Labels
    classes: tuple[Any, ...]
    metric: Metric
    method: str

    @classmethod
    def make(
        cls,
        estimator: Any,
        X: npt.ArrayLike | pd.DataFrame,
        labels: Labels,
        metric: str | None = None,
        method: ScoreMethod | None = None,
    ) -> Study:
        """Check what was given, and fill in what was not.

        Raises
        ------
        StatisticsError
            If lengths disagree, labels are constant, or the metric is of another task.
        """
        from sklearn.base import is_classifier

        features = X if isinstance(X, pd.DataFrame) else np.asarray(X)
        if len(features) != len(labels):
            raise StatisticsError(
                f"X has {len(features)} images and y {len(labels)}. Give a row of X "
                "for each label."
            )
        found = pd.unique(pd.Series(labels).dropna())
        if len(found) < 2 or pd.isna(labels).any():
            raise StatisticsError(
                f"The labels have {len(found)} values and {pd.isna(labels).sum()} are "
                "missing. Give every image a label, and two of them at least."
            )
        task: TaskKind = "binary"
        if len(found) > 2:
            task = "multiclass" if is_classifier(estimator) else "regression"
        known = [name for name in _METHODS if hasattr(estimator, name)]
        return cls(
            estimator,
            features,
            labels,
            () if task == "regression" else tuple(sorted(found)),
            get_metrics(None if metric is None else [metric], task)[0],
            method or (known[0] if task != "regression" else "predict"),
        )

    @property
    def strata(self) -> Labels | None:
        """What folds are to be even in: the classes."""
        return self.labels if self.classes else None

    def check(self, folds: Sequence[Fold]) -> None:
        """Check that each fold trains and tests what it needs.

        Raises
        ------
        StatisticsError
            If a class is missing on one side of a fold.
        """
        for number, fold in enumerate(folds):
            for side, rows in (("trains", fold.train), ("tests", fold.test)):
                lacks = set(self.classes) - set(self.labels[rows].tolist())
                if lacks:
                    names = ", ".join(map(str, sorted(lacks)))
                    raise StatisticsError(
                        f"Fold {number} {side} without one of the classes: {names}. "
                        "Give fewer folds, even in class."
                    )

    def value(self, labels: Labels, folds: Sequence[Fold]) -> float:
        """Return the mean over folds of the metric within each, nan if undefined."""
        return float(np.mean([self._of_fold(labels, fold) for fold in folds]))

    def _of_fold(self, labels: Labels, fold: Fold) -> float:
        from sklearn.base import clone

        model = clone(self.estimator)
        model.fit(self._take(fold.train), labels[fold.train])
        predicted = np.asarray(getattr(model, self.method)(self._take(fold.test)))
        scores = self._scores(predicted)
        if self.metric.probability and (scores.min() < 0 or scores.max() > 1):
            raise StatisticsError(
                f"{self.metric.title} needs probabilities, and {self.method} of "
                f"{type(self.estimator).__name__} gave {scores.min():.3g} to "
                f"{scores.max():.3g}. Put it into a CalibratedClassifierCV, or ask for "
                "roc_auc."
            )
        return self.metric.value(self._codes(labels[fold.test]), scores)

    def _take(self, rows: npt.NDArray[np.intp]) -> Any:
        is_frame = isinstance(self.features, pd.DataFrame)
        return self.features.iloc[rows] if is_frame else self.features[rows]

    def _codes(self, labels: Labels) -> npt.NDArray[np.float64]:
        """Return labels as numbers of classes, or as they are."""
        if not self.classes:
            return np.asarray(labels, dtype=float)
        return pd.Index(self.classes).get_indexer(labels).astype(float)

    def _scores(self, predicted: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Return one score an image, or one a class where there are more than two."""
        from sklearn.base import is_classifier

        if self.method == "predict" and is_classifier(self.estimator):
            predicted = np.eye(len(self.classes))[self._codes(predicted).astype(int)]
        if len(self.classes) == 2 and predicted.ndim == 2:
            predicted = predicted[:, 1]
        return predicted.astype(float)
