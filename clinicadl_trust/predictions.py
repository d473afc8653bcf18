"""The predictions table: the one thing that statistics and figures read.

One row per image, run and data group. ``label`` and ``score`` are numbers for
binary classification (``label`` 0 or 1, ``score`` the probability of class 1) and
for regression (true and predicted value); with more classes ``label`` is a class
name and each class has its ``score_<class>``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from clinicadl_trust.cohort import IDS, Task
from clinicadl_trust.exceptions import PredictionsError, did_you_mean

__all__ = [
    "COLUMNS",
    "RUN_COLUMNS",
    "activate",
    "check_predictions",
    "predictions_frame",
    "read_predictions",
    "write_predictions",
]

#: Which run a row comes from.
RUN_COLUMNS = ("split_strategy", "repeat", "split", "fold", "seed", "model", "group")

#: What every predictions table that we write has; a user's own needs ``IDS``,
#: ``label`` and the scores, and gets the defaults below for the rest.
COLUMNS = (*IDS, *RUN_COLUMNS, "label")

#: Columns of the cohort carried along when it has them.
CARRIED = ("dataset", "site", "scanner", "family_id")

_DEFAULTS = {
    "session_id": "ses-M000",
    "split_strategy": "given",
    "repeat": 0,
    "split": 0,
    "fold": "",
    "seed": 0,
    "model": "model",
    "group": "test",
}

_PROBABILITY = "probability"
_ACTIVATIONS = {
    "BCEWithLogitsLoss": "sigmoid",
    "CrossEntropyLoss": "softmax",
    "NLLLoss": "exponential",
    "MultiMarginLoss": "softmax",
    "BCELoss": _PROBABILITY,
    "L1Loss": "identity",
    "MSELoss": "identity",
    "HuberLoss": "identity",
    "SmoothL1Loss": "identity",
    "KLDivLoss": "exponential",
}


def activate(outputs: np.ndarray, activation: str) -> np.ndarray:
    """Turn a network's raw outputs into scores, the one place where it is done.

    Parameters
    ----------
    outputs : numpy.ndarray of shape (n_images, n_outputs)
        Raw outputs.
    activation : str
        ``sigmoid``, ``softmax``, ``exponential``, ``probability`` or ``identity``,
        or the name of a ClinicaDL loss that implies one.

    Returns
    -------
    numpy.ndarray of shape (n_images, n_outputs)
        Probabilities, or values for ``identity``.

    Raises
    ------
    PredictionsError
        If the activation is unknown, or an output is not finite.
    """
    outputs = np.asarray(outputs, dtype=float)
    kind = _ACTIVATIONS.get(activation, activation)
    if not np.isfinite(outputs).all():
        bad = int((~np.isfinite(outputs)).any(axis=-1).sum())
        raise PredictionsError(
            f"{bad} of {len(outputs)} predictions are not finite: the model diverged. "
            "Lower the learning rate, or clip gradients."
        )
    if kind == "sigmoid":
        return 1.0 / (1.0 + np.exp(-np.clip(outputs, -500, 500)))
    if kind == "softmax":
        shifted = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        return shifted / shifted.sum(axis=1, keepdims=True)
    if kind == "exponential":
        return np.exp(outputs)
    if kind in ("identity", _PROBABILITY):
        return outputs
    known = sorted({*_ACTIVATIONS, *_ACTIVATIONS.values()})
    raise PredictionsError(
        f"No activation is known for '{activation}'.{did_you_mean(activation, known)}"
    )


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
    scores : numpy.ndarray of shape (n_images,) or (n_images, n_classes)
        Probability of the positive class (or of each class), or predicted value.
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


def check_predictions(table: pd.DataFrame, source: str = "table") -> pd.DataFrame:
    """Check a predictions table and fill the run columns a user's own may lack.

    Parameters
    ----------
    table : pandas.DataFrame
        At least ``participant_id``, ``label`` and ``score`` (or ``score_<class>``).
    source : str
        Where it comes from, for messages.

    Returns
    -------
    pandas.DataFrame
        With all of ``COLUMNS``, rows in the given order, index 0..n-1.

    Raises
    ------
    PredictionsError
        If a column is missing, a score is not finite, or one run predicts an image
        twice in a group.
    """
    for name in ("participant_id", "label"):
        if name not in table:
            raise PredictionsError(
                f"{source} has no column '{name}'."
                f"{did_you_mean(name, map(str, table.columns))}"
            )
    scores = [c for c in table.columns if c == "score" or str(c).startswith("score_")]
    if not scores:
        raise PredictionsError(
            f"{source} has no column 'score' (nor 'score_<class>')."
            f"{did_you_mean('score', map(str, table.columns))}"
        )
    if table.empty:
        raise PredictionsError(f"{source} has a header but no rows.")
    table = table.reset_index(drop=True).copy()
    for name, value in _DEFAULTS.items():
        if name not in table:
            table[name] = value
    table["fold"] = table["fold"].fillna("").astype(str)
    try:
        values = table[scores].to_numpy(dtype=float)
    except (ValueError, TypeError) as error:
        raise PredictionsError(
            f"{source} has a score that is not a number: {error}."
        ) from error
    # A multi-class table may sit beside a binary one: all-n/a columns are not its own.
    used = np.isfinite(values).any(axis=1)
    if not used.all():
        row = int(np.flatnonzero(~used)[0])
        raise PredictionsError(
            f"{source} has no finite score in row {row + 2} "
            f"({table['participant_id'].iloc[row]}); {int((~used).sum())} rows in all."
        )
    key = [*IDS, *(c for c in RUN_COLUMNS if c != "fold")]
    twice = table.duplicated(key, keep=False)
    if twice.any():
        first = table.loc[twice, key].iloc[0].to_dict()
        raise PredictionsError(
            f"{source} predicts an image more than once in one run: {first}. Keep one "
            "row per image, model, fold and seed; average patches and slices first."
        )
    return table


def read_predictions(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    columns: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Read one or several predictions tables (TSV, or CSV by its ending).

    Parameters
    ----------
    paths : path-like or iterable of path-like
        The files, put one under the other.
    columns : mapping, optional
        Our column name to the file's.

    Raises
    ------
    PredictionsError
        If a file is absent, empty, not a table, or fails ``check_predictions``.
    """
    if isinstance(paths, str | os.PathLike):
        paths = [paths]
    tables = [_read(Path(path), columns or {}) for path in paths]
    source = ", ".join(f"'{path}'" for path in paths) if len(tables) < 4 else "tables"
    return check_predictions(pd.concat(tables, ignore_index=True), source)


