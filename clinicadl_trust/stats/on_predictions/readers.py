"""A reader study: several people read the same images in several ways."""

from __future__ import annotations

import pandas as pd

from clinicadl_trust.exceptions import StatisticsError, did_you_mean
from clinicadl_trust.stats.on_predictions.answers import Answer, Answers
from clinicadl_trust.stats.on_predictions.rows import Asked
from clinicadl_trust.stats.prepared import CLUSTER, IMAGE
from clinicadl_trust.stats.readers import mrmc as of_readings

__all__ = ["mrmc"]

_INSTEAD = "Readers are people; folds and seeds share training data: use `compare`."


def mrmc(
    predictions: pd.DataFrame,
    *,
    reader: str = "reader",
    treatment: str = "treatment",
    split_strategy: str | None = None,
    group: str = "test",
    confidence_level: float = 0.95,
) -> Answers:
    """Compare the ways in which people read the same images.

    Parameters
    ----------
    predictions : pandas.DataFrame
        A predictions table in which ``model`` names each reader in each way of
        reading, with columns that name the two apart.
    reader, treatment : str
        These columns.
    split_strategy, group, confidence_level
        As in ``roc_auc``.

    Returns
    -------
    Answers
        An ``MRMC`` (Obuchowski and Rockette) for each strategy.

    Raises
    ------
    StatisticsError
        As ``roc_auc``; or if a column is absent, participants have several images, or
        as ``stats.mrmc``.
    """
    asked = Asked("mrmc", None, split_strategy, group, ("held-out",), _INSTEAD)
    selected = asked.of(predictions)
    for column in (reader, treatment):
        if column not in predictions:
            raise StatisticsError(
                f"There is no column '{column}'."
                f"{did_you_mean(column, map(str, predictions.columns))} A reader study "
                "names who read in 'reader' and how in 'treatment'."
            )
    found = []
    for strategy in dict.fromkeys(runs.design.strategy for runs in selected.models):
        parts = [r.rows for r in selected.models if r.design.strategy == strategy]
        rows = pd.concat(parts, ignore_index=True)
        images = rows.drop_duplicates(IMAGE)
        if repeated := int(images[CLUSTER].duplicated().sum()):
            raise StatisticsError(
                f"'mrmc' takes images for independent, and {repeated} are further "
                "images of a participant (or family). Keep one of each."
            )
        rows = rows.sort_values([treatment, reader, IMAGE])
        result = of_readings(
            rows["score"].to_numpy(),
            rows["label"].to_numpy(),
            rows[reader].to_numpy(),
            rows[IMAGE].to_numpy(),
            rows[treatment].to_numpy(),
            confidence_level=confidence_level,
        )
        found.append(Answer(result, strategy, group))
    return Answers("mrmc", tuple(found), selected.notes)
