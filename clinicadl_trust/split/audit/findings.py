"""What an audit says."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pandas as pd

from clinicadl_trust.split.audit.confounding import Confounding

__all__ = ["AuditReport", "Finding", "Severity", "name_some", "sort_findings"]

Severity = Literal["leak", "warning", "note"]

#: Worst first.
_SEVERITIES: tuple[Severity, ...] = ("leak", "warning", "note")

COLUMNS = ("severity", "code", "where", "message", "what_to_do", "expected")


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes
    ----------
    severity : {"leak", "warning", "note"}
        A leak makes the results on the test fold worthless; a warning may.
    code : str
        What kind of finding, for programs.
    where : str
        The strategy and folds, for example ``participants/repeat-0/split-2``.
    message : str
        What was found, with numbers and names.
    what_to_do : str
        How to mend it.
    expected : bool
        Whether it comes from a strategy of a benchmark that is leaky on purpose.
    """

    severity: Severity
    code: str
    where: str
    message: str
    what_to_do: str
    expected: bool = False


@dataclass(frozen=True)
class AuditReport:
    """All that an audit found and could not look at.

    Attributes
    ----------
    findings : tuple of Finding
        Worst first.
    balance : pandas.DataFrame
        Per strategy, fold and group: participants, images, sites, the part of each
        class, age and sex. Empty without a participants table.
    skipped : tuple of str
        What was not looked at, and why.
    confounding : Confounding or None
        How well site, age and sex alone predict the label.
    """

    findings: tuple[Finding, ...]
    balance: pd.DataFrame = field(default_factory=pd.DataFrame)
    skipped: tuple[str, ...] = ()
    confounding: Confounding | None = None

    @property
    def leaks(self) -> tuple[Finding, ...]:
        """The leaks that nobody planted on purpose."""
        return tuple(
            finding
            for finding in self.findings
            if finding.severity == "leak" and not finding.expected
        )

    @property
    def has_leak(self) -> bool:
        """Whether there is a leak, other than of a demonstration in a benchmark."""
        return bool(self.leaks)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per finding."""
        rows = [[getattr(f, name) for name in COLUMNS] for f in self.findings]
        return pd.DataFrame(rows, columns=list(COLUMNS))

    def write(self, directory: str | os.PathLike[str]) -> tuple[Path, Path]:
        """Write ``audit.tsv``, the header alone without findings, and ``balance.tsv``.

        Returns
        -------
        tuple of pathlib.Path
            Both files.
        """
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        paths = directory / "audit.tsv", directory / "balance.tsv"
        for path, table in zip(paths, (self.to_frame(), self.balance), strict=True):
            table.to_csv(path, sep="\t", index=False, na_rep="n/a", lineterminator="\n")
        return paths

    def __str__(self) -> str:
        lines = [
            f"{f.severity}{' (expected)' if f.expected else ''}: {f.message} "
            f"[{f.where}] {f.what_to_do}"
            for f in self.findings
        ]
        lines = lines or ["No finding."]
        if self.confounding is not None:
            lines.append(str(self.confounding))
        lines += [f"Not checked: {text}" for text in self.skipped]
        return "\n".join(lines)


def sort_findings(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Put the worst first, and what is expected last."""
    return tuple(
        sorted(findings, key=lambda f: (f.expected, _SEVERITIES.index(f.severity)))
    )


def name_some(names: Collection[str], most: int = 3) -> str:
    """Name the first few: ``sub-01, sub-02, sub-03 and 4 more``."""
    shown = sorted(names)[:most]
    rest = len(names) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")
