"""A statistic measured on a table, without each cluster, and on resamples of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clinicadl_trust.exceptions import StatisticsError, did_you_mean
from clinicadl_trust.stats.arrays import finite
from clinicadl_trust.stats.clustered import measure
from clinicadl_trust.stats.intervals import check_level
from clinicadl_trust.stats.metrics import get_metric
from clinicadl_trust.stats.options import check_choice, check_seed, check_whole
from clinicadl_trust.stats.resampling.draws import (
    BLOCK,
    Clusters,
    blocks,
    cluster_codes,
)
from clinicadl_trust.stats.resampling.quantiles import METHODS, Distribution, Method
from clinicadl_trust.stats.resampling.weighted import weighted_metric
from clinicadl_trust.stats.sample import Sample
from clinicadl_trust.stats.table import check_table
from clinicadl_trust.stats.units import unit_interval

__all__ = ["Resampling", "Statistic"]

Array = NDArray[np.float64]
#: From a table of rows to a number, or a number and its standard error.
Statistic = Callable[[pd.DataFrame], float | tuple[float, float]]

#: Share of resamples without the statistic that is worth a word.
_SHARE_UNDEFINED = 0.05


@dataclass
class Resampling:
    """What is drawn, and what is measured on each draw.

    Attributes
    ----------
    statistic, data, label, cluster, strata, within, method
        As in ``bootstrap``.
    scores : list of str
        One column, or those of two models whose difference is wanted.
    """

    statistic: str | Statistic
    data: pd.DataFrame
    scores: list[str]
    label: str
    cluster: str | Sequence[object] | None
    strata: str | Sequence[object] | None
    within: bool
    method: Method

    def __post_init__(self) -> None:
        check_choice("method", self.method, METHODS)
        if not isinstance(self.statistic, str) and not callable(self.statistic):
            raise StatisticsError(
                f"statistic={self.statistic!r} is neither the name of a metric nor a "
                "function of a table."
            )
        check_table(self.data)
        codes = cluster_codes(self.data, self.cluster, "cluster")
        strata = np.zeros(int(codes.max()) + 1, dtype=np.intp)
        if self.strata is not None:
            by_row = cluster_codes(self.data, self.strata, "strata")
            strata[codes] = by_row
            split = strata[codes] != by_row
            if split.any():
                raise StatisticsError(
                    f"{len(np.unique(codes[split]))} clusters lie in two strata. Whole "
                    "clusters are drawn within a stratum: stratify by what is the same "
                    "for all images of a cluster."
                )
        if len(strata) < 2:
            raise StatisticsError(
                "There is one cluster: nothing tells how another would differ. Give "
                "the column of participants, or of sites if there are several."
            )
        self.clusters = Clusters(codes, strata, self.within)
        if isinstance(self.statistic, str):
            self._numbers()

    def _numbers(self) -> None:
        kind = "regression" if self.statistic in ("mae", "r2") else "binary"
        self.metric = get_metric(str(self.statistic), kind)  # type: ignore[arg-type]
        for column in (self.label, *self.scores):
            if column not in self.data:
                raise StatisticsError(
                    f"There is no column '{column}'."
                    f"{did_you_mean(column, list(map(str, self.data.columns)))}"
                )
        leave = "Leave these images out first."
        self.y, *self.x = (
            finite(self.data[name], f"Values of '{name}'", leave)
            for name in (self.label, *self.scores)
        )

    # --- values -----------------------------------------------------------------------

    def distribution(self, n_resamples: int, seed: int, n_jobs: int) -> Distribution:
        """Measure the data, the data without each cluster, and the resamples.

        Raises
        ------
        StatisticsError
            If the statistic is undefined on the data or on every resample, or there
            are too few resamples.
        """
        check_whole("n_resamples", n_resamples, 99, "Use 999 or more for an interval.")
        check_seed(seed)
        if n_jobs != -1:
            check_whole("n_jobs", n_jobs, 1, "-1 is all processors.")
        value, _ = self._on_rows(np.arange(len(self.data)), self.clusters.codes)
        if not math.isfinite(value):
            raise StatisticsError(
                "The statistic is undefined on the data itself. Is a class absent?"
            )
        everything = list(blocks(seed, n_resamples))
        quick = self._quick()
        if n_jobs == 1:
            parts = [self._block(quick, *block) for block in everything]
        else:
            from joblib import Parallel, delayed

            parts = Parallel(n_jobs=n_jobs)(
                delayed(self._block)(quick, *block) for block in everything
            )
        resampled, errors = (np.concatenate(each) for each in zip(*parts, strict=True))
        self.undefined = float((~np.isfinite(resampled)).mean())
        keep = np.isfinite(resampled)
        if keep.sum() < 2:
            raise StatisticsError(
                "The statistic is undefined on every resample: each lacks a class. "
                "Draw within classes with strata."
            )
        jackknife = self._jackknife() if self.method == "bca" else np.empty(0)
        return Distribution(value, resampled[keep], jackknife, errors[keep])

    def _quick(self) -> Callable[[NDArray[np.int64]], Array] | None:
        """Return a function of counts of clusters, where the metric has one."""
        if not isinstance(self.statistic, str) or self.method == "studentized":
            return None
        kind = weighted_metric(self.statistic)
        if kind is None:
            return None
        units = np.arange(len(self.y)) if self.within else self.clusters.codes
        parts = [kind(self.y, x, units) for x in self.x]
        if len(parts) == 1:
            return parts[0]
        return lambda counts: parts[0](counts) - parts[1](counts)

    def _block(
        self,
        quick: Callable[[NDArray[np.int64]], Array] | None,
        rng: np.random.Generator,
        size: int,
    ) -> tuple[Array, Array]:
        drawn = self.clusters.draw(rng, size)
        if quick is not None:
            n = len(self.y) if self.within else self.clusters.n
            picked = drawn
            if self.within:
                rows = [self.clusters.rows(one, rng)[0] for one in drawn]
                counts = np.stack([np.bincount(one, minlength=n) for one in rows])
            else:
                flat = (picked + n * np.arange(size)[:, None]).ravel()
                counts = np.bincount(flat, minlength=n * size).reshape(size, n)
            return quick(counts), np.full(size, np.nan)
        made = [self._on_rows(*self.clusters.rows(one, rng)) for one in drawn]
        values, errors = np.array(made, dtype=float).reshape(size, 2).T
        return values, errors

    def _on_rows(
        self, rows: NDArray[np.intp], draws: NDArray[np.intp]
    ) -> tuple[float, float]:
        """Measure some rows; return the value and its standard error."""
        if isinstance(self.statistic, str):
            return self._metric_on(rows, draws)
        frame = self.data.iloc[rows].reset_index(drop=True)
        if isinstance(self.cluster, str):
            # Who is drawn twice is two people.
            frame[self.cluster] = draws
        if len(self.scores) == 1:
            made = self.statistic(frame)
            return _pair(made, self.method)
        values = [
            _pair(self.statistic(frame.assign(score=frame[name])), self.method)[0]
            for name in self.scores
        ]
        return values[0] - values[1], math.nan

    def _metric_on(
        self, rows: NDArray[np.intp], draws: NDArray[np.intp]
    ) -> tuple[float, float]:
        y = self.y[rows]
        if self.metric.undefined(y, self.x[0][rows]):
            return math.nan, math.nan
        sample = Sample(y, np.unique(draws, return_inverse=True)[1])
        first, *others = (measure(self.metric, sample, [x[rows]]) for x in self.x)
        for other in others:
            first = first.minus(other)
        return first.value, first.standard_error

    def _jackknife(self) -> Array:
        n = self.clusters.n
        quick = self._quick()
        if quick is not None and not self.within:
            parts = []
            for start in range(0, n, BLOCK):
                size = min(BLOCK, n - start)
                counts = np.ones((size, n), dtype=np.int64)
                counts[np.arange(size), start + np.arange(size)] = 0
                parts.append(quick(counts))
            return np.concatenate(parts)
        codes = self.clusters.codes
        everything = (np.flatnonzero(codes != number) for number in range(n))
        return np.array([self._on_rows(rows, codes[rows])[0] for rows in everything])

    # --- words ------------------------------------------------------------------------

    def interval(
        self, made: Distribution, level: float
    ) -> tuple[float, float, list[str]]:
        """Return the interval, and what is to be said of it."""
        check_level(level)
        warnings = []
        if self.undefined > _SHARE_UNDEFINED:
            warnings.append(
                f"The statistic is undefined on {self.undefined:.0%} of the resamples, "
                "which are left out: the interval is too short. Draw within classes "
                "with strata."
            )
        if made.is_degenerate:
            warnings.append(
                "Every resample gives the same value, so no interval can be told. For "
                "a metric at its limit, stats.roc_auc and stats.evaluate give one."
            )
            return math.nan, math.nan, warnings
        return *made.interval(self.method, level), warnings

    def few(self, level: float) -> str:
        """Say what few clusters cost, and offer the t interval."""
        text = (
            f"With {self.clusters.n} clusters a bootstrap interval is too short: it "
            "covers .79 with 4 clusters, .87 with 8, instead of .95."
        )
        codes = self.clusters.codes
        values = []
        for number in range(self.clusters.n):
            rows = np.flatnonzero(codes == number)
            try:
                values.append(self._on_rows(rows, codes[rows])[0])
            except (StatisticsError, ValueError, ZeroDivisionError):
                values.append(math.nan)
        if np.isfinite(values).all():
            t = unit_interval(values, level, unit="cluster")
            text += (
                " The t interval of the clusters' own values is "
                f"{t.value:.3f} [{t.low:.3f}, {t.high:.3f}]."
            )
        return text

    def name(self, n_resamples: int) -> str:
        """Describe the procedure."""
        kind = {"bca": "BCa"}.get(self.method, self.method)
        level = "clusters, and images within," if self.within else "whole clusters"
        if self.cluster is None:
            level = "rows"
        return f"{kind} bootstrap of {level}, {n_resamples} resamples"


def _pair(made: float | tuple[float, float], method: Method) -> tuple[float, float]:
    if method == "studentized":
        if not isinstance(made, tuple) or len(made) != 2:
            raise StatisticsError(
                "For method='studentized' the statistic must return a value and its "
                f"standard error; it returned {made!r}. Use method='bca' otherwise."
            )
        return float(made[0]), float(made[1])
    return float(made[0] if isinstance(made, tuple) else made), math.nan
