"""How many participants? A predictions table as the pilot."""

from __future__ import annotations

from typing import Any, Literal

import pandas as pd

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats import planning as arrays
from clinicadl_trust.stats.on_predictions.answers import Answers
from clinicadl_trust.stats.on_predictions.rows import Asked
from clinicadl_trust.stats.on_predictions.trained import Tested, each_model, each_pair

__all__ = ["required_sample_size"]

_INSTEAD = "A pilot is one trained model's test group."


def required_sample_size(
    predictions: pd.DataFrame,
    metric: Literal["roc_auc", "proportion"] = "roc_auc",
    *,
    width: float | None = None,
    power: float | None = None,
    difference: float | None = None,
    prevalence: float | None = None,
    images_per_participant: float | None = None,
    model: str | None = None,
    reference: str | None = None,
    split_strategy: str | None = None,
    group: str = "test",
    confidence_level: float = 0.95,
) -> Answers:
    """Say how many participants a study like this pilot needs.

    Parameters
    ----------
    predictions
        As in ``roc_auc``.
    metric : {"roc_auc", "proportion"}
        What is planned: an AUC, or the share of right answers.
    width : float, optional
        Of the interval of one model; .1 by default, without ``power``.
    power, difference : float, optional
        Wanted probability of finding the least difference that would matter.
    prevalence, images_per_participant
        As in ``stats.required_sample_size``.
    model
        As in ``roc_auc``.
    reference : str, optional
        As in ``compare_roc_auc``; for ``power``.
    split_strategy, group, confidence_level
        As in ``roc_auc``.

    Returns
    -------
    Answers
        A ``SampleSize`` for each model, or for each pair where ``power`` is given.

    Raises
    ------
    StatisticsError
        As ``roc_auc``, or if options contradict one another.
    """
    name = "required_sample_size"
    asked = Asked(name, model, split_strategy, group, ("held-out",), _INSTEAD)
    if power is None and difference is None and width is None:
        width = 0.1
    if power is None and reference is not None:
        raise StatisticsError("A reference is for a comparison: give power, too.")

    def compute(one: Tested, other: Tested | None = None) -> Any:
        pilot = one.frame(score=one.score)
        if other is not None:
            pilot["score_b"] = other.score
        return arrays.required_sample_size(
            metric,
            width=width,
            power=power,
            difference=difference,
            pilot=pilot.rename(columns={"cluster": "participant_id"}),
            prevalence=prevalence,
            images_per_participant=images_per_participant,
            confidence_level=confidence_level,
        )

    if power is None:
        return each_model(asked, predictions, compute)
    return each_pair(asked, predictions, reference, compute)
