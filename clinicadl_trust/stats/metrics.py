"""The metrics: a small registry."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from types import NoneType

from clinicadl_trust.exceptions import StatisticsError, did_you_mean
from clinicadl_trust.stats import influence
from clinicadl_trust.stats.metric import Metric, TaskKind

__all__ = [
    "Metric",
    "TaskKind",
    "get_metric",
    "get_metrics",
    "metric_names",
    "register",
]

_TASKS: dict[str, str] = {
    "binary": "classification into two classes",
    "multiclass": "classification into more than two classes",
    "regression": "regression",
    "outputs": "regression of several outputs",
    "segmentation": "segmentation",
}

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
    if not isinstance(name, str):
        raise StatisticsError(
            f"A metric is given by its name, not {name!r}. Known names: "
            f"{', '.join(metric_names(task))}."
        )
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
    if isinstance(names, str) or not isinstance(names, Iterable | NoneType):
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
    ranks=True,
    method="Obuchowski (1997)",
)
_BALANCED_ACCURACY = replace(
    _ROC_AUC,
    name="balanced_accuracy",
    title="Balanced accuracy",
    influence=influence.balanced_accuracy,
    probability=True,
    ranks=False,
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

_MAE = Metric(
    name="mae",
    title="Mean absolute error",
    task="regression",
    influence=influence.mae,
    scale="log",
    bounds=(0.0, float("inf")),
    greater_is_better=False,
)
_R2 = Metric(
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
)
_DICE = Metric(
    name="dice",
    title="Dice",
    task="segmentation",
    influence=influence.mean_value,
    scale="logit",
    bounds=_UNIT,
    column="dice",
)
_DISTANCE = replace(
    _DICE,
    name="surface_distance",
    title="Surface distance (mm)",
    scale="log",
    bounds=(0.0, float("inf")),
    greater_is_better=False,
    column="surface_distance",
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
        ranks=True,
        method="linearised, cluster sandwich",
        interval="approximate",  # .94 to .97, but .93 where scores are heavy-tailed
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
    _MAE,
    _R2,
    replace(
        _MAE,
        name="error",
        title="Error (standard deviations)",
        task="outputs",
        influence=influence.mean_value,
        column="error",
    ),
    replace(_MAE, title="Mean absolute error of the first output", task="outputs"),
    replace(_R2, title="R2 of the first output", task="outputs"),
    _DICE,
    _DISTANCE,
    replace(
        _DISTANCE,
        name="hausdorff95",
        title="Hausdorff 95 (mm)",
        column="hausdorff95",
    ),
    replace(
        _DISTANCE,
        name="false_positive_volume",
        title="False positive volume (mm3)",
        column="false_positive_volume",
    ),
    replace(_MAE, title="Mean absolute error of the volume", task="segmentation"),
    replace(_R2, title="R2 of the volume", task="segmentation"),
):
    register(_metric)
