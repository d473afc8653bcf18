"""What a benchmark folder holds, in the order in which a report shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from clinicadl_trust.interpretations import Interpretation
from clinicadl_trust.report.glossary import Metric, describe_metric
from clinicadl_trust.stats.rows import COLUMNS
from clinicadl_trust.task import Task

__all__ = ["BASELINES", "Benchmark", "Model", "Strategy"]

#: Model types that never look at the image.
BASELINES = ("metadata", "majority")


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
    def title(self) -> str:
        """What it is called in the report."""
        return self.label or self.name

    @property
    def in_prose(self) -> str:
        """What it is called in a sentence: a label may hold commas and verbs."""
        return self.name if self.title == self.name else f"“{self.title}”"

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
    interpretations : tuple of Interpretation
        What ``clinicadl interpret`` left in the runs, finished or not.
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
    interpretations: tuple[Interpretation, ...] = ()

    @property
    def task(self) -> Task:
        """What was predicted, guessed from the predictions when not recorded."""
        task = self.info.get("task") or {}
        if task.get("kind"):
            classes = tuple(str(name) for name in task.get("classes") or ())
            outputs = tuple(str(name) for name in task.get("outputs") or ())
            label = str(task.get("label", "label"))
            return Task(task["kind"], label, classes, outputs)
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
    def evaluated(self) -> pd.DataFrame | None:
        """The predictions that the statistics rest on: runs that lack a fold are out.

        They are those of ``fold_metrics``, all where there is no such table.
        """
        if self.predictions is None or self.fold_metrics is None:
            return self.predictions
        if self.fold_metrics.empty:
            return self.predictions
        keys = ["split_strategy", "model", "seed"]
        return self.predictions.merge(self.fold_metrics[keys].drop_duplicates())

    @property
    def estimates(self) -> pd.DataFrame:
        """The rows of ``statistics`` that estimate a test performance."""
        return self._rows("estimate")

    @property
    def comparisons(self) -> pd.DataFrame:
        """The rows of ``statistics`` that compare two models on test images."""
        return self._rows("comparison")

    @property
    def chance(self) -> pd.DataFrame:
        """The rows of ``statistics`` of models refitted on redrawn labels."""
        return self._rows("chance")

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

    @property
    def reference(self) -> str | None:
        """The model that each other was to beat, None where all pairs were asked."""
        given = self.info.get("reference")
        return given if given in {model.name for model in self.models} else None

    def metric(self, name: str | None = None) -> Metric:
        """Say what a metric is; by default the primary one."""
        return describe_metric(str(name or self.primary_metric), self.task)

    def title(self, model: str) -> str:
        """Return what a model is called in the report."""
        return self.model(model).title

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


def _guess_task(predictions: pd.DataFrame | None) -> Task:
    if predictions is None:
        return Task("classification", "label")
    scores = [str(c) for c in predictions if str(c).startswith("score_")]
    if scores:
        names = tuple(column.removeprefix("score_") for column in scores)
        return Task("classification", "label", names)
    columns = [str(c) for c in predictions if str(c).startswith("predicted_")]
    if columns and "error" in predictions:
        outputs = tuple(column.removeprefix("predicted_") for column in columns)
        return Task("regression", "label", outputs=outputs)
    if set(predictions["label"].dropna().unique()) <= {0, 1}:
        return Task("classification", "label", ("0", "1"))
    return Task("regression", "label")
