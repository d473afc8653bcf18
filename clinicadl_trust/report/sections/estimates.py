"""Every estimate: one forest plot a metric, by split strategy and model."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from clinicadl_trust.report.benchmark import Benchmark, Strategy
from clinicadl_trust.report.evidence import methods, people, refitted
from clinicadl_trust.report.forest import Forest, Group, Row, make_axis
from clinicadl_trust.report.palette import Style, styles
from clinicadl_trust.report.sections.base import Section
from clinicadl_trust.report.text import interval, number, p_phrase

__all__ = ["build", "estimate_forest"]


def build(benchmark: Benchmark) -> Section:
    """Show each metric in each split strategy for each model."""
    forests = [
        (benchmark.metric(name), estimate_forest(benchmark, name, benchmark.strategies))
        for name in benchmark.metrics
    ]
    missing = []
    if not forests:
        missing.append(
            "No statistics yet: statistics.tsv is absent or empty. The benchmark "
            "writes it when its runs are done."
        )
    content = {
        "forests": forests,
        "chance": _chance(benchmark),
        "warnings": _warnings(benchmark),
        "has_leaky": any(s.leaky for s in benchmark.strategies),
        "methods": methods(benchmark, benchmark.estimates),
    }
    return Section(
        "estimates",
        "How well each model does",
        "estimates.html",
        content,
        tuple(missing),
    )


def estimate_forest(
    benchmark: Benchmark, name: str, strategies: Sequence[Strategy], key: str = "forest"
) -> Forest:
    """Draw one metric of ``statistics.tsv``.

    Parameters
    ----------
    benchmark : Benchmark
        Where the numbers are.
    name : str
        The metric.
    strategies : sequence of Strategy
        Which ones, one group each.
    key : str
        Prefix of the figure's key.
    """
    metric = benchmark.metric(name)
    table = benchmark.estimates
    table = table[table["metric"] == name]
    table = table[table["split_strategy"].isin([s.name for s in strategies])]
    dots = _fold_values(benchmark, name)
    look = styles(benchmark.models)
    groups = tuple(
        Group(
            strategy.heading,
            tuple(
                _row(benchmark, row, look[row["model"]], dots)
                for row in _ordered(benchmark, table, strategy.name)
            ),
            strategy.leaky,
            strategy.sealed,
            people(table[table["split_strategy"] == strategy.name]),
        )
        for strategy in strategies
        if (table["split_strategy"] == strategy.name).any()
    )
    rows = [row for group in groups for row in group.rows]
    ends = [v for row in rows for v in (row.value, row.low, row.high)]
    level = table["confidence_level"].dropna()
    interval_heading = f"{level.iloc[0]:.0%} interval" if len(level) else "Interval"
    return Forest(
        key=f"{key}-{name}",
        caption=f"{metric.title} of each model",
        axis=make_axis(ends, metric.chance, metric.bounds),
        groups=groups,
        columns=(metric.title, interval_heading),
        scale=metric.title,
        direction=metric.direction,
    )


def _row(
    benchmark: Benchmark,
    row: pd.Series,
    style: Style,
    dots: dict[tuple[str, str], tuple[float, ...]],
) -> Row:
    return Row(
        label=benchmark.title(row["model"]),
        cells=(number(row["value"]), interval(row["low"], row["high"])),
        style=style,
        value=row["value"],
        low=row["low"],
        high=row["high"],
        dots=dots.get((row["split_strategy"], row["model"]), ()),
    )


def _ordered(
    benchmark: Benchmark, table: pd.DataFrame, strategy: str
) -> list[pd.Series]:
    """Return a strategy's rows in the order of the models: baselines last."""
    rows = table[table["split_strategy"] == strategy]
    rank = {model.name: n for n, model in enumerate(benchmark.models)}
    return [
        row
        for _, row in rows.sort_values("model", key=lambda c: c.map(rank)).iterrows()
    ]


def _fold_values(
    benchmark: Benchmark, metric: str
) -> dict[tuple[str, str], tuple[float, ...]]:
    """Return the value of each fold, drawn only where there are several."""
    table = benchmark.fold_metrics
    if table is None:
        return {}
    table = table[(table["metric"] == metric) & (table["group"] == "test")]
    found = {}
    for key, rows in table.groupby(["split_strategy", "model"]):
        if rows[["repeat", "split"]].drop_duplicates().shape[0] > 1:
            found[key] = tuple(rows["value"].dropna())
    return found  # type: ignore[return-value]


def _chance(benchmark: Benchmark) -> list[tuple[str, str]]:
    """Return the p-values of refits on redrawn labels, split by split."""
    found = []
    for strategy in benchmark.honest:
        said = [
            f"{model.title} {p_phrase(p_value)}"
            for model in benchmark.models
            if (p_value := refitted(benchmark, model.name, strategy)) is not None
        ]
        if said:
            found.append((strategy.heading, "; ".join(said)))
    return found


def _warnings(benchmark: Benchmark) -> list[tuple[str, str]]:
    """Return each distinct warning on a result with the splits it is about."""
    table = benchmark.estimates.dropna(subset=["warnings"])
    honest = [strategy.name for strategy in benchmark.honest]
    table = table[
        (table["warnings"].str.strip() != "") & table["split_strategy"].isin(honest)
    ]
    found = []
    for text, rows in table.groupby("warnings", sort=False):
        places = rows["split_strategy"].drop_duplicates()
        found.append((str(text), ", ".join(places)))
    return found
