"""One draw of the labels: every fold fitted and tested on it."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from clinicadl_trust.benchmark.plan import Run, recorded_seconds
from clinicadl_trust.cohort import Cohort
from clinicadl_trust.exceptions import RunError
from clinicadl_trust.models.spec import RunSpec
from clinicadl_trust.records import write_json

if TYPE_CHECKING:
    from clinicadl_trust.stats.cross_validation.redrawing import Redrawing

__all__ = ["Refit", "primary_value"]


@dataclass(frozen=True)
class Refit(Run):
    """One draw of the labels, all folds: what is done or not done as a whole.

    Attributes
    ----------
    spec : RunSpec
        The first fold's; its output is where this refit works.
    specs : tuple of RunSpec
        The folds, with the labels observed.
    metric : str
        What is computed.
    redrawing : Redrawing
        What redraws the labels.
    rows : pandas.Index
        Whose rows of the cohort these labels are.
    seed, number : int
        Of the draw.
    """

    specs: tuple[RunSpec, ...]
    metric: str
    redrawing: Redrawing
    rows: pd.Index
    seed: int
    number: int

    @property
    def path(self) -> Path:
        """The file of its value."""
        return self.spec.output.with_suffix(".json")

    @property
    def key(self) -> dict[str, object]:
        """Its place in the benchmark; it has no fold of its own."""
        return {**super().key, "split": None}

    @property
    def is_done(self) -> bool:
        """Whether its value is there."""
        return self.path.is_file()

    @property
    def seconds(self) -> float | None:
        """What it took."""
        return recorded_seconds(self.path)

    @property
    def value(self) -> float:
        """The metric with these labels."""
        return float(json.loads(self.path.read_text(encoding="utf-8"))["value"])

    def do(self, tell: Callable[[float, str], None]) -> None:
        """Fit and test each fold on redrawn labels, and write the metric.

        Raises
        ------
        RunError
            If the metric is undefined with these labels.
        """
        start = time.monotonic()
        tables = []
        for number, spec in enumerate(self._redrawn()):

            def told(fraction: float, phrase: str, done: int = number) -> None:
                tell((done + fraction) / len(self.specs), phrase)

            tables.append(_predict(spec, told))
        value = primary_value(pd.concat(tables, ignore_index=True), self.metric)
        if pd.isna(value):
            raise RunError(
                f"{self.metric} is undefined with the labels of draw {self.number}. "
                "Give fewer folds."
            )
        self.path.parent.mkdir(parents=True, exist_ok=True)
        took = {"refit": round(time.monotonic() - start, 3)}
        record = {"draw": self.number, "value": value, "durations": took}
        write_json(self.path, record)
        shutil.rmtree(self.spec.output, ignore_errors=True)

    def _redrawn(self) -> list[RunSpec]:
        """Return the folds with redrawn labels."""
        label = self.spec.task.label
        table = self.spec.cohort.table.copy()
        table.loc[self.rows, label] = self.redrawing.draw(self.seed, self.number)
        cohort = Cohort(table, self.spec.cohort.source)
        return [
            replace(
                spec,
                cohort=cohort,
                output=self.spec.output / f"split-{spec.fold.split}",
            )
            for spec in self.specs
        ]

    def __str__(self) -> str:
        spec = self.spec
        return f"{spec.split_strategy}: {spec.model}, redrawn labels {self.number}"


def primary_value(predictions: pd.DataFrame, metric: str) -> float:
    """Return a metric of one model as the primary analysis computes it."""
    from clinicadl_trust.stats import evaluate

    return float(evaluate(predictions, [metric])["value"].item())


def _predict(spec: RunSpec, tell: Callable[[float, str], None]) -> pd.DataFrame:
    from clinicadl_trust.models.run import predict_test_rows

    return predict_test_rows(spec, tell)
