"""Which model is better, and how sure one can be."""

from __future__ import annotations

import pandas as pd

from clinicadl_trust.report.benchmark import Benchmark, Strategy
from clinicadl_trust.report.evidence import (
    asked,
    flip,
    headed,
    methods,
    people,
    strongest,
)
from clinicadl_trust.report.forest import Forest, Group, Row, make_axis
from clinicadl_trust.report.palette import styles
from clinicadl_trust.report.sections.base import Section
from clinicadl_trust.report.sections.posteriors import ROPE, posterior_panels
from clinicadl_trust.report.text import count, interval, p_value, signed

__all__ = ["build"]


def build(benchmark: Benchmark) -> Section:
    """Show the primary question's answers, then every other, as differences."""
    table = benchmark.comparisons
    honest = [strategy.name for strategy in benchmark.honest]
    table = table[table["split_strategy"].isin(honest)]
    missing = ""
    if table.empty:
        missing = (
            "No two models were compared: there is one model only, or the statistics "
            "are not there yet."
        )
    content = {
        "reference": benchmark.reference,
        "primary": _primary(benchmark, table),
        "figures": _figures(benchmark, table),
        "posteriors": posterior_panels(benchmark, _pairs(benchmark, table)),
        "rope": ROPE,
        "methods": methods(benchmark, table),
    }
    return Section(
        "comparisons",
        "Which model is better",
        "comparisons.html",
        content,
        (missing,) if missing else (),
    )


def _primary(benchmark: Benchmark, table: pd.DataFrame) -> dict[str, str] | None:
    """Return the question asked beforehand: a metric, a split and pairs of models."""
    strategy = strongest(benchmark)
    metric = benchmark.metric()
    if strategy is None:
        return None
    rows = table[
        (table["metric"] == metric.name) & (table["split_strategy"] == strategy.name)
    ]
    rows = rows[[asked(benchmark, row) for _, row in rows.iterrows()]]
    if rows.empty:
        return None
    first = rows.iloc[0]
    question = "Which model does better?"
    if benchmark.reference is not None:
        against = benchmark.model(benchmark.reference)
        alone = {"metadata": "age, sex and site alone"}.get(against.type)
        question = f"Does each image model do better than {alone or against.in_prose}?"
    return {
        "question": question,
        "judged": f"{metric.title}, {strategy.heading.lower()}",
        "pairs": count(len(rows), "pair of models", "pairs of models"),
        "people": people(rows),
        "estimand": "" if pd.isna(first["estimand"]) else first["estimand"],
    }


def _figures(benchmark: Benchmark, table: pd.DataFrame) -> list[tuple[str, Forest]]:
    """Return the primary metric in each honest split, then the other metrics.

    Other metrics are shown on the strongest evidence only; ``statistics.tsv`` has
    the rest.
    """
    evidence = strongest(benchmark)
    figures = []
    for strategy in benchmark.honest:
        forest = _forest(benchmark, table, benchmark.primary_metric, strategy)
        figures.append((headed(benchmark, strategy), forest))
    for metric in benchmark.metrics[1:]:
        if evidence is not None:
            forest = _forest(benchmark, table, metric, evidence)
            title = f"{benchmark.metric(metric).title}, {evidence.heading.lower()}"
            figures.append((title, forest))
    return [(title, forest) for title, forest in figures if forest is not None]


def _forest(
    benchmark: Benchmark, table: pd.DataFrame, name: str | None, strategy: Strategy
) -> Forest | None:
    """Draw the differences of one metric in one split, None if there are none."""
    metric = benchmark.metric(name)
    table = table[
        (table["metric"] == name) & (table["split_strategy"] == strategy.name)
    ]
    if table.empty:
        return None
    groups = _groups(benchmark, _turned(benchmark, table))
    rows = [row for group in groups for row in group.rows]
    better = ("second is better", "first is better")
    level = table["confidence_level"].dropna()
    return Forest(
        key=f"comparison-{strategy.name}-{name}",
        caption=f"Difference in {metric.title}, {strategy.heading.lower()}",
        axis=make_axis([v for r in rows for v in (r.value, r.low, r.high)], 0.0),
        groups=groups,
        columns=(
            "Difference",
            f"{level.iloc[0]:.0%} interval" if len(level) else "Interval",
            "p",
            "Holm's p",
        ),
        row_heading="First minus second",
        direction=better if metric.higher_is_better else better[::-1],
    )


def _pairs(benchmark: Benchmark, table: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the pairs that were asked about, without the majority baseline."""
    constant = {model.name for model in benchmark.models if model.type == "majority"}
    rows = table[table["metric"] == benchmark.primary_metric]
    pairs = [
        (row["model"], row["reference"])
        for row in _turned(benchmark, rows)
        if asked(benchmark, row) and not constant & {row["model"], row["reference"]}
    ]
    return list(dict.fromkeys(pairs))


def _groups(benchmark: Benchmark, rows: list[pd.Series]) -> tuple[Group, ...]:
    """Part what was asked beforehand from what is looked at besides."""
    parts: dict[str, list[Row]] = {"": []}
    if benchmark.reference is not None:
        against = f"Against {benchmark.title(benchmark.reference)}"
        parts = {against: [], "Other pairs, exploratory": []}
    titles = list(parts)
    for row in rows:
        title = titles[0] if asked(benchmark, row) else titles[-1]
        parts[title].append(_row(row, benchmark))
    return tuple(Group(title, tuple(found)) for title, found in parts.items() if found)


def _turned(benchmark: Benchmark, table: pd.DataFrame) -> list[pd.Series]:
    """Put image models before baselines in every pair, and the reference last."""
    rank = {model.name: n for n, model in enumerate(benchmark.models)}
    if benchmark.reference is not None:
        rank[benchmark.reference] = len(rank)
    rows = []
    for _, row in table.iterrows():
        rows.append(flip(row) if rank[row["model"]] > rank[row["reference"]] else row)
    return sorted(rows, key=lambda r: (rank[r["model"]], rank[r["reference"]]))


def _row(row: pd.Series, benchmark: Benchmark) -> Row:
    against = benchmark.model(row["reference"])
    of_interest = (
        benchmark.reference is None
        and against.type == "metadata"
        and not benchmark.model(row["model"]).is_baseline
    )
    return Row(
        label=(
            f"{benchmark.title(row['model'])} \N{MINUS SIGN} "
            f"{benchmark.title(row['reference'])}"
        ),
        cells=(
            signed(row["value"]),
            interval(row["low"], row["high"], sign=True),
            p_value(row["p_value"]),
            p_value(row["p_adjusted"]),
        ),
        style=styles(benchmark.models)[row["model"]],
        value=row["value"],
        low=row["low"],
        high=row["high"],
        emphasis=of_interest,
    )
