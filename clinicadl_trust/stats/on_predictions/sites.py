"""Does it hold in another hospital? Sites counted once each, or weighed."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Literal

import pandas as pd

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats import units
from clinicadl_trust.stats.by_site import by_site
from clinicadl_trust.stats.folds import site_metrics
from clinicadl_trust.stats.heterogeneity import heterogeneity as between_sites
from clinicadl_trust.stats.metric import Metric
from clinicadl_trust.stats.on_predictions.answers import Answer, Answers
from clinicadl_trust.stats.on_predictions.rows import Asked, metric_of
from clinicadl_trust.stats.pairs import differences
from clinicadl_trust.stats.runs import mean_by_key

__all__ = ["heterogeneity", "unit_interval", "unit_ttest"]

_INSTEAD = (
    "Each fold holds images of all sites. Leave whole sites out "
    "(`clinicadl split ... LeaveOneSiteOut`), or test on a sealed group."
)

_asked = partial(
    Asked,
    kinds=("sites-left-out", "held-out"),
    instead=_INSTEAD,
    tasks=("binary", "multiclass", "regression"),
)


def unit_interval(
    predictions: pd.DataFrame,
    metric: str | None = None,
    *,
    model: str | None = None,
    split_strategy: str | None = None,
    group: str = "test",
    confidence_level: float = 0.95,
) -> Answers:
    """Estimate each model's mean metric over sites, each counted once.

    Parameters
    ----------
    predictions : pandas.DataFrame
        A predictions table with a column ``site``.
    metric : str, optional
        As in ``evaluate``; by default the first of the task.
    model, split_strategy, group, confidence_level
        As in ``roc_auc``; sites are left out in turn, or those of a test group.

    Returns
    -------
    Answers
        An ``Estimate`` for each model, with Student's t over sites.

    Raises
    ------
    StatisticsError
        If all strategies are leaky or cross-validations, no site is known, or the
        metric is undefined in all sites but one.
    """
    selected = _asked("unit_interval", model, split_strategy, group).of(predictions)
    chosen = metric_of(selected.prepared, metric)
    found, notes = [], list(selected.notes)
    for runs in selected.asked_for:
        here = by_site(runs)
        cells = here.cells(chosen)
        values = mean_by_key(cells)
        _check_sites(values, chosen)
        lost = len({cell.key for cell in cells}) - len(values)
        if lost:
            notes.append(f"'{runs.model}': {chosen.title} undefined in {lost} sites.")
        result = units.unit_interval(
            list(values.values()),
            confidence_level,
            unit=here.design.unit,
            bounds=chosen.bounds,
        )
        found.append(Answer(result, runs.design.strategy, group, runs.model))
    return Answers("unit_interval", tuple(found), tuple(notes))


def unit_ttest(
    predictions: pd.DataFrame,
    metric: str | None = None,
    *,
    model: str | None = None,
    reference: str | None = None,
    split_strategy: str | None = None,
    group: str = "test",
    confidence_level: float = 0.95,
) -> Answers:
    """Compare models by their differences within sites, each counted once.

    Parameters
    ----------
    predictions, metric
        As in ``unit_interval``.
    model, reference : str, optional
        As in ``compare_roc_auc``.
    split_strategy, group, confidence_level
        As in ``unit_interval``.

    Returns
    -------
    Answers
        A ``Comparison`` for each pair: the paired t-test over sites.

    Raises
    ------
    StatisticsError
        As ``unit_interval``, or if models do not share their images.
    """
    selected = _asked("unit_ttest", model, split_strategy, group).of(predictions)
    chosen = metric_of(selected.prepared, metric)
    found = []
    for pair in selected.pairs(reference):
        here, other = (by_site(runs) for runs in pair)
        values = differences(chosen, here, other)
        _check_sites(values, chosen)
        result = units.unit_ttest(
            list(values.values()), confidence_level, unit=here.design.unit
        )
        result = replace(result, estimand=here.design.estimand)
        strategy = here.design.strategy
        found.append(Answer(result, strategy, group, here.model, other.model))
    return Answers("unit_ttest", tuple(found), selected.notes)


def heterogeneity(
    predictions: pd.DataFrame,
    metric: str | None = None,
    *,
    by: str | None = None,
    method: Literal["reml", "dl", "pm"] = "reml",
    model: str | None = None,
    split_strategy: str | None = None,
    group: str = "test",
    confidence_level: float = 0.95,
) -> Answers:
    """Say how much each model's metric differs between sites, and predict a new site's.

    Parameters
    ----------
    predictions, metric
        As in ``unit_interval``.
    by : str, optional
        Column of sites. By default what was left out: sites, scanners or datasets.
    method : {"reml", "dl", "pm"}
        As in ``stats.heterogeneity``. Metrics between 0 and 1 are taken to the logit
        scale.
    model, split_strategy, group, confidence_level
        As in ``unit_interval``.

    Returns
    -------
    Answers
        A ``Heterogeneity`` for each model.

    Raises
    ------
    StatisticsError
        As ``unit_interval``, or if fewer than two sites have a standard error.
    """
    selected = _asked("heterogeneity", model, split_strategy, group).of(predictions)
    chosen = metric_of(selected.prepared, metric)
    left_out = {runs.design.unit for runs in selected.asked_for} - {"participant"}
    by = by or (left_out.pop() if len(left_out) == 1 else "site")
    table = site_metrics(
        predictions, chosen.name, by=by, group=group, confidence_level=confidence_level
    )
    found, notes = [], list(selected.notes)
    for runs in selected.asked_for:
        strategy, name = runs.design.strategy, runs.model
        here = table[(table["split_strategy"] == strategy) & (table["model"] == name)]
        here = here.sort_values(by)
        usable = here[here["value"].notna() & (here["standard_error"] > 0)]
        if lost := len(here) - len(usable):
            notes.append(f"'{name}': {lost} of {len(here)} sites have no interval.")
        result = between_sites(
            usable["value"],
            usable["standard_error"],
            method,
            sites=usable[by].tolist(),
            transform="logit" if chosen.bounds == (0.0, 1.0) else None,
            confidence_level=confidence_level,
        )
        found.append(Answer(result, strategy, group, name))
    return Answers("heterogeneity", tuple(found), tuple(notes))


def _check_sites(values: dict[object, float], metric: Metric) -> None:
    if len(values) < 2:
        raise StatisticsError(
            f"{metric.title} has a value in {len(values)} site, and how sites differ "
            "cannot be told from fewer than two."
        )
