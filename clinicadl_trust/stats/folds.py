"""Tables of metrics within each fold and within each site."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable

import numpy as np
import pandas as pd
from scipy.special import ndtri

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.columns import metrics_of
from clinicadl_trust.stats.design import FOLD, infer_designs
from clinicadl_trust.stats.held_out import clustered_estimate
from clinicadl_trust.stats.intervals import check_level
from clinicadl_trust.stats.metric import Metric
from clinicadl_trust.stats.prepared import IMAGE, Prepared, prepare
from clinicadl_trust.stats.runs import (
    Cell,
    Run,
    about_of,
    align,
    models_of,
    rows_of,
)

__all__ = ["checked_metrics", "fold_metrics", "site_metrics"]


def fold_metrics(
    predictions: pd.DataFrame,
    metrics: Iterable[str] | str | None = None,
    *,
    group: str = "test",
) -> pd.DataFrame:
    """Compute metrics within each fold, for each model and seed.

    Parameters
    ----------
    predictions : pandas.DataFrame
        A predictions table.
    metrics : iterable of str, optional
        By default all those of the task.
    group : str
        Data group.

    Returns
    -------
    pandas.DataFrame
        One row per run and metric: ``model``, ``split_strategy``, ``repeat``,
        ``split``, ``fold``, ``seed``, ``group``, ``metric``, ``value`` (nan where it
        is undefined, with the reason in ``warnings``), ``n_images`` and
        ``n_participants``. Where sites are left out, the value is the mean over the
        sites of the fold.

    Raises
    ------
    StatisticsError
        If a metric is unknown or the table cannot be used.
    """
    prepared = prepare(predictions, group)
    chosen = checked_metrics(prepared, metrics)
    designs = infer_designs(prepared.table, group)
    records = []
    for runs in models_of(prepared, designs):
        for metric in chosen:
            by_run: dict[tuple[int, int, int], list[Cell]] = defaultdict(list)
            for cell in runs.cells(metric):
                key = (*cell.part.fold, cell.part.seed)
                by_run[key].append(cell)
            records += [
                {
                    "model": runs.model,
                    "split_strategy": runs.design.strategy,
                    "repeat": repeat,
                    "split": split,
                    "fold": cells[0].part.fold_name,
                    "seed": seed,
                    "group": group,
                    "metric": metric.name,
                }
                | _summary(cells)
                for (repeat, split, seed), cells in by_run.items()
            ]
    return pd.DataFrame(records)


def site_metrics(
    predictions: pd.DataFrame,
    metrics: Iterable[str] | str | None = None,
    *,
    by: str = "site",
    group: str = "test",
    confidence_level: float = 0.95,
) -> pd.DataFrame:
    """Compute metrics within each site, for each model and split strategy.

    Parameters
    ----------
    predictions : pandas.DataFrame
        A predictions table with a column ``by``.
    metrics : iterable of str, optional
        By default all those of the task.
    by : str
        The column that names the sites.
    group : str
        Data group.
    confidence_level : float
        Of the intervals.

    Returns
    -------
    pandas.DataFrame
        One row per strategy, model, metric and site: ``value``, averaged over seeds
        and, where a site's images lie in several folds, over folds by their number
        of images; ``low`` and ``high``, a participant-clustered interval for the
        trained models, nan where the site lies in several folds. At a limit, such as
        an AUC of 1, ``standard_error`` is what the interval's other end implies.

    Raises
    ------
    StatisticsError
        If the table has no such column, or cannot be used.
    """
    check_level(confidence_level)
    prepared = prepare(predictions, group)
    chosen = checked_metrics(prepared, metrics)
    if by not in prepared.rows or prepared.rows[by].isna().all():
        raise StatisticsError(
            f"The predictions have no column '{by}' to group by. Carry it over from "
            "the participants table."
        )
    keys = ["split_strategy", "model", by]
    records = []
    for key, rows in prepared.rows.groupby(keys, sort=False):
        shared = dict(zip(keys, key, strict=True)) | {"group": group}
        for metric in chosen:
            here = rows_of(prepared, metric, rows)
            counts = {
                "confidence_level": confidence_level,
                "n_images": int(here[IMAGE].nunique()),
                "n_participants": int(here["participant_id"].nunique()),
            }
            about = about_of(prepared, metric)
            folds = [align(about, part) for _, part in here.groupby(FOLD, sort=False)]
            value = _of_site(metric, folds, confidence_level)
            records.append(shared | {"metric": metric.name} | value | counts)
    return pd.DataFrame(records)


def checked_metrics(
    prepared: Prepared, metrics: Iterable[str] | str | None
) -> list[Metric]:
    """Return metrics by name, checked against the task and its scores."""
    chosen = metrics_of(prepared, metrics)
    if metrics is None:  # a table need not have every column
        chosen = [m for m in chosen if not m.column or m.column in prepared.rows]
    for metric in chosen:
        if metric.probability:
            prepared.check_probabilities(metric.title)
    return chosen


def _summary(cells: list[Cell]) -> dict[str, object]:
    """Average the sites of one run."""
    values = [cell.value for cell in cells if not cell.problem]
    problems = sorted({cell.problem for cell in cells if cell.problem})
    return {
        "value": float(np.mean(values)) if values else math.nan,
        "n_images": sum(cell.part.label.size for cell in cells),
        "n_participants": sum(cell.part.n_participants for cell in cells),
        "warnings": "; ".join(problems),
    }


def _of_site(metric: Metric, folds: list[Run], level: float) -> dict[str, object]:
    """Value of a metric in the images of one site, with an interval if it has one."""
    result: dict[str, object] = dict.fromkeys(
        ("value", "low", "high", "standard_error"), math.nan
    )
    known = [
        run for run in folds if not metric.undefined(run.sample.label, run.scores[0])
    ]
    if not known:
        reason = "no image has a value of it"
        if folds:
            reason = metric.undefined(folds[0].sample.label, folds[0].scores[0])
        return result | {"warnings": f"{metric.title} is undefined here: {reason}."}
    if len(folds) == 1:
        estimate = clustered_estimate(metric, known[0].sample, known[0].scores, level)
        result = {name: getattr(estimate, name) for name in result}
        if estimate.standard_error == 0:
            reach = max(estimate.high - estimate.value, estimate.value - estimate.low)
            result["standard_error"] = reach / float(ndtri((1 + level) / 2))
        return result | {"warnings": " ".join(estimate.warnings)}
    values = [
        np.mean([metric.influence(run.sample.label, score)[0] for score in run.scores])
        for run in known
    ]
    result["value"] = float(np.average(values, weights=[len(r.images) for r in known]))
    left_out = f"Undefined in {len(folds) - len(known)} of {len(folds)} folds."
    return result | {"warnings": left_out if len(known) < len(folds) else ""}
