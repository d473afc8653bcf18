"""How the models do at each site."""

from __future__ import annotations

import pandas as pd

from clinicadl_trust.report.benchmark import Benchmark, Strategy
from clinicadl_trust.report.evidence import headed
from clinicadl_trust.report.forest import Forest, Group, Row, make_axis
from clinicadl_trust.report.palette import Style, styles
from clinicadl_trust.report.sections.base import Section
from clinicadl_trust.report.text import interval, number
from clinicadl_trust.stats import site_metrics

__all__ = ["build"]

_TITLE = "Site by site"
#: Stands for what cannot be estimated.
_NONE = "\N{EM DASH}"


def build(benchmark: Benchmark) -> Section:
    """Draw each model's primary metric at each site."""
    table = _values(benchmark)
    if isinstance(table, str):
        return Section("sites", _TITLE, "sites.html", {"figures": []}, (table,))
    figures = [
        (headed(benchmark, strategy), _forest(benchmark, strategy, rows))
        for strategy in benchmark.honest
        if len(rows := table[table["split_strategy"] == strategy.name])
    ]
    content = {"figures": figures, "metric": benchmark.metric()}
    return Section("sites", _TITLE, "sites.html", content)


def _values(benchmark: Benchmark) -> pd.DataFrame | str:
    """Return the primary metric per site, or why there is none."""
    predictions, metric = benchmark.evaluated, benchmark.primary_metric
    if predictions is None or metric is None:
        return "There are no predictions yet, so nothing can be shown per site."
    if "site" not in predictions or predictions["site"].isna().all():
        return (
            "Sites were not recorded in the cohort, so whether a model works at every "
            "hospital is unknown. Add a column 'site' to the participants table."
        )
    if predictions["site"].nunique() == 1:
        return (
            f"All participants come from one site ({predictions['site'].iloc[0]}), so "
            "nothing is known about any other."
        )
    honest = [strategy.name for strategy in benchmark.honest]
    return site_metrics(
        predictions[predictions["split_strategy"].isin(honest)], [metric]
    )


def _forest(benchmark: Benchmark, strategy: Strategy, table: pd.DataFrame) -> Forest:
    """Draw the sites under each model; the majority baseline is the same in all."""
    metric = benchmark.metric()
    look = styles(benchmark.models)
    groups = []
    for model in benchmark.models:
        rows = table[table["model"] == model.name].sort_values("site")
        if len(rows) and model.type != "majority":
            drawn = tuple(_row(row, look[model.name]) for _, row in rows.iterrows())
            groups.append(Group(model.title, drawn))
    level = table["confidence_level"].iloc[0]
    return Forest(
        key=f"sites-{strategy.name}",
        caption=f"{metric.title} at each site, {strategy.heading.lower()}",
        axis=make_axis(
            table[["value", "low", "high"]].to_numpy().ravel(),
            metric.chance,
            metric.bounds,
        ),
        groups=tuple(groups),
        columns=(metric.title, f"{level:.0%} interval", "People"),
        row_heading="Site",
        direction=metric.direction,
    )


def _row(row: pd.Series, style: Style) -> Row:
    has_interval = pd.notna(row["low"]) and pd.notna(row["high"])
    return Row(
        label=str(row["site"]),
        cells=(
            number(row["value"]) if pd.notna(row["value"]) else _NONE,
            interval(row["low"], row["high"]) if has_interval else _NONE,
            f"{row['n_participants']:.0f}",
        ),
        style=style,
        value=row["value"],
        low=row["low"],
        high=row["high"],
    )
