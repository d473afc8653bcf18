"""The folds of a cross-validation, as the statistics of folds take them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.design import Design
from clinicadl_trust.stats.metric import Metric
from clinicadl_trust.stats.on_predictions.rows import Asked

__all__ = ["asked_of_folds", "sizes", "two_or_more"]

_INSTEAD = (
    "Use `evaluate` and `compare` (or `roc_auc`, `compare_roc_auc`) on a test group, "
    "`unit_interval` and `unit_ttest` where sites are left out."
)


def asked_of_folds(
    name: str, model: str | None, split_strategy: str | None, group: str
) -> Asked:
    """Say which rows a statistic of folds takes: cross-validations of participants."""
    return Asked(
        name,
        model,
        split_strategy,
        group,
        ("cross-validation",),
        _INSTEAD,
        tasks=("binary", "multiclass", "regression"),
    )


def two_or_more(values: Mapping[Any, float], metric: Metric) -> list[float]:
    """Return the values of the folds, of which there must be two.

    Raises
    ------
    StatisticsError
        If there are fewer.
    """
    if len(values) < 2:
        raise StatisticsError(
            f"{metric.title} has a value in {len(values)} folds only, and the spread "
            "between folds takes two. Make folds larger, or stratify them by class."
        )
    return list(values.values())


def sizes(design: Design, folds: Iterable[Hashable]) -> tuple[float, float]:
    """Return how many train and are tested in a fold, in participants.

    Raises
    ------
    StatisticsError
        If the table does not tell who trained.
    """
    n_train, n_test = design.sizes(folds)
    if not n_train:
        raise StatisticsError(
            "Each fold tests every participant of the table, so it cannot be told how "
            "many trained. Add the rows of those who trained (group 'train')."
        )
    return n_train, n_test
