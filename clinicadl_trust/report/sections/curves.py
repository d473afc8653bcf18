"""ROC and calibration curves; for a regression, predicted against true values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import pandas as pd

from clinicadl_trust import plots
from clinicadl_trust.cohort import IDS
from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.report.benchmark import Benchmark, Model, Strategy
from clinicadl_trust.report.charts import draw
from clinicadl_trust.report.evidence import headed
from clinicadl_trust.report.palette import Style, styles
from clinicadl_trust.report.sections.base import Section
from clinicadl_trust.report.sections.class_curves import (
    Chart,
    calibration_charts,
    looks,
    roc_charts,
)
from clinicadl_trust.report.sections.decisions import decision_charts
from clinicadl_trust.report.text import count
from clinicadl_trust.stats import calibration_curve, roc_curve

__all__ = ["build"]

#: Points drawn in a scatter: more would hide one another and weigh the page down.
_N_POINTS = 400


@dataclass(frozen=True)
class _Panel:
    """The charts of one split strategy."""

    heading: str
    charts: tuple[Chart, ...]


def build(benchmark: Benchmark) -> Section:
    """Draw curves per honest split strategy; the majority baseline has none."""
    regression = benchmark.task.kind != "classification"
    title = "Predicted against true" if regression else "Curves"
    if benchmark.task.kind == "segmentation":
        title += " volumes"
    models = [m for m in benchmark.models if m.type != "majority"]
    missing: list[str] = []
    panels: list[_Panel] = []
    if benchmark.evaluated is None:
        missing.append("There are no predictions yet, so no curve can be drawn.")
    elif regression:
        panels = _scatters(benchmark, benchmark.evaluated, models)
    else:
        panels = _curves(benchmark, benchmark.evaluated, models, missing)
    look = styles(benchmark.models)
    legend: list[tuple[str, Style]] = [(m.title, look[m.name]) for m in models]
    content = {
        "panels": panels,
        "legend": [] if regression else legend,
        "regression": regression,
        "decision": any(
            c.key.startswith("decision-") for p in panels for c in p.charts
        ),
        "n_points": _N_POINTS,
    }
    return Section("curves", title, "curves.html", content, tuple(missing))


def _curves(
    benchmark: Benchmark,
    predictions: pd.DataFrame,
    models: Sequence[Model],
    missing: list[str],
) -> list[_Panel]:
    """Draw what ``stats`` computed; one kind of curve may lack without the other."""
    names = [model.name for model in models]
    honest = [strategy.name for strategy in benchmark.honest]
    # The rows of all models stay: they tell ``stats`` how the data were split.
    predictions = predictions[predictions["split_strategy"].isin(honest)]
    tables = []
    for curve in (roc_curve, calibration_curve):
        try:
            table = curve(predictions)
            tables.append(table[table["model"].isin(names)])
        except StatisticsError as error:
            missing.append(str(error))
            tables.append(pd.DataFrame(columns=["split_strategy"]))
    panels = []
    for rank, strategy in enumerate(benchmark.honest):
        roc, calibration = (t[t["split_strategy"] == strategy.name] for t in tables)
        charts = (
            *roc_charts(benchmark, strategy, roc, rank),
            *calibration_charts(benchmark, strategy, calibration, rank),
        )
        if len(calibration):  # else scores are no probabilities
            drawn = predictions[predictions["model"].isin(names)]
            charts += tuple(decision_charts(benchmark, strategy, drawn, rank))
        if charts:
            panels.append(_Panel(headed(benchmark, strategy), charts))
    return panels


def _scatters(
    benchmark: Benchmark, predictions: pd.DataFrame, models: Sequence[Model]
) -> list[_Panel]:
    """Draw each model's predictions by its first seed."""
    test = predictions[predictions["group"] == "test"].dropna(subset=["label"])
    values = test[["label", "score"]].to_numpy(float)
    margin = 0.03 * (values.max() - values.min())
    limits = (float(values.min() - margin), float(values.max() + margin))
    panels = []
    for rank, strategy in enumerate(benchmark.honest):
        rows = test[test["split_strategy"] == strategy.name]
        charts = tuple(
            _scatter(
                benchmark,
                strategy,
                model,
                part,
                limits=limits,
                place=f"{rank}-{number}",
            )
            for number, model in enumerate(models)
            if len(part := rows[rows["model"] == model.name])
        )
        if charts:
            panels.append(_Panel(headed(benchmark, strategy), charts))
    return panels


def _scatter(
    benchmark: Benchmark,
    strategy: Strategy,
    model: Model,
    rows: pd.DataFrame,
    *,
    limits: tuple[float, float],
    place: str,
) -> Chart:
    """Draw one model's test scans; ``place`` makes its ids unique."""
    rows = rows[rows["seed"] == rows["seed"].min()].sort_values(list(IDS))
    shown = rows.iloc[:: -(-len(rows) // _N_POINTS)]
    people = count(rows["participant_id"].nunique(), "participant")
    outputs = benchmark.task.outputs
    first = f"{outputs[0]}, the first of {len(outputs)} outputs: " if outputs else ""
    if benchmark.task.kind == "segmentation":
        first = "Volumes in mm3: "
    description = (
        f"{first}{count(len(shown), 'scan')} of {people}; on the dashed diagonal, the "
        "prediction is right. The values are in predictions.tsv."
    )
    title = f"{model.title}, {strategy.heading.lower()}"
    drawing = draw(
        partial(
            plots.predicted_against_true,
            shown["label"],
            shown["score"],
            limits=limits,
            look=looks(benchmark)[model.name],
        ),
        key=f"chart-scatter-{place}",
        title=title,
        description=description,
    )
    return Chart(f"scatter-{strategy.name}-{model.name}", model.title, drawing)
