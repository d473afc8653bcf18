"""Whether models, or one model's seeds, say the same of an image."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats import agreement as arrays
from clinicadl_trust.stats.on_predictions.answers import Answer, Answers
from clinicadl_trust.stats.on_predictions.rows import Asked
from clinicadl_trust.stats.on_predictions.trained import Tested, each_pair, seeds_of
from clinicadl_trust.stats.pairs import pairs_of
from clinicadl_trust.stats.runs import ModelRuns

__all__ = ["cohen_kappa", "icc"]

_INSTEAD = "Agreement is that of trained models: ask about one fold, or a test group."
_REPEATED = (
    "'{name}' takes images for independent, and {n} participants (or families) have "
    "several. Keep one image of each."
)


def cohen_kappa(
    predictions: pd.DataFrame,
    *,
    threshold: float = 0.5,
    weights: Literal["linear", "quadratic"] | None = None,
    model: str | None = None,
    reference: str | None = None,
    split_strategy: str | None = None,
    group: str = "test",
    confidence_level: float = 0.95,
) -> Answers:
    """Estimate how far two models call images alike, beyond chance.

    Parameters
    ----------
    predictions, threshold
        As in ``mcnemar``.
    weights : {"linear", "quadratic"} or None
        As in ``stats.cohen_kappa``.
    model, reference, split_strategy, group, confidence_level
        As in ``mcnemar``.

    Returns
    -------
    Answers
        An ``Estimate`` for each pair.

    Raises
    ------
    StatisticsError
        As ``mcnemar``, or if participants have several images.
    """
    asked = Asked(
        "cohen_kappa",
        model,
        split_strategy,
        group,
        ("held-out",),
        _INSTEAD,
        tasks=("binary", "multiclass"),
    )

    def compute(one: Tested, other: Tested) -> Any:
        _check_single("cohen_kappa", one.cluster)
        return arrays.cohen_kappa(
            one.calls(threshold),
            other.calls(threshold),
            weights=weights,
            confidence_level=confidence_level,
        )

    return each_pair(asked, predictions, reference, compute)


def icc(
    predictions: pd.DataFrame,
    *,
    between: Literal["models", "seeds"] = "models",
    form: Literal["1", "2", "3", "1k", "2k", "3k"] = "2",
    model: str | None = None,
    split_strategy: str | None = None,
    group: str = "test",
    confidence_level: float = 0.95,
) -> Answers:
    """Estimate how far scores of an image agree, between models or between seeds.

    Parameters
    ----------
    predictions
        As in ``roc_auc``; a quantity may be predicted, too.
    between : {"models", "seeds"}
        Whose scores.
    form : {"1", "2", "3", "1k", "2k", "3k"}
        As in ``stats.icc``.
    model, split_strategy, group, confidence_level
        As in ``roc_auc``.

    Returns
    -------
    Answers
        An ``Estimate``, of all models together or of each model's seeds.

    Raises
    ------
    StatisticsError
        As ``roc_auc``, or if participants have several images, or there is one rater.
    """
    if between not in ("models", "seeds"):
        raise StatisticsError(f"between='{between}' is neither 'models' nor 'seeds'.")
    asked = Asked(
        "icc",
        model,
        split_strategy,
        group,
        ("held-out",),
        _INSTEAD,
        tasks=("binary", "regression"),
    )
    selected = asked.of(predictions)
    if between == "models":
        pairs_of(selected.models)
    found = []
    for strategy, models in _raters(selected.asked_for, between):
        _check_single("icc", models[0].run.sample.cluster)
        scores = [score for runs in models for score in runs.run.scores]
        if between == "models":
            scores = [np.mean(runs.run.scores, axis=0) for runs in models]
        if len(scores) < 2:
            raise StatisticsError(
                f"'{models[0].model}' has one trained model on '{strategy}', and "
                "agreement takes two."
            )
        result = arrays.icc(
            np.column_stack(scores), form, confidence_level=confidence_level
        )
        name = models[0].model if between == "seeds" else ""
        found.append(Answer(result, strategy, group, model=name))
    return Answers("icc", tuple(found), selected.notes)


def _raters(models: list[ModelRuns], between: str) -> list[tuple[str, list[ModelRuns]]]:
    if between == "seeds":
        several = [runs for runs in models if len(seeds_of(runs)) > 1] or models[:1]
        return [(runs.design.strategy, [runs]) for runs in several]
    names = dict.fromkeys(runs.design.strategy for runs in models)
    return [(s, [runs for runs in models if runs.design.strategy == s]) for s in names]


def _check_single(name: str, cluster: np.ndarray) -> None:
    repeated = int((np.bincount(cluster) > 1).sum())
    if repeated:
        raise StatisticsError(_REPEATED.format(name=name, n=repeated))
