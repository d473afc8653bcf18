"""How good is each model? One interval per model, metric and split strategy."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

from clinicadl_trust.stats.cross_validation.corrected import corrected_interval
from clinicadl_trust.stats.design import infer_designs
from clinicadl_trust.stats.folds import checked_metrics
from clinicadl_trust.stats.held_out import CONSTANT, clustered_estimate
from clinicadl_trust.stats.intervals import check_level
from clinicadl_trust.stats.metric import Metric
from clinicadl_trust.stats.prepared import prepare
from clinicadl_trust.stats.recommendation import Estimand, follow
from clinicadl_trust.stats.results import Estimate
from clinicadl_trust.stats.rows import statistics_frame, statistics_row
from clinicadl_trust.stats.runs import Cell, ModelRuns, mean_by_key, models_of
from clinicadl_trust.stats.units import unit_interval

__all__ = ["ALL_TESTED", "evaluate", "notes"]

_NOBODY = "no image has a value of it"

ALL_TESTED = (
    "Each fold tests every participant of the table, so it cannot be told how many "
    "trained: no interval can be given."
)


def evaluate(
    predictions: pd.DataFrame,
    metrics: Iterable[str] | str | None = None,
    confidence_level: float = 0.95,
    *,
    group: str = "test",
    primary: str | None = None,
    estimand: Estimand | None = None,
) -> pd.DataFrame:
    """Estimate each model's performance with an interval that can be defended.

    How the data were split is read from the table. On a held-out test group the
    interval is clustered by participant. In a cross-validation the metric is
    computed within each fold, averaged, and given the corrected interval of Nadeau
    and Bengio. Where sites are left out it is computed within each site, and the
    interval is Student's t over sites. The seeds of a model are averaged within
    fold (their metrics, not their scores). A leaky strategy is computed like a
    cross-validation of images, and marked.

    Parameters
    ----------
    predictions : pandas.DataFrame
        A predictions table.
    metrics : iterable of str, optional
        The first is primary; by default all those of the task.
    confidence_level : float
        Of the intervals.
    group : str
        Data group.
    primary : str, optional
        The split strategy whose estimate counts; by default the first held-out
        group, else cross-validation, else left-out sites.
    estimand : {"patient", "hospital", "retrained"}, optional
        What the primary answer is about, as in ``recommend``, which chooses the
        strategy; the sites of a test group are then counted once each to tell of a
        new hospital.

    Returns
    -------
    pandas.DataFrame
        Rows of ``statistics.tsv`` of kind ``estimate``. A value that does not exist
        is nan, with the reason in ``warnings``.

    Raises
    ------
    PredictionsError
        If it is no predictions table.
    StatisticsError
        If a metric is unknown or of another task, the labels cannot be used, or the
        table cannot tell of the ``estimand``.
    """
    check_level(confidence_level)
    prepared = prepare(predictions, group)
    chosen = checked_metrics(prepared, metrics)
    designs = infer_designs(prepared.table, group)
    designs, first = follow(prepared, designs, estimand, primary)
    rows = []
    for model in models_of(prepared, designs):
        for metric in chosen:
            runs = model.of(metric)
            cells = runs.cells(metric)
            rows.append(
                statistics_row(
                    _estimate(metric, runs, cells, confidence_level),
                    metric=metric.name,
                    runs=runs,
                    primary=runs.design.strategy == first and metric is chosen[0],
                    warnings=notes(metric, runs, cells),
                )
            )
    return statistics_frame(rows)


def notes(metric: Metric, runs: ModelRuns, cells: list[Cell]) -> list[str]:
    """Say what was left out of a model's value, and what it averages."""
    design, said = runs.design, []
    n_unlabelled = int(runs.prepared.n_unlabelled.get(design.strategy, 0))
    if n_unlabelled:
        said.append(f"{n_unlabelled} images without a label are left out.")
    n_folds, n_here = len(design.folds), runs.counts["n_folds"]
    if n_here != n_folds:
        said.append(
            f"'{runs.model}' has predictions of {n_here} of {n_folds} folds only."
        )
    everywhere = {cell.key for cell in cells}
    undefined = everywhere - mean_by_key(cells).keys()
    if undefined and design.kind != "held-out":
        name = "fold" if design.unit == "participant" else design.unit
        reasons = " or ".join(sorted({cell.problem for cell in cells if cell.problem}))
        said.append(
            f"{metric.title} is undefined in {len(undefined)} of {len(everywhere)} "
            f"{name}s, left out ({reasons})."
        )
    n_seeds = len({cell.part.seed for cell in cells})
    if n_seeds > 1 and design.kind in ("held-out", "sites-tested"):
        said.append(
            f"Mean of {n_seeds} seeds of '{runs.model}': the interval is for these "
            "trained models, without the spread of another training."
        )
    return said


def _estimate(
    metric: Metric, runs: ModelRuns, cells: list[Cell], level: float
) -> Estimate:
    values = list(mean_by_key(cells).values())
    if not values:
        reason = " or ".join(sorted({cell.problem for cell in cells})) or _NOBODY
        return _none(f"{metric.title} is undefined here: {reason}.", level)
    if metric.constant_is_exact and _is_known(cells):
        return _known_beforehand(float(np.mean(values)), level)
    if runs.design.kind == "held-out":
        return clustered_estimate(metric, runs.run.sample, runs.run.scores, level)
    unit, bounds = runs.design.unit, metric.bounds
    if unit != "participant":
        return unit_interval(values, level, unit=unit, bounds=bounds)
    n_train, n_test = runs.design.sizes(mean_by_key(cells))
    if not n_train:
        return replace(_none(ALL_TESTED, level), value=float(np.mean(values)))
    return corrected_interval(
        values,
        n_train,
        n_test,
        level,
        bounds=bounds,
        n_clusters=runs.smallest_class(metric),
    )


def _is_known(cells: list[Cell]) -> bool:
    """Whether all trained models are constant, and to the same effect.

    Folds whose constants lie on both sides of .5 have a sensitivity of 0 or 1 by luck.
    """
    known = {cell.value for cell in cells if not cell.problem}
    return len(known) == 1 and all(cell.part.is_constant for cell in cells)


def _known_beforehand(value: float, level: float) -> Estimate:
    return replace(
        _none(CONSTANT, level),
        value=value,
        low=value,
        high=value,
        standard_error=0.0,
        method="by definition",
        calibration="conservative",
    )


def _none(reason: str, level: float) -> Estimate:
    """Return an estimate that does not exist, and say why."""
    nan = math.nan
    return Estimate(
        value=nan,
        low=nan,
        high=nan,
        confidence_level=level,
        standard_error=nan,
        method="none",
        calibration="approximate",
        n=0,
        n_clusters=0,
        warnings=(reason,),
    )
