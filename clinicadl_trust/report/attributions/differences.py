"""Differences of attribution metrics between models, paired."""

from __future__ import annotations

import pandas as pd

from clinicadl_trust.report.attributions.statistics import by_unit
from clinicadl_trust.report.evidence import flip
from clinicadl_trust.stats import Comparison, adjust, compare, unit_ttest

__all__ = ["difference_over_seeds", "differences"]


def differences(
    table: pd.DataFrame,
    metrics: tuple[str, ...],
    unit: str,
    group: str,
    pairs: list[tuple[str, str]],
) -> pd.DataFrame:
    """Test the paired difference of each pair of models in each metric.

    Parameters
    ----------
    table, metrics, unit, group
        As of ``means``; without seeds they are those of ``stats.compare``.
    pairs : list of tuple of str
        First and second model: their difference is first minus second.

    Returns
    -------
    pandas.DataFrame
        ``model``, ``reference``, ``metric``, ``value``, ``low``, ``high``,
        ``p_value``, ``p_adjusted`` (Holm's, over the pairs of a metric) and
        ``confidence_level``.

    Raises
    ------
    StatisticsError
        If the table does not allow them.
    """
    if unit != "seed":
        seconds = {second for _, second in pairs}
        reference = seconds.pop() if len(seconds) == 1 else None
        made = compare(table, metrics, reference, group=group)
        return _turned(made, pairs)
    tables = dict(list(table.groupby("model", sort=False)))
    parts = []
    for metric in metrics:
        found = [
            (one, two, difference_over_seeds(tables[one], tables[two], metric))
            for one, two in pairs
        ]
        rows = pd.DataFrame(
            [
                {
                    "model": first,
                    "reference": second,
                    "metric": metric,
                    "value": each.effect,
                    "low": each.low,
                    "high": each.high,
                    "p_value": each.p_value,
                    "confidence_level": each.confidence_level,
                }
                for first, second, each in found
                if each is not None
            ]
        )
        if len(rows):
            parts.append(rows.assign(p_adjusted=adjust(rows["p_value"])))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def difference_over_seeds(
    first: pd.DataFrame, second: pd.DataFrame, metric: str
) -> Comparison | None:
    """Test the paired difference of two models over their common seeds.

    Parameters
    ----------
    first, second : pandas.DataFrame
        The rows of one model and method each.
    metric : str
        A column.

    Returns
    -------
    Comparison or None
        Paired by participant in each seed, then averaged in it; None where fewer than
        two seeds have both.
    """
    one, two = (by_unit(table, metric, "seed") for table in (first, second))
    values = (one - two).dropna().groupby("seed").mean()
    if len(values) < 2:
        return None
    return unit_ttest(list(values), unit="seed")


def _turned(made: pd.DataFrame, pairs: list[tuple[str, str]]) -> pd.DataFrame:
    """Return comparisons with first and second as they are asked for, in that order."""
    place = {pair: n for n, pair in enumerate(pairs)}
    rows = [
        row if (row["model"], row["reference"]) in place else flip(row)
        for _, row in made.iterrows()
    ]
    found = pd.DataFrame(rows)
    order = [
        place.get(pair, -1)
        for pair in zip(found["model"], found["reference"], strict=True)
    ]
    return found.assign(place=order).sort_values("place", kind="stable")
