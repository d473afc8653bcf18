"""The runs of a model under a split strategy, as arrays: what all statistics read.

Scores of different folds come from different models and are on different scales:
pooled, they bias the ROC AUC, down to .41 without any effect when prevalence differs
by site. So a metric is computed within a fold (within a site where sites are left
out), the seeds of a model are averaged within it, and then the folds are.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.design import FOLD, Design
from clinicadl_trust.stats.metric import Metric
from clinicadl_trust.stats.prepared import CLUSTER, IMAGE, Prepared
from clinicadl_trust.stats.sample import Sample

__all__ = [
    "Cell",
    "ModelRuns",
    "Part",
    "Run",
    "about_of",
    "align",
    "models_of",
    "rows_of",
]

Fold = tuple[int, int]


@dataclass(frozen=True)
class Run:
    """A model's scores of a list of images, one array per seed.

    Attributes
    ----------
    images : numpy.ndarray of shape (n_images,)
        Image numbers, ascending.
    sample : Sample
        Their labels and participants.
    scores : tuple of numpy.ndarray of shape (n_images,) or (n_images, n_classes)
        One per seed.
    """

    images: np.ndarray
    sample: Sample
    scores: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Part:
    """The test images of one run, or of one site of it where sites are left out."""

    fold: Fold
    fold_name: str
    seed: int
    unit: Hashable
    label: np.ndarray
    score: np.ndarray
    n_participants: int

    @property
    def is_constant(self) -> bool:
        """Whether every image has the same score."""
        return bool((self.score == self.score[0]).all())


@dataclass(frozen=True)
class Cell:
    """A metric in a part, nan with the reason where it is undefined."""

    part: Part
    value: float
    problem: str

    @property
    def key(self) -> Hashable:
        """What values are averaged within, and intervals count over."""
        return self.part.fold if self.part.unit is None else self.part.unit


@dataclass(frozen=True)
class ModelRuns:
    """One model's predictions under one split strategy.

    Attributes
    ----------
    prepared : Prepared
        The table they come from.
    design : Design
        How the data were split.
    model : str
        Its name.
    rows : pandas.DataFrame
        Its rows.
    """

    prepared: Prepared
    design: Design
    model: str
    rows: pd.DataFrame

    @cached_property
    def run(self) -> Run:
        """All its images, for a single test group."""
        return align(self.prepared, self.rows)

    @cached_property
    def parts(self) -> list[Part]:
        """Its test images by run, and by site where sites are left out."""
        unit = self.design.unit
        keys = [*FOLD, "seed"] + ([unit] if unit != "participant" else [])
        return [
            Part(
                fold=(int(key[0]), int(key[1])),
                fold_name=str(part["fold"].iloc[0]),
                seed=int(key[2]),
                unit=key[3] if unit != "participant" else None,
                label=part["label"].to_numpy(),
                score=self.prepared.scores(part),
                n_participants=part["participant_id"].nunique(),
            )
            for key, part in self.rows.groupby(keys, sort=True)
        ]

    @cached_property
    def images(self) -> dict[Fold, np.ndarray]:
        """The image numbers of each fold.

        Raises
        ------
        StatisticsError
            If the seeds of a fold predict different images.
        """
        return {
            (int(repeat), int(split)): align(self.prepared, part).images
            for (repeat, split), part in self.rows.groupby(FOLD)
        }

    @cached_property
    def counts(self) -> dict[str, int | None]:
        """Images, participants, sites and folds that its numbers rest on."""
        has_sites = "site" in self.rows
        return {
            "n_images": int(self.rows[IMAGE].nunique()),
            "n_participants": int(self.rows["participant_id"].nunique()),
            "n_sites": int(self.rows["site"].nunique()) if has_sites else None,
            "n_folds": len(self.images),
        }

    def on(self, folds: Collection[Fold]) -> ModelRuns:
        """Keep some of the folds."""
        if self.images.keys() <= set(folds):
            return self
        of_row = self.rows[FOLD].itertuples(index=False, name=None)
        return replace(self, rows=self.rows[[fold in folds for fold in of_row]])

    def of(self, metric: Metric) -> ModelRuns:
        """Keep the images that a metric is about (``rows_of``)."""
        rows = rows_of(self.prepared, metric, self.rows)
        if rows is self.rows:
            return self
        return replace(self, rows=rows, prepared=about_of(self.prepared, metric))

    def cells(self, metric: Metric) -> list[Cell]:
        """Compute a metric in each part."""
        cells = []
        for part in self.of(metric).parts:
            problem = metric.undefined(part.label, part.score)
            value = math.nan if problem else metric.influence(part.label, part.score)[0]
            cells.append(Cell(part, value, problem))
        return cells

    def smallest_class(self, metric: Metric) -> int:
        """Count the participants of the smallest class that a metric looks at."""
        needed = metric.needed(self.parts[0].score)
        clusters = [self.rows.loc[self.rows["label"] == k, CLUSTER] for k in needed]
        return min(each.nunique() for each in clusters or [self.rows[CLUSTER]])


def mean_by_key(cells: Iterable[Cell]) -> dict[Hashable, float]:
    """Average the seeds within each fold, or site; leave out what is undefined."""
    values: dict[Hashable, list[float]] = defaultdict(list)
    for cell in cells:
        if not cell.problem:
            values[cell.key].append(cell.value)
    return {key: float(np.mean(each)) for key, each in values.items()}


def models_of(prepared: Prepared, designs: dict[str, Design]) -> list[ModelRuns]:
    """Take a table apart by split strategy and model, in the order of the table."""
    return [
        ModelRuns(prepared, designs[str(strategy)], str(model), rows)
        for (strategy, model), rows in prepared.rows.groupby(
            ["split_strategy", "model"], sort=False
        )
    ]


def rows_of(prepared: Prepared, metric: Metric, rows: pd.DataFrame) -> pd.DataFrame:
    """Keep the images that a metric is about, what it averages as their score.

    Parameters
    ----------
    prepared : Prepared
        The table they come from.
    metric : Metric
        What is computed.
    rows : pandas.DataFrame
        Some of its rows.

    Returns
    -------
    pandas.DataFrame
        The same object, unless the metric is the mean of a column, which healthy
        people have no Dice in, or volumes are not known of all.

    Raises
    ------
    StatisticsError
        If the table lacks the metric's column.
    """
    if metric.column:
        if metric.column not in rows:
            raise StatisticsError(
                f"The predictions have no column '{metric.column}', whose mean "
                f"{metric.title} is. Choose another metric."
            )
        values = rows.assign(label=0.0, score=rows[metric.column].astype(float))
        return values.dropna(subset=["score"])
    if prepared.task not in ("segmentation", "outputs"):
        return rows
    return rows.dropna(subset=["label", "score"])


def about_of(prepared: Prepared, metric: Metric) -> Prepared:
    """Return what the rows of a metric come from: a column has no classes.

    Parameters
    ----------
    prepared : Prepared
        The table.
    metric : Metric
        What is computed.
    """
    return replace(prepared, classes=()) if metric.column else prepared


def align(prepared: Prepared, rows: pd.DataFrame) -> Run:
    """Put the seeds of one model in one order of images.

    Raises
    ------
    StatisticsError
        If a seed lacks images that another has.
    """
    seeds = dict(iter(rows.groupby("seed")))  # rows are sorted by image
    first_seed, first = next(iter(seeds.items()))
    images = first[IMAGE].to_numpy()
    for seed, part in seeds.items():
        check_same_images(
            prepared,
            {
                f"seed {first_seed} of '{first['model'].iloc[0]}'": images,
                f"seed {seed}": part[IMAGE].to_numpy(),
            },
            "Where a seed also draws the folds, call it the repeat.",
        )
    return Run(
        images=images,
        sample=Sample.make(first["label"].to_numpy(), first[CLUSTER].to_numpy()),
        scores=tuple(prepared.scores(part) for part in seeds.values()),
    )


def check_same_images(
    prepared: Prepared, images: dict[str, np.ndarray], hint: str = ""
) -> None:
    """Check that two runs predict the same images; a hint ends the message.

    Raises
    ------
    StatisticsError
        Naming some of the images that one of them lacks.
    """
    (name, first), (other, second) = images.items()
    if np.array_equal(first, second):
        return
    has, lacks, missing = name, other, np.setdiff1d(first, second)
    if not missing.size:
        has, lacks, missing = other, name, np.setdiff1d(second, first)
    more = f" and {missing.size - 3} more" if missing.size > 3 else ""
    raise StatisticsError(
        f"{lacks} lacks images that {has} has: {prepared.name_images(missing[:3])}"
        f"{more}. Only the same images can be compared; predict them, or leave them "
        f"out of both. {hint}".rstrip()
    )
