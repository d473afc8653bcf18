"""The charts of a classification, each with the table of its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from markupsafe import Markup

from clinicadl_trust import plots
from clinicadl_trust.plots import Look
from clinicadl_trust.report.benchmark import Benchmark, Strategy
from clinicadl_trust.report.charts import draw
from clinicadl_trust.report.palette import styles
from clinicadl_trust.report.text import interval, joined, number, percent

__all__ = ["Chart", "calibration_charts", "looks", "roc_charts"]

#: Shares of false alarms at which the table reads an ROC curve.
_FALSE_ALARMS = (0.05, 0.1, 0.2, 0.3, 0.5)
_DESCRIBED = 0.2


@dataclass(frozen=True)
class Chart:
    """A drawing, and its numbers as a table.

    Attributes
    ----------
    key, caption : str
        Its name in the page and its heading.
    drawing : markupsafe.Markup
        The SVG.
    columns : tuple of str
        Headings of the table; none where the numbers are too many.
    rows : tuple of tuple of str
        The model first.
    reading : str
        What the table's numbers are.
    """

    key: str
    caption: str
    drawing: Markup
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    reading: str = ""


def roc_charts(
    benchmark: Benchmark, strategy: Strategy, table: pd.DataFrame, rank: int
) -> Iterator[Chart]:
    """Draw the ROC curves of a strategy, one chart a class (one for two classes).

    Parameters
    ----------
    benchmark : Benchmark
        For the names.
    strategy : Strategy
        Which one.
    table : pandas.DataFrame
        Its rows of ``stats.roc_curve``.
    rank : int
        Its place, for unique ids.
    """
    for number_, (positive, suffix) in enumerate(_classes(benchmark, table)):
        part = table[table["positive"] == positive]
        curves = _lines(benchmark, part, "fpr", "tpr")
        at = _reading(curves, _DESCRIBED)
        description = (
            f"At {percent(_DESCRIBED)} false alarms, "
            + joined([f"{name} finds {percent(share)}" for name, share in at])
            + ". The dashed diagonal is guessing."
        )
        title = f"ROC curves, {strategy.heading.lower()}{suffix}"
        yield Chart(
            f"roc-{strategy.name}{suffix}",
            f"ROC{suffix}",
            draw(
                partial(plots.roc_curve, part, look=looks(benchmark), legend=False),
                key=f"chart-roc-{rank}-{number_}",
                title=title,
                description=description,
            ),
            ("False alarms", *(percent(x) for x in _FALSE_ALARMS)),
            _roc_rows(curves),
            "Sensitivity reached with at most this share of false alarms",
        )


def calibration_charts(
    benchmark: Benchmark, strategy: Strategy, table: pd.DataFrame, rank: int
) -> Iterator[Chart]:
    """Draw the calibration curves of a strategy, as ``roc_charts`` does.

    Parameters
    ----------
    benchmark, strategy
        As there.
    table : pandas.DataFrame
        Its rows of ``stats.calibration_curve``.
    rank
        As there.
    """
    for number_, (positive, suffix) in enumerate(_classes(benchmark, table)):
        part = table[table["positive"] == positive]
        curves = _lines(benchmark, part, "predicted", "observed")
        ends = [
            f"where {c.name} says {percent(c.x[-1])}, it is true for {percent(c.y[-1])}"
            for c in curves
        ]
        description = (
            "On the dashed diagonal, probabilities mean what they say. Of the highest "
            f"probabilities: {joined(ends)}."
        )
        title = f"Calibration curves, {strategy.heading.lower()}{suffix}"
        yield Chart(
            f"calibration-{strategy.name}{suffix}",
            f"Calibration{suffix}",
            draw(
                partial(
                    plots.calibration_curve,
                    dict(list(part.groupby("model", sort=False))),
                    look=looks(benchmark),
                    intervals=False,
                    legend=False,
                ),
                key=f"chart-calibration-{rank}-{number_}",
                title=title,
                description=description,
            ),
            ("Model", "Predicted", "Observed", "Interval", "People"),
            _calibration_rows(benchmark, part),
            "People grouped by the probability that the model gave them",
        )


def _classes(benchmark: Benchmark, table: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the classes that have a curve, and what to add to captions."""
    if table.empty:
        return []
    found = list(dict.fromkeys(table["positive"]))
    if len(benchmark.task.classes) <= 2 and len(found) == 1:
        return [(found[0], "")]
    return [(name, f", {name} against the rest") for name in found]


def looks(benchmark: Benchmark) -> dict[str, Look]:
    """Return how plots draw each model, by its name."""
    return {name: each.look for name, each in styles(benchmark.models).items()}


@dataclass(frozen=True)
class _Curve:
    """The points of one model, in the order of the line."""

    name: str
    x: np.ndarray
    y: np.ndarray


def _lines(benchmark: Benchmark, table: pd.DataFrame, x: str, y: str) -> list[_Curve]:
    return [
        _Curve(model.title, rows[x].to_numpy(), rows[y].to_numpy())
        for model in benchmark.models
        if len(rows := table[table["model"] == model.name])
    ]


def _reading(curves: list[_Curve], false_alarms: float) -> list[tuple[str, float]]:
    """Read the sensitivity that each curve reaches with so many false alarms."""
    return [(c.name, float(c.y[c.x <= false_alarms + 1e-9].max())) for c in curves]


def _roc_rows(curves: list[_Curve]) -> tuple[tuple[str, ...], ...]:
    columns = [[share for _, share in _reading(curves, x)] for x in _FALSE_ALARMS]
    return tuple(
        (curve.name, *(percent(column[n]) for column in columns))
        for n, curve in enumerate(curves)
    )


def _calibration_rows(
    benchmark: Benchmark, table: pd.DataFrame
) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (
            benchmark.title(row["model"]),
            number(row["predicted"]),
            number(row["observed"]),
            interval(row["low"], row["high"]),
            str(row["n_participants"]),
        )
        for _, row in table.iterrows()
    )
