"""Show rows of the statistics table to people, in 80 columns or more."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.recommendation import Estimand, recommend

__all__ = ["show_comparisons", "show_estimates", "show_question"]

_WIDEST = 110
_END_OF_SENTENCE = re.compile(r"(?<=\.)\s+(?=[A-Z0-9'])")


def show_question(
    predictions: pd.DataFrame,
    estimand: Estimand | None,
    primary: str | None,
    group: str,
    console: Console | None = None,
) -> None:
    """Print what the primary answer is about, why so, and what would be wrong.

    Parameters
    ----------
    predictions : pandas.DataFrame
        A predictions table.
    estimand, primary, group
        As in ``evaluate``.
    console : rich.console.Console, optional
        Where to.
    """
    console = console or Console()
    try:
        made = recommend(predictions, estimand, split_strategy=primary, group=group)
        text, style = made.sentences, ""
    except StatisticsError as nothing:  # no strategy gives a result: rows say why
        text, style = f"! {nothing}", "yellow"
    width = min(console.width, _WIDEST)
    console.print(text, style=style, markup=False, highlight=False, width=width)
    console.print()


def show_estimates(statistics: pd.DataFrame, console: Console | None = None) -> None:
    """Print one table per split strategy, models by metrics."""
    for strategy, rows in statistics.groupby("split_strategy", sort=False):
        level = rows["confidence_level"].iloc[0]
        table = _table(str(strategy), rows)
        for name in ("metric", "model"):
            table.add_column(name, overflow="fold")
        table.add_column("value", justify="right", no_wrap=True)
        table.add_column(_level(level), justify="right", no_wrap=True)
        table.add_column("the interval is", overflow="fold")
        for metric, of_metric in rows.groupby("metric", sort=False):
            for number, row in enumerate(of_metric.itertuples()):
                table.add_row(
                    "" if number else escape(str(metric)),
                    escape(str(row.model)),
                    _number(row.value),
                    _interval(row.low, row.high),
                    row.calibration if math.isfinite(row.low) else "",
                )
        _print(table, _notes(rows, lambda row: str(row.model)), console)


def show_comparisons(statistics: pd.DataFrame, console: Console | None = None) -> None:
    """Print one table per question: a metric on a split strategy."""
    for (strategy, metric), rows in statistics.groupby(
        ["split_strategy", "metric"], sort=False
    ):
        level = rows["confidence_level"].iloc[0]
        is_primary = bool(rows["primary"].any())
        question = f"{metric}{' (primary)' if is_primary else ''} on {strategy}"
        table = _table(question, rows)
        references = list(dict.fromkeys(rows["reference"]))
        against = f"minus {references[0]}" if len(references) == 1 else "minus"
        names = ["model", against] if len(references) > 1 else [f"model {against}"]
        for name in names:
            table.add_column(escape(name), overflow="fold")
        table.add_column("difference", justify="right", no_wrap=True)
        table.add_column(_level(level), justify="right", no_wrap=True)
        table.add_column("p", justify="right", no_wrap=True)
        table.add_column("p (Holm)", justify="right", no_wrap=True)
        for row in rows.itertuples():
            pair = [row.model, row.reference][: len(names)]
            table.add_row(
                *(escape(str(name)) for name in pair),
                _number(row.value, "+"),
                _interval(row.low, row.high, "+"),
                _p_value(row.p_value),
                _p_value(row.p_adjusted),
            )
        notes = [*_notes(rows, lambda row: f"{row.model} minus {row.reference}")]
        _print(table, [*_primary(rows), *notes], console)


def _primary(rows: pd.DataFrame) -> Iterable[str]:
    """Say which p-value is the primary one, or which are."""
    primary = rows[rows["primary"] & rows["p_adjusted"].notna()]
    pairs = [f"{row.model} minus {row.reference}" for row in primary.itertuples()]
    if len(pairs) == 1:
        p_value = _p_value(primary["p_adjusted"].iloc[0])
        equals = "" if p_value.startswith("<") else "= "
        yield f"  Primary p-value: p {equals}{p_value} ({pairs[0]})."
    elif pairs:
        which = "" if len(primary) == len(rows) else f": {', '.join(pairs)}"
        yield (
            f"  Primary p-values: p (Holm), over {len(pairs)} pairs{which}. Intervals "
            "are of each pair by itself."
        )


def _table(title: str, rows: pd.DataFrame) -> Table:
    least = {"participants": 0, "images": 0, "sites": 1, "folds": 2}  # to be told
    counts = [
        f"{_counted(rows[f'n_{what}'])} {what}"
        for what, number in least.items()
        if (rows[f"n_{what}"].fillna(-1) >= number).any()
    ]
    about = escape(rows["estimand"].iloc[0])
    return Table(
        title=f"[bold]{escape(title)}[/bold]\nabout: {about}\n{', '.join(counts)}",
        title_justify="left",
        title_style="",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )


def _counted(numbers: pd.Series) -> str:
    """Write a number, or from which to which where models or pairs differ."""
    low, high = numbers.min(), numbers.max()
    return str(high) if low == high else f"{low} to {high}"


def _notes(rows: pd.DataFrame, name: Callable[..., str]) -> Iterable[str]:
    """Give each method and each sentence of warning once, with whom it is about."""
    is_one = rows["method"].nunique() == 1
    for method, of_method in rows.groupby("method", sort=False):
        if method != "none":
            is_test = (of_method["kind"] == "comparison").all()
            labels = ", ".join(dict.fromkeys(of_method["calibration"]))
            of = (
                "" if is_one else f" of {', '.join(dict.fromkeys(of_method['metric']))}"
            )
            yield f"  Method{of}: {method}{f' ({labels})' if is_test else ''}."
    about: dict[str, list[str]] = {}
    for row in rows.itertuples():
        for sentence in filter(None, _END_OF_SENTENCE.split(row.warnings)):
            about.setdefault(sentence, []).append(name(row))
    everyone = {name(row) for row in rows.itertuples()}
    for text, names in about.items():
        is_said = set(names) == everyone or any(f"'{m}'" in text for m in rows["model"])
        who = "" if is_said else f"{', '.join(dict.fromkeys(names))}: "
        yield f"! {who}{text}"


def _print(table: Table, notes: Iterable[str], console: Console | None) -> None:
    console = console or Console()
    width = min(console.width, _WIDEST)
    console.print(table, width=width)
    for note in notes:
        style = "yellow" if note.startswith("!") else "dim"
        console.print(note, style=style, markup=False, highlight=False, width=width)
    console.print()


def _level(confidence_level: float) -> str:
    return f"{100 * confidence_level:.6g}% interval"


def _number(value: float, sign: str = "") -> str:
    if not math.isfinite(value):
        return "n/a"
    return f"{value:{sign}.3f}" if abs(value) < 100 else f"{value:{sign}.4g}"


def _interval(low: float, high: float, sign: str = "") -> str:
    if not (math.isfinite(low) and math.isfinite(high)):
        return "none"
    return f"{_number(low, sign)} to {_number(high, sign)}"


def _p_value(value: float) -> str:
    if math.isnan(value):
        return "n/a"
    return "< .001" if value < 0.001 else f"{value:.3f}".removeprefix("0")
