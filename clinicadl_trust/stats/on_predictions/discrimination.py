"""How well does each model do? ROC, shares of right answers and any metric."""

from __future__ import annotations

from typing import Any, Literal

import pandas as pd

from clinicadl_trust.stats import proportions, resampling, roc
from clinicadl_trust.stats.on_predictions.answers import Answers
from clinicadl_trust.stats.on_predictions.rows import Asked, metric_of
from clinicadl_trust.stats.on_predictions.trained import Tested, each_model
from clinicadl_trust.stats.prepared import prepare

__all__ = ["bootstrap", "proportion", "roc_auc", "sensitivity_at_specificity"]

_WITHIN = (
    "Use `evaluate` (or `cross_validation_interval`, or `unit_interval` where sites "
    "are left out), which compute within folds and then average; the interval of "
    "pooled scores covers .84 for .95, and they may fall below chance."
)


def roc_auc(
    predictions: pd.DataFrame,
    *,
    model: str | None = None,
    split_strategy: str | None = None,
    group: str = "test",
    confidence_level: float = 0.95,
    transform: Literal["logit"] | None = "logit",
) -> Answers:
    """Estimate the ROC AUC of each model that was tested on one group of images.

    Parameters
    ----------
    predictions : pandas.DataFrame
        A predictions table of two classes.
    model : str, optional
        One model; by default each.
    split_strategy : str, optional
        One strategy; by default each that is a single test group.
    group : str
        Data group.
    confidence_level : float
        Of the intervals.
    transform : {"logit"} or None
        As in ``stats.roc_auc``.

    Returns
    -------
    Answers
        An ``Estimate`` for each model and seed: DeLong's interval, or Obuchowski's
        where participants (families, where ``family_id`` is known) have several
        images.

    Raises
    ------
    StatisticsError
        If all strategies are leaky or have several folds, whose scores must not be
        pooled; or the table cannot be used.
    """
    asked = Asked("roc_auc", model, split_strategy, group, ("held-out",), _WITHIN)

    def compute(one: Tested) -> Any:
        return roc.roc_auc(
            one.label, one.score, one.cluster, confidence_level, transform=transform
        )

    return each_model(asked, predictions, compute)


def sensitivity_at_specificity(
    predictions: pd.DataFrame,
    specificity: float = 0.9,
    *,
    model: str | None = None,
    split_strategy: str | None = None,
    group: str = "test",
    confidence_level: float = 0.95,
) -> Answers:
    """Estimate each model's sensitivity where its specificity is as wanted.

    Parameters
    ----------
    predictions
        As in ``roc_auc``.
    specificity : float
        Wanted.
    model, split_strategy, group, confidence_level
        As in ``roc_auc``.

    Returns
    -------
    Answers
        An ``Estimate`` of ``stats.sensitivity_at_specificity`` for each model.

    Raises
    ------
    StatisticsError
        As ``roc_auc``.
    """
    name = "sensitivity_at_specificity"
    instead = "Seal a test group: each fold would choose a threshold of its own."
    asked = Asked(name, model, split_strategy, group, ("held-out",), instead)

    def compute(one: Tested) -> Any:
        return roc.sensitivity_at_specificity(
            one.label,
            one.score,
            specificity,
            one.cluster,
            confidence_level=confidence_level,
        )

    return each_model(asked, predictions, compute)


def proportion(
    predictions: pd.DataFrame,
    *,
    threshold: float = 0.5,
    method: Literal["wilson", "clopper-pearson"] = "wilson",
    model: str | None = None,
    split_strategy: str | None = None,
    group: str = "test",
    confidence_level: float = 0.95,
) -> Answers:
    """Estimate the share of images that each model calls right.

    Parameters
    ----------
    predictions
        As in ``roc_auc``; of several classes the one with the highest score is called.
    threshold : float
        From which score on an image is called positive.
    method : {"wilson", "clopper-pearson"}
        As in ``stats.proportion``; where participants repeat it is the sandwich.
    model, split_strategy, group, confidence_level
        As in ``roc_auc``.

    Returns
    -------
    Answers
        An ``Estimate`` of the accuracy for each model.

    Raises
    ------
    StatisticsError
        As ``roc_auc``.
    """
    asked = Asked(
        "proportion",
        model,
        split_strategy,
        group,
        ("held-out",),
        _WITHIN,
        tasks=("binary", "multiclass"),
    )

    def compute(one: Tested) -> Any:
        return proportions.proportion(
            one.correct(threshold),
            method=method,
            cluster=one.cluster_if_any,
            confidence_level=confidence_level,
        )

    return each_model(asked, predictions, compute)


def bootstrap(
    predictions: pd.DataFrame,
    metric: str | None = None,
    *,
    method: Literal["bca", "percentile", "basic", "studentized"] = "bca",
    n_resamples: int = 9999,
    seed: int = 0,
    model: str | None = None,
    split_strategy: str | None = None,
    group: str = "test",
    confidence_level: float = 0.95,
) -> Answers:
    """Estimate a metric of each model, drawing whole participants again and again.

    Parameters
    ----------
    predictions
        As in ``roc_auc``; a quantity may be predicted, too.
    metric : str, optional
        As in ``evaluate``; by default the first of the task.
    method, n_resamples, seed
        As in ``stats.bootstrap``.
    model, split_strategy, group, confidence_level
        As in ``roc_auc``.

    Returns
    -------
    Answers
        An ``Estimate`` for each model.

    Raises
    ------
    StatisticsError
        As ``roc_auc``.
    """
    asked = Asked(
        "bootstrap",
        model,
        split_strategy,
        group,
        ("held-out",),
        _WITHIN,
        tasks=("binary", "regression"),
    )
    name = metric_of(prepare(predictions, group), metric).name

    def compute(one: Tested) -> Any:
        return resampling.bootstrap(
            name,
            one.frame(),
            cluster="cluster",
            n_resamples=n_resamples,
            method=method,
            confidence_level=confidence_level,
            seed=seed,
        )

    return each_model(asked, predictions, compute)
