"""What a measure of performance has to say of itself for its interval."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from clinicadl_trust.stats.results import Calibration

__all__ = ["Metric", "TaskKind", "n_classes"]

TaskKind = Literal["binary", "multiclass", "regression", "outputs", "segmentation"]
Scale = Literal["logit", "log", "log1m", "identity"]


@dataclass(frozen=True)
class Metric:
    """A measure of performance and what is needed for its interval.

    Attributes
    ----------
    name : str
        As written in an experiment file.
    title : str
        For tables and figures.
    task : {"binary", "multiclass", "regression", "outputs", "segmentation"}
        What it measures.
    influence : callable
        From ``(label, score)`` to the value and one number per image.
    scale : {"logit", "log", "log1m", "identity"}
        Where the interval is symmetric: ``log1m`` is the logarithm of one minus
        the metric.
    bounds : tuple of float
        Smallest and largest value.
    greater_is_better : bool
        Which of two models is the better.
    classes : tuple of int, or None
        Classes without which it is undefined; None for all of them, an empty tuple
        for none.
    stratified : bool
        Whether the number of images of each class counts as given (it does for the
        ROC), or as random, as in the population (average precision, Brier score).
    answers : float
        Independent yes-or-no answers that an image is worth at most; 0 where the
        metric is not a share of right answers. Near 1 the sandwich sees no error
        left to vary and is too sure of itself: without this limit the interval of
        the AUC covers .86 at AUC .98, with it .94 or more.
    probability : bool
        Whether scores must lie between 0 and 1.
    constant_is_exact : bool
        Whether a model that gives every image the same score has a value known
        beforehand, without any sampling error.
    ranks : bool
        Whether only the order of the scores counts, not their size.
    varied_label : bool
        Whether it is undefined where the label is constant (regression).
    jackknife : callable, optional
        What the metric loses without each cluster, where the sum of influences is
        not good enough.
    method : str
        How its variance is obtained.
    column : str
        Where the score is a value that each image has, such as its Dice, the column
        of the predictions that holds it; images without it are left out.
    interval, test : {"calibrated", "conservative", "approximate"}
        What is measured, in ``tests/long/test_coverage.py``, of its interval and of
        its paired difference with enough participants.
    """

    name: str
    title: str
    task: TaskKind
    influence: Callable[[np.ndarray, np.ndarray], tuple[float, np.ndarray]]
    scale: Scale
    bounds: tuple[float, float]
    greater_is_better: bool = True
    classes: tuple[int, ...] | None = ()
    stratified: bool = False
    answers: float = 0.0
    probability: bool = False
    constant_is_exact: bool = False
    ranks: bool = False
    varied_label: bool = False
    jackknife: (
        Callable[[np.ndarray, np.ndarray, np.ndarray, int], np.ndarray] | None
    ) = None
    method: str = "cluster sandwich"
    column: str = ""
    interval: Calibration = "calibrated"
    test: Calibration = "calibrated"

    @property
    def is_of_quantities(self) -> bool:
        """Whether it averages errors or values, and looks at no class."""
        return self.task in ("regression", "outputs", "segmentation")

    def value(self, label: np.ndarray, score: np.ndarray) -> float:
        """Return the metric, nan where it is undefined.

        Parameters
        ----------
        label : numpy.ndarray of shape (n_images,)
            0 or 1, class numbers, or true values.
        score : numpy.ndarray of shape (n_images,) or (n_images, n_classes)
            Probability of class 1 or of each class, or predicted value.
        """
        if self.undefined(label, score):
            return float("nan")
        return self.influence(label, score)[0]

    def undefined(self, label: np.ndarray, score: np.ndarray) -> str:
        """Say why the metric has no value on these images, or return ``""``."""
        if not label.size:
            return "no image"
        if self.varied_label and np.ptp(label) == 0:
            return "its label is constant"
        absent = [code for code in self.needed(score) if not (label == code).any()]
        if absent and score.ndim == 1:
            return f"it has no {('negative', 'positive')[absent[0]]} image"
        return "it lacks a class" if absent else ""

    def needed(self, score: np.ndarray) -> tuple[int, ...]:
        """Return the classes without which the metric is undefined."""
        if self.classes is None:
            return tuple(range(n_classes(score)))
        return self.classes


def n_classes(score: np.ndarray) -> int:
    """Return how many classes a score tells apart."""
    return score.shape[1] if score.ndim == 2 else 2
