"""Studies on which models are trained, and what these models are truly worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from clinicadl_trust.stats.influence import roc_auc

__all__ = [
    "Hospitals",
    "Study",
    "auc_of",
    "fold_values",
    "logistic",
    "predict",
    "ridge",
    "stratified_folds",
]

Array = npt.NDArray[np.float64]

#: From features and labels to a slope per feature and an intercept, in one array.
Learner = Callable[[Array, Array], Array]

#: Trainings over which a true performance is averaged.
_TRAININGS = 2000


@dataclass(frozen=True)
class Study:
    """Features and labels by participant, for learners that are trained here.

    Attributes
    ----------
    participants, features : int
        How many.
    effect : float
        Distance of the classes, in standard deviations of the first five features'
        mean direction.
    prevalence : float
        Share of class 1.
    """

    participants: int
    features: int = 20
    effect: float = 0.0
    prevalence: float = 0.5

    def draw(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """Return features, the first five informative, and labels."""
        patients = np.arange(self.participants) < self.prevalence * self.participants
        label = rng.permutation(patients).astype(float)
        features = rng.normal(size=(self.participants, self.features))
        return features + label[:, None] * self.direction, label

    @property
    def direction(self) -> Array:
        """What the disease adds to each feature."""
        return _direction(self.features, self.effect)

    @lru_cache  # noqa: B019 - a handful of studies
    def truth(self, learner: Learner, n_train: int) -> float:
        """Return the AUC of models trained on so many participants, on average."""
        if not self.effect:
            return 0.5
        rng = np.random.default_rng(7)
        part = Study(n_train, self.features, self.effect, self.prevalence)
        models = (learner(*part.draw(rng)) for _ in range(_TRAININGS))
        return float(np.mean([_true_auc(m, self.direction) for m in models]))


@dataclass(frozen=True)
class Hospitals:
    """Sites of one size whose prevalence, and perhaps disease effect, differ.

    Attributes
    ----------
    sites, participants, features : int
        How many; participants of each site.
    effect, spread : float
        Distance of the classes, and the standard deviation between sites of what the
        disease does.
    prevalence : tuple of float
        Least and greatest share of class 1.
    """

    sites: int
    participants: int = 40
    features: int = 20
    effect: float = 0.0
    spread: float = 0.0
    prevalence: tuple[float, float] = (0.35, 0.65)

    def draw(self, rng: np.random.Generator) -> list[tuple[Array, Array]]:
        """Return features and labels of each site."""
        return [
            self._site(rng, share)
            for share in rng.permutation(np.linspace(*self.prevalence, self.sites))
        ]

    @lru_cache  # noqa: B019 - a handful of groups of sites
    def truth(self, learner: Learner) -> float:
        """Return the AUC at a new site, trained on all but one of so many others."""
        if not self.effect and not self.spread:
            return 0.5
        rng, values = np.random.default_rng(7), []
        for _ in range(_TRAININGS):
            trained, directions = self.draw(rng)[1:], self._directions(rng, 50)
            model = learner(*(np.concatenate(x) for x in zip(*trained, strict=True)))
            values += [_true_auc(model, each) for each in directions]
        return float(np.mean(values))

    def _directions(self, rng: np.random.Generator, size: int) -> Array:
        own = rng.normal(size=(size, self.features)) / self.features**0.5
        return _direction(self.features, self.effect) + self.spread * own

    def _site(self, rng: np.random.Generator, share: float) -> tuple[Array, Array]:
        count = np.clip(round(share * self.participants), 2, self.participants - 2)
        label = (np.arange(self.participants) < count).astype(float)
        noise = rng.normal(size=(self.participants, self.features))
        return noise + label[:, None] * self._directions(rng, 1), label


def ridge(features: Array, label: Array, penalty: float = 50.0) -> Array:
    """Fit a ridge regression; its last coefficient is the intercept."""
    centred = features - features.mean(axis=0)
    gram = centred.T @ centred + penalty * np.eye(features.shape[1])
    slope = np.linalg.solve(gram, centred.T @ (label - label.mean()))
    return np.append(slope, label.mean() - features.mean(axis=0) @ slope)


def logistic(features: Array, label: Array) -> Array:
    """Fit scikit-learn's logistic regression, well penalised."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=0.05, solver="liblinear").fit(features, label)
    return np.append(model.coef_[0], model.intercept_)


def predict(features: Array, coefficients: Array) -> Array:
    """Apply a linear model."""
    return features @ coefficients[:-1] + coefficients[-1]


def auc_of(label: Array, score: Array) -> float:
    """Return the AUC, without an interval."""
    return float(roc_auc(label, score)[0])


def stratified_folds(
    label: Array, n_splits: int, rng: np.random.Generator
) -> npt.NDArray[np.intp]:
    """Number the test fold of each participant, classes balanced."""
    fold = np.empty(label.size, dtype=np.intp)
    for code in (0, 1):
        members = rng.permutation(np.flatnonzero(label == code))
        fold[members] = np.arange(members.size) % n_splits
    return fold


def fold_values(
    features: Array, label: Array, fold: npt.NDArray[np.intp], learner: Learner
) -> tuple[Array, Array]:
    """Cross-validate; return the AUC within each fold, and all out-of-fold scores."""
    score = np.empty(label.size)
    values = []
    for split in range(fold.max() + 1):
        test = fold == split
        model = learner(features[~test], label[~test])
        score[test] = predict(features[test], model)
        values.append(auc_of(label[test], score[test]))
    return np.array(values), score


def _direction(features: int, effect: float) -> Array:
    direction = np.zeros(features)
    direction[:5] = effect / np.sqrt(5)
    return direction


def _true_auc(model: Array, direction: Array) -> float:
    """AUC of a linear score of normal features with unit variance."""
    slope = model[:-1]
    reach = np.sqrt(2 * slope @ slope)
    return float(ndtr(slope @ direction / reach)) if reach > 0 else 0.5
