"""Where the networks look: maps, their metrics, and what differs between models."""

from __future__ import annotations

from typing import Any

import pandas as pd

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.plots.collecting import collecting_little
from clinicadl_trust.plots.relevance import OUTLINE, PERCENTILE, relevance_colormap
from clinicadl_trust.report.attributions.cascades import cascade_tables
from clinicadl_trust.report.attributions.differences import differences
from clinicadl_trust.report.attributions.interpreted import (
    Interpreted,
    in_short,
    read_interpreted,
)
from clinicadl_trust.report.attributions.matrix import make_matrix
from clinicadl_trust.report.attributions.panels import panels
from clinicadl_trust.report.attributions.regions import region_tables
from clinicadl_trust.report.attributions.statistics import (
    choose_unit,
    means,
    means_of_stability,
)
from clinicadl_trust.report.attributions.words import (
    DIFFERENCES,
    about_of,
    is_better_high,
    method_name,
    title_of,
)
from clinicadl_trust.report.benchmark import Benchmark
from clinicadl_trust.report.forest import Forest, Group, Row, make_axis
from clinicadl_trust.report.palette import styles
from clinicadl_trust.report.sections.base import Section
from clinicadl_trust.report.text import count, interval, number, p_value, signed

__all__ = ["build"]

_TITLE = "Where the networks look"
_TEMPLATE = "attributions.html"
_DIGITS = 3
#: What blue and red speak for.
_LESS_AND_MORE = ("less", "more")
_ENDS = {"classification": ("healthy", "pathological")}
_ASKED = {"classification": "speak for disease and which for health"}
_ASKED_OF_OTHERS = "raise what it predicts and which lower it"
_NONE = ("\N{EM DASH}", "")


def build(benchmark: Benchmark) -> Section | None:
    """Show what ``clinicadl interpret`` found; nothing where it was not called."""
    if not benchmark.interpretations:
        return None
    interpreted = read_interpreted(benchmark)
    if interpreted.strategy is None:
        return Section("attributions", _TITLE, "empty.html", {}, interpreted.problems)
    table = interpreted.table
    unit = choose_unit(table)
    with collecting_little():
        drawn, problems = panels(interpreted)
    first = table[table["method"] == interpreted.methods[0]]
    content = {
        "place": _place(interpreted),
        "method": method_name(interpreted.methods[0]),
        "models": [model.title for model in interpreted.models],
        "unit": unit,
        "percentile": PERCENTILE,
        "ramp": _ramp(),
        "ends": _ENDS.get(benchmark.task.kind, _LESS_AND_MORE),
        "asked": _ASKED.get(benchmark.task.kind, _ASKED_OF_OTHERS),
        "outline": OUTLINE,
        "panels": drawn,
        "metrics": _metrics(interpreted, first, unit, problems),
        "forests": _differences(interpreted, first, unit, problems),
        "matrix": make_matrix(interpreted, unit, problems),
        "cascades": cascade_tables(interpreted, problems),
        "regions": region_tables(interpreted, unit),
    }
    missing = (*interpreted.problems, *in_short(problems))
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
    interpreted: Interpreted, table: pd.DataFrame, unit: str, problems: list[str]
) -> list[dict[str, Any]]:
    """Return one line per metric with a cell per model, by the first method."""
    try:
        made = means(table, interpreted.metrics, unit, interpreted.group)
        alike = means_of_stability(interpreted)
        made = pd.concat([made, alike]) if len(alike) else made
    except StatisticsError as error:
        problems.append(str(error))
        return []
    cells = {
        (row["metric"], row["model"]): (number(row["value"], _DIGITS), _ends(row))
        for _, row in made.iterrows()
    }
    return [
        {
            "title": title_of(metric),
            "about": about_of(metric),
            "cells": [
                cells.get((metric, model.name), _NONE) for model in interpreted.models
            ],
        }
        for metric in dict.fromkeys(metric for metric, _ in cells)
    ]


def _ends(row: pd.Series) -> str:
    """Write an interval, or nothing where a value varies with no unit."""
    if pd.isna(row["low"]):
        return ""
    return f"{number(row['low'], _DIGITS)} to {number(row['high'], _DIGITS)}"


def _differences(
    interpreted: Interpreted, table: pd.DataFrame, unit: str, problems: list[str]
) -> list[Forest]:
    """Draw the paired differences of each metric, one figure a metric."""
    pairs = _pairs(interpreted, set(table["model"]))
    metrics = tuple(name for name in interpreted.metrics if name in DIFFERENCES)
    if not pairs or not metrics:
        return []
    try:
        made = differences(table, metrics, unit, interpreted.group, pairs)
    except StatisticsError as error:
        problems.append(str(error))
        return []
    return [
        _forest(interpreted, metric, rows)
        for metric in metrics
        if len(made) and len(rows := made[made["metric"] == metric])
    ]


def _pairs(interpreted: Interpreted, explained: set[str]) -> list[tuple[str, str]]:
    """Pair each model with those before it, or with the one that was to be beaten."""
    names = [each.name for each in interpreted.models if each.name in explained]
    reference = interpreted.benchmark.reference
    if reference in names:
        return [(name, reference) for name in names if name != reference]
    return [
        (later, earlier)
        for place, later in enumerate(names)
        for earlier in names[:place]
    ]


def _forest(interpreted: Interpreted, metric: str, table: pd.DataFrame) -> Forest:
    benchmark = interpreted.benchmark
    look = styles(benchmark.models)
    rows = tuple(
        Row(
            label=f"{benchmark.title(row['model'])} \N{MINUS SIGN} "
            f"{benchmark.title(row['reference'])}",
            cells=(
                signed(row["value"]),
                interval(row["low"], row["high"], sign=True),
                p_value(row["p_value"]),
                p_value(row["p_adjusted"]),
            ),
            style=look[row["model"]],
            value=row["value"],
            low=row["low"],
            high=row["high"],
        )
        for _, row in table.iterrows()
    )
    better = ("second is better", "first is better")
    return Forest(
        key=f"attribution-difference-{metric}",
        caption=f"Difference in {title_of(metric)}",
        axis=make_axis([v for r in rows for v in (r.value, r.low, r.high)], 0.0),
        groups=(Group("", rows),),
        columns=(
            "Difference",
            f"{table['confidence_level'].iloc[0]:.0%} interval",
            "p",
            "Holm's p",
        ),
        row_heading="First minus second",
        direction=better if is_better_high(metric) else better[::-1],
    )
