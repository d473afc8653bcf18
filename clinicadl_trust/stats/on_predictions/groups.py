"""Performance by sex, age band, scanner or site, of each model of a table."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from clinicadl_trust.stats.on_predictions.answers import Answer, Answers
from clinicadl_trust.stats.on_predictions.rows import Asked
from clinicadl_trust.stats.on_predictions.trained import seeds_of
from clinicadl_trust.stats.subgroups import subgroups as of_one_model

__all__ = ["subgroups"]

_INSTEAD = (
    "Pooling the scores of several folds makes subgroups look worse than they are: "
    "seal a test group."
)


def subgroups(
    predictions: pd.DataFrame,
    by: str,
    metric: str | None = None,
    *,
    bands: Sequence[float] | None = None,
    reference: str | None = None,
    seed: int = 0,
    model: str | None = None,
    split_strategy: str | None = None,
    group: str = "test",
    confidence_level: float = 0.95,
) -> Answers:
    """Estimate each model's performance by the levels of a column, and compare them.

    Parameters
    ----------
    predictions
        As in ``roc_auc``; classes may be several, and a quantity may be predicted.
    by : str
        A column, such as ``sex`` or ``age``.
    metric : str, optional
        As in ``evaluate``; by default the first of the task.
    bands : sequence of float, optional
        Limits of the bands of a number, such as ``[60, 75]`` for the age.
    reference : str, optional
        The level that all others are compared with.
    seed : int
        Of the draws for the adjusted p-values.
    model, split_strategy, group, confidence_level
        As in ``roc_auc``.

    Returns
    -------
    Answers
        A ``Subgroups`` for each model and seed.

    Raises
    ------
    StatisticsError
        As ``roc_auc``, or as ``stats.subgroups``.
    """
    asked = Asked(
        "subgroups",
        model,
        split_strategy,
        group,
        ("held-out",),
        _INSTEAD,
        tasks=("binary", "multiclass", "regression"),
    )
    selected = asked.of(predictions)
    table = selected.prepared.table
    found = []
    for runs in selected.asked_for:
        strategy, seeds = runs.design.strategy, seeds_of(runs)
        own = (table["split_strategy"] == strategy) & (table["model"] == runs.model)
        for number in seeds:
            result = of_one_model(
                predictions.reset_index(drop=True)[own & (table["seed"] == number)],
                by,
                metric,
                bands=bands,
                reference=reference,
                group=group,
                confidence_level=confidence_level,
                seed=seed,
            )
            name = number if len(seeds) > 1 else None
            found.append(Answer(result, strategy, group, runs.model, seed=name))
    return Answers("subgroups", tuple(found), selected.notes)
