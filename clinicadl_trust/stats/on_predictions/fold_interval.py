"""How good each model is in a cross-validation: within folds, then averaged."""

from __future__ import annotations

from typing import Literal

import pandas as pd

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats import cross_validation as arrays
from clinicadl_trust.stats.metric import Metric
from clinicadl_trust.stats.on_predictions.answers import Answer, Answers
from clinicadl_trust.stats.on_predictions.fold_values import (
    asked_of_folds,
    sizes,
    two_or_more,
)
from clinicadl_trust.stats.on_predictions.rows import metric_of
from clinicadl_trust.stats.results import Estimate
from clinicadl_trust.stats.runs import ModelRuns, mean_by_key

__all__ = ["cross_validation_interval"]


def cross_validation_interval(
    predictions: pd.DataFrame,
    metric: str | None = None,
    *,
    method: Literal["corrected", "pooled"] = "corrected",
    model: str | None = None,
    split_strategy: str | None = None,
    group: str = "test",
    confidence_level: float = 0.95,
) -> Answers:
    """Estimate each model's mean metric over folds, with the corrected interval.

    Parameters
    ----------
    predictions : pandas.DataFrame
        A predictions table.
    metric : str, optional
        As in ``evaluate``; by default the first of the task.
    method : {"corrected", "pooled"}
        As in ``stats.cross_validation_interval``; the third, nested one, needs models
        to fit again.
    model, split_strategy, group, confidence_level
        As in ``roc_auc``; strategies are cross-validations of participants.

    Returns
    -------
    Answers
        An ``Estimate`` for each model. Seeds are averaged within folds; who trains and
        who is tested is counted in participants.

    Raises
    ------
    StatisticsError
        If all strategies are leaky, a single test group or left-out sites, or the
        metric is undefined in all folds.
    """
    asked = asked_of_folds("cross_validation_interval", model, split_strategy, group)
    selected = asked.of(predictions)
    chosen = metric_of(selected.prepared, metric)
    found = []
    if method not in ("corrected", "pooled"):
        raise StatisticsError(
            f"method='{method}' is neither 'corrected' nor 'pooled'; 'nested' needs "
            "models to fit again (stats.nested_cross_validation)."
        )
    interval = _corrected if method == "corrected" else _pooled
    for runs in selected.asked_for:
        result = interval(runs, chosen, confidence_level)
        found.append(Answer(result, runs.design.strategy, group, runs.model))
    return Answers(asked.statistic, tuple(found), selected.notes)


def _corrected(runs: ModelRuns, metric: Metric, level: float) -> Estimate:
    values = mean_by_key(runs.cells(metric))
    return arrays.cross_validation_interval(
        two_or_more(values, metric),
        *sizes(runs.design, values),
        level,
        bounds=metric.bounds,
        n_clusters=runs.smallest_class(metric),
    )


def _pooled(runs: ModelRuns, metric: Metric, level: float) -> Estimate:
    prepared, strategy = runs.prepared, runs.design.strategy
    table = prepared.table
    own = (table["model"] == runs.model) & (table["split_strategy"] == strategy)
    rows = table[own & (table["group"] == prepared.group)].assign(group="test")
    if prepared.classes:  # the table has their numbers, and names are to be read again
        names = pd.Series(prepared.classes)
        rows["label"] = rows["label"].map(names)
    rows = rows.dropna(axis=1, how="all")
    return arrays.cross_validation_interval(
        rows, confidence_level=level, method="pooled", metric=metric.name
    )
