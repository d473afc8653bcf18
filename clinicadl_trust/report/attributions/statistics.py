"""Means of attribution metrics with intervals: over seeds, or of participants."""

from __future__ import annotations

import math

import pandas as pd

from clinicadl_trust.report.attributions.interpreted import Interpreted
from clinicadl_trust.report.attributions.words import STABILITY
from clinicadl_trust.stats import Estimate, evaluate, unit_interval
from clinicadl_trust.stats.means import UNBOUNDED

__all__ = [
    "MIN_SEEDS",
    "by_unit",
    "choose_unit",
    "mean_of",
    "means",
    "means_of_stability",
]

#: Seeds from which on they are the units: t of two has no interval worth the name.
MIN_SEEDS = 3

#: What a unit is called in methods.
_NAMES = {"participant_id": "participant", "seed": "seed"}
_MEANS = ["model", "metric", "value", "low", "high"]


def choose_unit(table: pd.DataFrame) -> str:
    """Return what intervals are over: seeds where each model has enough of them.

    Parameters
    ----------
    table : pandas.DataFrame
        The metrics of all models and methods, with a column ``method``.

    Returns
    -------
    {"seed", "participant_id"}
        Over seeds an interval is about a network trained again, over participants
        about other people and these networks.
    """
    seeds = table.groupby(["model", "method"])["seed"].nunique()
    return "seed" if seeds.min() >= MIN_SEEDS else "participant_id"


def means(
    table: pd.DataFrame, metrics: tuple[str, ...], unit: str, group: str
) -> pd.DataFrame:
    """Estimate the mean of each metric of each model.

    Parameters
    ----------
    table : pandas.DataFrame
        The rows of one method, of all models.
    metrics : tuple of str
        Columns.
    unit : {"seed", "participant_id"}
        Over seeds by Student's t of the means over participants; else by
        ``stats.evaluate``, which heeds how the data were split.
    group : str
        Their data group.

    Returns
    -------
    pandas.DataFrame
        ``model``, ``metric``, ``value``, ``low`` and ``high``.

    Raises
    ------
    StatisticsError
        If the table does not allow them.
    """
    if unit != "seed":
        return evaluate(table, metrics, group=group)[_MEANS]
    rows = [
        (name, metric, found.value, found.low, found.high)
        for name, of_model in table.groupby("model", sort=False)
        for metric in metrics
        if (found := mean_of(of_model, metric, unit)) is not None
    ]
    return pd.DataFrame(rows, columns=_MEANS)


def means_of_stability(interpreted: Interpreted) -> pd.DataFrame:
    """Estimate how alike maps of several seeds are, by the first method.

    Parameters
    ----------
    interpreted : Interpreted
        What is shown.

    Returns
    -------
    pandas.DataFrame
        As ``means``, over participants; no rows where there is no ``stability.tsv``.
    """
    table = interpreted.stability
    rows = [
        (name, metric, found.value, found.low, found.high)
        for name, of_model in table.groupby("model", sort=False)
        for metric in STABILITY
        if (found := mean_of(of_model.assign(seed=0), metric, "participant_id"))
    ]
    return pd.DataFrame(rows, columns=_MEANS)


def mean_of(table: pd.DataFrame, metric: str, unit: str) -> Estimate | None:
    """Estimate the mean of a column of one model and method.

    Parameters
    ----------
    table : pandas.DataFrame
        Their rows.
    metric : str
        A column.
    unit : {"seed", "participant_id"}
        What is counted once. Sessions are averaged in their participant, and
        participants in their seed or seeds in their participant.

    Returns
    -------
    Estimate or None
        From Student's t over units; None where no image has a value.
    """
    values = by_unit(table, metric, unit).groupby(unit).mean()
    if values.empty:
        return None
    bounds = _bounds(table[metric])
    return unit_interval(list(values), unit=_NAMES[unit], bounds=bounds)


def _bounds(values: pd.Series) -> tuple[float, float]:
    """Return what a mean cannot exceed, as far as its values show it."""
    if values.min() < 0:
        return UNBOUNDED
    return (0.0, 1.0) if values.max() <= 1 else (0.0, math.inf)


def by_unit(table: pd.DataFrame, metric: str, unit: str) -> pd.Series:
    """Average sessions and folds: one value per participant and seed.

    Parameters
    ----------
    table : pandas.DataFrame
        The rows of one model and method.
    metric : str
        A column; images without a value are left out.
    unit : {"seed", "participant_id"}
        The first level of the index.
    """
    known = table.dropna(subset=[metric])
    other = "participant_id" if unit == "seed" else "seed"
    return known.groupby([unit, other])[metric].mean()
