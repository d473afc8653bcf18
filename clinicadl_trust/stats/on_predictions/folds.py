"""Which model is better in a cross-validation: differences within folds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from clinicadl_trust.stats import cross_validation as arrays
from clinicadl_trust.stats.metric import Metric
from clinicadl_trust.stats.on_predictions.answers import Answer, Answers
from clinicadl_trust.stats.on_predictions.fold_values import (
    asked_of_folds,
    sizes,
    two_or_more,
)
from clinicadl_trust.stats.on_predictions.rows import Asked, metric_of
from clinicadl_trust.stats.pairs import Pair, differences

__all__ = [
    "bayesian_correlated_ttest",
    "corrected_kfold_ttest",
    "corrected_resampled_ttest",
]


def corrected_resampled_ttest(
    predictions: pd.DataFrame,
    metric: str | None = None,
    *,
    model: str | None = None,
    reference: str | None = None,
    split_strategy: str | None = None,
    group: str = "test",
    confidence_level: float = 0.95,
) -> Answers:
    """Compare models in a cross-validation by their differences within folds.

    Parameters
    ----------
    predictions, metric
        As in ``cross_validation_interval``.
    model, reference : str, optional
        As in ``compare_roc_auc``.
    split_strategy, group, confidence_level
        As in ``cross_validation_interval``.

    Returns
    -------
    Answers
        A ``Comparison`` for each pair (Nadeau and Bengio).

    Raises
    ------
    StatisticsError
        As ``cross_validation_interval``, or if models do not share their images.
    """
    asked = asked_of_folds("corrected_resampled_ttest", model, split_strategy, group)

    def compute(chosen: Metric, pair: Pair) -> Any:
        found = differences(chosen, *pair)
        return arrays.corrected_resampled_ttest(
            two_or_more(found, chosen), *sizes(pair[0].design, found), confidence_level
        )

    return _each_pair(asked, predictions, metric, reference, compute)


def corrected_kfold_ttest(
    predictions: pd.DataFrame,
    metric: str | None = None,
    *,
    model: str | None = None,
    reference: str | None = None,
    split_strategy: str | None = None,
    group: str = "test",
    confidence_level: float = 0.95,
) -> Answers:
    """Compare models in a complete, perhaps repeated, k-fold cross-validation.

    Parameters
    ----------
    predictions, metric, model, reference, split_strategy, group, confidence_level
        As in ``corrected_resampled_ttest``.

    Returns
    -------
    Answers
        A ``Comparison`` for each pair; folds and repeats are counted in the table.

    Raises
    ------
    StatisticsError
        As ``corrected_resampled_ttest``, or if a fold is missing or undefined.
    """
    asked = asked_of_folds("corrected_kfold_ttest", model, split_strategy, group)

    def compute(chosen: Metric, pair: Pair) -> Any:
        found = differences(chosen, *pair)
        folds = pair[0].design.folds
        n_repeats = folds.index.get_level_values("repeat").nunique()
        return arrays.corrected_kfold_ttest(
            two_or_more(found, chosen),
            len(folds) // n_repeats,
            n_repeats,
            confidence_level,
            n_participants=pair[0].counts["n_participants"],
        )

    return _each_pair(asked, predictions, metric, reference, compute)


def bayesian_correlated_ttest(
    predictions: pd.DataFrame,
    metric: str | None = None,
    rope: float = 0.0,
    *,
    model: str | None = None,
    reference: str | None = None,
    split_strategy: str | None = None,
    group: str = "test",
    confidence_level: float = 0.95,
) -> Answers:
    """Weigh models in a cross-validation: worse, practically equivalent or better.

    Parameters
    ----------
    predictions, metric
        As in ``corrected_resampled_ttest``. Of an error (``brier``, ``mae``) the sign
        is turned, so that a difference above 0 speaks for the model.
    rope : float
        Differences of at most this size do not matter in practice.
    model, reference, split_strategy, group
        As in ``corrected_resampled_ttest``.
    confidence_level : float
        Of the credible interval.

    Returns
    -------
    Answers
        A ``BayesianComparison`` for each pair.

    Raises
    ------
    StatisticsError
        As ``corrected_resampled_ttest``.
    """
    asked = asked_of_folds("bayesian_correlated_ttest", model, split_strategy, group)

    def compute(chosen: Metric, pair: Pair) -> Any:
        found = differences(chosen, *pair)
        sign = 1.0 if chosen.greater_is_better else -1.0
        return arrays.bayesian_correlated_ttest(
            [sign * each for each in two_or_more(found, chosen)],
            *sizes(pair[0].design, found),
            rope,
            credible_level=confidence_level,
        )

    return _each_pair(asked, predictions, metric, reference, compute)


def _each_pair(
    asked: Asked,
    predictions: pd.DataFrame,
    metric: str | None,
    reference: str | None,
    compute: Callable[[Metric, Pair], Any],
) -> Answers:
    selected = asked.of(predictions)
    chosen = metric_of(selected.prepared, metric)
    found = []
    for pair in selected.pairs(reference):
        model, other = pair
        strategy, result = model.design.strategy, compute(chosen, pair)
        found.append(Answer(result, strategy, asked.group, model.model, other.model))
    return Answers(asked.statistic, tuple(found), selected.notes)
