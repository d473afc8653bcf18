"""The rows that a statistic is computed from, and the tables that it refuses."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import pandas as pd

from clinicadl_trust.exceptions import StatisticsError, did_you_mean
from clinicadl_trust.stats.design import Design, Kind, infer_designs
from clinicadl_trust.stats.metric import Metric
from clinicadl_trust.stats.metrics import get_metric, metric_names
from clinicadl_trust.stats.pairs import Pair, pairs_of
from clinicadl_trust.stats.prepared import Prepared, prepare
from clinicadl_trust.stats.runs import ModelRuns, models_of

__all__ = ["Asked", "Selected", "metric_of"]

_ARE: dict[Kind, str] = {
    "held-out": "is one test group",
    "cross-validation": (
        "is a cross-validation: each fold is another model, with scores of its own "
        "scale and training people in common"
    ),
    "sites-left-out": (
        "leaves {unit}s out: each fold is another model, with scores of its own scale"
    ),
}


@dataclass(frozen=True)
class Asked:
    """What a statistic is asked about.

    Attributes
    ----------
    statistic : str
        Its name.
    model, split_strategy, group : str or None
        Which rows; None for all models, and for all strategies that fit.
    kinds : collection of {"held-out", "cross-validation", "sites-left-out"}
        Ways of splitting that the statistic is made for.
    instead : str
        What to use for others.
    tasks : collection of {"binary", "multiclass", "regression"}
        What it is made for.
    probabilities : bool
        Whether scores must be probabilities.
    """

    statistic: str
    model: str | None
    split_strategy: str | None
    group: str
    kinds: Collection[str]
    instead: str
    tasks: Collection[str] = ("binary",)
    probabilities: bool = False

    def of(self, predictions: pd.DataFrame) -> Selected:
        """Take the rows that the statistic is made for.

        Parameters
        ----------
        predictions : pandas.DataFrame
            A predictions table.

        Raises
        ------
        StatisticsError
            If a name is unknown, the task is another, or no strategy fits.
        """
        prepared = prepare(predictions, self.group)
        if prepared.task not in self.tasks:
            raise StatisticsError(
                f"'{self.statistic}' is for {' or '.join(self.tasks)} labels, and "
                f"these are {prepared.task}."
            )
        if self.probabilities:
            prepared.check_probabilities(f"'{self.statistic}'")
        designs = infer_designs(prepared.table, self.group)
        self._check(self.split_strategy, designs, "split strategy")
        found = models_of(prepared, designs)
        self._check(self.model, {runs.model for runs in found}, "model")
        refused = {name: self._refusal(each) for name, each in designs.items()}
        if self.split_strategy is not None:
            refused = {self.split_strategy: refused[self.split_strategy]}
        fitting = [name for name, reason in refused.items() if not reason]
        if not fitting:
            raise StatisticsError(next(iter(refused.values())))
        runs = [one for one in found if one.design.strategy in fitting]
        notes = [f"Left out: {reason}" for reason in refused.values() if reason]
        for name in fitting:
            notes += designs[name].warnings
            if count := int(prepared.n_unlabelled.get(name, 0)):
                notes.append(f"{count} images without a label are left out.")
        order = sorted(runs, key=lambda one: (one.design.strategy, one.model))
        return Selected(self, prepared, order, tuple(dict.fromkeys(notes)))

    def _check(self, name: str | None, known: Collection[str], what: str) -> None:
        if name is not None and name not in known:
            raise StatisticsError(f"No {what} is '{name}'.{did_you_mean(name, known)}")

    def _refusal(self, design: Design) -> str:
        name = f"'{design.strategy}'"
        if design.leak:
            return f"{name} is leaky ({design.leak}): split again."
        if design.kind in self.kinds:
            return ""
        what = _ARE[design.kind].format(unit=design.unit)
        return f"{name} {what}. '{self.statistic}' would be wrong here. {self.instead}"


@dataclass(frozen=True)
class Selected:
    """The rows that a statistic is made for, by model.

    Attributes
    ----------
    asked : Asked
        By whom.
    prepared : Prepared
        The table.
    models : list of ModelRuns
        All models of the strategies that fit, by strategy and name.
    notes : tuple of str
        What was left out, and what holds for all results.
    """

    asked: Asked
    prepared: Prepared
    models: list[ModelRuns]
    notes: tuple[str, ...]

    @property
    def asked_for(self) -> list[ModelRuns]:
        """The models that were asked for by name, or all of them."""
        wanted = self.asked.model
        return [each for each in self.models if wanted in (None, each.model)]

    def pairs(self, reference: str | None) -> list[Pair]:
        """Pair the models; the one that was asked for stands first.

        Raises
        ------
        StatisticsError
            As ``pairs_of``, or if both names are the same.
        """
        first = self.asked.model
        if first is not None and first == reference:
            raise StatisticsError(f"'{first}' cannot be compared with itself.")
        found = [p for ps in pairs_of(self.models, reference).values() for p in ps]
        if first is not None and reference is None:
            turned = [(a, b) if a.model == first else (b, a) for a, b in found]
            found = turned
        chosen = [pair for pair in found if first in (None, pair[0].model)]
        if not chosen:
            raise StatisticsError(
                f"No split strategy has both '{first}' and '{reference}'."
            )
        return chosen


def metric_of(prepared: Prepared, name: str | None) -> Metric:
    """Return a metric of the table's task, the first by default.

    Parameters
    ----------
    prepared : Prepared
        The table; where the metric needs probabilities, its scores are checked.
    name : str or None
        As in ``evaluate``.

    Raises
    ------
    StatisticsError
        If the metric is unknown, of another task, or needs probabilities.
    """
    chosen = get_metric(name or metric_names(prepared.task)[0], prepared.task)
    if chosen.probability:
        prepared.check_probabilities(chosen.title)
    return chosen
