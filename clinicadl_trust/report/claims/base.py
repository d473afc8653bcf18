"""What a claim is, and what a rule that makes one looks like."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from clinicadl_trust.report.benchmark import Benchmark

__all__ = ["WHOLE_UNITS", "Claim", "Rule", "Verdict"]

#: Units of a split that hold many people each: with few, their spread is unknown.
WHOLE_UNITS = ("site", "scanner", "dataset")

Verdict = Literal["may", "may not", "note"]


@dataclass(frozen=True)
class Claim:
    """A statement, whether the data allow it, and why.

    Attributes
    ----------
    verdict : {"may", "may not", "note"}
        Whether it may be claimed; a note qualifies the rest.
    statement : str
        What may or may not be claimed.
    reason : str
        The numbers behind it, on one line or several.
    """

    verdict: Verdict
    statement: str
    reason: str = ""


Rule = Callable[[Benchmark], Iterator[Claim]]
