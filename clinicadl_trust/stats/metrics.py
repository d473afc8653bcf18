"""The metrics: a small registry, each with its influence function and its scale."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from clinicadl_trust.exceptions import StatisticsError, did_you_mean
from clinicadl_trust.stats import influence
from clinicadl_trust.stats.results import Calibration

__all__ = [
    "Metric",
    "TaskKind",
    "get_metric",
    "get_metrics",
    "metric_names",
    "n_classes",
    "register",
]

TaskKind = Literal["binary", "multiclass", "regression"]
Scale = Literal["logit", "log", "log1m"]

_TASKS: dict[str, str] = {
    "binary": "classification into two classes",
    "multiclass": "classification into more than two classes",
    "regression": "regression",
}


@dataclass(frozen=True)
class Metric:
    """A measure of performance and what is needed for its interval.

    Attributes
    ----------
    name : str
        As written in an experiment file.
    title : str
        For tables and figures.
    task : {"binary", "multiclass", "regression"}
        What it measures.
    influence : callable
        From ``(label, score)`` to the value and one number per image.
    scale : {"logit", "log", "log1m"}
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
    varied_label : bool
        Whether it is undefined where the label is constant (regression).
    jackknife : callable, optional
        What the metric loses without each cluster, where the sum of influences is
        not good enough.
    method : str
        How its variance is obtained.
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
    varied_label: bool = False
    jackknife: (
        Callable[[np.ndarray, np.ndarray, np.ndarray, int], np.ndarray] | None
    ) = None
    method: str = "cluster sandwich"
    interval: Calibration = "calibrated"
    test: Calibration = "calibrated"

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


_REGISTRY: dict[tuple[str, str], Metric] = {}


def register(metric: Metric) -> Metric:
    """Add a metric.

    Raises
    ------
    StatisticsError
        If its task already has one of that name.
    """
    key = (metric.task, metric.name)
    if key in _REGISTRY:
        raise StatisticsError(
            f"Metric '{metric.name}' of {_TASKS[metric.task]} is registered already. "
            "Give yours another name."
        )
    _REGISTRY[key] = metric
    return metric


def metric_names(task: TaskKind) -> list[str]:
    """List the metrics of a task, the one that is primary by default first."""
    return [name for kind, name in _REGISTRY if kind == task]


def get_metric(name: str, task: TaskKind) -> Metric:
    """Return a metric by name.

    Raises
    ------
    StatisticsError
        If no metric has that name, or it is one of another task.
    """
    if (task, name) in _REGISTRY:
        return _REGISTRY[(task, name)]
    others = [kind for kind, known in _REGISTRY if known == name]
    if others:
        raise StatisticsError(
            f"Metric '{name}' is for {' or '.join(_TASKS[kind] for kind in others)}, "
            f"and these predictions are a {_TASKS[task]}. Choose from "
            f"{', '.join(metric_names(task))}."
        )
    raise StatisticsError(
        f"Unknown metric '{name}'.{did_you_mean(name, metric_names(task))}"
    )


def get_metrics(names: Iterable[str] | str | None, task: TaskKind) -> list[Metric]:
    """Return metrics by name, all those of the task by default, each once.

    Raises
    ------
    StatisticsError
        If none is asked for, or a name is unknown or of another task.
    """
    if isinstance(names, str):
        names = [names]
    chosen = list(dict.fromkeys(metric_names(task) if names is None else names))
    if not chosen:
        raise StatisticsError(
            f"No metric is asked for. Choose from {', '.join(metric_names(task))}."
        )
    return [get_metric(name, task) for name in chosen]


_UNIT = (0.0, 1.0)

_ROC_AUC = Metric(
    name="roc_auc",
    title="ROC AUC",
    task="binary",
    influence=influence.roc_auc,
    scale="logit",
    bounds=_UNIT,
    classes=None,
    stratified=True,
    answers=1.5,
    constant_is_exact=True,
    method="Obuchowski (1997)",
)
_BALANCED_ACCURACY = replace(
    _ROC_AUC,
    name="balanced_accuracy",
    title="Balanced accuracy",
    influence=influence.balanced_accuracy,
    probability=True,
    method="cluster sandwich",
)
_BRIER = Metric(
    name="brier",
    title="Brier score",
    task="binary",
    influence=influence.brier,
    scale="logit",
    bounds=_UNIT,
    greater_is_better=False,
    probability=True,
)

for _metric in (
    _ROC_AUC,
    Metric(
        name="average_precision",
        title="Average precision",
        task="binary",
        influence=influence.average_precision,
        scale="logit",
        bounds=_UNIT,
        classes=None,
        answers=1.5,
        method="linearised, cluster sandwich",
        test="approximate",  # rejects .01 to .06: the more skewed, the less
    ),
    _BALANCED_ACCURACY,
    replace(
        _BALANCED_ACCURACY,
        name="sensitivity",
        title="Sensitivity",
        influence=influence.sensitivity,
        classes=(1,),
    ),
    replace(
        _BALANCED_ACCURACY,
        name="specificity",
        title="Specificity",
        influence=influence.specificity,
        classes=(0,),
    ),
    _BRIER,
    replace(_ROC_AUC, title="ROC AUC (each class against the rest)", task="multiclass"),
    replace(_BALANCED_ACCURACY, task="multiclass", probability=False),
    replace(_BRIER, task="multiclass", bounds=(0.0, 2.0)),
    Metric(
        name="mae",
        title="Mean absolute error",
        task="regression",
        influence=influence.mae,
        scale="log",
        bounds=(0.0, float("inf")),
        greater_is_better=False,
    ),
    Metric(
        name="r2",
        title="R2",
        task="regression",
        influence=influence.r2,
        scale="log1m",
        bounds=(float("-inf"), 1.0),
        varied_label=True,
        jackknife=influence.r2_jackknife,
        method="cluster jackknife",
        interval="approximate",  # covers .95, but .92 where errors are heavy-tailed
        test="approximate",
    ),
):
    register(_metric)
