"""The mean squared error of probabilities, and what it is made of."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

import pandas as pd

from clinicadl_trust.stats import calibration as arrays
from clinicadl_trust.stats.on_predictions.answers import Answers
from clinicadl_trust.stats.on_predictions.rows import Asked
from clinicadl_trust.stats.on_predictions.trained import Tested, each_model

__all__ = ["brier_decomposition", "brier_score"]

_INSTEAD = (
    "Use `evaluate` (or `cross_validation_interval`) with --metric brier, which "
    "computes within folds."
)

_asked = partial(Asked, kinds=("held-out",), instead=_INSTEAD, probabilities=True)


def brier_score(
    predictions: pd.DataFrame,
    *,
    model: str | None = None,
    split_strategy: str | None = None,
    group: str = "test",
    confidence_level: float = 0.95,
) -> Answers:
    """Estimate the mean squared error of each model's probabilities.

    Parameters
    ----------
    predictions, model, split_strategy, group, confidence_level
        As in ``calibration_slope``.

    Returns
    -------
    Answers
        An ``Estimate`` for each model.

    Raises
    ------
    StatisticsError
        As ``calibration_slope``.
    """
    asked = _asked("brier_score", model, split_strategy, group)

    def compute(one: Tested) -> Any:
        return arrays.brier_score(
            one.label, one.score, one.cluster, confidence_level=confidence_level
        )

    return each_model(asked, predictions, compute)


def brier_decomposition(
    predictions: pd.DataFrame,
    *,
    n_bins: int = 10,
    bins: Literal["quantile", "uniform"] = "quantile",
    model: str | None = None,
    split_strategy: str | None = None,
    group: str = "test",
) -> Answers:
    """Take each model's Brier score apart.

    Parameters
    ----------
    predictions
        As in ``calibration_slope``.
    n_bins, bins
        As in ``stats.brier_decomposition``.
    model, split_strategy, group
        As in ``calibration_slope``.

    Returns
    -------
    Answers
        A ``BrierDecomposition`` for each model.

    Raises
    ------
    StatisticsError
        As ``calibration_slope``.
    """
    asked = _asked("brier_decomposition", model, split_strategy, group)

    def compute(one: Tested) -> Any:
        return arrays.brier_decomposition(one.label, one.score, n_bins, bins=bins)

    return each_model(asked, predictions, compute)
