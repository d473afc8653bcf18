"""Probabilities from decision values: Platt's sigmoid, participants kept together.

A support vector machine gives distances, and a Brier score needs probabilities. The
sigmoid is fitted on decision values of training images by models that have not seen
their participant (grouped cross-validation within the training rows); the estimator
itself is then fitted on all of them. ``SVC(probability=True)`` and
``CalibratedClassifierCV`` do the same but for two points: they would put sessions of
one participant on both sides, which makes the sigmoid too steep, and their slope may be
negative. With no effect, out-of-fold values correlate negatively with the label, and a
negative slope turns the estimator's ranking around; here the ranking is always its own.

References
----------
Platt (1999). Probabilistic outputs for support vector machines. Advances in Large
Margin Classifiers, 61-74.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.model_selection import StratifiedGroupKFold

from clinicadl_trust.exceptions import RunError

__all__ = ["GroupedSigmoid"]

#: Least slope per standard deviation of the decision values: flat, but in order.
_LEAST_SLOPE = 1e-6


class GroupedSigmoid(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """A classifier with decision values, given probabilities.

    Parameters
    ----------
    estimator : estimator
        A classifier, or a pipeline that ends in one, with ``decision_function``.
    n_splits : int, default=5
        Folds in which decision values of unseen participants are made; fewer where a
        class has fewer participants.
    seed : int, default=0
        Deals the participants into these folds.

    Attributes
    ----------
    estimator_ : estimator
        Fitted on all rows.
    classes_ : numpy.ndarray of shape (n_classes,)
        The classes.
    slope_ : float
        Above 0.
    intercept_ : numpy.ndarray of shape (n_classes,)
        Probabilities are ``softmax(slope * values + intercept)``, where the values of
        two classes are (0, decision value): then it is the sigmoid.
    """

    def __init__(
        self, estimator: BaseEstimator, n_splits: int = 5, seed: int = 0
    ) -> None:
        self.estimator = estimator
        self.n_splits = n_splits
        self.seed = seed

    def fit(
        self,
        X: np.ndarray,
        y: np.ndarray,
        groups: np.ndarray | None = None,
        **fit_params: np.ndarray,
    ) -> GroupedSigmoid:
        """Fit the sigmoid on unseen participants, and the estimator on all.

        Parameters
        ----------
        X : array of shape (n_images, n_features)
            Features.
        y : array of shape (n_images,)
            Classes.
        groups : array of shape (n_images,), optional
            The participant of each image; by default each is another one.
        **fit_params : array of shape (n_images,)
            Given to the estimator's ``fit``, for example sample weights.

        Raises
        ------
        RunError
            If a class has fewer than two participants.
        """
        y = np.asarray(y)
        groups = np.arange(len(y)) if groups is None else np.asarray(groups)
        self.classes_ = np.unique(y)
        self.estimator_ = clone(self.estimator).fit(X, y, **fit_params)
        values = self._unseen_values(X, y, groups, fit_params)
        codes = np.searchsorted(self.classes_, y)
        self.slope_, self.intercept_ = _fit_sigmoid(values, codes)
        return self

    def decision_function(self, X: np.ndarray) -> np.ndarray:
        """Return the estimator's own decision values."""
        return self.estimator_.decision_function(X)

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return probabilities, shape (n_images, n_classes)."""
        values = _columns(self.decision_function(X), self.classes_)
        return softmax(self.slope_ * values + self.intercept_, axis=1)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the most probable class of each image."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def _unseen_values(
        self,
        X: np.ndarray,
        y: np.ndarray,
        groups: np.ndarray,
        fit_params: dict[str, np.ndarray],
    ) -> np.ndarray:
        participants = min(len(np.unique(groups[y == name])) for name in self.classes_)
        if participants < 2:
            raise RunError(
                "Turning decision values into probabilities needs at least two "
                "training participants of each class; one class has "
                f"{participants}. Use an estimator with predict_proba, or fewer folds."
            )
        folds = StratifiedGroupKFold(
            min(self.n_splits, participants), shuffle=True, random_state=self.seed
        )
        values = np.zeros((len(y), len(self.classes_)))
        for seen, unseen in folds.split(X, y, groups):
            if len(np.unique(y[seen])) < len(self.classes_):
                raise RunError(
                    "Turning decision values into probabilities leaves a class out of "
                    "a part of the training rows. Use an estimator with "
                    "predict_proba, or fewer folds."
                )
            here = {name: value[seen] for name, value in fit_params.items()}
            fitted = clone(self.estimator).fit(X[seen], y[seen], **here)
            values[unseen] = _columns(
                fitted.decision_function(X[unseen]), self.classes_
            )
        return values


def _columns(values: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return decision values as one column per class."""
    if values.ndim == 1:
        return np.stack([np.zeros_like(values), values], axis=1)
    if values.shape[1] != len(classes):
        raise RunError(
            f"The estimator gives {values.shape[1]} decision values for "
            f"{len(classes)} classes. With SVC, leave decision_function_shape at 'ovr'."
        )
    return values


def _fit_sigmoid(values: np.ndarray, codes: np.ndarray) -> tuple[float, np.ndarray]:
    """Fit slope and intercepts by maximum likelihood with Platt's softened targets.

    Parameters
    ----------
    values : numpy.ndarray of shape (n_images, n_classes)
        Decision values.
    codes : numpy.ndarray of int, shape (n_images,)
        The column of each image's class.
    """
    n_classes = values.shape[1]
    counts = np.bincount(codes, minlength=n_classes)
    # Laplace's rule instead of 0 and 1: separable values would give a step.
    soft = (np.ones((n_classes, n_classes)) + np.diag(counts)) / (
        counts[:, None] + n_classes
    )
    targets = soft[codes]
    scale = values.std() or 1.0
    scaled = values / scale

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        raw = theta[0] * scaled + theta[1:]
        error = softmax(raw, axis=1) - targets
        gradient = np.append((error * scaled).sum(), error.sum(axis=0))
        return -(targets * log_softmax(raw, axis=1)).sum(), gradient

    start = np.append(1.0, np.log((counts + 1) / (counts.sum() + n_classes)))
    bounds = [(_LEAST_SLOPE, None)] + [(None, None)] * n_classes
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, tol=1e-12)
    return float(found.x[0] / scale), found.x[1:] - found.x[1]
