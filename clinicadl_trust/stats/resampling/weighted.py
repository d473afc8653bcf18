"""Metrics of many resamples at once: each image counts as often as it was drawn."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from clinicadl_trust.stats.influence import THRESHOLD

__all__ = ["Weighted", "image_values", "weighted_metric"]

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

#: Images whose counts single precision holds exactly, halves and repeats included.
_EXACT = 2**18


class Weighted(ABC):
    """A metric of images that count several times or not at all.

    Parameters
    ----------
    label, score : ndarray of float, shape (n_images,)
        0 or 1 (or a true value), and the prediction.
    cluster : ndarray of int, shape (n_images,)
        Number of each image's cluster.
    """

    def __init__(self, label: Array, score: Array, cluster: NDArray[np.intp]) -> None:
        self.n_clusters = int(cluster.max()) + 1 if len(cluster) else 0
        self._prepare(label, score, cluster)

    @abstractmethod
    def _prepare(
        self, label: Array, score: Array, cluster: NDArray[np.intp]
    ) -> None: ...

    @abstractmethod
    def __call__(self, counts: Counts) -> Array:
        """Return the metric of each resample.

        Parameters
        ----------
        counts : ndarray of int, shape (n_resamples, n_clusters)
            How often each cluster was drawn.

        Returns
        -------
        ndarray of float, shape (n_resamples,)
            nan where the metric is undefined.
        """


class _RocAuc(Weighted):
    """Share of pairs of a positive and a negative in the right order; ties half."""

    def _prepare(self, label: Array, score: Array, cluster: NDArray[np.intp]) -> None:
        positive = label == 1
        negatives = np.sort(score[~positive])
        order = np.argsort(score[~positive], kind="stable")
        self._negative = cluster[~positive][order]
        # Positives with as many negatives below and tied count together.
        low = np.searchsorted(negatives, score[positive], side="left")
        high = np.searchsorted(negatives, score[positive], side="right")
        by_rank = np.lexsort((high, low))
        self._positive = cluster[positive][by_rank]
        self._low, self._high = low[by_rank], high[by_rank]
        self._tied = bool((self._low != self._high).any())

    def __call__(self, counts: Counts) -> Array:
        kind = np.float32 if len(self._negative) < _EXACT else np.float64
        drawn = counts.astype(kind)
        below = np.zeros((len(counts), len(self._negative) + 1), dtype=kind)
        negative = np.take(drawn, self._negative, axis=1)
        np.cumsum(negative, axis=1, out=below[:, 1:])
        positive = np.take(drawn, self._positive, axis=1)
        right = np.take(below, self._low, axis=1)
        if self._tied:
            right += np.take(below, self._high, axis=1)
            right *= 0.5
        found = np.einsum("bi,bi->b", positive, right, dtype=np.float64)
        pairs = positive.sum(axis=1, dtype=np.float64) * below[:, -1]
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(pairs > 0, found / pairs, np.nan)


class _Sums(Weighted):
    """A function of sums over images."""

    #: From label and score to the columns that are summed.
    columns: Callable[[Array, Array], list[Array]]
    #: From the sums to the metric.
    value: Callable[..., Array]

    def _prepare(self, label: Array, score: Array, cluster: NDArray[np.intp]) -> None:
        self._by_cluster = np.column_stack(
            [
                np.bincount(cluster, column, self.n_clusters)
                for column in type(self).columns(label, score)
            ]
        )

    def __call__(self, counts: Counts) -> Array:
        sums = counts @ self._by_cluster
        with np.errstate(invalid="ignore", divide="ignore"):
            values = type(self).value(*sums.T)
        return np.where(np.isfinite(values), values, np.nan)


class _Mean(_Sums):
    each: Callable[[Array, Array], Array]

    @classmethod
    def columns(cls, label: Array, score: Array) -> list[Array]:  # type: ignore[override]
        return [cls.each(label, score), np.ones_like(label)]

    @staticmethod
    def value(total: Array, n: Array) -> Array:  # type: ignore[override]
        return total / n


class _Brier(_Mean):
    @staticmethod
    def each(label: Array, score: Array) -> Array:  # type: ignore[override]
        return (score - label) ** 2


class _Mae(_Mean):
    @staticmethod
    def each(label: Array, score: Array) -> Array:  # type: ignore[override]
        return np.abs(score - label)


class _Sensitivity(_Sums):
    @staticmethod
    def columns(label: Array, score: Array) -> list[Array]:  # type: ignore[override]
        return [((score >= THRESHOLD) & (label == 1)) * 1.0, (label == 1) * 1.0]

    @staticmethod
    def value(found: Array, n: Array) -> Array:  # type: ignore[override]
        return found / n


class _Specificity(_Sensitivity):
    @staticmethod
    def columns(label: Array, score: Array) -> list[Array]:  # type: ignore[override]
        return [((score < THRESHOLD) & (label == 0)) * 1.0, (label == 0) * 1.0]


class _BalancedAccuracy(_Sums):
    @staticmethod
    def columns(label: Array, score: Array) -> list[Array]:  # type: ignore[override]
        return [
            *_Sensitivity.columns(label, score),
            *_Specificity.columns(label, score),
        ]

    @staticmethod
    def value(true: Array, positive: Array, false: Array, negative: Array) -> Array:  # type: ignore[override]
        return (true / positive + false / negative) / 2


class _R2(_Sums):
    @staticmethod
    def columns(label: Array, score: Array) -> list[Array]:  # type: ignore[override]
        centred = label - label.mean()
        return [(score - label) ** 2, centred, centred**2, np.ones_like(label)]

    @staticmethod
    def value(error: Array, first: Array, second: Array, n: Array) -> Array:  # type: ignore[override]
        return 1 - error / (second - first**2 / n)


_METRICS: dict[str, type[Weighted]] = {
    "roc_auc": _RocAuc,
    "brier": _Brier,
    "mae": _Mae,
    "sensitivity": _Sensitivity,
    "specificity": _Specificity,
    "balanced_accuracy": _BalancedAccuracy,
    "r2": _R2,
}


def weighted_metric(name: str) -> type[Weighted] | None:
    """Return the quick form of a metric, None where there is none."""
    return _METRICS.get(name)


def image_values(name: str) -> Callable[[Array, Array], Array] | None:
    """Return a function of label and score to each image's share of a mean.

    None for metrics that are no mean over all images.
    """
    kind = _METRICS.get(name)
    if kind is None or not issubclass(kind, _Mean):
        return None
    return kind.each
