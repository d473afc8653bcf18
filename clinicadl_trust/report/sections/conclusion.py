"""What may and may not be claimed, in plain words, before anything else."""

from __future__ import annotations

from clinicadl_trust.report.benchmark import Benchmark
from clinicadl_trust.report.claims import claims
from clinicadl_trust.report.sections.base import Section

__all__ = ["build"]


def build(benchmark: Benchmark) -> Section:
    """Sort the claims by what they allow."""
    found = claims(benchmark)
    content = {
        "may": [c for c in found if c.verdict == "may"],
        "may_not": [c for c in found if c.verdict == "may not"],
        "notes": [c for c in found if c.verdict == "note"],
    }
    return Section("conclusion", "What may be claimed", "conclusion.html", content)
