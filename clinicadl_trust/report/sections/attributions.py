"""Where the networks look: maps, their metrics, and what differs between models."""

from __future__ import annotations

from typing import Any

import pandas as pd

from clinicadl_trust.interpretations import METRICS
from clinicadl_trust.plots.relevance import OUTLINE, PERCENTILE, relevance_colormap
from clinicadl_trust.report.attributions.interpreted import (
    Interpreted,
    read_interpreted,
)
from clinicadl_trust.report.attributions.matrix import make_matrix
from clinicadl_trust.report.attributions.panels import panels
from clinicadl_trust.report.attributions.regions import region_tables
from clinicadl_trust.report.attributions.statistics import (
    choose_unit,
    difference_of_means,
    mean_of,
)
from clinicadl_trust.report.attributions.words import (
    DIFFERENCES,
    is_better_high,
    method_name,
    title_of,
)
from clinicadl_trust.report.benchmark import Benchmark, Model
from clinicadl_trust.report.forest import Forest, Group, Row, make_axis
from clinicadl_trust.report.palette import styles
from clinicadl_trust.report.sections.base import Section
from clinicadl_trust.report.text import count, interval, number, p_value, signed
from clinicadl_trust.stats import Comparison, Estimate, adjust

__all__ = ["build"]

_TITLE = "Where the networks look"
_TEMPLATE = "attributions.html"
_DIGITS = 3


def build(benchmark: Benchmark) -> Section | None:
    """Show what ``clinicadl interpret`` found; nothing where it was not called."""
    if not benchmark.interpretations:
        return None
    interpreted = read_interpreted(benchmark)
    if interpreted.strategy is None:
        return Section("attributions", _TITLE, "empty.html", {}, interpreted.problems)
    table = interpreted.table
    unit = choose_unit(table)
    drawn, problems = panels(interpreted)
    first = table[table["method"] == interpreted.methods[0]]
    content = {
        "place": _place(interpreted),
        "method": method_name(interpreted.methods[0]),
        "models": [model.title for model in interpreted.models],
        "unit": unit,
        "percentile": PERCENTILE,
        "ramp": _ramp(),
        "outline": OUTLINE,
        "panels": drawn,
        "metrics": _metrics(interpreted, first, unit),
        "forests": _differences(interpreted, first, unit),
        "matrix": make_matrix(interpreted, unit),
        "regions": region_tables(interpreted, unit),
    }
    missing = tuple(dict.fromkeys((*interpreted.problems, *problems)))
    return Section("attributions", _TITLE, _TEMPLATE, content, missing)


def _place(interpreted: Interpreted) -> str:
    """Say whose images were explained."""
    people = count(interpreted.table["participant_id"].nunique(), "participant")
    strategy = interpreted.strategy
    split = f", {strategy.heading.lower()}" if strategy is not None else ""
    group = "" if interpreted.group == "test" else f", group '{interpreted.group}'"
    return f"{people}{split}{group}"


def _ramp() -> str:
    """Return the colour map as a gradient of the style sheet."""
    from matplotlib.colors import to_hex

    colormap = relevance_colormap()
    places = ((0.0, 0), (0.499, 50), (0.501, 50), (1.0, 100))
    stops = ", ".join(f"{to_hex(colormap(x))} {percent}%" for x, percent in places)
    return f"linear-gradient(to right, {stops})"


def _metrics(
    interpreted: Interpreted, table: pd.DataFrame, unit: str
) -> list[dict[str, Any]]:
    """Return one line per metric with a cell per model, by the first method."""
    lines = []
    for metric in interpreted.metrics:
        cells = []
        for model in interpreted.models:
            found = mean_of(table[table["model"] == model.name], metric, unit)
            if found is None:
                cells.append(("\N{EM DASH}", ""))
            else:
                cells.append((number(found.value, _DIGITS), _ends(found)))
        lines.append(
            {"title": title_of(metric), "about": METRICS[metric], "cells": cells}
        )
    return lines


def _ends(found: Estimate) -> str:
    """Write an interval, or nothing where a value varies with no unit."""
    if pd.isna(found.low):
        return ""
    return f"{number(found.low, _DIGITS)} to {number(found.high, _DIGITS)}"


def _differences(
    interpreted: Interpreted, table: pd.DataFrame, unit: str
) -> list[Forest]:
    """Draw the paired differences of each metric, one figure a metric."""
    forests = []
    for metric in interpreted.metrics:
        if metric not in DIFFERENCES:
            continue
        made = []
        for first, second in _pairs(interpreted):
            one, two = (table[table["model"] == each.name] for each in (first, second))
            found = difference_of_means(one, two, metric, unit)
            if found is not None:
                made.append((first, second, found))
        if made:
            forests.append(_forest(interpreted, metric, made))
    return forests


def _pairs(interpreted: Interpreted) -> list[tuple[Model, Model]]:
    """Pair each model with those before it, or with the one that was to be beaten."""
    models, reference = interpreted.models, interpreted.benchmark.reference
    if reference in {model.name for model in models}:
        against = interpreted.benchmark.model(str(reference))
        return [(model, against) for model in models if model.name != reference]
    return [
        (later, earlier)
        for place, later in enumerate(models)
        for earlier in models[:place]
    ]


def _forest(
    interpreted: Interpreted,
    metric: str,
    made: list[tuple[Model, Model, Comparison]],
) -> Forest:
    look = styles(interpreted.benchmark.models)
    adjusted = adjust([found.p_value for _, _, found in made])
    rows = tuple(
        Row(
            label=f"{first.title} \N{MINUS SIGN} {second.title}",
            cells=(
                signed(found.effect),
                interval(found.low, found.high, sign=True),
                p_value(found.p_value),
                p_value(p_adjusted),
            ),
            style=look[first.name],
            value=found.effect,
            low=found.low,
            high=found.high,
        )
        for (first, second, found), p_adjusted in zip(made, adjusted, strict=True)
    )
    better = ("second is better", "first is better")
    return Forest(
        key=f"attribution-difference-{metric}",
        caption=f"Difference in {title_of(metric)}",
        axis=make_axis([v for r in rows for v in (r.value, r.low, r.high)], 0.0),
        groups=(Group("", rows),),
        columns=(
            "Difference",
            f"{made[0][2].confidence_level:.0%} interval",
            "p",
            "Holm's p",
        ),
        row_heading="First minus second",
        direction=better if is_better_high(metric) else better[::-1],
    )
