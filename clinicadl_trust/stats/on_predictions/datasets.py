"""Models ranked, or weighed, on many datasets or hospitals, each counted once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import pandas as pd

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats import many_datasets as arrays
from clinicadl_trust.stats.estimands import HOSPITAL
from clinicadl_trust.stats.folds import site_metrics
from clinicadl_trust.stats.metric import Metric
from clinicadl_trust.stats.on_predictions.answers import Answer, Answers
from clinicadl_trust.stats.on_predictions.rows import Asked, Selected, metric_of
from clinicadl_trust.stats.pairs import pairs_of

__all__ = ["bayesian_signed_rank", "friedman", "wilcoxon"]

_INSTEAD = (
    "Ranks take datasets for independent, and folds or left-out sites share training "
    "data. Use `compare`."
)

_asked = partial(
    Asked,
    kinds=("held-out",),
    instead=_INSTEAD,
    tasks=("binary", "multiclass", "regression"),
)


def friedman(
    predictions: pd.DataFrame,
    metric: str | None = None,
    *,
    by: str = "dataset",
    tie_correction: bool = False,
    post_hoc: Literal["ranks", "wilcoxon"] = "ranks",
    split_strategy: str | None = None,
    group: str = "test",
) -> Answers:
    """Rank three models or more within each dataset of a test group.

    Parameters
    ----------
    predictions
        As in ``roc_auc``.
    metric : str, optional
        As in ``evaluate``; by default the first of the task.
    by : str
        The column whose values are the blocks: ``dataset``, ``site`` or any other.
    tie_correction, post_hoc
        As in ``stats.friedman``.
    split_strategy, group
        As in ``roc_auc``.

    Returns
    -------
    Answers
        A ``Friedman`` for each strategy.

    Raises
    ------
    StatisticsError
        As ``roc_auc``, or if there are too few datasets or models.
    """
    selected = _asked("friedman", None, split_strategy, group).of(predictions)
    chosen = metric_of(selected.prepared, metric)
    pairs_of(selected.models)
    found = []
    for strategy in dict.fromkeys(r.design.strategy for r in selected.models):
        blocks = _blocks(predictions, selected, chosen, by, strategy)
        result = arrays.friedman(
            blocks,
            higher_is_better=chosen.greater_is_better,
            tie_correction=tie_correction,
            post_hoc=post_hoc,
        )
        result = replace(result, estimand=_estimand(by))
        found.append(Answer(result, strategy, group))
    return Answers("friedman", tuple(found), selected.notes)


def wilcoxon(
    predictions: pd.DataFrame,
    metric: str | None = None,
    *,
    by: str = "dataset",
    zero_method: str = "wilcox",
    model: str | None = None,
    reference: str | None = None,
    split_strategy: str | None = None,
    group: str = "test",
    confidence_level: float = 0.95,
) -> Answers:
    """Compare models by the signed ranks of their differences in each dataset.

    Parameters
    ----------
    predictions, metric, by
        As in ``friedman``.
    zero_method : {"wilcox", "pratt"}
        As in ``stats.wilcoxon``.
    model, reference
        As in ``compare_roc_auc``.
    split_strategy, group
        As in ``friedman``.
    confidence_level
        As in ``compare_roc_auc``.

    Returns
    -------
    Answers
        A ``Comparison`` for each pair.

    Raises
    ------
    StatisticsError
        As ``friedman``.
    """

    def compute(values: pd.Series, _metric: Metric) -> Any:
        return arrays.wilcoxon(
            values.tolist(),
            confidence_level=confidence_level,
            zero_method=zero_method,
        )

    asked = _asked("wilcoxon", model, split_strategy, group)
    return _each_pair(asked, predictions, metric, compute, by=by, reference=reference)


def bayesian_signed_rank(
    predictions: pd.DataFrame,
    metric: str | None = None,
    rope: float = 0.0,
    *,
    by: str = "dataset",
    seed: int = 0,
    model: str | None = None,
    reference: str | None = None,
    split_strategy: str | None = None,
    group: str = "test",
    confidence_level: float = 0.95,
) -> Answers:
    """Weigh models on many datasets: worse, practically equivalent or better.

    Parameters
    ----------
    predictions, metric
        As in ``wilcoxon``. Of an error the sign is turned, so that a difference above
        0 speaks for the model.
    rope : float
        Differences of at most this size do not matter in practice.
    by
        As in ``wilcoxon``.
    seed : int
        Of the draws.
    model, reference, split_strategy, group
        As in ``wilcoxon``.
    confidence_level : float
        Of the credible interval.

    Returns
    -------
    Answers
        A ``BayesianComparison`` for each pair.

    Raises
    ------
    StatisticsError
        As ``friedman``.
    """

    def compute(values: pd.Series, chosen: Metric) -> Any:
        sign = 1.0 if chosen.greater_is_better else -1.0
        return arrays.bayesian_signed_rank(
            (sign * values).tolist(), rope, seed=seed, credible_level=confidence_level
        )

    asked = _asked("bayesian_signed_rank", model, split_strategy, group)
    return _each_pair(asked, predictions, metric, compute, by=by, reference=reference)


def _each_pair(
    asked: Asked,
    predictions: pd.DataFrame,
    metric: str | None,
    compute: Callable[[pd.Series, Metric], Any],
    *,
    by: str,
    reference: str | None,
) -> Answers:
    selected = asked.of(predictions)
    chosen = metric_of(selected.prepared, metric)
    found = []
    for one, other in selected.pairs(reference):
        strategy = one.design.strategy
        blocks = _blocks(predictions, selected, chosen, by, strategy)
        result = compute(blocks[one.model] - blocks[other.model], chosen)
        result = replace(result, estimand=_estimand(by))
        found.append(Answer(result, strategy, asked.group, one.model, other.model))
    return Answers(asked.statistic, tuple(found), selected.notes)


def _estimand(by: str) -> str:
    return HOSPITAL if by == "site" else f"a new {by}, for these trained models"


def _blocks(
    predictions: pd.DataFrame, selected: Selected, metric: Metric, by: str, name: str
) -> pd.DataFrame:
    """Return a metric by dataset and model, where every model has one."""
    table = site_metrics(predictions, metric.name, by=by, group=selected.asked.group)
    table = table[table["split_strategy"] == name]
    wide = table.pivot(index=by, columns="model", values="value")
    if wide.isna().any(axis=None):
        bad = wide.index[wide.isna().any(axis=1)].tolist()
        raise StatisticsError(
            f"{metric.title} is undefined in {by} {', '.join(map(str, bad[:3]))}. "
            "Leave these rows out, or take a metric that one class has, such as brier."
        )
    if len(wide) < 2:
        raise StatisticsError(
            f"There is one {by}, '{wide.index[0]}', and ranks take several. Name "
            "another column with by, such as site."
        )
    return wide.sort_index(axis=1)
