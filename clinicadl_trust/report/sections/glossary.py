"""Every word explained, for readers and for print."""

from __future__ import annotations

from clinicadl_trust.report.benchmark import Benchmark
from clinicadl_trust.report.glossary import TERMS, Term
from clinicadl_trust.report.sections.base import Section

__all__ = ["build"]


def build(benchmark: Benchmark) -> Section:
    """List the terms, and the metrics that this report shows."""
    metrics = [benchmark.metric(name) for name in benchmark.metrics]
    explained = [Term(m.title, m.definition) for m in metrics if m.definition]
    terms = [*TERMS.values(), *explained]
    terms.sort(key=lambda term: term.name.lower())
    return Section("glossary", "Words used", "glossary.html", {"terms": terms})
