"""Performance and differences in a cross-validation, within folds and then averaged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats import cross_validation as arrays
from clinicadl_trust.stats.metric import Metric
from clinicadl_trust.stats.on_predictions.answers import Answer, Answers
from clinicadl_trust.stats.on_predictions.rows import Asked, metric_of
from clinicadl_trust.stats.pairs import Pair, differences
from clinicadl_trust.stats.runs import mean_by_key

__all__ = [
    "bayesian_correlated_ttest",
    "corrected_kfold_ttest",
    "corrected_resampled_ttest",
    "cross_validation_interval",
]

_INSTEAD = (
    "Use `evaluate` and `compare` (or `roc_auc`, `compare_roc_auc`) on a test group, "
    "`unit_interval` and `unit_ttest` where sites are left out."
)


def cross_validation_interval(
    predictions: pd.DataFrame,
    metric: str | None = None,
    *,
    model: str | None = None,
    split_strategy: str | None = None,
    group: str = "test",
    confidence_level: float = 0.95,
) -> Answers:
    """Estimate each model's mean metric over folds, with the corrected interval.

    Parameters
    ----------
    predictions : pandas.DataFrame
        A predictions table.
    metric : str, optional
        As in ``evaluate``; by default the first of the task.
    model, split_strategy, group, confidence_level
        As in ``roc_auc``; strategies are cross-validations of participants.

    Returns
    -------
    Answers
        An ``Estimate`` for each model. Seeds are averaged within folds; who trains and
        who is tested is counted in participants.

    Raises
    ------
    StatisticsError
        If all strategies are leaky, a single test group or left-out sites, or the
        metric is undefined in all folds.
    """
    asked = _asked("cross_validation_interval", model, split_strategy, group)
    selected = asked.of(predictions)
    chosen = metric_of(selected.prepared, metric)
    found = []
    for runs in selected.asked_for:
        values = mean_by_key(runs.cells(chosen))
        result = arrays.cross_validation_interval(
            _some(values, chosen),
            *_sizes(runs.design.sizes(values)),
            confidence_level,
            bounds=chosen.bounds,
            n_clusters=runs.smallest_class(chosen),
        )
        found.append(Answer(result, runs.design.strategy, group, runs.model))
    return Answers(asked.statistic, tuple(found), selected.notes)


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
    asked = _asked("corrected_resampled_ttest", model, split_strategy, group)

    def compute(chosen: Metric, pair: Pair) -> Any:
        found = differences(chosen, *pair)
        sizes = _sizes(pair[0].design.sizes(found))
        return arrays.corrected_resampled_ttest(
            _some(found, chosen), *sizes, confidence_level
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
    asked = _asked("corrected_kfold_ttest", model, split_strategy, group)

    def compute(chosen: Metric, pair: Pair) -> Any:
        found = differences(chosen, *pair)
        folds = pair[0].design.folds
        n_repeats = folds.index.get_level_values("repeat").nunique()
        return arrays.corrected_kfold_ttest(
            _some(found, chosen),
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
    asked = _asked("bayesian_correlated_ttest", model, split_strategy, group)

    def compute(chosen: Metric, pair: Pair) -> Any:
        found = differences(chosen, *pair)
        sign = 1.0 if chosen.greater_is_better else -1.0
        return arrays.bayesian_correlated_ttest(
            [sign * each for each in _some(found, chosen)],
            *_sizes(pair[0].design.sizes(found)),
            rope,
            credible_level=confidence_level,
        )

    return _each_pair(asked, predictions, metric, reference, compute)


def _asked(
    name: str, model: str | None, split_strategy: str | None, group: str
) -> Asked:
    return Asked(
        name,
        model,
        split_strategy,
        group,
        ("cross-validation",),
        _INSTEAD,
        tasks=("binary", "multiclass", "regression"),
    )


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


def _some(values: dict[Any, float], metric: Metric) -> list[float]:
    if len(values) < 2:
        raise StatisticsError(
            f"{metric.title} has a value in {len(values)} folds only, and the spread "
            "between folds takes two. Make folds larger, or stratify them by class."
        )
    return list(values.values())


def _sizes(sizes: tuple[float, float]) -> tuple[float, float]:
    if not sizes[0]:
        raise StatisticsError(
            "Each fold tests every participant of the table, so it cannot be told how "
            "many trained. Add the rows of those who trained (group 'train')."
        )
    return sizes
