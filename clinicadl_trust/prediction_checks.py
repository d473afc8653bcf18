"""What makes a predictions table one: its columns, and the checks of each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from clinicadl_trust.cohort import GROUPS, IDS
from clinicadl_trust.exceptions import PredictionsError, did_you_mean
from clinicadl_trust.tables import as_text

__all__ = [
    "CARRIED",
    "COLUMNS",
    "RUN_COLUMNS",
    "TEXT_COLUMNS",
    "check_predictions",
    "number_folds",
]

#: Which run a row comes from.
RUN_COLUMNS = ("split_strategy", "repeat", "split", "fold", "seed", "model", "group")

#: What every predictions table that we write has; a user's own needs ``IDS``,
#: ``label`` and the scores, and gets the defaults below for the rest.
COLUMNS = (*IDS, *RUN_COLUMNS, "label")

#: Columns of the cohort carried along when it has them.
CARRIED = GROUPS

#: Columns that are text, whatever they look like.
TEXT_COLUMNS = (*IDS, *CARRIED, "split_strategy", "fold", "model", "group")
_INTEGERS = ("repeat", "split", "seed")

#: One run and group; ``fold`` only describes ``split``.
_RUN_KEY = [name for name in RUN_COLUMNS if name != "fold"]

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
        If a column is missing or named twice, an id is missing, a score is not
        finite, a label does not go with the scores, one number stands for several
        folds, or one run predicts an image twice in a group.
    """
    if not isinstance(table, pd.DataFrame):
        raise PredictionsError(
            f"{source} is a {type(table).__name__}; give a pandas DataFrame with one "
            "row per prediction, or read a file with read_predictions."
        )
    scores = _score_columns(table, source)
    if table.empty:
        raise PredictionsError(f"{source} has a header but no rows.")
    has_sessions = "session_id" in table
    table = number_folds([table])[0].reset_index(drop=True).copy()
    for name, value in _DEFAULTS.items():
        given = table[name] if name in table else pd.Series(pd.NA, index=table.index)
        table[name] = given.astype(object).where(given.notna(), value)
    for name in TEXT_COLUMNS:
        if name in table:
            table[name] = as_text(table[name])
    for name in _INTEGERS:
        table[name] = _integers(table[name], source)
    _refuse(table["participant_id"].isna(), table, f"{source} has no participant_id")
    _check_scores(table, scores, source)
    table["label"] = _checked_labels(table, scores, source)
    _check_folds(table, source)
    key = [*IDS, *_RUN_KEY]
    twice = table.duplicated(key, keep=False)
    if twice.any():
        values = table.loc[twice, key].iloc[0].items()
        first = ", ".join(f"{name} {value}" for name, value in values)
        visits = "" if has_sessions else " Visits are told apart by 'session_id'."
        if copies := int(table.duplicated().sum()):
            visits += f" {copies} rows are copies of another: remove them."
        raise PredictionsError(
            f"{source} predicts an image more than once in one run: {first}. Keep one "
            "row per image, model, fold and seed: give each model a name of its own in "
            "'model', and average patches and slices first."
            f"{visits}"
        )
    return table


