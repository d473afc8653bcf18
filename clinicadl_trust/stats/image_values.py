"""What each image says of each model: right or wrong, its error, its Dice score."""

from __future__ import annotations

import numpy as np
import pandas as pd

from clinicadl_trust.exceptions import StatisticsError, did_you_mean
from clinicadl_trust.prediction_checks import number_folds
from clinicadl_trust.stats.arrays import is_finite
from clinicadl_trust.stats.design import Design, infer_designs
from clinicadl_trust.stats.table import check_table
from clinicadl_trust.tables import as_text

__all__ = ["KINDS", "by_image", "image_values", "one_design", "value_named"]

#: Values that follow from label and score.
KINDS = ("absolute_error", "squared_error", "correct")
#: What they are called, too.
_ALSO = {
    "accuracy": "correct",
    "brier": "squared_error",
    "error": "absolute_error",
    "mae": "absolute_error",
}
_IMAGE = ["participant_id", "session_id"]


def value_named(metric: str, predictions: pd.DataFrame) -> str:
    """Return the column or the kind that a metric of an image means.

    Parameters
    ----------
    metric : str
        A column of the predictions, one of ``KINDS``, or another name of it.
    predictions : pandas.DataFrame
        Whose columns go first; upper and lower case are alike otherwise.
    """
    if not isinstance(metric, str) or metric in predictions:
        return metric
    columns = {str(column).lower(): str(column) for column in predictions.columns}
    short = metric.lower()
    return columns.get(short, _ALSO.get(short, short if short in KINDS else metric))


def one_design(
    predictions: pd.DataFrame, split_strategy: str | None, group: str
) -> tuple[pd.DataFrame, Design]:
    """Keep one group of one split strategy: others were predicted in another way.

    Parameters
    ----------
    predictions : pandas.DataFrame
        A predictions table.
    split_strategy : str or None
        Needed where there are several.
    group : str
        Such as ``"test"``.

    Returns
    -------
    pandas.DataFrame
        Its rows.
    Design
        How they were split.

    Raises
    ------
    StatisticsError
        If there are several strategies to choose from, nothing is left, or the
        strategy is leaky.
    """
    everyone = table = _with_sessions(check_table(predictions))
    for column, wanted in (("group", group), ("split_strategy", split_strategy)):
        if column not in table or not len(table):
            continue
        known = [str(name) for name in table[column].unique()]
        if wanted is None and len(known) == 1:
            continue
        if wanted is None:
            raise StatisticsError(
                f"There are several split strategies: {', '.join(known)}. Choose one "
                "with split_strategy, for example the sealed test group."
            )
        if wanted not in known:
            raise StatisticsError(
                f"There is no {column} '{wanted}' in the predictions."
                f"{did_you_mean(wanted, known)}"
            )
        table = table[table[column].astype(str) == wanted]
    return table, _design(everyone, table, group)


def _with_sessions(table: pd.DataFrame) -> pd.DataFrame:
    """Give each participant's only image a session, where the table has none."""
    run = ["participant_id", "model", "split_strategy", "repeat", "split", "seed"]
    key = [column for column in (*run, "group") if column in table]
    if "session_id" in table or table.duplicated(key).any():
        return table
    return table.assign(session_id="ses-M000")


def _design(everyone: pd.DataFrame, rows: pd.DataFrame, group: str) -> Design:
    """Say how rows were split, by all groups of their strategy."""
    if not len(rows) or any(column not in rows for column in (*_IMAGE, "model")):
        return Design("", "held-out")
    if "split_strategy" in rows:
        name = rows["split_strategy"].iloc[0]
        everyone = everyone[everyone["split_strategy"] == name]
    given = number_folds([everyone])[0]
    unknown = {"split_strategy": "given", "repeat": 0, "split": 0, "fold": ""}
    unknown |= {"group": group, "label": 0}
    given = given.assign(**{k: v for k, v in unknown.items() if k not in given})
    given["fold"] = given["fold"].astype(str)
    categories = given.select_dtypes("category").columns
    given = given.astype(dict.fromkeys(categories, object))
    (design,) = infer_designs(given, group).values()
    if design.leak:
        raise StatisticsError(
            f"'{design.strategy}' is leaky ({design.leak}): split again."
        )
    return design


