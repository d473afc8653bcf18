"""What the audit found, apart from what it had to find."""

from __future__ import annotations

from clinicadl_trust.report.benchmark import Benchmark

__all__ = ["findings"]

_COLUMNS = ["severity", "code", "where", "message", "what_to_do", "expected"]
_SEVERITIES = ("leak", "warning", "note")


def findings(benchmark: Benchmark, *, leaky: bool) -> list[dict[str, str]]:
    """Return the audit's findings, worst first.

    Parameters
    ----------
    benchmark : Benchmark
        The benchmark.
    leaky : bool
        Whether to return those on the strategies that are wrong on purpose, or
        those on everything else.
    """
    if benchmark.audit is None:
        return []
    table = benchmark.audit.reindex(columns=_COLUMNS).fillna("").astype(str)
    wrong = {s.name for s in benchmark.strategies if s.leaky}
    found = [
        row
        for row in table.to_dict("records")
        if (row["expected"] == "True" or bool(wrong & _names(row["where"]))) is leaky
    ]
    rank = {name: n for n, name in enumerate(_SEVERITIES)}
    return sorted(found, key=lambda row: rank.get(row["severity"], len(rank)))


def _names(where: str) -> set[str]:
    """Return the words of a place such as ``scans/repeat-0/split-1``."""
    for mark in "/,:":
        where = where.replace(mark, " ")
    return set(where.split())
