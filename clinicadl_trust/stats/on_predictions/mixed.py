"""A mixed model of what each image says of each model."""

from __future__ import annotations

import re
from typing import Literal

import numpy as np
import pandas as pd

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats import mixed as arrays
from clinicadl_trust.stats.on_predictions.answers import Answer, Answers
from clinicadl_trust.stats.on_predictions.rows import Asked, Selected

__all__ = ["mixed_model"]

_INSTEAD = (
    "Folds share training data, which no random effect sees. Use `compare`, or "
    "`compare_models` on the differences."
)
_SQUARED = "squared_error ~ model + (1 | participant_id)"


def mixed_model(
    predictions: pd.DataFrame,
    formula: str = _SQUARED,
    *,
    family: Literal["gaussian", "binomial"] | None = None,
    threshold: float = 0.5,
    model: str | None = None,
    split_strategy: str | None = None,
    group: str = "test",
    confidence_level: float = 0.95,
) -> Answers:
    """Fit a mixed model to a predictions table.

    Parameters
    ----------
    predictions
        As in ``roc_auc``; a quantity may be predicted, too.
    formula : str
        In lme4's language, over the table's columns and ``correct``,
        ``absolute_error`` and ``squared_error``.
    family : {"gaussian", "binomial"}, optional
        By default binomial for ``correct`` and gaussian for all else.
    threshold : float
        From which score on an image is called positive.
    model, split_strategy, group, confidence_level
        As in ``roc_auc``.

    Returns
    -------
    Answers
        A ``MixedModel`` for each strategy.

    Raises
    ------
    StatisticsError
        If all strategies are leaky or have several folds; if participants have several
        rows and no random effect of theirs is in the formula; or as
        ``stats.mixed_model``.
    """
    asked = Asked(
        "mixed_model",
        model,
        split_strategy,
        group,
        ("held-out",),
        _INSTEAD,
        tasks=("binary", "regression"),
    )
    selected = asked.of(predictions)
    response = formula.partition("~")[0].strip()
    if family is None:
        family = "binomial" if response == "correct" else "gaussian"
    found = []
    for strategy in dict.fromkeys(r.design.strategy for r in selected.asked_for):
        data = _rows(selected, strategy, threshold)
        _check_units(formula, data)
        result = arrays.mixed_model(
            formula, data, family, confidence_level=confidence_level
        )
        found.append(Answer(result, strategy, group))
    return Answers("mixed_model", tuple(found), selected.notes)


def _rows(selected: Selected, strategy: str, threshold: float) -> pd.DataFrame:
    """Return the rows of a strategy with what each says of its model."""
    rows = [r.rows for r in selected.asked_for if r.design.strategy == strategy]
    data = pd.concat(rows, ignore_index=True)
    error = data["score"] - data["label"]
    data["absolute_error"], data["squared_error"] = error.abs(), error**2
    data["correct"] = np.where(
        (data["score"] >= threshold) == (data["label"] == 1), 1.0, 0.0
    )
    return data.sort_values(["model", "seed", "participant_id", "session_id"]).dropna(
        axis=1, how="all"
    )


def _check_units(formula: str, data: pd.DataFrame) -> None:
    """Refuse to count a participant's rows as participants."""
    units = [name for name in ("participant_id", "family_id") if name in data]
    if not data["participant_id"].duplicated().any():
        return
    grouped = re.findall(r"\|([^()]*)\)", formula)
    if not any(unit in each for unit in units for each in grouped):
        raise StatisticsError(
            f"Participants have several rows each, and '{formula}' takes rows for "
            "independent. Add ' + (1 | participant_id)'."
        )