def image_values(predictions: pd.DataFrame, value: str, threshold: float) -> pd.Series:
    """Return one value per image and model, seeds averaged.

    Parameters
    ----------
    predictions : pandas.DataFrame
        A predictions table.
    value : str
        One of ``KINDS``, or a column.
    threshold : float
        From which score on an image is called positive.

    Returns
    -------
    pandas.Series
        Indexed by image and model, without images that no model has this column of.

    Raises
    ------
    StatisticsError
        If a column or a value is missing.
    """
    if not isinstance(value, str):
        raise StatisticsError(
            f"metric={value!r} is no column of the predictions. Give its name, or one "
            f"of {', '.join(KINDS)}."
        )
    columns = [str(column) for column in predictions.columns]
    needed = [*_IMAGE, "model"]
    needed += ["label", "score"] if value in KINDS else [value]
    for column in needed:
        if column not in predictions:
            known = [*columns, *KINDS]
            raise StatisticsError(
                f"There is no column '{column}' in the predictions."
                f"{did_you_mean(column, known)}"
            )
    table = predictions[[*_IMAGE, "model"]].copy()
    if value in KINDS:
        label, score = (
            pd.to_numeric(predictions[c], errors="coerce") for c in ("label", "score")
        )
        other = label[label.notna() & ~label.isin([0, 1])]
        if value == "correct" and len(other):
            raise StatisticsError(
                f"Labels must be 0 or 1 to be told right, and one is {other.iloc[0]:g}."
                " For a quantity give metric 'absolute_error'."
            )
        table["v"] = {
            "correct": ((score >= threshold) == (label == 1)).astype(float),
            "absolute_error": (score - label).abs(),
            "squared_error": (score - label) ** 2,
        }[value]
        table.loc[label.isna() | ~is_finite(score.to_numpy(float)), "v"] = np.nan
    else:
        table["v"] = pd.to_numeric(predictions[value], errors="coerce")
        # Healthy people have no lesion to find, whichever model looks.
        known = table["v"].notna().groupby([table[c] for c in _IMAGE]).transform("any")
        table = table[known] if known.any() else table
    missing = int((~is_finite(table["v"].to_numpy(float))).sum())
    if missing:
        raise StatisticsError(
            f"{missing} rows have no {value}: a label or score is missing, "
            "infinite or no number. Leave these images out for every model."
        )
    return table.groupby([*_IMAGE, "model"], sort=True, observed=True)["v"].mean()


def by_image(
    values: pd.Series, predictions: pd.DataFrame, site: str | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return values by image and model, and what is known of each image.

    Parameters
    ----------
    values : pandas.Series
        As ``image_values`` returns them.
    predictions : pandas.DataFrame
        The predictions table.
    site : str or None
        Column of hospitals.

    Returns
    -------
    values, images : pandas.DataFrame
        One column per model; the ids (in place of the participant's the family's,
        where ``family_id`` is known), and ``site`` where there are several.

    Raises
    ------
    StatisticsError
        If models do not share images, there is one model, or a site is missing.
    """
    wide = values.unstack("model")
    if wide.shape[1] < 2:
        raise StatisticsError(
            f"There is one model, '{wide.columns[0]}': give the predictions of another."
        )
    lost = int(wide.isna().any(axis=1).sum())
    if lost:
        raise StatisticsError(
            f"{lost} of {len(wide)} images lack a model. Models must predict the same "
            "images: leave out those that one of them did not see."
        )
    about = wide.reset_index()[_IMAGE]
    if "family_id" in predictions:
        families = predictions.drop_duplicates(_IMAGE).set_index(_IMAGE)["family_id"]
        named = as_text(families.reindex(wide.index)).reset_index(drop=True)
        family = "family " + named
        about["participant_id"] = family.where(named.notna(), about["participant_id"])
    if site is not None and site in predictions:
        sites = predictions.drop_duplicates(_IMAGE).set_index(_IMAGE)[site]
        about["site"] = sites.reindex(wide.index).to_numpy()
        if about["site"].isna().any():
            raise StatisticsError(
                f"{int(about['site'].isna().sum())} images have no {site}. Fill it in, "
                "or give site=None for an answer about these hospitals only."
            )
        if about["site"].nunique() < 2:
            about = about.drop(columns="site")
    return wide, about
