"""Means of attribution metrics with intervals, and differences between models."""

from __future__ import annotations

import pandas as pd

from clinicadl_trust.stats import Comparison, Estimate, unit_interval, unit_ttest
from clinicadl_trust.stats.means import UNBOUNDED

__all__ = ["MIN_SEEDS", "choose_unit", "difference_of_means", "mean_of"]

#: Seeds from which on they are the units: t of two has no interval worth the name.
MIN_SEEDS = 3

#: Metrics from 0 to 1.
_SHARES = ("lesion_", "share")

#: What a unit is called in methods.
_NAMES = {"participant_id": "participant", "seed": "seed"}


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


def mean_of(table: pd.DataFrame, metric: str, unit: str) -> Estimate | None:
    """Estimate the mean of a metric.

    Parameters
    ----------
    table : pandas.DataFrame
        The rows of one model and method.
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
    values = _by_unit(table, metric, unit).groupby(unit).mean()
    if values.empty:
        return None
    bounds = (0.0, 1.0) if metric.startswith(_SHARES) else UNBOUNDED
    return unit_interval(list(values), unit=_NAMES[unit], bounds=bounds)


def difference_of_means(
    first: pd.DataFrame, second: pd.DataFrame, metric: str, unit: str
) -> Comparison | None:
    """Test the paired difference of two models, first minus second.

    Parameters
    ----------
    first, second : pandas.DataFrame
        The rows of one model and method each.
    metric : str
        A column.
    unit : {"seed", "participant_id"}
        What is paired, after participants are paired in each seed.

    Returns
    -------
    Comparison or None
        From a paired t over units; None where fewer than two have both.
    """
    one, two = (_by_unit(table, metric, unit) for table in (first, second))
    if unit == "participant_id":  # seeds of two models are not each other's
        one, two = (each.groupby("participant_id").mean() for each in (one, two))
    paired = (one - two).dropna()
    values = paired.groupby(unit).mean()
    if len(values) < 2:
        return None
    return unit_ttest(list(values), unit=_NAMES[unit])


def _by_unit(table: pd.DataFrame, metric: str, unit: str) -> pd.Series:
    """Return one value per participant and seed: sessions and folds are averaged."""
    known = table.dropna(subset=[metric])
    other = "participant_id" if unit == "seed" else "seed"
    return known.groupby([unit, other])[metric].mean()
