"""Show strategies, folds and findings to people."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import fields

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from clinicadl_trust.cohort import IDS, Cohort
from clinicadl_trust.exceptions import PluginError
from clinicadl_trust.plugins import available
from clinicadl_trust.split import Fold, SplitStrategy
from clinicadl_trust.split.audit import AuditReport, Finding
from clinicadl_trust.split.options import load_strategy
from clinicadl_trust.split.strata import is_quantity
from clinicadl_trust.tables import as_text

__all__ = ["show_balance", "show_folds", "show_report", "show_strategies"]

_COLOURS = {"leak": "bold red", "warning": "yellow", "note": "cyan"}
_WIDEST = 110
_PLACE = ("split_strategy", "repeat", "split", "fold")


def show_strategies(console: Console | None = None) -> None:
    """Print every registered strategy; a broken one is a line, not an end."""
    table = _table("strategy", "what it does", "options")
    for name in available("split_strategies"):
        try:
            kind = load_strategy(name)
        except PluginError as error:
            table.add_row(escape(name), f"[red]{escape(str(error))}[/red]", "")
            continue
        table.add_row(
            escape(name), escape(kind.title), escape(", ".join(_options(kind)))
        )
    common = ", ".join(_defaults(SplitStrategy))
    _print(table, console)
    (console or _console()).print(
        escape(f"All take {common}. `--option KEY=VALUE` sets one.")
    )


def show_folds(
    folds: Sequence[Fold],
    cohort: Cohort,
    label: str | None,
    console: Console | None = None,
) -> None:
    """Print how many participants and images each fold has, and its notes."""
    table = _table("fold", "train", "validation", "test", "test labels")
    notes: dict[str, list[str]] = {}
    for fold in folds:
        groups = (fold.train, fold.validation, fold.test)
        table.add_row(
            escape(_name(fold)),
            *(f"{g['participant_id'].nunique()} ({len(g)})" for g in groups),
            escape(_labels(fold.test, cohort, label)),
        )
        for note in fold.notes:
            notes.setdefault(note, []).append(_name(fold))
    _print(table, console)
    console = console or _console()
    console.print("Participants (images) in each group.")
    for note, names in notes.items():
        where = "every fold" if len(names) == len(folds) else ", ".join(names)
        console.print(f"[yellow]{escape(where)}: {escape(note)}[/yellow]")


def show_report(report: AuditReport, console: Console | None = None) -> None:
    """Print the findings, worst first, then what was measured and not checked."""
    console = console or _console()
    if report.findings:
        table = _table("severity", "finding", "where", "what to do", lines=True)
        for finding in report.findings:
            table.add_row(
                _severity(finding),
                f"{escape(finding.message)} [dim]{escape(finding.code)}[/dim]",
                escape(finding.where),
                escape(finding.what_to_do),
            )
        _print(table, console)
    console.print(_verdict(report))
    if report.confounding is not None:
        console.print(escape(str(report.confounding)))
    for text in report.skipped:
        console.print(f"[dim]Not checked: {escape(text)}.[/dim]")


def show_balance(balance: pd.DataFrame, console: Console | None = None) -> None:
    """Print who is in each group of each fold, without a table nothing."""
    if balance.empty:
        return
    place = list(_PLACE)
    numbers = balance.columns.drop([*place, "group"])
    titles = [re.sub("[_=]", " ", str(number)) for number in numbers]
    for (name, repeat, split, title), fold in balance.groupby(place, sort=False):
        table = _table("group", *titles)
        table.title = escape(f"{name}/repeat-{repeat}/split-{split} {title}".strip())
        table.title_justify = "left"
        for row in fold.drop(columns=place).itertuples(index=False, name=None):
            table.add_row(*(escape("" if pd.isna(cell) else str(cell)) for cell in row))
        _print(table, console)


def _verdict(report: AuditReport) -> str:
    if report.has_leak:
        noun = "leak" if len(report.leaks) == 1 else "leaks"
        return f"[bold red]{len(report.leaks)} {noun} found.[/bold red]"
    if any(finding.expected for finding in report.findings):
        return "[green]No leak, other than those shown on purpose.[/green]"
    if report.findings:
        return "[green]No leak found.[/green]"
    return "[green]No finding.[/green]"


def _severity(finding: Finding) -> str:
    text = f"{finding.severity}, on purpose" if finding.expected else finding.severity
    colour = "dim" if finding.expected else _COLOURS[finding.severity]
    return f"[{colour}]{text}[/{colour}]"


def _options(kind: type[SplitStrategy]) -> Iterable[str]:
    common = _defaults(SplitStrategy)
    return [option for option in _defaults(kind) if option not in common]


def _defaults(kind: type) -> list[str]:
    return [f"{f.name.replace('_', '-')}={f.default}" for f in fields(kind)]


def _name(fold: Fold) -> str:
    place = f"repeat-{fold.repeat}/split-{fold.split}"
    return f"{place} {fold.name}" if fold.name else place


def _labels(test: pd.DataFrame, cohort: Cohort, label: str | None) -> str:
    if label is None:
        return ""
    values = test.merge(cohort.table, on=list(IDS))[label].dropna()
    if is_quantity(cohort.table[label].dropna()):
        return f"mean {values.mean():.3g}, sd {values.std():.3g}"
    counts = as_text(values).value_counts().sort_index()
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _table(*columns: str, lines: bool = False) -> Table:
    table = Table(box=SIMPLE_HEAD, show_lines=lines)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _console() -> Console:
    console = Console(highlight=False)
    # Piped to a file there is no terminal to fit.
    if not console.is_terminal:
        console.width = _WIDEST
    return console


def _print(table: Table, console: Console | None) -> None:
    (console or _console()).print(table)
