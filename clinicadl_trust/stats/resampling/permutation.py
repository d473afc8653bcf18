"""Permutation tests of models: their labels are swapped, cluster by cluster."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from clinicadl_trust.exceptions import StatisticsError, did_you_mean
from clinicadl_trust.prediction_checks import CARRIED, COLUMNS
from clinicadl_trust.stats.arrays import finite
from clinicadl_trust.stats.metrics import get_metric
from clinicadl_trust.stats.options import check_seed, check_whole
from clinicadl_trust.stats.resampling.draws import cluster_codes
from clinicadl_trust.stats.resampling.out_of_fold import (
    ALONE,
    fold_warning,
    refuse_labels,
)
from clinicadl_trust.stats.resampling.weighted import image_values
from clinicadl_trust.stats.results import Calibration
from clinicadl_trust.stats.table import check_table

__all__ = ["PermutationTest", "permutation_test"]

Array = NDArray[np.float64]
Statistic = Callable[[Array, Array], float]

_BLOCK = 256
_SHARED = "Compare models on the images that all of them have."


@dataclass(frozen=True)
class PermutationTest:
    """Pairs of models tested together.

    Attributes
    ----------
    comparisons : pandas.DataFrame
        One row per pair and metric: ``metric, model_a, model_b, effect`` (first minus
        second), ``p_value`` and ``p_adjusted`` (max-T over all rows).
    n, n_clusters, n_resamples : int
        Images, clusters, and permutations (the observed one included).
    exact : bool
        Whether every permutation was done.
    smallest_p_value : float
        The least that this many clusters can give.
    method : str
        What was swapped.
    warnings : tuple of str
        What a reader must know.
    """

    comparisons: pd.DataFrame
    n: int
    n_clusters: int
    n_resamples: int
    exact: bool
    smallest_p_value: float
    method: str
    warnings: tuple[str, ...] = ()

    @property
    def calibration(self) -> Calibration:
        """What is known of its error rate.

        Exact where models could be exchanged, so it rejects what it says; conservative
        where so few clusters leave no p-value below .05.
        """
        return "conservative" if self.smallest_p_value > 0.05 else "calibrated"

    def to_frame(self) -> pd.DataFrame:
        """Return the comparisons."""
        return self.comparisons.assign(method=self.method, calibration=self.calibration)

    def __str__(self) -> str:
        lines = [
            self.comparisons.to_string(index=False, float_format=lambda v: f"{v:.4g}"),
            f"{self.method}, {self.calibration}; {self.n} images of "
            f"{self.n_clusters} clusters",
        ]
        return "\n".join([*lines, *(f"  ! {w}" for w in self.warnings)])


def permutation_test(
    table: pd.DataFrame,
    statistic: str | Sequence[str] | Statistic,
    *,
    models: Sequence[str] | None = None,
    cluster: str | Sequence[object] | None,
    n_resamples: int = 9999,
    label: str = "label",
    seed: int = 0,
    permute: str = "model",
) -> PermutationTest:
    """Test whether models differ, by swapping their scores for whole clusters.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per image, one column of scores per model.
    statistic : str, sequence of str, or callable
        One metric or several (``"roc_auc"``, ``"brier"``, ...), ``"mean"`` for columns
        that hold a value of each image already (a Dice score, an error), or a function
        of label and score, both of shape (n_images,), to a number.
    models : sequence of str, optional
        Two columns or more. By default the columns of numbers that are not the label,
        the cluster, or one of the cohort's (``session_id``, ``site``, ...).
    cluster : str, sequence or None
        Column, or one value per row: whose images are swapped together. None for
        independent rows; refused where ``participant_id`` repeats.
    n_resamples : int
        Permutations; all of them, where there are no more than that.
    label : str
        Column, for metrics.
    seed : int
        The same seed gives the same numbers.
    permute : str
        Only ``"model"``: ``"label"`` is refused, with the reason.

    Returns
    -------
    PermutationTest
        Two-sided p-values of each pair, and those adjusted for all pairs and metrics
        by the greatest statistic (Westfall and Young 1993, single step).

    Raises
    ------
    StatisticsError
        If a column or an option is wrong.

    Notes
    -----
    The same clusters are swapped in every pair, which keeps the correlation of pairs.
    The null hypothesis is that a pair's scores could be exchanged; for metrics of order
    scores are replaced by their ranks first, so that two scales do not matter
    (Bandos, Rockette and Gur, Stat. Med. 24, 2005). Never permute the *labels* of
    out-of-fold scores against chance: models that share training data make that test
    reject .11 to .15 at 5 %; see ``refit_permutation_test``.
    """
    refuse_labels(permute)
    if models is None:
        models = _columns_of_scores(table, (label, cluster))
    pairs = _pairs(table, models)
    codes = cluster_codes(table, cluster, "cluster")
    n_clusters = int(codes.max()) + 1
    names, rows = _measures(table, statistic, pairs, label)
    check_whole("n_resamples", n_resamples, 99, "Use 999 or more for a p-value.")
    check_seed(seed)
    swaps, exact = _swaps(n_clusters, n_resamples, seed)
    values = np.column_stack([measure(swaps, codes) for measure in rows])
    observed, others = values[0], np.abs(values)
    scale = np.sqrt((values**2).mean(axis=0))
    with np.errstate(invalid="ignore", divide="ignore"):
        standard = np.where(scale > 0, others / scale, 0.0)
    close = 1e-9
    p_values = (standard >= standard[0] - close).mean(axis=0)
    greatest = standard.max(axis=1)
    adjusted = [(greatest >= each - close).mean() for each in standard[0]]
    comparisons = pd.DataFrame(names, columns=["metric", "model_a", "model_b"])
    comparisons["effect"] = observed
    comparisons["p_value"] = p_values
    comparisons["p_adjusted"] = adjusted
    smallest = 2.0 ** (1 - n_clusters) if exact else 1.0 / len(values)
    warnings = fold_warning(table)
    if smallest > 0.05:
        warnings += (
            f"With {n_clusters} clusters the smallest possible p-value is "
            f"{smallest:.4g}: this test cannot reject at 5 %, whatever the data.",
        )
    kind = "all" if exact else f"{len(values) - 1} random"
    return PermutationTest(
        comparisons=comparisons,
        n=len(table),
        n_clusters=n_clusters,
        n_resamples=len(values),
        exact=exact,
        smallest_p_value=smallest,
        method=f"permutation test, {kind} swaps of models by cluster, max-T",
        warnings=warnings,
    )


Measure = Callable[[NDArray[np.bool_], NDArray[np.intp]], Array]


def _columns_of_scores(table: pd.DataFrame, others: Sequence[object]) -> list[str]:
    """Return the columns that can only be models."""
    named = {other for other in others if isinstance(other, str)}
    scores = table.select_dtypes("number").columns
    found = [c for c in map(str, scores) if c not in {*COLUMNS, *CARRIED, *named}]
    if len(found) < 2:
        raise StatisticsError(
            f"The table has {len(found)} columns of scores ({', '.join(found)}), and "
            "comparing takes two. Give a column of scores for each model, and name "
            "them in models."
        )
    return found


def _pairs(table: pd.DataFrame, models: Sequence[str]) -> list[tuple[str, str]]:
    check_table(table)
    columns = [str(column) for column in table.columns]
    if isinstance(models, str) or not isinstance(models, Iterable):
        raise StatisticsError(f"models is a list of columns, not {models!r}.")
    for model in models:
        if model not in table:
            raise StatisticsError(
                f"There is no column '{model}'.{did_you_mean(model, columns)}"
            )
        finite(table[model], f"Scores of '{model}'", _SHARED)
    if len(set(models)) < 2:
        raise StatisticsError(
            f"Two models or more are needed, not {list(models)}. {ALONE}"
        )
    return list(combinations(dict.fromkeys(models), 2))


def _numbers(table: pd.DataFrame, column: str) -> Array:
    return finite(table[column], f"Values of '{column}'")


def _measures(
    table: pd.DataFrame,
    statistic: str | Sequence[str] | Statistic,
    pairs: Sequence[tuple[str, str]],
    label: str,
) -> tuple[list[tuple[str, str, str]], list[Measure]]:
    """Return what each row of the result is, and how it is computed."""
    names: list[tuple[str, str, str]] = []
    made: list[Measure] = []
    wanted: Sequence[str | Statistic]
    single = isinstance(statistic, str) or not isinstance(statistic, Iterable)
    wanted = [statistic] if single else list(statistic)  # type: ignore
    for each in wanted:
        for a, b in pairs:
            x, y = _numbers(table, a), _numbers(table, b)
            if each == "mean":
                made.append(_additive(x - y))
                names.append(("mean", a, b))
                continue
            if label not in table:
                raise StatisticsError(f"There is no column '{label}'. Give label.")
            truth = _numbers(table, label)
            if callable(each):
                names.append((getattr(each, "__name__", "statistic"), a, b))
                made.append(_swapped(each, truth, x, y))
                continue
            kind = "regression" if each in ("mae", "r2") else "binary"
            metric = get_metric(each, kind)  # type: ignore[arg-type]
            names.append((each, a, b))
            columns = image_values(each)
            if columns is not None:
                made.append(_additive(columns(truth, x) - columns(truth, y)))
                continue
            if metric.ranks:
                x, y = rankdata(x), rankdata(y)
            made.append(_swapped(metric.value, truth, x, y))
    return names, made


def _additive(difference: Array) -> Measure:
    """Return a mean difference whose sign changes with the swap."""

    def measure(swaps: NDArray[np.bool_], codes: NDArray[np.intp]) -> Array:
        sums = np.bincount(codes, difference, swaps.shape[1]) / len(difference)
        return np.concatenate(
            [
                (1.0 - 2.0 * swaps[start : start + _BLOCK]) @ sums
                for start in range(0, len(swaps), _BLOCK)
            ]
        )

    return measure


def _swapped(statistic: Statistic, truth: Array, x: Array, y: Array) -> Measure:
    """Return a difference of statistics of swapped scores."""

    def measure(swaps: NDArray[np.bool_], codes: NDArray[np.intp]) -> Array:
        made = np.empty(len(swaps))
        for place, swap in enumerate(swaps):
            here = swap[codes]
            first, second = np.where(here, y, x), np.where(here, x, y)
            made[place] = float(statistic(truth, first)) - float(
                statistic(truth, second)
            )
        if not np.isfinite(made).all():
            raise StatisticsError(
                "The statistic is undefined on some permutations. Is a class absent?"
            )
        return made

    return measure


def _swaps(
    n_clusters: int, n_resamples: int, seed: int
) -> tuple[NDArray[np.bool_], bool]:
    """Return who is swapped in each permutation, nobody in the first."""
    if n_clusters - 1 <= math.log2(n_resamples):
        # The first cluster stays: swapping all changes the sign only.
        numbers = np.arange(2 ** (n_clusters - 1))[:, None]
        others = (numbers >> np.arange(n_clusters - 1)) & 1
        nobody = np.zeros((len(others), 1), dtype=bool)
        return np.hstack([nobody, others.astype(bool)]), True
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, 2, (n_resamples, n_clusters), dtype=np.int8).astype(bool)
    return np.vstack([np.zeros((1, n_clusters), dtype=bool), drawn]), False
