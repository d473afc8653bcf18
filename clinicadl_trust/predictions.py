"""The predictions table: the one thing that statistics and figures read.

One row per image, run and data group. ``label`` and ``score`` are numbers for
binary classification (``label`` 0 or 1, ``score`` the probability of class 1) and
for regression (true and predicted value); with more classes ``label`` is a class
name and each class has its ``score_<class>``. A label may be n/a, a score may not.

A regression of several outputs writes ``label`` and ``score`` of the first one, so
that all that reads one quantity works on it; ``label_<output>`` and
``predicted_<output>`` of each; and ``error``, the root mean square over outputs of the
difference between the two in standard deviations of the cohort: 0 is perfect, and
always predicting the means gives about 1.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from clinicadl_trust.activation import activate
from clinicadl_trust.cohort import IDS
from clinicadl_trust.exceptions import PredictionsError, did_you_mean
from clinicadl_trust.foreign_tables import lengthen, read_foreign
from clinicadl_trust.prediction_checks import (
    CARRIED,
    COLUMNS,
    RUN_COLUMNS,
    check_predictions,
    number_folds,
)
from clinicadl_trust.tables import as_text, write_table
from clinicadl_trust.task import Task

__all__ = [
    "COLUMNS",
    "RUN_COLUMNS",
    "activate",
    "check_predictions",
    "predictions_frame",
    "read_predictions",
    "write_predictions",
]


def predictions_frame(
    images: pd.DataFrame,
    task: Task,
    scores: np.ndarray,
    run: Mapping[str, object],
) -> pd.DataFrame:
    """Build a predictions table.

    Parameters
    ----------
    images : pandas.DataFrame
        The cohort's rows that were predicted, in the order of ``scores``.
    task : Task
        What was predicted. The label may be missing from ``images`` or n/a.
    scores : numpy.ndarray of shape (n_images,) or (n_images, n_scores)
        Probability of the positive class (or of each class), or predicted value (of
        each output).
    run : mapping
        A value for each of ``RUN_COLUMNS``.

    Returns
    -------
    pandas.DataFrame
        A table that ``check_predictions`` accepts.
    """
    scores = np.asarray(scores, dtype=float)
    images = images.reset_index(drop=True)
    carried = [name for name in CARRIED if name in images]
    table = images[[*IDS, *carried]].copy()
    for name in RUN_COLUMNS:
        table[name] = run[name]
    if task.outputs:
        return table.assign(**_of_outputs(images, task, scores))
    multiclass = task.kind == "classification" and not task.is_binary
    if task.label in images:
        known = images[task.label].notna()
        codes = np.full(len(images), np.nan)
        codes[known] = task.encode(images.loc[known, task.label])
        if multiclass:
            table["label"] = [
                task.classes[int(code)] if np.isfinite(code) else None for code in codes
            ]
        else:
            table["label"] = codes
    else:
        table["label"] = np.nan
    if multiclass:
        for column, name in enumerate(task.classes):
            table[f"score_{name}"] = scores[:, column]
    else:
        table["score"] = scores[:, -1] if scores.ndim == 2 else scores
    return table


def _of_outputs(
    images: pd.DataFrame, task: Task, scores: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the columns of a regression of several outputs."""
    labels = task.targets(images.reindex(columns=list(task.outputs)))
    apart = (scores - labels) / np.array(task.deviations)
    columns = {"label": labels[:, 0], "score": scores[:, 0]}
    columns["error"] = np.sqrt(np.mean(apart**2, axis=1))
    for number, name in enumerate(task.outputs):
        columns[f"label_{name}"] = labels[:, number]
        columns[f"predicted_{name}"] = scores[:, number]
    return columns


