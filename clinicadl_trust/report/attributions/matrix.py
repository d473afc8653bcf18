"""The train-method by test-method matrix, as a table with coloured cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clinicadl_trust.plots.attribution_matrix import cell_colors
from clinicadl_trust.report.attributions.interpreted import Interpreted
from clinicadl_trust.report.attributions.statistics import mean_of
from clinicadl_trust.report.attributions.words import (
    is_better_high,
    method_name,
    title_of,
    trained_with,
)
from clinicadl_trust.report.text import interval, number

__all__ = ["Cell", "Matrix", "make_matrix"]


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


def make_matrix(interpreted: Interpreted, unit: str) -> Matrix | None:
    """Make the matrix of the first metric.

    Parameters
    ----------
    interpreted : Interpreted
        What is shown.
    unit : {"seed", "participant_id"}
        What intervals are over.

    Returns
    -------
    Matrix or None
        None of one model explained in one way: that is no matrix.
    """
    if not interpreted.metrics or len(interpreted.models) < 2:
        return None
    metric, table = interpreted.metrics[0], interpreted.table
    found = {
        (model.name, method): mean_of(
            table[(table["model"] == model.name) & (table["method"] == method)],
            metric,
            unit,
        )
        for model in interpreted.models
        for method in interpreted.methods
    }
    values = [np.nan if each is None else each.value for each in found.values()]
    colors = cell_colors(values, greater_is_better=is_better_high(metric))
    cells = {
        key: Cell("\N{EM DASH}", "", *color)
        if each is None
        else Cell(number(each.value), interval(each.low, each.high), *color)
        for (key, each), color in zip(found.items(), colors, strict=True)
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


def _trained(interpreted: Interpreted) -> dict[str, str]:
    """Return what each model was trained with, as its runs recorded it."""
    runs = interpreted.benchmark.runs
    if runs is None or "config" not in runs:
        return {}
    firsts = runs.drop_duplicates("model").set_index("model")["config"]
    return {name: trained_with(config or {}) for name, config in firsts.items()}
