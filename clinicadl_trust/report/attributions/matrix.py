"""The train-method by test-method matrix, as a table with coloured cells."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.plots.attribution_matrix import cell_colors
from clinicadl_trust.report.attributions.interpreted import Interpreted
from clinicadl_trust.report.attributions.statistics import means
from clinicadl_trust.report.attributions.words import (
    is_better_high,
    method_name,
    title_of,
    trained_with,
)
from clinicadl_trust.report.text import number

__all__ = ["Cell", "Matrix", "make_matrix"]

_DIGITS = 3


@dataclass(frozen=True)
class Cell:
    """A value with its interval, and the colours of ground and text."""

    value: str
    interval: str
    ground: str
    ink: str


@dataclass(frozen=True)
class Matrix:
    """How each model does by each method of explanation.

    Attributes
    ----------
    metric : str
        What the cells hold, in words.
    methods : tuple of str
        Headings.
    rows : tuple
        A model's title, what it was trained with, and its cells.
    """

    metric: str
    methods: tuple[str, ...]
    rows: tuple[tuple[str, str, tuple[Cell, ...]], ...]


def make_matrix(
    interpreted: Interpreted, unit: str, problems: list[str]
) -> Matrix | None:
    """Make the matrix of the first metric.

    Parameters
    ----------
    interpreted : Interpreted
        What is shown.
    unit : {"seed", "participant_id"}
        What intervals are over.
    problems : list of str
        Takes what could not be computed and why.

    Returns
    -------
    Matrix or None
        None of one model explained in one way: that is no matrix.
    """
    if not interpreted.metrics or len(interpreted.models) < 2:
        return None
    metric, found = interpreted.metrics[0], dict[tuple[str, str], pd.Series]()
    for method in interpreted.methods:
        table = interpreted.table
        table = table[table["method"] == method]
        try:
            made = means(table, (metric,), unit, interpreted.group)
        except StatisticsError as error:
            problems.append(str(error))
            continue
        found |= {(str(row["model"]), method): row for _, row in made.iterrows()}
    if not found:
        return None
    keys = [(m.name, how) for m in interpreted.models for how in interpreted.methods]
    values = [found[key]["value"] if key in found else math.nan for key in keys]
    colors = cell_colors(values, greater_is_better=is_better_high(metric))
    cells = {
        key: _cell(found.get(key), color)
        for key, color in zip(keys, colors, strict=True)
    }
    trained = _trained(interpreted)
    rows = tuple(
        (
            model.title,
            trained.get(model.name, ""),
            tuple(cells[model.name, method] for method in interpreted.methods),
        )
        for model in interpreted.models
    )
    names = tuple(method_name(method) for method in interpreted.methods)
    return Matrix(title_of(metric), names, rows)


def _cell(row: pd.Series | None, color: tuple[str, str]) -> Cell:
    if row is None or pd.isna(row["value"]):
        return Cell("\N{EM DASH}", "", *color)
    value, low, high = (number(row[key], _DIGITS) for key in ("value", "low", "high"))
    return Cell(value, "" if pd.isna(row["low"]) else f"{low} to {high}", *color)


def _trained(interpreted: Interpreted) -> dict[str, str]:
    """Return what each model was trained with, as its runs recorded it."""
    runs = interpreted.benchmark.runs
    if runs is None or "config" not in runs:
        return {}
    firsts = runs.drop_duplicates("model").set_index("model")["config"]
    return {name: trained_with(config or {}) for name, config in firsts.items()}
