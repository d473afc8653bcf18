"""Which model is better? One paired comparison per question, its estimand named."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import pandas as pd

from clinicadl_trust.stats.cross_validation.corrected import corrected_resampled_ttest
from clinicadl_trust.stats.design import infer_designs
from clinicadl_trust.stats.evaluation import ALL_TESTED, notes
from clinicadl_trust.stats.folds import checked_metrics
from clinicadl_trust.stats.held_out import clustered_comparison
from clinicadl_trust.stats.intervals import check_level
from clinicadl_trust.stats.metric import Metric
from clinicadl_trust.stats.metrics import metric_names
from clinicadl_trust.stats.multiplicity import adjust
from clinicadl_trust.stats.pairs import differences, pairs_of
from clinicadl_trust.stats.prepared import prepare
from clinicadl_trust.stats.recommendation import Estimand, follow
from clinicadl_trust.stats.results import Comparison
from clinicadl_trust.stats.rows import statistics_frame, statistics_row
from clinicadl_trust.stats.runs import ModelRuns, models_of
from clinicadl_trust.stats.units import unit_ttest

__all__ = ["compare"]


def compare(
    predictions: pd.DataFrame,
    metric: str | Iterable[str] | None = None,
    reference: str | None = None,
    confidence_level: float = 0.95,
    *,
    group: str = "test",
    primary: str | None = None,
    estimand: Estimand | None = None,
) -> pd.DataFrame:
    """Compare models on the same images, by one test for each question.

    A question is a metric and a split strategy, and the strategy decides what the
    answer is about (the ``estimand``): on a held-out test group, a new patient,
    tested by the paired participant-clustered difference; in a cross-validation, a
    retrained model, tested by the corrected resampled t-test on fold differences; on
    left-out sites, a new hospital, tested by the paired t-test over sites. The
    p-values of one question are adjusted by Holm's method over its pairs of models.

    Parameters
    ----------
    predictions : pandas.DataFrame
        A predictions table with two models or more.
    metric : str or iterable of str, optional
        The first is primary; by default the first of the task.
    reference : str, optional
        Compare every model with this one; by default all pairs are compared.
    confidence_level : float
        Of the intervals.
    group : str
        Data group.
    primary : str, optional
        The split strategy whose answer counts; by default the first held-out group,
        else cross-validation, else left-out sites.
    estimand : {"patient", "hospital", "retrained"}, optional
        What the primary answer is about, as in ``recommend``, which chooses the
        strategy; the sites of a test group are then counted once each to tell of a
        new hospital.

    Returns
    -------
    pandas.DataFrame
        Rows of ``statistics.tsv`` of kind ``comparison``; ``value`` is ``model``
        minus ``reference``. Leaky strategies are computed, marked, never primary.

    Raises
    ------
    PredictionsError
        If it is no predictions table.
    StatisticsError
        If a metric or model is unknown, there is a single model, or two models
        predict different images; or the table cannot tell of the ``estimand``.
    """
    check_level(confidence_level)
    prepared = prepare(predictions, group)
    if metric is None:
        metric = metric_names(prepared.task)[0]
    chosen = checked_metrics(prepared, metric)
    designs = infer_designs(prepared.table, group)
    designs, first = follow(prepared, designs, estimand, primary)
    pairs = pairs_of(models_of(prepared, designs), reference)
    rows = []
    for one in chosen:
        for strategy, of_strategy in pairs.items():
            found = [_row(one, *pair, confidence_level) for pair in of_strategy]
            is_primary = strategy == first and one is chosen[0]
            p_values = adjust([row["p_value"] for row in found])
            for row, p_adjusted in zip(found, p_values, strict=True):
                rows.append(row | {"p_adjusted": p_adjusted, "primary": is_primary})
    return statistics_frame(rows)


def _row(
    metric: Metric, model: ModelRuns, other: ModelRuns, level: float
) -> dict[str, Any]:
    model, other = model.of(metric), other.of(metric)
    cells, others = model.cells(metric), other.cells(metric)
    said = [*notes(metric, model, cells), *notes(metric, other, others)]
    return statistics_row(
        _compare(metric, (model, other), level),
        metric=metric.name,
        runs=model.on(model.images.keys() & other.images.keys()),
        reference=other.model,
        primary=False,
        warnings=said,
    )


def _compare(
    metric: Metric,
    models: tuple[ModelRuns, ModelRuns],
    level: float,
) -> Comparison:
    model, other = models
    found = differences(metric, model, other)
    if not found:
        unit = "fold" if model.design.unit == "participant" else model.design.unit
        where = "this group" if model.design.kind == "held-out" else f"any {unit}"
        said = f"{metric.title} has no value of both models in {where}."
        return _none(said, level)
    if model.design.kind == "held-out":
        run, against = model.run, other.run
        return clustered_comparison(
            metric, run.sample, run.scores, against.scores, level
        )
    each = list(found.values())
    if model.design.unit != "participant":
        return unit_ttest(each, level, unit=model.design.unit)
    n_train, n_test = model.design.sizes(found)
    if not n_train:
        return _none(ALL_TESTED, level)
    return corrected_resampled_ttest(each, n_train, n_test, level)


def _none(reason: str, level: float) -> Comparison:
    """Return a comparison that cannot be made, and say why."""
    nan = math.nan
    return Comparison(
        effect=nan,
        low=nan,
        high=nan,
        p_value=nan,
        statistic=nan,
        df=nan,
        method="none",
        calibration="approximate",
        estimand="",
        n=0,
        n_clusters=0,
        warnings=(reason,),
        confidence_level=level,
    )
