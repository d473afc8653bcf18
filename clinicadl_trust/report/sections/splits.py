"""Who was compared with whom, and what the audit found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from clinicadl_trust.report.benchmark import Benchmark, Strategy
from clinicadl_trust.report.findings import findings
from clinicadl_trust.report.sections.base import Section
from clinicadl_trust.report.text import number

__all__ = ["build"]


def build(benchmark: Benchmark) -> Section:
    """Show the strategies, the audit's findings and the balance per fold."""
    missing = []
    if not benchmark.strategies:
        missing.append("No split was recorded.")
    if benchmark.audit is None:
        missing.append(
            "The splits were not audited, so a leak cannot be excluded. Run "
            "'clinicadl split audit' on this folder."
        )
    if benchmark.sealed is None:
        missing.append(
            "No test group was sealed before training: every number below comes from "
            "people who also took part in the development."
        )
    content = {
        "strategies": [_describe(benchmark, s) for s in benchmark.strategies],
        "audited": benchmark.audit is not None,
        "findings": findings(benchmark, leaky=False),
        "expected": findings(benchmark, leaky=True),
        "balance": _balance(benchmark.balance),
    }
    return Section(
        "splits", "Splits and their audit", "splits.html", content, tuple(missing)
    )


def _describe(benchmark: Benchmark, strategy: Strategy) -> dict[str, Any]:
    people = scans = 0
    table = benchmark.predictions
    if table is not None:
        rows = table[
            (table["split_strategy"] == strategy.name) & (table["group"] == "test")
        ]
        scans = len(rows.drop_duplicates(["participant_id", "session_id"]))
        people = rows["participant_id"].nunique()
    return {"strategy": strategy, "people": people, "scans": scans}


def _balance(table: pd.DataFrame | None) -> Mapping[str, Any] | None:
    if table is None or table.empty:
        return None
    headings = [str(c).replace("_", " ") for c in table.columns]
    rows = [
        [_cell(value) for value in row]
        for row in table.itertuples(index=False, name=None)
    ]
    return {"headings": headings, "rows": rows}


def _cell(value: Any) -> str:
    if pd.isna(value):
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else number(value)
    return str(value)
