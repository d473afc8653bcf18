"""Read a benchmark folder: every part may be missing, none may be wrong."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from clinicadl_trust.cohort import read_cohort
from clinicadl_trust.exceptions import ConfigError
from clinicadl_trust.predictions import read_predictions
from clinicadl_trust.records import find_records
from clinicadl_trust.report.glossary import Metric, describe_metric
from clinicadl_trust.stats.rows import COLUMNS
from clinicadl_trust.tables import read_table
from clinicadl_trust.task import Task

__all__ = ["BASELINES", "Benchmark", "Model", "Strategy", "read_benchmark"]

#: Model types that never look at the image.
BASELINES = ("metadata", "majority")

#: A folder without any of these is no benchmark.
_EVIDENCE = ("benchmark.json", "statistics.tsv", "predictions.tsv")

_TABLES = ("flow", "audit", "balance", "failures", "fold_metrics")

#: Columns that stay text even when they look like numbers.
_TEXT = (
    "model",
    "reference",
    "split_strategy",
    "fold",
    "metric",
    "method",
    "estimand",
    "warnings",
    "site",
    "reason",
    "where",
    "group",
)


@dataclass(frozen=True)
class Strategy:
    """One way of splitting, as the benchmark ran it.

    Attributes
    ----------
    name : str
        The name given in the experiment file.
    title : str
        What it does, in plain words.
    unit : str
        What is never on both sides: participant, site, scanner, ...
    leaky : bool
        Whether it is wrong on purpose: its numbers are no result.
    sealed : bool
        Whether it is the test group that nothing was trained or chosen on.
    n_folds : int or None
        Test folds, when recorded.
    """

    name: str
    title: str = ""
    unit: str = ""
    leaky: bool = False
    sealed: bool = False
    n_folds: int | None = None

    @property
    def heading(self) -> str:
        """What it is called in the report."""
        if self.sealed:
            return "Sealed test group"
        return self.title[:1].upper() + self.title[1:]


@dataclass(frozen=True)
class Model:
    """One model of the benchmark: its name, type, and what to call it."""

    name: str
    type: str = ""
    label: str = ""

    @property
    def is_baseline(self) -> bool:
        """Whether it never looks at the image."""
        return self.type in BASELINES or (not self.type and self.name in BASELINES)


@dataclass(frozen=True)
class Benchmark:
    """What a benchmark folder holds.

    Attributes
    ----------
    directory : pathlib.Path
        The folder.
    info : mapping
        ``benchmark.json``; empty when absent.
    config : str
        ``benchmark.toml`` as text; empty when absent.
    strategies, models : tuple
        In the order of ``benchmark.json``, the sealed test group first and leaky
        strategies last; baselines after the image models.
    cohort, flow, audit, balance, failures, predictions, fold_metrics, statistics
        The tables, None when the file is absent.
    runs : pandas.DataFrame or None
        One row per finished run, from each ``run.json``.
    """

    directory: Path
    info: Mapping[str, Any] = field(default_factory=dict)
    config: str = ""
    strategies: tuple[Strategy, ...] = ()
    models: tuple[Model, ...] = ()
    cohort: pd.DataFrame | None = None
    flow: pd.DataFrame | None = None
    audit: pd.DataFrame | None = None
    balance: pd.DataFrame | None = None
    failures: pd.DataFrame | None = None
    predictions: pd.DataFrame | None = None
    fold_metrics: pd.DataFrame | None = None
    statistics: pd.DataFrame | None = None
    runs: pd.DataFrame | None = None

    @property
    def task(self) -> Task:
        """What was predicted, guessed from the predictions when not recorded."""
        task = self.info.get("task") or {}
        if task.get("kind"):
            classes = tuple(str(name) for name in task.get("classes") or ())
            return Task(task["kind"], str(task.get("label", "label")), classes)
        return _guess_task(self.predictions)

    @property
    def sealed(self) -> Strategy | None:
        """The sealed test group, if there is one."""
        return next((s for s in self.strategies if s.sealed), None)

    @property
    def honest(self) -> tuple[Strategy, ...]:
        """The strategies whose numbers are results."""
        return tuple(s for s in self.strategies if not s.leaky)

    @property
    def estimates(self) -> pd.DataFrame:
        """The rows of ``statistics`` that estimate a test performance."""
        return self._rows("estimate")

    @property
    def comparisons(self) -> pd.DataFrame:
        """The rows of ``statistics`` that compare two models on test images."""
        return self._rows("comparison")

    @property
    def metrics(self) -> list[str]:
        """The metrics estimated, the primary one first."""
        names = list(dict.fromkeys(self.estimates["metric"]))
        first = self.primary_metric
        return sorted(names, key=lambda name: name != first)

    @property
    def primary_metric(self) -> str | None:
        """The metric chosen beforehand, else the first one estimated."""
        names = list(dict.fromkeys(self.estimates["metric"]))
        given = self.info.get("primary_metric")
        return given if given in names else next(iter(names), given)

    def metric(self, name: str | None = None) -> Metric:
        """Say what a metric is; by default the primary one."""
        return describe_metric(str(name or self.primary_metric), self.task)

    def strategy(self, name: str) -> Strategy:
        """Return a strategy by name."""
        return next(s for s in self.strategies if s.name == name)

    def model(self, name: str) -> Model:
        """Return a model by name."""
        return next(m for m in self.models if m.name == name)

    def _rows(self, kind: str) -> pd.DataFrame:
        if self.statistics is None:
            return pd.DataFrame(columns=list(COLUMNS))
        table = self.statistics
        keep = (table["kind"] == kind) & (table["group"] == "test")
        return table[keep].reset_index(drop=True)


def read_benchmark(directory: str | os.PathLike[str]) -> Benchmark:
    """Read what is there of a benchmark folder.

    Parameters
    ----------
    directory : path-like
        The folder that ``clinicadl benchmark`` wrote, complete or not; or any
        folder with a ``predictions.tsv`` or a ``statistics.tsv``.

    Raises
    ------
    ConfigError
        If the folder is none, or a file in it cannot be read.
    """
    directory = Path(directory)
    if not directory.is_dir():
        raise ConfigError(
            f"No benchmark at '{directory}': there is no such folder. Give the one "
            "that 'clinicadl benchmark FILE.toml --output DIRECTORY' wrote."
        )
    if not any((directory / name).is_file() for name in _EVIDENCE):
        raise ConfigError(
            f"'{directory}' is no benchmark: it has none of {', '.join(_EVIDENCE)}. "
            "Give the folder that 'clinicadl benchmark FILE.toml --output DIRECTORY' "
            "wrote."
        )
    tables = {name: _read_table(directory / f"{name}.tsv") for name in _TABLES}
    if (directory / "predictions.tsv").is_file():
        tables["predictions"] = read_predictions(directory / "predictions.tsv")
    if (directory / "cohort.tsv").is_file():
        tables["cohort"] = read_cohort(directory / "cohort.tsv").table
    info = _read_info(directory / "benchmark.json")
    tables["statistics"] = _read_statistics(directory / "statistics.tsv")
    config = directory / "benchmark.toml"
    return Benchmark(
        directory=directory,
        info=info,
        config=config.read_text(encoding="utf-8") if config.is_file() else "",
        strategies=_strategies(info, tables),
        models=_models(info, tables),
        runs=_read_runs(directory / "runs"),
        **tables,
    )


def _read_info(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(
            f"'{path}' is not JSON: {error}. Run 'clinicadl benchmark' again; what is "
            "done is not repeated."
        ) from error
    if not isinstance(content, dict):
        raise ConfigError(
            f"'{path}' holds a {type(content).__name__}, not an object with a name, a "
            "task, splits and models."
        )
    return content


def _read_table(path: Path) -> pd.DataFrame | None:
    """Read a table, None when there is no file or nothing in it."""
    if not path.is_file() or not path.stat().st_size:
        return None
    return read_table(path, f"{path.stem} table", ConfigError, _TEXT)


def _read_statistics(path: Path) -> pd.DataFrame | None:
    """Read a statistics table; columns it may lack are filled with n/a."""
    table = _read_table(path)
    if table is None:
        return None
    needed = ("kind", "metric", "model", "split_strategy", "group", "value")
    missing = [name for name in needed if name not in table]
    if missing:
        raise ConfigError(
            f"'{path}' has no column '{missing[0]}'. Write it with 'clinicadl "
            "evaluate' and 'clinicadl compare'."
        )
    others = [name for name in COLUMNS if name not in table]
    return table.reindex(columns=[*table.columns, *others])


def _read_runs(root: Path) -> pd.DataFrame | None:
    if not root.is_dir():
        return None
    records = []
    for folder in find_records(root):
        try:
            records.append(json.loads((folder / "run.json").read_text("utf-8")))
        except ValueError as error:
            raise ConfigError(
                f"'{folder / 'run.json'}' is not JSON: {error}."
            ) from error
    return pd.DataFrame(records) if records else None


def _names(tables: Mapping[str, pd.DataFrame | None], column: str) -> list[str]:
    found: dict[str, None] = {}
    for name in ("statistics", "predictions"):
        table = tables.get(name)
        if table is not None:
            found |= dict.fromkeys(table[column].dropna().astype(str))
    return list(found)


def _strategies(
    info: Mapping[str, Any], tables: Mapping[str, pd.DataFrame | None]
) -> tuple[Strategy, ...]:
    known = info.get("splits") or {}
    names = dict.fromkeys([*known, *_names(tables, "split_strategy")])
    suspect = _called_leaky(tables.get("statistics"))
    found = []
    for name in names:
        given = known.get(name) or {}
        found.append(
            Strategy(
                name=name,
                title=str(given.get("title") or name),
                unit=str(given.get("unit") or ""),
                leaky=bool(given.get("leaky", name in suspect)),
                sealed=bool(given.get("sealed", False)),
                n_folds=given.get("n_folds"),
            )
        )
    return tuple(sorted(found, key=lambda s: (s.leaky, not s.sealed)))


def _called_leaky(statistics: pd.DataFrame | None) -> set[str]:
    """Return the strategies that the statistics themselves warn of."""
    if statistics is None or "warnings" not in statistics:
        return set()
    warned = statistics["warnings"].astype(str).str.contains(r"\bleaky\b", case=False)
    return set(statistics.loc[warned, "split_strategy"])


def _models(
    info: Mapping[str, Any], tables: Mapping[str, pd.DataFrame | None]
) -> tuple[Model, ...]:
    known = info.get("models") or {}
    found = []
    for name in dict.fromkeys([*known, *_names(tables, "model")]):
        given = known.get(name) or {}
        found.append(
            Model(name, str(given.get("type", "")), str(given.get("label") or name))
        )
    order = {kind: rank for rank, kind in enumerate(BASELINES, start=1)}
    return tuple(sorted(found, key=lambda m: order.get(m.type or m.name, 0)))


def _guess_task(predictions: pd.DataFrame | None) -> Task:
    if predictions is None:
        return Task("classification", "label")
    scores = [str(c) for c in predictions if str(c).startswith("score_")]
    if scores:
        names = tuple(column.removeprefix("score_") for column in scores)
        return Task("classification", "label", names)
    if set(predictions["label"].dropna().unique()) <= {0, 1}:
        return Task("classification", "label", ("0", "1"))
    return Task("regression", "label")
