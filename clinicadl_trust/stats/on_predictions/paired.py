"""Which of two trained models is better on the same test images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats import resampling, roc
from clinicadl_trust.stats.mcnemar import mcnemar as of_answers
from clinicadl_trust.stats.on_predictions.answers import Answer, Answers
from clinicadl_trust.stats.on_predictions.rows import Asked, metric_of
from clinicadl_trust.stats.on_predictions.trained import Tested, each_pair, seeds_of
from clinicadl_trust.stats.pairs import pairs_of
from clinicadl_trust.stats.prepared import prepare
from clinicadl_trust.stats.runs import ModelRuns

__all__ = ["bootstrap_difference", "compare_roc_auc", "mcnemar", "permutation_test"]

_INSTEAD = (
    "Use `compare`, which takes the differences within folds "
    "(`corrected_resampled_ttest`), or within left-out sites (`unit_ttest`)."
)


def compare_roc_auc(
    predictions: pd.DataFrame,
    *,
    model: str | None = None,
    reference: str | None = None,
    split_strategy: str | None = None,
    group: str = "test",
    confidence_level: float = 0.95,
) -> Answers:
    """Compare the ROC AUCs of models on one group of images.

    Parameters
    ----------
    predictions : pandas.DataFrame
        A predictions table of two classes and two models or more.
    model : str, optional
        Only pairs with this model, which stands first.
    reference : str, optional
        Only pairs with this model, which is subtracted. By default all pairs, in
        alphabetical order.
    split_strategy, group, confidence_level
        As in ``roc_auc``.

    Returns
    -------
    Answers
        A ``Comparison`` for each pair: DeLong's test, or Obuchowski's where
        participants have several images.

    Raises
    ------
    StatisticsError
        As ``roc_auc``, or if models do not share their images.
    """
    name = "compare_roc_auc"
    asked = Asked(name, model, split_strategy, group, ("held-out",), _INSTEAD)

    def compute(one: Tested, other: Tested) -> Any:
        return roc.compare_roc_auc(
            one.label,
            one.score,
            other.score,
            one.cluster,
            confidence_level=confidence_level,
        )

    return each_pair(asked, predictions, reference, compute)


def mcnemar(
    predictions: pd.DataFrame,
    *,
    threshold: float = 0.5,
    model: str | None = None,
    reference: str | None = None,
    split_strategy: str | None = None,
    group: str = "test",
    confidence_level: float = 0.95,
) -> Answers:
    """Compare how often models are right on one group of images.

    Parameters
    ----------
    predictions
        As in ``compare_roc_auc``; of several classes the one with the highest score
        is called.
    threshold : float
        From which score on an image is called positive.
    model, reference, split_strategy, group, confidence_level
        As in ``compare_roc_auc``.

    Returns
    -------
    Answers
        A ``Comparison`` for each pair: McNemar's test, or the cluster sandwich where
        participants have several images.

    Raises
    ------
    StatisticsError
        As ``compare_roc_auc``.
    """
    asked = Asked(
        "mcnemar",
        model,
        split_strategy,
        group,
        ("held-out",),
        _INSTEAD,
        tasks=("binary", "multiclass"),
    )

    def compute(one: Tested, other: Tested) -> Any:
        return of_answers(
            one.correct(threshold),
            other.correct(threshold),
            one.cluster_if_any,
            confidence_level=confidence_level,
        )

    return each_pair(asked, predictions, reference, compute)


def bootstrap_difference(
    predictions: pd.DataFrame,
    metric: str | None = None,
    *,
    method: Literal["bca", "percentile", "basic", "studentized"] = "bca",
    n_resamples: int = 9999,
    seed: int = 0,
    model: str | None = None,
    reference: str | None = None,
    split_strategy: str | None = None,
    group: str = "test",
    confidence_level: float = 0.95,
) -> Answers:
    """Compare models by any metric, drawing whole participants again and again.

    Parameters
    ----------
    predictions
        As in ``compare_roc_auc``; a quantity may be predicted, too.
    metric : str, optional
        As in ``evaluate``; by default the first of the task.
    method, n_resamples, seed
        As in ``stats.bootstrap_difference``.
    model, reference, split_strategy, group, confidence_level
        As in ``compare_roc_auc``.

    Returns
    -------
    Answers
        A ``Comparison`` for each pair.

    Raises
    ------
    StatisticsError
        As ``compare_roc_auc``.
    """
    asked = _numbers("bootstrap_difference", model, split_strategy, group)
    name = metric_of(prepare(predictions, group), metric).name

    def compute(one: Tested, other: Tested) -> Any:
        return resampling.bootstrap_difference(
            name,
            one.frame(score_a=one.score, score_b=other.score),
            score_a="score_a",
            score_b="score_b",
            cluster="cluster",
            n_resamples=n_resamples,
            method=method,
            confidence_level=confidence_level,
            seed=seed,
        )

    return each_pair(asked, predictions, reference, compute)


def permutation_test(
    predictions: pd.DataFrame,
    metric: str | Sequence[str] | None = None,
    *,
    n_resamples: int = 9999,
    seed: int = 0,
    split_strategy: str | None = None,
    group: str = "test",
) -> Answers:
    """Test all models at once, swapping their scores for whole participants.

    Parameters
    ----------
    predictions
        As in ``compare_roc_auc``.
    metric : str or sequence of str, optional
        As in ``evaluate``; by default the first of the task.
    n_resamples, seed
        As in ``stats.permutation_test``.
    split_strategy, group
        As in ``compare_roc_auc``.

    Returns
    -------
    Answers
        A ``PermutationTest`` for each strategy, its p-values adjusted over all pairs
        and metrics.

    Raises
    ------
    StatisticsError
        As ``compare_roc_auc``, or if a model has several seeds.
    """
    asked = _numbers("permutation_test", None, split_strategy, group)
    selected = asked.of(predictions)
    wanted = [metric] if metric is None or isinstance(metric, str) else list(metric)
    names = [metric_of(selected.prepared, each).name for each in wanted]
    pairs_of(selected.models)
    found = []
    for strategy in dict.fromkeys(r.design.strategy for r in selected.models):
        models = [r for r in selected.models if r.design.strategy == strategy]
        result = resampling.permutation_test(
            _wide(models),
            names,
            models=[runs.model for runs in models],
            cluster=models[0].run.sample.cluster.tolist(),
            n_resamples=n_resamples,
            label="label",
            seed=seed,
        )
        found.append(Answer(result, strategy, group))
    return Answers(asked.statistic, tuple(found), selected.notes)


def _numbers(
    name: str, model: str | None, split_strategy: str | None, group: str
) -> Asked:
    return Asked(
        name,
        model,
        split_strategy,
        group,
        ("held-out",),
        _INSTEAD,
        tasks=("binary", "regression"),
    )


def _wide(models: list[ModelRuns]) -> pd.DataFrame:
    """Return the labels, and one column of scores per model."""
    columns: dict[str, np.ndarray] = {}
    for runs in models:
        if len(seeds_of(runs)) > 1:
            raise StatisticsError(
                f"'{runs.model}' has {len(seeds_of(runs))} seeds, and scores of one "
                "trained model are swapped with those of another. Keep one seed."
            )
        if runs.model == "label":
            raise StatisticsError("A model is called 'label'. Name it otherwise.")
        columns[runs.model] = runs.run.scores[0]
    return pd.DataFrame({"label": models[0].run.sample.label, **columns})
