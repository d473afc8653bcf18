"""What was run, with what, for how long, and what failed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pandas as pd

from clinicadl_trust.report.benchmark import Benchmark
from clinicadl_trust.report.sections.base import Section
from clinicadl_trust.report.text import duration

__all__ = ["build"]


def build(benchmark: Benchmark) -> Section:
    """Show models, durations, versions, hardware, failures and configuration."""
    missing = []
    if benchmark.runs is None:
        missing.append("No finished run was found in this folder.")
    if not benchmark.info:
        missing.append(
            "Versions, seeds and hardware were not recorded (no benchmark.json)."
        )
    content = {
        "models": _models(benchmark),
        "failures": _failures(benchmark.failures),
        "facts": _facts(benchmark.info),
        "versions": _pairs(benchmark.info.get("versions")),
        "hardware": _pairs(benchmark.info.get("hardware")),
        "config": benchmark.config,
    }
    return Section("runs", "What was run", "runs.html", content, tuple(missing))


def _models(benchmark: Benchmark) -> list[dict[str, Any]]:
    if benchmark.runs is None:
        return []
    runs = benchmark.runs.assign(
        seconds=[
            sum(v for v in (d or {}).values() if isinstance(v, int | float))
            for d in benchmark.runs["durations"]
        ]
    )
    lines = []
    for model in benchmark.models:
        rows = runs[runs["model"] == model.name]
        if len(rows):
            lines.append(
                {
                    "name": model.title,
                    "type": model.type,
                    "runs": len(rows),
                    "seeds": ", ".join(map(str, sorted(rows["seed"].unique()))),
                    "mean": duration(rows["seconds"].mean()),
                    "total": duration(rows["seconds"].sum()),
                }
            )
    return lines


def _failures(table: pd.DataFrame | None) -> list[dict[str, Any]]:
    if table is None:
        return []
    columns = ["split_strategy", "repeat", "split", "model", "seed", "error", "message"]
    return table.reindex(columns=columns).fillna("").to_dict("records")


def _facts(info: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return when and how the benchmark ran, as pairs."""
    pairs = [
        ("Started", _time(info.get("started"))),
        ("Finished", _time(info.get("finished"))),
    ]
    try:
        start, end = (datetime.fromisoformat(info[k]) for k in ("started", "finished"))
        pairs.append(("Start to finish", duration((end - start).total_seconds())))
    except (KeyError, TypeError, ValueError):
        pass  # Not finished yet, or never recorded: the lines above say so.
    for key, name in (("seed", "Seed"), ("threads", "Threads per run")):
        if info.get(key) is not None:
            pairs.append((name, str(info[key])))
    return pairs


def _time(text: object) -> str:
    if not text:
        return "not recorded"
    zone = " UTC" if str(text).endswith("+00:00") else ""
    return str(text).replace("T", " ")[:16] + zone


def _pairs(content: object) -> list[tuple[str, str]]:
    if not isinstance(content, Mapping):
        return []
    return [
        (_name(str(key)), "none" if value is None else str(value))
        for key, value in content.items()
    ]


def _name(key: str) -> str:
    """Write a key as words, its unit in brackets."""
    return key.replace("_gb", " (GB)").replace("_", " ")
