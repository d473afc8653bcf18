"""Where sections and claims find a number, and how it is judged."""

from __future__ import annotations

import pandas as pd

from clinicadl_trust.report.benchmark import Benchmark, Strategy
from clinicadl_trust.report.glossary import Metric
from clinicadl_trust.report.text import (
    count,
    interval,
    number,
    p_phrase,
    signed,
)

__all__ = [
    "asked",
    "beats_chance",
    "caveat",
    "comparison",
    "difference",
    "estimate",
    "flip",
    "headed",
    "methods",
    "n_sites",
    "people",
    "place",
    "refitted",
    "shown",
    "strongest",
    "wins",
]


def strongest(benchmark: Benchmark) -> Strategy | None:
    """Return the honest strategy to judge by: the sealed test group if it has one."""
    done = set(benchmark.estimates["split_strategy"])
    return next((s for s in benchmark.honest if s.name in done), None)


def estimate(benchmark: Benchmark, model: str, strategy: Strategy) -> pd.Series | None:
    """Return a model's row for the primary metric."""
    table = benchmark.estimates
    rows = table[
        (table["metric"] == benchmark.primary_metric)
        & (table["model"] == model)
        & (table["split_strategy"] == strategy.name)
    ]
    return None if rows.empty else rows.iloc[0]


def comparison(
    benchmark: Benchmark, model: str, reference: str | None, strategy: Strategy
) -> pd.Series | None:
    """Return model minus reference, whichever way round it was written."""
    table = benchmark.comparisons
    if table.empty or reference is None:
        return None
    table = table[
        (table["metric"] == benchmark.primary_metric)
        & (table["split_strategy"] == strategy.name)
    ]
    for first, second in ((model, reference), (reference, model)):
        rows = table[(table["model"] == first) & (table["reference"] == second)]
        if len(rows):
            return rows.iloc[0] if first == model else flip(rows.iloc[0])
    return None


def flip(row: pd.Series) -> pd.Series:
    """Turn a difference round."""
    turned = row.copy()
    turned["model"], turned["reference"] = row["reference"], row["model"]
    turned["value"] = -row["value"]
    turned["low"], turned["high"] = -row["high"], -row["low"]
    return turned


def asked(benchmark: Benchmark, row: pd.Series) -> bool:
    """Say whether a pair of models is of the primary question: all, or some, are."""
    if benchmark.reference is None:
        return True
    others = {row["model"], row["reference"]} - {benchmark.reference}
    return len(others) == 1 and not benchmark.model(others.pop()).is_baseline


def caveat(benchmark: Benchmark, row: pd.Series) -> str:
    """Return what to add to a difference that nobody asked about beforehand."""
    return "" if asked(benchmark, row) else "; exploratory"


def wins(metric: Metric, row: pd.Series) -> bool:
    """Say whether the first model is better: interval and p-value must both agree."""
    clear = row["low"] > 0 if metric.higher_is_better else row["high"] < 0
    return bool(clear and _deciding_p(row) < 1 - row["confidence_level"])


def beats_chance(metric: Metric, row: pd.Series) -> bool | None:
    """Hold an interval against chance; None where chance has no fixed value."""
    if metric.chance is None:
        return None
    if metric.higher_is_better:
        return bool(row["low"] > metric.chance)
    return bool(row["high"] < metric.chance)


def refitted(benchmark: Benchmark, model: str, strategy: Strategy) -> float | None:
    """Return the p-value of refits on redrawn labels, None where there were none."""
    table = benchmark.chance
    rows = table[
        (table["metric"] == benchmark.primary_metric)
        & (table["model"] == model)
        & (table["split_strategy"] == strategy.name)
    ]
    known = [] if rows.empty else rows["p_value"].dropna().tolist()
    return float(known[0]) if known else None


def methods(benchmark: Benchmark, table: pd.DataFrame) -> list[dict[str, str]]:
    """Return how the intervals of the primary metric are made, per split.

    The majority baseline is left out: its score is known beforehand.
    """
    columns = ["split_strategy", "method", "calibration", "estimand"]
    constant = [model.name for model in benchmark.models if model.type == "majority"]
    rows = table[
        (table["metric"] == benchmark.primary_metric)
        & ~table["model"].isin(constant)
        & ~table["reference"].isin(constant)
    ]
    return rows[columns].fillna("").drop_duplicates().to_dict("records")


def n_sites(benchmark: Benchmark) -> int | None:
    """Return how many sites took part, None when they were not recorded."""
    for table in (benchmark.cohort, benchmark.predictions):
        if table is not None and "site" in table and table["site"].notna().any():
            return int(table["site"].nunique())
    return None


def difference(row: pd.Series) -> str:
    """Write a comparison: its effect, its interval and the p-value that decides."""
    ends = interval(row["low"], row["high"], sign=True)
    text = p_phrase(_deciding_p(row))
    return f"{signed(row['value'])} ({ends}, adjusted {text})"


def people(rows: pd.DataFrame) -> str:
    """Say how many people, and scans, estimates or comparisons rest on."""
    if "n_participants" not in rows or rows["n_participants"].isna().all():
        return ""
    people, scans = rows["n_participants"].max(), rows["n_images"].max()
    return f"{count(people, 'participant')}, {count(scans, 'scan')}"


def headed(benchmark: Benchmark, strategy: Strategy) -> str:
    """Return the heading of a strategy's figure, with how many people it rests on."""
    table = benchmark.estimates
    size = people(table[table["split_strategy"] == strategy.name])
    return f"{strategy.heading} ({size})" if size else strategy.heading


def shown(row: pd.Series) -> str:
    """Write an estimate with its interval."""
    return f"{number(row['value'])} ({interval(row['low'], row['high'])})"


def place(strategy: Strategy) -> str:
    """Say where a number comes from."""
    if strategy.sealed:
        return "on the sealed test group"
    return f"in cross-validation ({strategy.title})"


def _deciding_p(row: pd.Series) -> float:
    """Return the adjusted p-value, the raw one where there was nothing to adjust."""
    adjusted = row.get("p_adjusted")
    return float(row["p_value"] if pd.isna(adjusted) else adjusted)
