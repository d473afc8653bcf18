"""A predictions table made ready: task known, labels numbers, unknown ones left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from clinicadl_trust.cohort import IDS
from clinicadl_trust.exceptions import StatisticsError, did_you_mean
from clinicadl_trust.predictions import check_predictions
from clinicadl_trust.stats.metric import TaskKind

__all__ = ["CLUSTER", "IMAGE", "Prepared", "prepare"]

#: Columns of ``Prepared.rows``: numbers of the independent unit and of the image.
CLUSTER = "_cluster"
IMAGE = "_image"
_SCORE = "score_"
#: Tells a table of masks from one of quantities, and one of several outputs.
_DICE, _ERROR, _OUTPUT = "dice", "error", "predicted_"


@dataclass(frozen=True)
class Prepared:
    """A predictions table ready for statistics.

    Attributes
    ----------
    rows : pandas.DataFrame
        Rows of one data group with a known label, as a number, sorted by image.
        ``_image`` numbers the images, ``_cluster`` the independent units:
        participants, or families where the table has ``family_id``.
    table : pandas.DataFrame
        The whole checked table, which tells how the data were split.
    group : str
        The data group of ``rows``.
    task : {"binary", "multiclass", "regression", "outputs", "segmentation"}
        What was predicted; several outputs, where images have an ``error`` and columns
        ``predicted_<output>``, labels and scores being the first one's; masks, where
        images have a ``dice`` and labels and scores are their volumes, or there are no
        labels.
    classes : tuple of str
        Class names of a multi-class task, in the order of the scores.
    n_unlabelled : pandas.Series
        Images without a label that were left out, by split strategy.
    """

    rows: pd.DataFrame
    table: pd.DataFrame
    group: str
    task: TaskKind
    classes: tuple[str, ...]
    n_unlabelled: pd.Series

    def scores(self, rows: pd.DataFrame) -> np.ndarray:
        """Return the scores of some rows, of shape (n,) or (n, n_classes)."""
        if self.classes:
            return rows[[f"{_SCORE}{name}" for name in self.classes]].to_numpy(float)
        return rows["score"].to_numpy(float)

    def name_images(self, images: np.ndarray) -> str:
        """Write image numbers as ids, for messages."""
        named = self.rows.drop_duplicates(IMAGE).set_index(IMAGE).loc[images, list(IDS)]
        return ", ".join(" ".join(ids) for ids in named.to_numpy())

    def check_probabilities(self, what: str) -> None:
        """Check that the scores are probabilities.

        Raises
        ------
        StatisticsError
            If a score lies outside 0 to 1; ``what`` needs it not to.
        """
        scores = self.scores(self.rows)
        outside = (scores < -1e-9) | (scores > 1 + 1e-9)
        if outside.any():
            raise StatisticsError(
                f"{what} needs probabilities, and {int(outside.sum())} scores lie "
                f"outside 0 to 1 (the first is {scores[outside][0]:g}). Calibrate the "
                "scores, or ask only for metrics of ranks such as roc_auc (--metric)."
            )


def prepare(predictions: pd.DataFrame, group: str = "test") -> Prepared:
    """Check a predictions table and make it ready for statistics.

    Parameters
    ----------
    predictions : pandas.DataFrame
        As ``clinicadl_trust.predictions`` describes it.
    group : str
        The data group to compute on.

    Raises
    ------
    PredictionsError
        If it is no predictions table.
    StatisticsError
        If the group is absent, no label is known or all are the same, or models
        disagree on an image's label.
    """
    table = check_predictions(predictions)
    groups = sorted(table["group"].unique())
    if group not in groups:
        raise StatisticsError(
            f"The predictions have no group '{group}'.{did_you_mean(group, groups)} "
            "The column 'group' says train, validation or test: give it another name "
            "if it means something else."
        )
    task, classes = _task(table)
    table["label"] = _labels(table, classes)
    table[CLUSTER] = _clusters(table)
    table[IMAGE] = table.groupby(list(IDS), sort=True).ngroup()
    rows = table[table["group"] == group]
    known = rows["label"].notna()
    if task == "segmentation":
        known |= rows[_DICE].notna()
    unlabelled = rows[~known].drop_duplicates(["split_strategy", IMAGE])
    rows = rows[known]
    _check_labels(rows, group, task)
    return Prepared(
        rows=rows.sort_values(IMAGE, kind="stable", ignore_index=True),
        table=table,
        group=group,
        task=task,
        classes=classes,
        n_unlabelled=unlabelled.groupby("split_strategy").size(),
    )


def _task(table: pd.DataFrame) -> tuple[TaskKind, tuple[str, ...]]:
    columns = [str(name) for name in table if str(name).startswith(_SCORE)]
    filled = [name for name in columns if table[name].notna().any()]
    if not filled:
        values = sorted(table["label"].dropna().unique())
        of_masks = _DICE in table and table[_DICE].notna().any()
        if of_masks and (not values or not set(values) <= {0, 1}):
            return "segmentation", ()
        if _ERROR in table and any(str(name).startswith(_OUTPUT) for name in table):
            return "outputs", ()
        if set(values) <= {0, 1}:
            return "binary", ()
        if len(values) == 2:
            raise StatisticsError(
                f"The labels are {values[0]:g} and {values[1]:g}: too few values for a "
                "quantity, and two classes are written 0 and 1. Name the label whose "
                "probability is the score (--positive, or read_predictions)."
            )
        return "regression", ()
    if "score" in table and table["score"].notna().any():
        raise StatisticsError(
            f"Some rows have 'score' and some {filled}: these are two tasks. Evaluate "
            "each table by itself."
        )
    if table[filled].isna().any(axis=None):
        raise StatisticsError(
            f"Some runs lack one of the scores {filled}: they tell other classes "
            "apart. Evaluate them by themselves."
        )
    return "multiclass", tuple(name.removeprefix(_SCORE) for name in filled)


def _labels(table: pd.DataFrame, classes: tuple[str, ...]) -> pd.Series:
    if not classes:
        return table["label"].astype(float)
    codes = {name: float(code) for code, name in enumerate(classes)}
    return table["label"].map(codes, na_action="ignore").astype(float)


def _clusters(table: pd.DataFrame) -> pd.Series:
    """Number the independent units: families where known, else participants."""
    unit = table["participant_id"]
    if "family_id" in table and table["family_id"].notna().any():
        families = table.groupby("participant_id")["family_id"].first().dropna()
        unit = unit.map("family " + families).fillna(unit)
    return pd.Series(pd.factorize(unit)[0], index=table.index)


def _check_labels(rows: pd.DataFrame, group: str, task: TaskKind) -> None:
    if rows.empty:
        raise StatisticsError(
            f"No image of group '{group}' has a label: there is nothing to compare the "
            "scores with. Fill the column 'label'."
        )
    if rows["label"].nunique() == 1 and task not in ("segmentation", "outputs"):
        raise StatisticsError(
            f"Every image of group '{group}' has the same label "
            f"({rows['label'].iloc[0]:g}): there is nothing to tell apart."
        )
    by_image = rows.groupby(IMAGE)["label"]
    differs = by_image.transform("min") < by_image.transform("max")
    if differs.any():
        first = rows[differs].iloc[0]
        values = sorted(rows.loc[rows[IMAGE] == first[IMAGE], "label"].unique())
        raise StatisticsError(
            f"{first['participant_id']} {first['session_id']} has the labels {values} "
            "in different rows. An image has one label, whichever model predicts it."
        )
