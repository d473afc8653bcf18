"""Points of ROC and calibration curves, so that figures compute nothing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.calibration.bins import bin_numbers, observed_share
from clinicadl_trust.stats.design import infer_designs
from clinicadl_trust.stats.intervals import check_level
from clinicadl_trust.stats.options import check_whole
from clinicadl_trust.stats.prepared import CLUSTER, IMAGE, Prepared, prepare
from clinicadl_trust.stats.runs import Part, models_of

__all__ = ["calibration_curve", "roc_curve"]


def roc_curve(
    predictions: pd.DataFrame, *, group: str = "test", n_points: int = 101
) -> pd.DataFrame:
    """Compute ROC curves within each fold and average them vertically.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Predictions of a classification.
    group : str
        Data group.
    n_points : int
        False positive rates at which several curves are averaged (Fawcett 2006,
        Pattern Recognition Letters 27, 861-874). A single curve keeps its own.

    Returns
    -------
    pandas.DataFrame
        ``split_strategy``, ``model``, ``group``, ``positive`` (the class; "1" for
        two), ``fpr`` and ``tpr``, in order from (0, 0) to (1, 1), and ``n_curves``
        averaged: one per fold, seed and, where sites are left out, site. Folds
        without both classes are left out; a model without any has no rows.

    Raises
    ------
    StatisticsError
        If it is a regression, or the table cannot be used.
    """
    check_whole("n_points", n_points, 2)
    prepared = _classification(prepare(predictions, group), "An ROC curve")
    tables = []
    for runs in models_of(prepared, infer_designs(prepared.table, group)):
        for code, name in _positives(prepared):
            curves = list(_curves(runs.parts, code))
            if curves:
                table = _mean_curve(curves, n_points).assign(
                    split_strategy=runs.design.strategy,
                    model=runs.model,
                    group=group,
                    positive=name,
                )
                tables.append(table)
    columns = ["split_strategy", "model", "group", "positive", "fpr", "tpr", "n_curves"]
    if not tables:
        return pd.DataFrame(columns=columns)
    return pd.concat(tables, ignore_index=True)[columns]


def calibration_curve(
    predictions: pd.DataFrame,
    *,
    group: str = "test",
    n_bins: int = 10,
    confidence_level: float = 0.95,
) -> pd.DataFrame:
    """Compare predicted probabilities with what was observed, bin by bin.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Predictions of a classification, with probabilities.
    group : str
        Data group.
    n_bins : int
        Bins with about as many predictions each (quantiles); fewer where there are
        not ten predictions for each, or where they are tied.
    confidence_level : float
        Of the intervals.

    Returns
    -------
    pandas.DataFrame
        One row per strategy, model, class and bin: ``split_strategy``, ``model``,
        ``group``, ``positive``, ``bin``, ``predicted`` (mean probability),
        ``observed`` (share of that class) with ``low`` and ``high`` clustered by
        participant, ``n_images`` and ``n_participants``. Predictions of several
        folds and seeds share the bins: a probability means the same in each.

    Raises
    ------
    StatisticsError
        If scores are no probabilities, or the table cannot be used.
    """
    check_level(confidence_level)
    check_whole("n_bins", n_bins)
    prepared = _classification(prepare(predictions, group), "A calibration curve")
    prepared.check_probabilities("A calibration curve")
    records = []
    for (strategy, model), rows in prepared.rows.groupby(
        ["split_strategy", "model"], sort=False
    ):
        shared = {"split_strategy": strategy, "model": model, "group": group}
        for code, name in _positives(prepared):
            score = _of_class(prepared.scores(rows), code)
            for number, inside in enumerate(_quantile_bins(score, n_bins)):
                point = {"bin": number, "predicted": float(score[inside].mean())}
                observed = _observed(rows[inside], code, confidence_level)
                records.append(shared | {"positive": name} | point | observed)
    return pd.DataFrame(records)


def _positives(prepared: Prepared) -> list[tuple[int, str]]:
    """Number and name the classes that have a curve: one for two classes."""
    return list(enumerate(prepared.classes)) if prepared.classes else [(1, "1")]


def _of_class(score: np.ndarray, code: int) -> np.ndarray:
    return score if score.ndim == 1 else score[:, code]


def _classification(prepared: Prepared, what: str) -> Prepared:
    if prepared.task == "regression":
        raise StatisticsError(
            f"{what} is for a classification; these labels are quantities."
        )
    return prepared


def _curves(parts: list[Part], code: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    from sklearn import metrics

    for part in parts:
        positive = part.label == code
        if positive.any() and not positive.all():
            fpr, tpr, _ = metrics.roc_curve(positive, _of_class(part.score, code))
            yield fpr, tpr


def _mean_curve(
    curves: list[tuple[np.ndarray, np.ndarray]], n_points: int
) -> pd.DataFrame:
    if len(curves) == 1:
        fpr, tpr = curves[0]
    else:
        grid = np.linspace(0.0, 1.0, n_points)
        fpr = np.append(0.0, grid)
        heights = [np.interp(grid, *curve) for curve in curves]
        tpr = np.append(0.0, np.mean(heights, axis=0))
    return pd.DataFrame({"fpr": fpr, "tpr": tpr, "n_curves": len(curves)})


def _quantile_bins(score: np.ndarray, n_bins: int) -> Iterator[np.ndarray]:
    n_bins = max(1, min(n_bins, score.size // 10))
    number = bin_numbers(score, n_bins, "quantile")
    for each in range(number.max() + 1):
        yield number == each


def _observed(rows: pd.DataFrame, code: int, level: float) -> dict[str, object]:
    is_class = (rows["label"] == code).to_numpy(float)
    estimate = observed_share(is_class, rows[CLUSTER].to_numpy(), level)
    return {
        "observed": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "n_images": int(rows[IMAGE].nunique()),
        "n_participants": rows["participant_id"].nunique(),
    }