def read_predictions(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    columns: Mapping[str, str] | None = None,
    positive: str | None = None,
    models: Mapping[str, str] | None = None,
    value: str | None = None,
) -> pd.DataFrame:
    """Read one or several predictions tables: text with tabs, commas or semicolons.

    Parameters
    ----------
    paths : path-like or iterable of path-like
        The files, put one under the other. One of several without a column
        ``model`` is a model named as the file, or its folder where files are named
        alike.
    columns : mapping, optional
        Our column name to the file's.
    positive : str, optional
        The label whose probability is ``score``: it becomes 1, the other one 0.
    models : mapping, optional
        Of a wide table, model name to the column of its scores.
    value : str, optional
        A value that each image has, such as ``"dice"``: a table that has it, or wide
        columns of it, needs no label, and its scores are these values.

    Raises
    ------
    PredictionsError
        If a file is absent, empty, not a table, or fails ``check_predictions``, or
        ``positive`` is not one of two labels.
    """
    listed = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    if not listed:
        raise PredictionsError("No predictions table was given. Give at least one TSV.")
    tables = [read_foreign(Path(path), columns or {}) for path in listed]
    if models:
        tables = [
            lengthen(table, models, f"'{path}'")
            for table, path in zip(tables, listed, strict=True)
        ]
    if value is not None:
        tables = [_with_value(table, value, bool(models)) for table in tables]
    if len(tables) > 1:
        for name, table in zip(_file_names(listed), tables, strict=True):
            if "model" not in table:
                table["model"] = name
    if positive is not None:
        tables = _with_positive(tables, positive)
    tables = number_folds(tables)
    source = ", ".join(f"'{path}'" for path in listed) if len(tables) < 4 else "tables"
    # Checked one by one first: a run column that only some tables have gets its
    # default in the others.
    checked = [
        check_predictions(table, f"'{path}'")
        for table, path in zip(tables, listed, strict=True)
    ]
    if len(checked) == 1:
        return checked[0]
    return check_predictions(pd.concat(checked, ignore_index=True), source)


def _with_value(table: pd.DataFrame, value: str, is_wide: bool) -> pd.DataFrame:
    """Complete a table of values that need no label."""
    if "label" in table or (value not in table and not is_wide):
        return table
    if value not in table:
        table = table.assign(**{value: table["score"]})
    return table.assign(label=np.nan, score=table[value])


def _file_names(paths: Sequence[str | os.PathLike[str]]) -> list[str]:
    """Name files by what they do not have in common."""
    files = [Path(path) for path in paths]
    stems = [path.stem for path in files]
    if len(set(stems)) == len(stems):
        return stems
    folders = [path.resolve().parent.name for path in files]
    if len(set(folders)) == len(folders):
        return folders
    return [f"{folder}/{stem}" for folder, stem in zip(folders, stems, strict=True)]


def _with_positive(tables: list[pd.DataFrame], positive: str) -> list[pd.DataFrame]:
    """Write the labels of one task as 1 and 0; tables without any are left to fail."""
    tables = [table.copy() for table in tables]
    if not any("score" in table for table in tables):
        raise PredictionsError(
            f"A positive class ('{positive}') is for a column 'score', which there is "
            "not; one 'score_<class>' per class names its class itself. Leave it out."
        )
    labelled = [table for table in tables if "label" in table]
    names = [as_text(table["label"]) for table in labelled]
    values = sorted({name for each in names for name in each.dropna()})
    if positive not in values:
        raise PredictionsError(
            f"Positive class '{positive}' is no value of the column 'label'."
            f"{did_you_mean(positive, values)}"
        )
    if len(values) > 2:
        raise PredictionsError(
            f"A positive class is for two classes, and the labels are {values}. Give "
            "one score_<class> column per class instead."
        )
    for table, each in zip(labelled, names, strict=True):
        table["label"] = (each == positive).astype(float).where(each.notna())
    return tables


def write_predictions(table: pd.DataFrame, path: str | os.PathLike[str]) -> Path:
    """Write a checked table, whole or not at all, and return its path."""
    path = Path(path)
    table = check_predictions(table, f"'{path}'")
    return write_table(path, table)
