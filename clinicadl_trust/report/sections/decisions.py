"""What acting on each model is worth, in a group that was tested once."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd

from clinicadl_trust import plots
from clinicadl_trust.report.benchmark import Benchmark, Strategy
from clinicadl_trust.report.charts import draw
from clinicadl_trust.report.sections.class_curves import Chart, looks
from clinicadl_trust.report.text import interval, joined, number, percent
from clinicadl_trust.stats import DecisionCurve, net_benefit

__all__ = ["decision_charts"]

_THRESHOLDS = np.arange(5, 81) / 100
#: Those that the table and the description read.
_SHOWN = (0.1, 0.2, 0.3, 0.5)
_DESCRIBED = 0.2


def decision_charts(
    benchmark: Benchmark, strategy: Strategy, predictions: pd.DataFrame, rank: int
) -> Iterator[Chart]:
    """Draw the decision curves of a binary classification.

    Parameters
    ----------
    benchmark : Benchmark
        For the names.
    strategy : Strategy
        Which one; nothing is drawn of one with several folds, whose intervals would
        leave out that models were trained anew.
    predictions : pandas.DataFrame
        Of the models to draw.
    rank : int
        Its place, for unique ids.
    """
    test = (predictions["group"] == "test") & (
        predictions["split_strategy"] == strategy.name
    )
    rows = predictions[test]
    n_folds = len(rows[["repeat", "split"]].drop_duplicates())
    if len(benchmark.task.classes) != 2 or n_folds != 1:
        return
    curves = {
        model.name: _curve(of_model)
        for model in benchmark.models
        if len(of_model := rows[rows["model"] == model.name])
    }
    at = [(benchmark.title(name), _at(curves[name], _DESCRIBED)) for name in curves]
    everyone = _at(next(iter(curves.values())), _DESCRIBED, "treat all")
    title = f"Decision curves, {strategy.heading.lower()}"
    drawing = draw(
        partial(
            plots.decision_curve,
            curves,
            look=looks(benchmark),
            bands=False,
            legend=False,
        ),
        key=f"chart-decision-{rank}",
        title=title,
        description=(
            f"At a threshold of {percent(_DESCRIBED)}, the net benefit is "
            + joined([f"{number(row['net_benefit'])} with {name}" for name, row in at])
            + f", and {number(everyone['net_benefit'])} when everyone is treated."
        ),
    )
    yield Chart(
        f"decision-{strategy.name}",
        "Decision curve",
        drawing,
        ("Model", "Threshold", "Net benefit", "Interval", "Treat all"),
        tuple(
            row for name in curves for row in _rows(benchmark.title(name), curves[name])
        ),
        "Cases found per scan, less false alarms weighed by the threshold",
    )


def _curve(rows: pd.DataFrame) -> DecisionCurve:
    """Average the seeds of a model: each is a row of its own, people the clusters."""
    return net_benefit(
        rows["label"], rows["score"], _THRESHOLDS, rows["participant_id"]
    )


def _at(curve: DecisionCurve, threshold: float, strategy: str = "model") -> pd.Series:
    points = curve.points[curve.points["strategy"] == strategy]
    return points[np.isclose(points["threshold"], threshold)].iloc[0]


def _rows(title: str, curve: DecisionCurve) -> Iterator[tuple[str, ...]]:
    for threshold in _SHOWN:
        row, everyone = _at(curve, threshold), _at(curve, threshold, "treat all")
        yield (
            title,
            percent(threshold),
            number(row["net_benefit"]),
            interval(row["low"], row["high"]),
            number(everyone["net_benefit"]),
        )
