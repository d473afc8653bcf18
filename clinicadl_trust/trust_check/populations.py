"""Test groups whose images belong to participants, drawn from a known truth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from scipy import special

from clinicadl_trust.stats.metrics import get_metric
from clinicadl_trust.stats.sample import Sample

__all__ = ["Group", "HeavyTailed", "Uneven", "probability", "truth"]


@dataclass(frozen=True)
class Group:
    """A test group: participants with several images, correlated scores.

    Scores are normal within class, with a variance of 1, and become probabilities by
    the logistic function.

    Attributes
    ----------
    participants, images : int
        How many, and how many images of each.
    icc : float
        Part of the variance that belongs to the participant.
    auc, prevalence : float
        Of all images there could be; share of participants of class 1.
    """

    participants: int
    images: int
    icc: float
    auc: float
    prevalence: float = 0.5

    def __str__(self) -> str:
        return (
            f"{self.participants} x {self.images}, ICC {self.icc}, AUC {self.auc}, "
            f"prevalence {self.prevalence}"
        )

    def draw(self, rng: np.random.Generator) -> tuple[Sample, np.ndarray, np.ndarray]:
        """Return a sample and the scores of two models that are as good as another.

        The two share half of the participant's and half of the image's variance.
        """
        label = (rng.random(self.participants) < self.prevalence).astype(float)
        label[:2], label[2:4] = 1.0, 0.0  # two participants of each class at least
        cluster = self._clusters(rng)
        label = label[cluster]
        shared, own, other = (self._noise(rng, cluster) for _ in range(3))
        return (
            Sample(label, cluster),
            probability(label, np.sqrt(0.5) * (shared + own), self.auc),
            probability(label, np.sqrt(0.5) * (shared + other), self.auc),
        )

    def truth(self, name: str) -> float:
        """Return the value of a metric in a population of such participants."""
        return truth(name, self.auc, self.prevalence)

    def _clusters(self, rng: np.random.Generator) -> np.ndarray:
        return np.repeat(np.arange(self.participants), self.images)

    def _noise(self, rng: np.random.Generator, cluster: np.ndarray) -> np.ndarray:
        of_participant = rng.normal(size=self.participants)[cluster]
        own = rng.normal(size=cluster.size)
        return np.sqrt(self.icc) * of_participant + np.sqrt(1 - self.icc) * own


@dataclass(frozen=True)
class Uneven(Group):
    """A test group with a random, geometric number of images.

    Attributes
    ----------
    participants, images, icc, auc, prevalence
        As in ``Group``; ``images`` is the mean.
    most : int
        Images of one participant, if it is given.
    """

    most: int = 0

    def __str__(self) -> str:
        return f"{super().__str__()}, uneven, most {self.most}"

    def _clusters(self, rng: np.random.Generator) -> np.ndarray:
        sizes = rng.geometric(1 / self.images, self.participants)
        if self.most:
            sizes[rng.integers(self.participants)] = self.most
        return np.repeat(np.arange(self.participants), sizes)


@dataclass(frozen=True)
class HeavyTailed(Group):
    """A test group whose participants differ as Student's t with 3 degrees of freedom.

    They differ more than elsewhere, and the AUC is less than ``auc``.
    """

    def __str__(self) -> str:
        return f"{super().__str__()}, heavy tails"

    @lru_cache  # noqa: B019 - a handful of groups
    def truth(self, name: str) -> float:
        """Return the value of a metric in half a million participants."""
        many = replace(self, participants=500_000, images=1)
        sample, score, _ = many.draw(np.random.default_rng(2))
        return get_metric(name, "binary").value(sample.label, score)

    def _noise(self, rng: np.random.Generator, cluster: np.ndarray) -> np.ndarray:
        own = rng.normal(size=cluster.size)
        of_participant = rng.standard_t(3, size=self.participants)[cluster]
        return np.sqrt(self.icc) * of_participant + np.sqrt(1 - self.icc) * own


def probability(label: np.ndarray, noise: np.ndarray, auc: float) -> np.ndarray:
    """Turn a label and noise of variance 1 into a probability of class 1."""
    distance = np.sqrt(2) * special.ndtri(auc)
    return special.expit(distance * (label - 0.5) + noise)


@lru_cache
def truth(name: str, auc: float, prevalence: float) -> float:
    """Value of a metric in two million images."""
    rng = np.random.default_rng(2)
    n = 2_000_000
    label = (np.arange(n) < n * prevalence).astype(float)
    score = probability(label, rng.normal(size=n), auc)
    return get_metric(name, "binary").value(label, score)


@dataclass(frozen=True)
class Study:
    """Features and labels by participant, for learners that are trained here."""
