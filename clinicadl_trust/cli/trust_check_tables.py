"""What ``clinicadl trust-check`` shows in the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from clinicadl_trust.trust_check import SCENARIOS, Measurement, TrustCheck

__all__ = ["progress_of", "show", "show_scenarios"]

_COUNTED = {"coverage": "covers", "rejection": "rejects"}


@contextmanager
def progress_of() -> Iterator[Callable[[str, str, float], None]]:
    """Yield what to call with a scenario, its setting and the share that is done.

    A bar on a terminal, a line per scenario elsewhere.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines(console)
        return
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )
    with bar:
        task = bar.add_task("starting", total=1.0)
        yield lambda scenario, _, share: bar.update(
            task, description=scenario, completed=share
        )


def _lines(console: Console) -> Callable[[str, str, float], None]:
    told: set[str] = set()

    def tell(scenario: str, _: str, share: float) -> None:
        if scenario not in told:
            told.add(scenario)
            console.print(f"{share:4.0%} {scenario}", highlight=False, markup=False)

    return tell


def show_scenarios(console: Console | None = None) -> None:
    """Print the names that ``--scenario`` takes."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("scenario", no_wrap=True)
    table.add_column("about", overflow="fold")
    table.add_column("settings", justify="right")
    for scenario in SCENARIOS:
        table.add_row(scenario.name, scenario.title, str(len(scenario.settings)))
    (console or Console()).print(table)


def show(checked: TrustCheck, console: Console | None = None) -> None:
    """Print the range of measured rates, naive ones beside ours, by label."""
    table = Table(
        title=f"{checked.replicates} data sets for each line of the page",
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    for name in ("scenario", "counted"):
        table.add_column(name, no_wrap=True)
    for name in ("naive", "ours"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("label", no_wrap=True)
    for scenario, rows in groupby(checked.measurements, key=lambda m: m.scenario):
        for number, cells in enumerate(_lines_of(list(rows))):
            table.add_row("" if number else escape(scenario), *cells)
    (console or Console()).print(table)


def _lines_of(rows: list[Measurement]) -> Iterator[tuple[str, ...]]:
    """Yield a line for each kind of rate and label of a scenario."""
    for kind in dict.fromkeys(m.kind for m in rows):
        naive = [m for m in rows if m.kind == kind and m.naive]
        ours = [m for m in rows if m.kind == kind and not m.naive]
        by_label: dict[str, list[Measurement]] = {}
        for m in ours:
            by_label.setdefault(m.label.split()[0] if m.label else "", []).append(m)
        for number, (label, of) in enumerate((by_label or {"": []}).items()):
            broken = sum(m.verdict == "fails" for m in of)
            yield (
                "" if number else _COUNTED[kind],
                "" if number else _range(naive),
                _range(of),
                f"{label} ({broken} broken)" if broken else label,
            )


def _range(rows: list[Measurement]) -> str:
    """Write the least and greatest rate."""
    rates = [m.rate for m in rows if m.rate == m.rate]
    if not rates:
        return ""
    low, high = (f"{rate:.3f}".removeprefix("0") for rate in (min(rates), max(rates)))
    return low if low == high else f"{low} to {high}"
