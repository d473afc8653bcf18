"""Whether a model's probabilities mean what they say."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

import pandas as pd

from clinicadl_trust.stats import calibration as arrays
from clinicadl_trust.stats.on_predictions.answers import Answers
from clinicadl_trust.stats.on_predictions.rows import Asked
from clinicadl_trust.stats.on_predictions.trained import Tested, each_model

__all__ = [
    "calibration_intercept",
    "calibration_slope",
    "expected_calibration_error",
    "reliability_curve",
]

Bins = Literal["quantile", "uniform"]

_INSTEAD = (
    "Calibration is that of one trained model: seal a test group, or ask about one "
    "fold's rows by themselves."
)

_asked = partial(Asked, kinds=("held-out",), instead=_INSTEAD, probabilities=True)


def calibration_slope(
    predictions: pd.DataFrame,
    *,
    clip: float | None = None,
    model: str | None = None,
    split_strategy: str | None = None,
    group: str = "test",
    confidence_level: float = 0.95,
) -> Answers:
    """Estimate by how much each model's log odds are to be stretched.

    Parameters
    ----------
    predictions
        As in ``roc_auc``; scores are probabilities.
    clip : float, optional
        As in ``stats.calibration_slope``.
    model, split_strategy, group, confidence_level
        As in ``roc_auc``.

    Returns
    -------
    Answers
        An ``Estimate`` for each model, 1 where it is neither too sure nor too timid.

    Raises
    ------
    StatisticsError
        As ``roc_auc``, or if a score is no probability.
    """
    asked = _asked("calibration_slope", model, split_strategy, group)

    def compute(one: Tested) -> Any:
        return arrays.calibration_slope(
            one.label,
            one.score,
            one.cluster,
            clip=clip,
            confidence_level=confidence_level,
        )

    return each_model(asked, predictions, compute)


def calibration_intercept(
    predictions: pd.DataFrame,
    *,
    clip: float | None = None,
    model: str | None = None,
    split_strategy: str | None = None,
    group: str = "test",
    confidence_level: float = 0.95,
) -> Answers:
    """Estimate by how much each model's log odds are too low, all in all.

    Parameters
    ----------
    predictions, clip, model, split_strategy, group, confidence_level
        As in ``calibration_slope``.

    Returns
    -------
    Answers
        An ``Estimate`` for each model, 0 where the prevalence is met.

    Raises
    ------
    StatisticsError
        As ``calibration_slope``.
    """
    asked = _asked("calibration_intercept", model, split_strategy, group)

    def compute(one: Tested) -> Any:
        return arrays.calibration_intercept(
            one.label,
            one.score,
            one.cluster,
            clip=clip,
            confidence_level=confidence_level,
        )

    return each_model(asked, predictions, compute)


def reliability_curve(
    predictions: pd.DataFrame,
    *,
    n_bins: int = 10,
    bins: Bins = "quantile",
    model: str | None = None,
    split_strategy: str | None = None,
    group: str = "test",
    confidence_level: float = 0.95,
) -> Answers:
    """Set predicted probabilities against the shares that came true.

    Parameters
    ----------
    predictions
        As in ``calibration_slope``.
    n_bins, bins
        As in ``stats.reliability_curve``.
    model, split_strategy, group, confidence_level
        As in ``calibration_slope``.

    Returns
    -------
    Answers
        A table of bins for each model.

    Raises
    ------
    StatisticsError
        As ``calibration_slope``.
    """
    asked = _asked("reliability_curve", model, split_strategy, group)

    def compute(one: Tested) -> Any:
        return arrays.reliability_curve(
            one.label,
            one.score,
            one.cluster,
            n_bins=n_bins,
            bins=bins,
            confidence_level=confidence_level,
        )

    return each_model(asked, predictions, compute)


def expected_calibration_error(
    predictions: pd.DataFrame,
    *,
    n_bins: int = 10,
    bins: Bins = "uniform",
    n_simulations: int = 1000,
    seed: int = 0,
    model: str | None = None,
    split_strategy: str | None = None,
    group: str = "test",
) -> Answers:
    """Estimate how far each model's probabilities are off, beside what chance gives.

    Parameters
    ----------
    predictions
        As in ``calibration_slope``.
    n_bins, bins, n_simulations, seed
        As in ``stats.expected_calibration_error``.
    model, split_strategy, group
        As in ``calibration_slope``.

    Returns
    -------
    Answers
        A ``CalibrationError`` for each model.

    Raises
    ------
    StatisticsError
        As ``calibration_slope``.
    """
    asked = _asked("expected_calibration_error", model, split_strategy, group)

    def compute(one: Tested) -> Any:
        return arrays.expected_calibration_error(
            one.label,
            one.score,
            one.cluster,
            n_bins=n_bins,
            bins=bins,
            n_simulations=n_simulations,
            seed=seed,
        )

    return each_model(asked, predictions, compute)
