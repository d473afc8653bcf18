"""Trained models, tested on one group of images: what most statistics are made for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.on_predictions.answers import Answer, Answers
from clinicadl_trust.stats.on_predictions.rows import Asked, Selected
from clinicadl_trust.stats.results import Comparison
from clinicadl_trust.stats.runs import ModelRuns

__all__ = ["Tested", "each_model", "each_pair", "seeds_of"]


@dataclass(frozen=True)
class Tested:
    """One trained model's scores of a test group.

    Attributes
    ----------
    label, score : numpy.ndarray of shape (n_images,)
        Scores have a column per class where there are more than two.
    cluster : numpy.ndarray of shape (n_images,)
        The participant of each image, or the family where it is known.
    is_clustered : bool
        Whether one of them has several images.
    """

    label: np.ndarray
    score: np.ndarray
    cluster: np.ndarray
    is_clustered: bool

    @property
    def cluster_if_any(self) -> np.ndarray | None:
        """The participants, None where each has one image."""
        return self.cluster if self.is_clustered else None

    def calls(self, threshold: float) -> np.ndarray:
        """Return the class that each image is given."""
        if self.score.ndim == 2:
            return self.score.argmax(axis=1)
        return (self.score >= threshold).astype(int)

    def correct(self, threshold: float) -> np.ndarray:
        """Return 1 for each image that is called what it is."""
        return (self.calls(threshold) == self.label).astype(int)

    def frame(self, **scores: np.ndarray) -> pd.DataFrame:
        """Return a table of the images, with one column per array of scores."""
        columns = {"label": self.label, **(scores or {"score": self.score})}
        return pd.DataFrame({**columns, "cluster": self.cluster})


def each_model(
    asked: Asked, predictions: pd.DataFrame, compute: Callable[[Tested], Any]
) -> Answers:
    """Compute a statistic for each trained model of a test group.

    Parameters
    ----------
    asked : Asked
        Which rows.
    predictions : pandas.DataFrame
        A predictions table.
    compute : callable
        From one model's scores to a frozen result.
    """
    selected = asked.of(predictions)
    found = [
        _answer(asked, runs, compute(_tested(runs, number)), seed)
        for runs in selected.asked_for
        for number, seed in enumerate(seeds_of(runs))
    ]
    return Answers(asked.statistic, tuple(found), _notes(selected))


def each_pair(
    asked: Asked,
    predictions: pd.DataFrame,
    reference: str | None,
    compute: Callable[[Tested, Tested], Any],
) -> Answers:
    """Compute a statistic for each pair of trained models of a test group.

    Parameters
    ----------
    asked : Asked
        Which rows.
    predictions : pandas.DataFrame
        A predictions table.
    reference : str or None
        Only pairs with this model, which is subtracted.
    compute : callable
        From two models' scores of the same images to a frozen result.
    """
    selected = asked.of(predictions)
    found = []
    for model, other in selected.pairs(reference):
        for first, second, seed in _same_seeds(model, other):
            result = compute(_tested(model, first), _tested(other, second))
            if isinstance(result, Comparison):
                result = replace(result, estimand=model.design.estimand)
            found.append(_answer(asked, model, result, seed, other.model))
    return Answers(asked.statistic, tuple(found), _notes(selected))


def seeds_of(runs: ModelRuns) -> list[int]:
    """Return the seeds of a model, in the order of its scores."""
    return sorted(int(seed) for seed in runs.rows["seed"].unique())


def _tested(runs: ModelRuns, number: int) -> Tested:
    run = runs.run
    sample = run.sample
    return Tested(sample.label, run.scores[number], sample.cluster, sample.is_clustered)


def _answer(
    asked: Asked, runs: ModelRuns, result: Any, seed: int | None, reference: str = ""
) -> Answer:
    return Answer(
        result=result,
        split_strategy=runs.design.strategy,
        group=asked.group,
        model=runs.model,
        reference=reference,
        seed=seed if len(seeds_of(runs)) > 1 else None,
    )


def _same_seeds(
    model: ModelRuns, other: ModelRuns
) -> Iterator[tuple[int, int, int | None]]:
    """Pair the trained models of two names: by seed, where there are several."""
    ours, theirs = seeds_of(model), seeds_of(other)
    if len(ours) == len(theirs) == 1:
        yield 0, 0, None
        return
    common = [seed for seed in ours if seed in theirs]
    if not common:
        raise StatisticsError(
            f"'{model.model}' was trained with the seeds {ours} and '{other.model}' "
            f"with {theirs}: none in common. `compare` averages over the seeds."
        )
    for seed in common:
        yield ours.index(seed), theirs.index(seed), seed


def _notes(selected: Selected) -> tuple[str, ...]:
    if any(len(seeds_of(runs)) > 1 for runs in selected.asked_for):
        each = "Each seed is a trained model of its own; `evaluate` averages them."
        return (*selected.notes, each)
    return selected.notes
