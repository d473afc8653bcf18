"""Which way of training is better on a test group, whatever the seed."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pandas as pd

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats import seeds
from clinicadl_trust.stats.columns import metrics_of
from clinicadl_trust.stats.metric import Metric
from clinicadl_trust.stats.on_predictions.answers import Answer, Answers
from clinicadl_trust.stats.on_predictions.rows import Asked
from clinicadl_trust.stats.pairs import Pair
from clinicadl_trust.stats.runs import ModelRuns

__all__ = ["seed_ttest"]


def seed_ttest(
    predictions: pd.DataFrame,
    metric: str | None = None,
    *,
    model: str | None = None,
    reference: str | None = None,
    split_strategy: str | None = None,
    group: str = "test",
    confidence_level: float = 0.95,
) -> Answers:
    """Compare models on a test group by what each pair of seeds differs in.

    Parameters
    ----------
    predictions : pandas.DataFrame
        A predictions table, or one of attribution metrics, of two seeds or more.
    metric : str, optional
        As in ``compare``: of the task, by default its first, or a column of numbers.
        It is computed within each seed, over all its images that have a value.
    model, reference : str, optional
        As in ``compare_roc_auc``.
    split_strategy : str, optional
        By default every test group that nothing was trained on.
    group : str
        Data group.
    confidence_level : float
        Of the interval.

    Returns
    -------
    Answers
        A ``Comparison`` for each pair of models, over the seeds that both have; pairs
        with fewer than two are told in the notes.

    Raises
    ------
    StatisticsError
        If a name is unknown, the split is another, images differ, or no pair of models
        has two seeds in common.
    """
    selected = Asked(
        "seed_ttest",
        model,
        split_strategy,
        group,
        ("held-out",),
        "Use `compare`, which averages seeds within each fold or site.",
        tasks=("binary", "multiclass", "regression"),
    ).of(predictions)
    (chosen,) = metrics_of(selected.prepared, [metric] if metric else None)[:1]
    if chosen.probability:
        selected.prepared.check_probabilities(chosen.title)
    found, few = [], []
    for pair in selected.pairs(reference):
        first, second = pair
        differences = _differences(chosen, pair)
        if len(differences) < 2:
            few.append(
                f"'{first.model}' and '{second.model}' have {len(differences)} seeds "
                f"in common with a value of {chosen.title}, and how seeds differ "
                "cannot be told from fewer than two."
            )
            continue
        result = seeds.seed_ttest(differences, confidence_level)
        strategy = first.design.strategy
        found.append(Answer(result, strategy, group, first.model, second.model))
    if not found:
        raise StatisticsError(
            f"{few[0]} Train both with the same seeds: seeds = [0, 1, 2, 3, 4]."
        )
    left_out = tuple(f"Left out: {each}" for each in few)
    return Answers("seed_ttest", tuple(found), (*selected.notes, *left_out))


def _differences(metric: Metric, pair: Pair) -> list[float]:
    ours, theirs = (_by_seed(metric, runs) for runs in pair)
    return [ours[seed] - theirs[seed] for seed in sorted(ours) if seed in theirs]


def _by_seed(metric: Metric, runs: ModelRuns) -> dict[int, float]:
    values = defaultdict(list)
    for cell in runs.cells(metric):
        if not cell.problem:
            values[cell.part.seed].append(cell.value)
    return {seed: float(np.mean(each)) for seed, each in values.items()}
