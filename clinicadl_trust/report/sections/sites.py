"""How the models do at each site."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from clinicadl_trust.report.benchmark import Benchmark, Strategy
from clinicadl_trust.report.claims.hospitals import MIN_SITES
from clinicadl_trust.report.evidence import headed
from clinicadl_trust.report.forest import Forest, Group, Row, make_axis
from clinicadl_trust.report.palette import Style, styles
from clinicadl_trust.report.sections.base import Section
from clinicadl_trust.report.text import interval, joined, number
from clinicadl_trust.stats import Heterogeneity, heterogeneity, site_metrics

__all__ = ["build"]

_TITLE = "Site by site"
#: Stands for what cannot be estimated.
_NONE = "\N{EM DASH}"


def build(benchmark: Benchmark) -> Section:
    """Draw each model's primary metric at each site."""
    table = _values(benchmark)
    if isinstance(table, str):
        return Section("sites", _TITLE, "sites.html", {"figures": []}, (table,))
    figures, remarks, level = [], dict[str, list[str]](), 0.0
    # What was learned without a site comes first.
    for strategy in sorted(benchmark.honest, key=lambda s: s.unit != "site"):
        rows = table[table["split_strategy"] == strategy.name]
        if len(rows):
            together = _together(benchmark, strategy, rows)
            forest = _forest(benchmark, strategy, rows, together)
            figures.append((headed(benchmark, strategy), forest))
            for name, each in together.items():
                level = each.confidence_level
                for text in each.warnings:
                    remarks.setdefault(text, []).append(benchmark.title(name))
    content = {
        "figures": figures,
        "metric": benchmark.metric(),
        "level": level,
        "remarks": [(joined(names), text) for text, names in remarks.items()],
        "fewest": MIN_SITES,
        "left_out": any(s.unit == "site" for s in benchmark.honest),
    }
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


def _together(
    benchmark: Benchmark, strategy: Strategy, table: pd.DataFrame
) -> dict[str, Heterogeneity]:
    """Put the sites of each model together, where whole sites were left out.

    Elsewhere the sites took part in training, which a new one will not have done.
    """
    if strategy.unit != "site":
        return {}
    bounded = benchmark.metric().bounds == (0.0, 1.0)
    made = {}
    for name, rows in table.groupby("model", sort=False):
        known = rows.dropna(subset=["value", "standard_error"])
        known = known[known["standard_error"] > 0]
        if len(known) >= MIN_SITES and benchmark.model(str(name)).type != "majority":
            made[str(name)] = heterogeneity(
                known["value"],
                known["standard_error"],
                sites=known["site"].astype(str).tolist(),
                transform="logit" if bounded else None,
                confidence_level=float(known["confidence_level"].iloc[0]),
            )
    return made


def _forest(
    benchmark: Benchmark,
    strategy: Strategy,
    table: pd.DataFrame,
    together: Mapping[str, Heterogeneity],
) -> Forest:
    """Draw the sites under each model; the majority baseline is the same in all."""
    metric = benchmark.metric()
    look = styles(benchmark.models)
    groups = []
    for model in benchmark.models:
        rows = table[table["model"] == model.name].sort_values("site")
        if len(rows) and model.type != "majority":
            drawn = [_row(row, look[model.name]) for _, row in rows.iterrows()]
            if model.name in together:
                drawn += _summary(together[model.name], look[model.name])
            groups.append(Group(model.title, tuple(drawn)))
    level = table["confidence_level"].iloc[0]
    return Forest(
        key=f"sites-{strategy.name}",
        caption=f"{metric.title} at each site, {strategy.heading.lower()}",
        axis=make_axis(
            [v for g in groups for r in g.rows for v in (r.value, r.low, r.high)],
            metric.chance,
            metric.bounds,
        ),
        groups=tuple(groups),
        columns=(metric.title, f"{level:.0%} interval", "People"),
        row_heading="Site",
        direction=metric.direction,
    )


def _summary(result: Heterogeneity, style: Style) -> list[Row]:
    """Return the mean over sites, and where a new one may lie."""
    return [
        Row(
            label="Mean over sites",
            cells=(number(result.value), interval(result.low, result.high), ""),
            style=style,
            value=result.value,
            low=result.low,
            high=result.high,
        ),
        Row(
            label="A new site",
            cells=("", interval(result.prediction_low, result.prediction_high), ""),
            style=style,
            value=math.nan,
            low=result.prediction_low,
            high=result.prediction_high,
            is_prediction=True,
        ),
    ]


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
