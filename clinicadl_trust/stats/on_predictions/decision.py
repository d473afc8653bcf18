"""Whether acting on a model would do more good than harm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import pandas as pd

from clinicadl_trust.stats import decision as arrays
from clinicadl_trust.stats.on_predictions.answers import Answers
from clinicadl_trust.stats.on_predictions.rows import Asked
from clinicadl_trust.stats.on_predictions.trained import Tested, each_model, each_pair

__all__ = ["compare_net_benefit", "net_benefit"]

_INSTEAD = "A decision is taken with one trained model: seal a test group."
_THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5)


def net_benefit(
    predictions: pd.DataFrame,
    thresholds: float | Sequence[float] = _THRESHOLDS,
    *,
    model: str | None = None,
    split_strategy: str | None = None,
    group: str = "test",
    confidence_level: float = 0.95,
) -> Answers:
    """Estimate the net benefit of treating whom each model flags.

    Parameters
    ----------
    predictions
        As in ``calibration_slope``.
    thresholds : float or sequence of float
        Probabilities from which on one would treat.
    model, split_strategy, group, confidence_level
        As in ``calibration_slope``.

    Returns
    -------
    Answers
        A ``DecisionCurve`` for each model.

    Raises
    ------
    StatisticsError
        As ``calibration_slope``, or if a threshold is outside 0 to 1.
    """
    asked = Asked(
        "net_benefit",
        model,
        split_strategy,
        group,
        ("held-out",),
        _INSTEAD,
        probabilities=True,
    )

    def compute(one: Tested) -> Any:
        return arrays.net_benefit(
            one.label,
            one.score,
            thresholds,
            one.cluster,
            confidence_level=confidence_level,
        )

    return each_model(asked, predictions, compute)


def compare_net_benefit(
    predictions: pd.DataFrame,
    thresholds: float | Sequence[float] = _THRESHOLDS,
    *,
    against: Literal["models", "treat all", "treat none"] = "models",
    seed: int = 0,
    model: str | None = None,
    reference: str | None = None,
    split_strategy: str | None = None,
    group: str = "test",
    confidence_level: float = 0.95,
) -> Answers:
    """Compare the net benefit of models, or of each with treating all or none.

    Parameters
    ----------
    predictions, thresholds
        As in ``net_benefit``.
    against : {"models", "treat all", "treat none"}
        What is subtracted: other models, or a strategy that needs none.
    seed : int
        As in ``stats.compare_net_benefit``.
    model
        As in ``net_benefit``.
    reference : str, optional
        As in ``compare_roc_auc``; for models only.
    split_strategy, group, confidence_level
        As in ``net_benefit``.

    Returns
    -------
    Answers
        A ``DecisionCurve`` of differences for each pair.

    Raises
    ------
    StatisticsError
        As ``net_benefit``.
    """
    asked = Asked(
        "compare_net_benefit",
        model,
        split_strategy,
        group,
        ("held-out",),
        _INSTEAD,
        probabilities=True,
    )

    def compute(one: Tested, other: Tested | None = None) -> Any:
        return arrays.compare_net_benefit(
            one.label,
            one.score,
            other.score if other is not None else against,  # type: ignore[arg-type]
            thresholds,
            one.cluster,
            confidence_level=confidence_level,
            seed=seed,
        )

    if against != "models":
        return each_model(asked, predictions, compute)
    return each_pair(asked, predictions, reference, compute)
