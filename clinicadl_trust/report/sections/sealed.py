"""The sealed test group: the number that counts."""

from __future__ import annotations

from typing import Any

from clinicadl_trust.report.benchmark import Benchmark, Strategy
from clinicadl_trust.report.evidence import people
from clinicadl_trust.report.sections.base import Section
from clinicadl_trust.report.sections.estimates import estimate_forest
from clinicadl_trust.report.text import interval, number

__all__ = ["build"]

_TITLE = "The sealed test group"


def build(benchmark: Benchmark) -> Section:
    """Show the primary metric as a figure and every metric as numbers."""
    sealed = benchmark.sealed
    table = benchmark.estimates
    if sealed is None:
        missing = (
            "This benchmark sealed no test group. Its best evidence is the "
            "cross-validation below, which people who took part in the development "
            "also took part in.",
        )
        return Section("sealed", _TITLE, "sealed.html", {"forest": None}, missing)
    table = table[table["split_strategy"] == sealed.name]
    if table.empty:
        missing = (
            "The sealed test group has not been evaluated: no run on it has "
            "finished, or statistics.tsv is absent.",
        )
        return Section("sealed", _TITLE, "sealed.html", {"forest": None}, missing)
    metric = benchmark.primary_metric or table["metric"].iloc[0]
    content = {
        "strategy": sealed,
        "size": people(table),
        "times": 1 + len(benchmark.info.get("history") or ()),
        "metric": benchmark.metric(metric),
        "forest": estimate_forest(benchmark, metric, [sealed], key="sealed"),
        "numbers": _numbers(benchmark, sealed),
        "baselines": any(model.is_baseline for model in benchmark.models),
    }
    return Section("sealed", _TITLE, "sealed.html", content)


def _numbers(benchmark: Benchmark, sealed: Strategy) -> dict[str, Any]:
    """Return a table of models by metrics, each cell a value and its interval."""
    table = benchmark.estimates
    table = table[table["split_strategy"] == sealed.name]
    cells = {
        (row["model"], row["metric"]): (
            number(row["value"]),
            interval(row["low"], row["high"]),
        )
        for _, row in table.iterrows()
    }
    metrics = [m for m in benchmark.metrics if m in set(table["metric"])]
    models = [m for m in benchmark.models if m.name in set(table["model"])]
    rows = [(m.title, [cells.get((m.name, name)) for name in metrics]) for m in models]
    return {"metrics": [benchmark.metric(m) for m in metrics], "rows": rows}
