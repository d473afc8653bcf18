"""What each participant adds to a metric, and the variance that follows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.metric import Metric, n_classes
from clinicadl_trust.stats.sample import Counts, Sample

__all__ = ["Measured", "measure"]


@dataclass(frozen=True)
class Measured:
    """A metric on a sample, and what each cluster adds to it.

    Attributes
    ----------
    value : float
        The metric, or the difference of two.
    parts : numpy.ndarray of shape (n_clusters, n_strata)
        Sums of influences by cluster and stratum.
    counts : numpy.ndarray of shape (n_strata,)
        Clusters that each stratum rests on.
    smallest : Counts
        Of the class with the fewest effective clusters: what a conclusion rests on.
    n_answers : float
        Yes-or-no answers that the images are worth at most, 0 where the metric is
        not a share.
    """

    value: float
    parts: np.ndarray
    counts: np.ndarray
    smallest: Counts
    n_answers: float

    @property
    def df(self) -> float:
        """Degrees of freedom for t, one at least where there are two clusters.

        Those of the smallest class: with few patients and many controls the
        variance is known no better than the patients' share of it. Nor is it where a
        few patients have most of the images, so these count as fewer.
        """
        return min(max(self.smallest.n_effective, 2.0), self.smallest.n_clusters) - 1.0

    @property
    def standard_error(self) -> float:
        """Root of the clustered variance, nan with a single cluster in a class.

        Obuchowski's formula (1997, Biometrics 53, 567-578) written for sums: each
        stratum has its own factor n / (n - 1), and the products between strata that
        of all clusters. With one stratum it is the usual cluster sandwich.
        """
        n_all = len(self.parts)
        if self.smallest.n_clusters < 2:
            return math.nan
        own = (self.parts**2).sum(axis=0)
        between = (self.parts.sum(axis=1) ** 2).sum() - own.sum()
        variance = (own * self.counts / (self.counts - 1)).sum()
        variance += between * n_all / (n_all - 1)
        # Rounding leaves about 1e-17 of an influence that is 0.
        tiny = 1e-15 * max(abs(self.value), 1.0)
        return 0.0 if variance <= tiny**2 else math.sqrt(variance)

    def minus(self, other: Measured) -> Measured:
        """Return the difference from another metric of the same images."""
        value, parts = self.value - other.value, self.parts - other.parts
        return replace(self, value=value, parts=parts)


def measure(metric: Metric, sample: Sample, scores: Sequence[np.ndarray]) -> Measured:
    """Compute a metric and its clusters' parts, averaged over the seeds of a model.

    Parameters
    ----------
    metric : Metric
        What to compute.
    sample : Sample
        Labels and clusters.
    scores : sequence of numpy.ndarray of shape (n_images,) or (n_images, n_classes)
        One per seed.

    Raises
    ------
    StatisticsError
        If the metric is undefined on these images, or a score is not finite.
    """
    problem = _problem(metric, sample, scores)
    if problem:
        raise StatisticsError(f"{metric.title} cannot be computed: {problem}.")
    values, parts = [], []
    needed = metric.needed(scores[0])
    for score in scores:
        value, influence = metric.influence(sample.label, score)
        values.append(value)
        parts.append(_parts(metric, sample, score, influence, needed))
    regression = metric.is_of_quantities
    among = [] if regression else [sample.classes[k] for k in needed or sample.classes]
    whole = Counts.of(sample.cluster)
    counts = among if metric.stratified else [whole]
    n_images = sum(each.n_images for each in among)
    return Measured(
        value=float(np.mean(values)),
        parts=np.mean(parts, axis=0),
        counts=np.array([each.n_clusters for each in counts]),
        smallest=min(among or [whole], key=lambda each: each.n_effective),
        n_answers=metric.answers * n_images * (n_classes(scores[0]) - 1),
    )


def _problem(metric: Metric, sample: Sample, scores: Sequence[np.ndarray]) -> str:
    if not scores:
        return "there are no scores"
    for score in scores:
        if len(score) != sample.label.size:
            return f"there are {sample.label.size} labels and {len(score)} scores"
        if not np.isfinite(score).all():
            return f"{int((~np.isfinite(score)).sum())} scores are not finite"
    reason = metric.undefined(sample.label, scores[0])
    return f"on these images {reason}" if reason else ""


def _parts(
    metric: Metric,
    sample: Sample,
    score: np.ndarray,
    influence: np.ndarray,
    needed: tuple[int, ...],
) -> np.ndarray:
    n_clusters = sample.n_clusters
    if metric.jackknife is not None:
        jackknife = metric.jackknife(sample.label, score, sample.cluster, n_clusters)
        return jackknife[:, None]
    if not metric.stratified:
        return np.bincount(sample.cluster, influence, n_clusters)[:, None]
    columns = [
        np.bincount(sample.cluster, influence * (sample.label == code), n_clusters)
        for code in needed
    ]
    return np.stack(columns, axis=1)
