"""The leakage demonstration: one model, two splits, and what the leak adds."""

from __future__ import annotations

from clinicadl_trust.report.benchmark import Benchmark, Strategy
from clinicadl_trust.report.forest import Forest, Group, Mark, Row, make_axis
from clinicadl_trust.report.palette import Style, styles
from clinicadl_trust.report.sections.base import Section
from clinicadl_trust.report.text import number, signed

__all__ = ["build"]

_TITLE = "What a leak does"


def build(benchmark: Benchmark) -> Section:
    """Set the same model's leaky performance beside its honest one."""
    leaky = next((s for s in benchmark.strategies if s.leaky), None)
    honest = _honest(benchmark)
    missing = ""
    if leaky is None:
        missing = (
            "This benchmark ran no leaky split. Add one ('ScanKFold') to its "
            "experiment file to see how much a leak would flatter these models."
        )
    elif honest is None:
        missing = (
            "No honest split was run, so there is nothing to hold the leak against."
        )
    if missing or leaky is None or honest is None:
        return Section("leakage", _TITLE, "leakage.html", {"forest": None}, (missing,))
    rows = _rows(benchmark, leaky, honest)
    if not rows:
        missing = (
            f"No model has a result in both '{leaky.name}' and '{honest.name}', so "
            "the two splits cannot be compared."
        )
        return Section("leakage", _TITLE, "leakage.html", {"forest": None}, (missing,))
    metric = benchmark.metric()
    worst = max(_with_image(benchmark, rows), key=lambda row: abs(_gap(row)))
    values = [v for r in rows for v in (r.value, r.value + _gap(r))]
    forest = Forest(
        key="leakage",
        caption=f"{metric.title} of the same model in an honest and in a leaky split",
        axis=make_axis(values, metric.chance, metric.bounds),
        groups=(Group("", rows),),
        columns=("Honest", "Leaky", "Leak adds"),
        scale=metric.title,
    )
    content = {
        "forest": forest,
        "leaky": leaky,
        "honest": honest,
        "metric": metric,
        "worst": worst,
    }
    return Section("leakage", _TITLE, "leakage.html", content)


def _honest(benchmark: Benchmark) -> Strategy | None:
    """Return the honest strategy most like the leaky one: participants in folds."""
    found = [s for s in benchmark.honest if not s.sealed]
    found.sort(key=lambda s: s.unit != "participant")
    return next(iter(found), benchmark.sealed)


def _rows(benchmark: Benchmark, leaky: Strategy, honest: Strategy) -> tuple[Row, ...]:
    table = benchmark.estimates
    table = table[table["metric"] == benchmark.primary_metric]
    values = table.set_index(["split_strategy", "model"])["value"].dropna()
    look = styles(benchmark.models)
    rows = []
    for model in benchmark.models:
        keys = [(honest.name, model.name), (leaky.name, model.name)]
        if all(key in values.index for key in keys):
            true, flattered = (float(values.loc[key]) for key in keys)
            rows.append(_row(model.title, look[model.name], true, flattered))
    return tuple(rows)


def _gap(row: Row) -> float:
    return row.other.value - row.value if row.other else 0.0


def _with_image(benchmark: Benchmark, rows: tuple[Row, ...]) -> list[Row]:
    """Return the rows of models that look at the image, all if there are none."""
    seeing = {model.title for model in benchmark.models if not model.is_baseline}
    return [row for row in rows if row.label in seeing] or list(rows)


def _row(name: str, style: Style, true: float, flattered: float) -> Row:
    return Row(
        label=name,
        cells=(number(true), number(flattered), signed(flattered - true)),
        style=style,
        value=true,
        other=Mark(flattered, style, hollow=True),
    )