def write_predictions(table: pd.DataFrame, path: str | os.PathLike[str]) -> Path:
    """Write a checked table, whole or not at all, and return its path."""
    path = Path(path)
    table = check_predictions(table, f"'{path}'")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    table.to_csv(temporary, sep="\t", index=False, na_rep="n/a", lineterminator="\n")
    temporary.replace(path)
    return path


def _read(path: Path, columns: Mapping[str, str]) -> pd.DataFrame:
    if not path.is_file():
        raise PredictionsError(f"No predictions table at '{path}'.")
    separator = "," if path.suffix.lower() == ".csv" else "\t"
    text = dict.fromkeys((*IDS, *CARRIED, "fold", "model", "split_strategy"), str)
    dtype = {columns.get(name, name): kind for name, kind in text.items()}
    try:
        table = pd.read_csv(
            path,
            sep=separator,
            dtype=dtype,
            na_values=["n/a", "NaN", "nan", ""],
            keep_default_na=False,
        )
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as e:
        raise PredictionsError(f"'{path}' cannot be read as a table: {e}.") from e
    for ours, theirs in columns.items():
        if theirs not in table:
            raise PredictionsError(
                f"'{path}' has no column '{theirs}' (asked for as '{ours}')."
                f"{did_you_mean(theirs, map(str, table.columns))}"
            )
    return table.rename(columns={theirs: ours for ours, theirs in columns.items()})