def number_folds(tables: Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    """Give a ``split`` to tables that have a ``fold`` only, the same in all of them.

    Without it all folds would pass for one test group, and scores of different models
    would be pooled.

    Parameters
    ----------
    tables : sequence of pandas.DataFrame
        Not checked yet.

    Returns
    -------
    list of pandas.DataFrame
        Folds that are numbers keep them, the others are numbered by name.

    Raises
    ------
    PredictionsError
        If some of a table's rows have a fold and others none.
    """
    folds = {
        index: as_text(table["fold"])
        for index, table in enumerate(tables)
        if "fold" in table and ("split" not in table or table["split"].isna().all())
    }
    folds = {index: names for index, names in folds.items() if names.notna().any()}
    known = sorted({name for names in folds.values() for name in names.dropna()})
    numbers = {name: number for number, name in enumerate(known)}
    if all(name.isdecimal() for name in known):
        numbers = {name: int(name) for name in known}
    for names in folds.values():
        if names.isna().any():
            raise PredictionsError(
                f"Column 'fold' is n/a in {int(names.isna().sum())} of {len(names)} "
                "rows, and no column 'split' numbers the folds. Fill one of the two."
            )
    return [
        table.assign(split=folds[index].map(numbers)) if index in folds else table
        for index, table in enumerate(tables)
    ]


def _check_folds(table: pd.DataFrame, source: str) -> None:
    """Check that each run's number of split has one name of fold, if any."""
    named = table[table["fold"] != ""]
    several = named.groupby(_RUN_KEY)["fold"].nunique()
    if len(several) and several.max() > 1:
        run = dict(zip(_RUN_KEY, several.idxmax(), strict=True))
        inside = (named[_RUN_KEY] == pd.Series(run)).all(axis=1)
        folds = ", ".join(sorted(named.loc[inside, "fold"].unique())[:4])
        raise PredictionsError(
            f"{source} has several folds ({folds}) under 'split' {run['split']} of "
            f"model '{run['model']}', and each fold is another trained model. Number "
            "the folds in 'split', or leave that column out and 'fold' is numbered."
        )


def _score_columns(table: pd.DataFrame, source: str) -> list[str]:
    names = [str(name) for name in table.columns]
    for name in names:
        if names.count(name) > 1:
            raise PredictionsError(f"{source} has several columns named '{name}'.")
    scores = [name for name in names if name == "score" or name.startswith("score_")]
    for name in ("participant_id", "label", "score"):
        if name not in names and not (name == "score" and scores):
            several = " (nor 'score_<class>')" * (name == "score")
            wide = " Of a column per model: --model-column NAME=COLUMN for each."
            unlabelled = (
                " Values of each image that need no label, such as Dice, are compared "
                "by `clinicadl compare TABLE --metric dice`."
            )
            raise PredictionsError(
                f"{source} has no column '{name}'{several}."
                f"{did_you_mean(name, names)} If one of them is meant, say so with "
                f"--column '{name}=ITS NAME'.{wide * (name == 'score')}"
                f"{unlabelled * (name == 'label')}"
            )
    return scores


def _refuse(wrong: pd.Series, table: pd.DataFrame, message: str) -> None:
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise PredictionsError(
            f"{message} in row {row + 1} below the header "
            f"({table['participant_id'].iloc[row]}); {int(wrong.sum())} rows in all."
        )


def _integers(values: pd.Series, source: str) -> pd.Series:
    try:
        numbers = pd.to_numeric(values).astype(float)
        return numbers.astype("Int64").astype(int)
    except (ValueError, TypeError) as error:
        raise PredictionsError(
            f"Column '{values.name}' of {source} must hold whole numbers: {error}. "
            "Folds that have names go into the column 'fold' (--column fold=split)."
        ) from error


def _check_scores(table: pd.DataFrame, scores: list[str], source: str) -> None:
    try:
        table[scores] = table[scores].astype(float)
    except (ValueError, TypeError) as error:
        raise PredictionsError(
            f"{source} has a score that is not a number: {error}. Write numbers with a "
            "point; a column that is no score must not start with 'score_'."
        ) from error
    single, others = table.get("score"), [name for name in scores if name != "score"]
    if single is not None and others:
        both = single.notna() & table[others].notna().any(axis=1)
        _refuse(
            both,
            table,
            f"{source} has a 'score' and {others} (which are for the probabilities of "
            "several classes; rename them or leave them out)",
        )
    finite = pd.DataFrame(np.isfinite(table[scores]))
    if finite.all(axis=None):
        return
    # A multi-class run may sit beside a binary one: the other's columns are n/a.
    used = finite.groupby([table[name] for name in _RUN_KEY]).transform("any")
    wrong = (used & ~finite).any(axis=1) | ~used.any(axis=1)
    _refuse(
        wrong | np.isinf(table[scores]).any(axis=1),
        table,
        f"{source} has a score that is missing or infinite",
    )


def _checked_labels(table: pd.DataFrame, scores: list[str], source: str) -> pd.Series:
    """Return numbers where there is one score, class names where there are several."""
    labels = table["label"].astype(object)
    single = table["score"].notna() if "score" in table else labels.map(lambda _: False)
    numbers = pd.to_numeric(labels.where(single), errors="coerce").astype(float)
    wrong = single & labels.notna() & ~np.isfinite(numbers)
    named = ", ".join(f"'{name}'" for name in sorted(set(as_text(labels[wrong])))[:4])
    _refuse(
        wrong,
        table,
        f"{source} has a label that is not a number beside a 'score': {named}. Name "
        "the class whose probability is the score with --positive, or write 1 for it "
        "and 0 for the other; it is",
    )
    if single.all():
        return numbers
    names = as_text(labels)
    classes = {name.removeprefix("score_") for name in scores if name != "score"}
    _refuse(
        ~single & labels.notna() & ~names.isin(classes),
        table,
        f"{source} has a label that is none of the classes {sorted(classes)} (if these "
        "are models: --model-column NAME=COLUMN for each)",
    )
    return numbers.astype(object).where(single, names)
