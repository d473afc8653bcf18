"""The error of a cross-validation, with an interval from nested folds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr
from sklearn.base import BaseEstimator

from clinicadl_trust.stats import (
    NestedLosses,
    nested_cross_validation,
    nested_cross_validation_interval,
)
from clinicadl_trust.trust_check.learners import Study, predict, ridge
from clinicadl_trust.trust_check.scenario import Answer, Procedure, Scenario, Setting

__all__ = ["SCENARIO"]

Array = npt.NDArray[np.float64]


class SignOfRidge(BaseEstimator):  # type: ignore[misc]
    """A classifier by ridge regression, quick enough to be trained 200 times."""

    def fit(self, X: Array, y: Array) -> SignOfRidge:
        """Fit; ``X`` of shape (n_participants, n_features), ``y`` 0 or 1."""
        self.model_ = ridge(X, y, 10.0)
        return self

    def predict(self, X: Array) -> Array:
        """Return 0 or 1."""
        return (predict(X, self.model_) > 0.5).astype(float)

    def error(self, direction: Array) -> float:
        """Return the share of wrong answers in the population."""
        slope, shift = self.model_[:-1], self.model_[-1] - 0.5
        reach = float(np.sqrt(slope @ slope))
        missed = ndtr(-(slope @ direction + shift) / reach)
        return float(missed + ndtr(shift / reach)) / 2


@dataclass(frozen=True)
class Nested:
    """Losses, and the error of the model that was trained on all participants."""

    losses: NestedLosses
    error: float


@dataclass(frozen=True)
class _Draw:
    study: Study

    def __call__(self, rng: np.random.Generator) -> Nested:
        features, label = self.study.draw(rng)
        losses = nested_cross_validation(
            SignOfRidge(),
            features,
            label,
            lambda truth, predicted: (truth != predicted).astype(float),
            None,
            n_folds=5,
            n_repeats=10,
            seed=int(rng.integers(1 << 31)),
        )
        error = SignOfRidge().fit(features, label).error(self.study.direction)
        return Nested(losses, error)


def _naive(data: Nested) -> Answer:
    once = data.losses.outer[0]
    reach = 1.96 * once.std(ddof=1) / once.size**0.5
    return Answer.around(float(once.mean()), float(reach))


_PROCEDURES = (
    Procedure("mean error +- 1.96 standard errors", _naive, True),
    Procedure(
        "nested_cross_validation_interval",
        lambda d: nested_cross_validation_interval(d.losses, bounds=(0, 1)),
    ),
)

SCENARIO = Scenario(
    name="nested-cross-validation",
    title="The error of the model that was trained on everyone",
    naive=(
        "The errors of a cross-validation are averaged as if they were independent "
        "answers of one model. They come from several models, which share training "
        "participants with each other and with those that they are tested on."
    ),
    ours=(
        "Nested folds (Bates, Hastie and Tibshirani) measure how far a cross-validated "
        "error is from the true one."
    ),
    settings=tuple(
        Setting(title, _Draw(study), _PROCEDURES, truth=lambda d: d.error)
        for title, study in (
            ("120 participants, no effect", Study(120)),
            ("120 participants, an effect", Study(120, effect=1.0)),
            ("60 participants, no effect", Study(60)),
        )
    ),
)
