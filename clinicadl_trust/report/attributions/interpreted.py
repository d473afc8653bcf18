"""What ``clinicadl interpret`` left in the runs of a benchmark."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from clinicadl_trust.cohort import IDS
from clinicadl_trust.exceptions import AttributionError, RunError
from clinicadl_trust.interpretations import METRICS, Interpretation, summary_dir
from clinicadl_trust.prediction_checks import TEXT_COLUMNS
from clinicadl_trust.report.benchmark import Benchmark, Model, Strategy
from clinicadl_trust.tables import read_table

__all__ = ["Interpreted", "Run", "in_short", "read_interpreted"]

#: Columns without which a table says nothing of a run.
_NEEDED = (*IDS, "split_strategy", "model", "seed", "label")

#: Which method the pictures are of, where several are as frequent.
_PREFERRED = (
    "integrated_gradients",
    "expected_gradients",
    "gradient_x_input",
    "gradient",
)


@dataclass(frozen=True)
class Run:
    """One interpretation: a run, explained by one method.

    Attributes
    ----------
    interpretation : Interpretation
        Its files.
    metrics : pandas.DataFrame
        ``attribution_metrics.tsv``.
    """

    interpretation: Interpretation
    metrics: pd.DataFrame

    @property
    def model(self) -> str:
        """The model's name in the benchmark."""
        return str(self.metrics["model"].iloc[0])

    @property
    def seed(self) -> int:
        """The run's seed."""
        return int(self.metrics["seed"].iloc[0])

    @property
    def strategy(self) -> str:
        """How the run was split from its test images."""
        return str(self.metrics["split_strategy"].iloc[0])

    @property
    def method(self) -> str:
        """By which it was explained."""
        return self.interpretation.method


@dataclass(frozen=True)
class Interpreted:
    """The interpretations that a report shows: one group of one split strategy.

    Attributes
    ----------
    benchmark : Benchmark
        Where they come from.
    runs : tuple of Run
        The runs, of every model and method.
    strategy : Strategy or None
        How they were split; None where nothing can be shown.
    group : str
        The data group.
    problems : tuple of str
        What could not be shown and why, in full sentences.
    """

    benchmark: Benchmark
    runs: tuple[Run, ...] = ()
    strategy: Strategy | None = None
    group: str = ""
    problems: tuple[str, ...] = ()

    @cached_property
    def table(self) -> pd.DataFrame:
        """The metrics of all runs, with a column ``method``."""
        tables = [run.metrics.assign(method=run.method) for run in self.runs]
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()

    @cached_property
    def models(self) -> tuple[Model, ...]:
        """The models that were interpreted, in the order of the benchmark."""
        found = {run.model for run in self.runs}
        return tuple(m for m in self.benchmark.models if m.name in found)

    @cached_property
    def methods(self) -> tuple[str, ...]:
        """The methods, that of the pictures first: the one of most models."""
        pairs = {(run.model, run.method) for run in self.runs}
        count = Counter(method for _, method in pairs)
        rank = {name: n for n, name in enumerate(_PREFERRED)}
        return tuple(
            sorted(count, key=lambda m: (-count[m], rank.get(m, len(rank)), m))
        )

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that some image has, the first to look at first."""
        return tuple(
            name
            for name in METRICS
            if name in self.table and self.table[name].notna().any()
        )

    @cached_property
    def stability(self) -> pd.DataFrame:
        """``stability.tsv`` of the first method: no rows where there is none."""
        folder = summary_dir(
            self.benchmark.directory, self.group, next(iter(self.methods), "")
        )
        path, strategy = folder / "stability.tsv", self.strategy
        if not path.is_file() or strategy is None:
            return pd.DataFrame({"model": [], "split_strategy": []})
        table = read_table(path, "table of stability", AttributionError, TEXT_COLUMNS)
        known = {model.name for model in self.models}
        kept = table["model"].isin(known) & (table["split_strategy"] == strategy.name)
        return table[kept]

    def of(self, model: str, method: str) -> tuple[Run, ...]:
        """Return the runs of a model by a method, seed by seed."""
        found = [r for r in self.runs if (r.model, r.method) == (model, method)]
        return tuple(sorted(found, key=lambda run: run.seed))


def read_interpreted(benchmark: Benchmark) -> Interpreted:
    """Read the interpretations of the evidence to judge by.

    Parameters
    ----------
    benchmark : Benchmark
        With its interpretations.

    Returns
    -------
    Interpreted
        Of the first honest strategy that has some, the sealed test group before
        others, and of its test group where that was interpreted. An interpretation
        that is broken or was interrupted is a sentence.
    """
    runs, problems = [], list[str]()
    for each in benchmark.interpretations:
        try:
            runs.append(_read(each, benchmark))
        except (AttributionError, RunError) as error:
            problems.append(str(error))
    said = in_short(problems)
    for strategy in benchmark.honest:
        of_it = [run for run in runs if run.strategy == strategy.name]
        groups = {run.interpretation.group for run in of_it}
        if groups:
            group = "test" if "test" in groups else min(groups)
            kept = [run for run in of_it if run.interpretation.group == group]
            left = _left_out(benchmark, runs, kept)
            return Interpreted(benchmark, tuple(kept), strategy, group, (*said, *left))
    return Interpreted(benchmark, problems=said)


def _read(each: Interpretation, benchmark: Benchmark) -> Run:
    """Read one interpretation.

    Raises
    ------
    AttributionError, RunError
        If it cannot be shown.
    """
    if not each.is_finished:
        raise AttributionError(
            f"'{each.folder}' is not finished: run `clinicadl interpret` again, which "
            "goes on where it stopped."
        )
    table = each.metrics()
    lacking = [name for name in _NEEDED if name not in table]
    if lacking or table.empty:
        what = f"lacks the columns {', '.join(lacking)}" if lacking else "has no rows"
        raise AttributionError(f"'{each.metrics_path}' {what}: interpret again.")
    known = {model.name for model in benchmark.models}
    if table["model"].iloc[0] not in known:
        raise AttributionError(
            f"'{each.metrics_path}' is of a model '{table['model'].iloc[0]}', which "
            "this benchmark does not have."
        )
    return Run(each, table)


def in_short(problems: Sequence[str]) -> tuple[str, ...]:
    """Say in one line what is wrong with many.

    Parameters
    ----------
    problems : sequence of str
        Full sentences, one each.
    """
    problems = list(dict.fromkeys(problems))
    if not problems:
        return ()
    others = len(problems) - 1
    more = f" {others} more could not be shown either." if others else ""
    return (f"{problems[0]}{more}",)


def _left_out(
    benchmark: Benchmark, runs: Iterable[Run], kept: Iterable[Run]
) -> tuple[str, ...]:
    """Name the honest interpretations that are not shown."""
    honest = {strategy.name for strategy in benchmark.honest}
    shown = {id(run) for run in kept}
    others = {
        f"{run.strategy} ({run.interpretation.group})"
        for run in runs
        if id(run) not in shown and run.strategy in honest
    }
    if not others:
        return ()
    return (
        f"Interpretations of {', '.join(sorted(others))} are there too. They lie "
        "beside their runs.",
    )
