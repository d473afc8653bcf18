"""Who was studied: counts, the way into the study, and who they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from clinicadl_trust.caps import ImageType
from clinicadl_trust.report.benchmark import Benchmark
from clinicadl_trust.report.sections.base import Section
from clinicadl_trust.report.text import count, number, percent
from clinicadl_trust.tables import as_text
from clinicadl_trust.task import Task

__all__ = ["build"]


@dataclass(frozen=True)
class _Line:
    """A line of a demographics table."""

    name: str
    participants: int
    scans: int
    age: str
    women: str
    shares: tuple[tuple[str, int, str], ...] = ()
    label: str = ""


def build(benchmark: Benchmark) -> Section:
    """Show the cohort: flow, people per class and per site."""
    missing = []
    if benchmark.flow is None:
        missing.append("How participants came into the study was not recorded.")
    described = benchmark.info.get("cohort") or {}
    content: dict[str, Any] = {
        "task": benchmark.task,
        "generated": described.get("generated"),
        "test_image": _in_words(described.get("test_image")),
        "flow": _flow(benchmark.flow),
        "lines": [],
        "sites": [],
        "facts": [],
    }
    if benchmark.cohort is None:
        missing.append("The list of participants (cohort.tsv) is absent.")
    else:
        content |= _people(benchmark.cohort, benchmark.task)
        if "site" not in benchmark.cohort:
            missing.append("Sites were not recorded, so nothing is shown per site.")
    return Section("data", "Who was studied", "data.html", content, tuple(missing))


def _in_words(image: Mapping[str, Any] | None) -> str:
    """Say which image test rows are read from, "" if it is that of all."""
    return str(ImageType(**image)) if image else ""


def _flow(table: pd.DataFrame | None) -> list[Mapping[str, Any]]:
    if table is None:
        return []
    table = table.reindex(
        columns=[
            "step",
            "participants",
            "sessions",
            "excluded_participants",
            "excluded_sessions",
            "reason",
        ]
    )
    numbers = [c for c in table if c not in ("step", "reason")]
    table[numbers] = table[numbers].fillna(0)
    table["reason"] = table["reason"].fillna("")
    return table.to_dict("records")


def _people(cohort: pd.DataFrame, task: Task) -> dict[str, Any]:
    """Describe each person by the first session: people are counted, not scans."""
    first = cohort.drop_duplicates("participant_id")
    if task.label in cohort:
        names = cohort[task.label]
        if task.kind == "classification":
            names = as_text(names.dropna()).reindex(cohort.index)
        cohort = cohort.assign(_label=names)
        first = cohort.dropna(subset=["_label"]).drop_duplicates("participant_id")
    classes = task.classes if "_label" in cohort else ()
    lines = [
        _line(name, cohort[cohort["_label"] == name], first[first["_label"] == name])
        for name in classes
    ]
    lines.append(_line("All", cohort, first, task))
    sites = []
    if "site" in cohort:
        sites = [
            _line(str(site), rows, first[first["site"] == site], task)
            for site, rows in cohort.groupby("site")
        ]
    return {"lines": lines, "sites": sites, "facts": _facts(cohort)}


def _line(
    name: str, rows: pd.DataFrame, people: pd.DataFrame, task: Task | None = None
) -> _Line:
    shares: tuple[tuple[str, int, str], ...] = ()
    label = ""
    if task is not None and "_label" in people and len(people):
        if task.kind == "classification":
            counts = people["_label"].value_counts()
            shares = tuple(
                (
                    c,
                    int(counts.get(c, 0)),
                    f"{100 * counts.get(c, 0) / len(people):.2f}%",
                )
                for c in task.classes
            )
        else:
            label = _spread(people["_label"])
    return _Line(
        name,
        rows["participant_id"].nunique(),
        len(rows),
        _spread(people["age"]) if "age" in people else "n/a",
        _women(people["sex"]) if "sex" in people else "n/a",
        shares,
        label,
    )


def _women(sex: pd.Series) -> str:
    """Return the share of women, unless the coding leaves doubt who they are."""
    letters = sex.dropna().astype(str).str.strip().str.upper().str[:1]
    if letters.empty or not letters.isin(["F", "M"]).all():
        return "n/a"
    return percent((letters == "F").mean())


def _spread(values: pd.Series) -> str:
    values = pd.to_numeric(values, errors="coerce").dropna()
    if values.empty:
        return "n/a"
    low, high = number(values.min(), 0), number(values.max(), 0)
    return f"{number(values.mean(), 1)} ({low} to {high})"


def _facts(cohort: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the numbers of the page's head, as pairs of number and noun."""
    pairs = [
        (cohort["participant_id"].nunique(), "participant"),
        (len(cohort), "scan"),
    ]
    if "site" in cohort:
        pairs.append((cohort["site"].nunique(), "site"))
    return [tuple(count(n, noun).split(" ", 1)) for n, noun in pairs]  # type: ignore[misc]
