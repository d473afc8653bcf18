"""Which models and splits are held against chance, and by what refits."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from clinicadl_trust.benchmark.config import ChanceSection, Experiment
from clinicadl_trust.benchmark.plan import Run
from clinicadl_trust.benchmark.refit import Refit
from clinicadl_trust.benchmark.splitting import Splits
from clinicadl_trust.cohort import IDS
from clinicadl_trust.models.spec import RunSpec

if TYPE_CHECKING:
    from clinicadl_trust.stats.cross_validation.redrawing import Redrawing

__all__ = ["FOLDER", "Series", "chance_series"]

#: Where the value of each refit is kept.
FOLDER = "chance"

#: Models that are refitted unless others are named: seconds each, not hours.
_QUICK = "scikit-learn"


@dataclass(frozen=True)
class Series:
    """The runs of one model on one split that are refitted on redrawn labels.

    Attributes
    ----------
    runs : tuple of Run
        The folds of the first repeat, of the model's first seed. Repeats add no
        participants, and a label goes to another participant of the same test fold.
    metric : str
        The primary one.
    unit : str
        What the split keeps together: participant, site, ...
    seed : int
        Of the draws.
    n_draws : int
        How many.
    """

    runs: tuple[Run, ...]
    metric: str
    unit: str
    seed: int
    n_draws: int

    @property
    def first(self) -> RunSpec:
        """The first fold."""
        return self.runs[0].spec

    def refits(self) -> list[Refit]:
        """List the refits, one a draw.

        Raises
        ------
        StatisticsError
            If labels cannot be redrawn in these folds.
        """
        redrawing, rows = self.redrawing()
        spec = self.first
        place = self.runs[0].directory / FOLDER / spec.split_strategy / spec.model
        place /= f"seed-{spec.seed}"
        return [
            Refit(
                spec=replace(spec, output=place / f"draw-{number:04d}"),
                directory=self.runs[0].directory,
                specs=tuple(run.spec for run in self.runs),
                metric=self.metric,
                redrawing=redrawing,
                rows=rows,
                seed=self.seed,
                number=number,
            )
            for number in range(self.n_draws)
        ]

    def redrawing(self) -> tuple[Redrawing, pd.Index]:
        """Return what redraws the labels, and whose rows of the cohort these are."""
        from clinicadl_trust.stats.cross_validation.redrawing import Redrawing

        spec = self.first
        folds = [run.spec.fold for run in self.runs]
        sides = [table for f in folds for table in (f.train, f.validation, f.test)]
        table = spec.cohort.table  # sorted by participant and session
        table = table[_among(table, pd.concat(sides))]
        block = pd.Series(-1, index=table.index)
        for number, fold in enumerate(folds):
            block[_among(table, fold.test)] = number
        # A participant's block is that of the test images, if there are any.
        person = table["participant_id"]
        block = block.groupby(person).transform("max").astype(str)
        if self.unit in table:  # within which the metric is computed
            block += table[self.unit].astype(str).groupby(person).transform("first")
        redrawing = Redrawing(
            table[spec.task.label].to_numpy(),
            person.to_numpy(),
            block.to_numpy(),
        )
        return redrawing, table.index

    def seconds(self) -> float:
        """Return what the fits took when the labels were as observed."""
        files = [run.record / "run.json" for run in self.runs]
        took = [
            json.loads(file.read_text(encoding="utf-8"))["durations"] for file in files
        ]
        # Features are kept: only the first run computes them, the others read them.
        reading = [each.pop("features", 0.0) for each in took]
        read = min(reading) if len(reading) > 1 else 0.0
        return sum(sum(each.values()) + read for each in took)

    def __str__(self) -> str:
        return f"{self.first.model} on {self.first.split_strategy}"


def chance_series(
    experiment: Experiment, splits: Mapping[str, Splits], whole: Sequence[Run]
) -> list[Series]:
    """List what is refitted on redrawn labels.

    Parameters
    ----------
    experiment : Experiment
        Names models and splits.
    splits : mapping of str to Splits
        By name. A leaky one is left out: chance is not what it is up against.
    whole : sequence of Run
        Runs of models that lack none on their split.
    """
    section = experiment.chance_test
    if section is None:
        return []
    found: dict[tuple[str, str], list[Run]] = {}
    for run in whole:
        spec = run.spec
        seeds = experiment.models[spec.model].seeds or [experiment.seed]
        if spec.fold.repeat or spec.seed != seeds[0]:
            continue
        if splits[spec.split_strategy].info.leaky:
            continue
        if _is_asked(section, experiment, spec):
            found.setdefault((spec.split_strategy, spec.model), []).append(run)
    metric = experiment.statistics.primary
    assert metric is not None  # written out when the file was read
    return [
        Series(
            runs=tuple(runs),
            metric=metric,
            unit=splits[split].info.unit,
            seed=experiment.seed,
            n_draws=section.permutations,
        )
        for (split, _), runs in found.items()
    ]


def _is_asked(section: ChanceSection, experiment: Experiment, spec: RunSpec) -> bool:
    quick = [n for n, model in experiment.models.items() if model.type == _QUICK]
    models = quick if section.models is None else section.models
    return spec.model in models and (
        section.splits is None or spec.split_strategy in section.splits
    )


def _among(table: pd.DataFrame, ids: pd.DataFrame) -> pd.Series:
    """Say which rows of a table are images of another."""
    known = pd.MultiIndex.from_frame(ids[list(IDS)])
    here = pd.MultiIndex.from_frame(table[list(IDS)]).isin(known)
    return pd.Series(here, index=table.index)
