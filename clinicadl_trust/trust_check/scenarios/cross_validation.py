"""Folds that share training data, taken for independent test groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats as distributions

from clinicadl_trust.stats import (
    corrected_kfold_ttest,
    cross_validation_interval,
    roc_auc,
)
from clinicadl_trust.trust_check.learners import (
    Learner,
    Study,
    fold_values,
    logistic,
    ridge,
    stratified_folds,
)
from clinicadl_trust.trust_check.scenario import Answer, Procedure, Scenario, Setting

__all__ = ["SCENARIO"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Folds:
    """What a cross-validation leaves: values by fold, scores of the last repeat."""

    values: Array
    label: Array
    score: Array
    n_splits: int
    repeats: int


@dataclass(frozen=True)
class _CrossValidation:
    study: Study
    n_splits: int
    repeats: int = 1
    learner: Learner = ridge

    def __call__(self, rng: np.random.Generator) -> Folds:
        """Cross-validate one model."""
        features, label = self.study.draw(rng)
        values = []
        for _ in range(self.repeats):
            fold = stratified_folds(label, self.n_splits, rng)
            found, score = fold_values(features, label, fold, self.learner)
            values.append(found)
        return Folds(np.concatenate(values), label, score, self.n_splits, self.repeats)

    def truth(self, _: Folds) -> float:
        """Return the mean AUC of models trained on as many participants."""
        n = self.study.participants
        return self.study.truth(self.learner, n - n // self.n_splits)


@dataclass(frozen=True)
class _Pair(_CrossValidation):
    """Two models that see other features of the same participants, as informative."""

    def __call__(self, rng: np.random.Generator) -> Folds:
        first, label = self.study.draw(rng)
        second = rng.normal(size=first.shape) + label[:, None] * self.study.direction
        values = []
        for _ in range(self.repeats):
            fold = stratified_folds(label, self.n_splits, rng)
            ours, theirs = (
                fold_values(each, label, fold, self.learner)[0]
                for each in (first, second)
            )
            values.append(ours - theirs)
        return Folds(np.concatenate(values), label, label, self.n_splits, self.repeats)


def _t_interval(data: Folds) -> Answer:
    values = data.values
    reach = distributions.sem(values) * distributions.t.ppf(0.975, values.size - 1)
    return Answer.around(float(values.mean()), float(reach))


_ESTIMATE = (
    Procedure(
        "DeLong's interval of all out-of-fold scores",
        lambda d: roc_auc(d.label, d.score),
        True,
    ),
    Procedure("t interval of the fold values", _t_interval, True),
    Procedure(
        "cross_validation_interval",
        lambda d: cross_validation_interval(
            d.values, d.n_splits - 1, 1, bounds=(0.0, 1.0)
        ),
    ),
)
_TEST = (
    Procedure(
        "paired t-test of the fold values",
        lambda d: Answer(p_value=float(distributions.ttest_1samp(d.values, 0).pvalue)),
        True,
    ),
    Procedure(
        "corrected_kfold_ttest",
        lambda d: corrected_kfold_ttest(d.values, d.n_splits, d.repeats),
    ),
)


def _settings() -> tuple[Setting, ...]:
    none, some = Study(120), Study(120, effect=1.0)
    ones = {
        "no effect, 5 folds, ridge": _CrossValidation(none, 5),
        "no effect, 10 folds, ridge": _CrossValidation(none, 10),
        "no effect, 5 folds, logistic regression": _CrossValidation(
            none, 5, learner=logistic
        ),
        "an effect, 5 folds, ridge": _CrossValidation(some, 5),
        "an effect, 10 folds, ridge": _CrossValidation(some, 10),
        "an effect, 5 folds, logistic regression": _CrossValidation(
            some, 5, learner=logistic
        ),
        "no effect, ten repeats of 5 folds, ridge": _CrossValidation(none, 5, 10),
        "an effect, ten repeats of 5 folds, ridge": _CrossValidation(some, 5, 10),
    }
    half = Study(120, effect=0.5)
    pairs = {
        "5 folds": _Pair(half, 5),
        "10 folds": _Pair(half, 10),
        "ten repeats of 5 folds": _Pair(half, 5, 10),
    }
    return (
        *(
            Setting(f"120 participants, {title}", draw, _ESTIMATE, truth=draw.truth)
            for title, draw in ones.items()
        ),
        *(
            Setting(f"two equal models, {title}", draw, _TEST, "rejection")
            for title, draw in pairs.items()
        ),
    )


SCENARIO = Scenario(
    name="cross-validation",
    title="Folds of a cross-validation",
    naive=(
        "The values of the folds are taken for independent measurements, or the "
        "out-of-fold scores for those of one test group. The models of two folds were "
        "trained on almost the same people, so their errors go together."
    ),
    ours=(
        "The metric within each fold, averaged, with the correction of Nadeau and "
        "Bengio. It is approximate, and says so: repeats do not add participants."
    ),
    settings=_settings(),
)
