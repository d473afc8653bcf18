"""Shares of right answers, and their interval."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import numpy.typing as npt

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.arrays import finite
from clinicadl_trust.stats.intervals import (
    check_level,
    scaled_interval,
)
from clinicadl_trust.stats.joint import clustered_means
from clinicadl_trust.stats.options import check_choice
from clinicadl_trust.stats.results import Calibration, Estimate
from clinicadl_trust.stats.sample import Counts, Sample

__all__ = [
    "ENOUGH_CLUSTERS",
    "RARE",
    "as_answers",
    "clustered_share",
    "n_telling",
    "proportion",
]

Method = Literal["wilson", "clopper-pearson"]
_METHODS = ("wilson", "clopper-pearson")

#: Of the rarer answer, below which Wilson's interval covers .92 to .98 (down to .84
#: where it is hardly expected at all), by exact sums for 10 to 500 images; from here
#: on .93 to .97. With clusters it counts the participants that have such an answer:
#: below, the interval covers .93 to .99 (20 to 200 participants, ICC .1 to .8, shares
#: of .5 to .98). Or those on which two models differ: below, the test rejects .00 to
#: .04, and the interval covers .83 to .98.
RARE = 8

#: Participants below which clustered intervals and tests were not measured enough.
ENOUGH_CLUSTERS = 20


def proportion(
    successes: int | npt.ArrayLike,
    n: int | None = None,
    method: Method = "wilson",
    *,
    cluster: npt.ArrayLike | None = None,
    confidence_level: float = 0.95,
) -> Estimate:
    """Estimate a proportion, such as an accuracy.

    Parameters
    ----------
    successes : int or array-like of shape (n_images,)
        How many of ``n``; or 1 and 0 for each image, without ``n``.
    n : int, optional
        How many there are.
    method : {"wilson", "clopper-pearson"}
        Wilson's score interval covers the level on average (.93 to .97 from 8 right
        and 8 wrong answers on, calibrated; .92 to .98 with fewer, approximate);
        Clopper and Pearson's at least (up to .99). Neither is used with clusters.
    cluster : array-like of shape (n_images,), optional
        The participant of each image: the interval is then on the logit scale, with
        the cluster sandwich and t degrees of freedom. It covers .94 to .96 at ICCs of
        .2 to .8 with 30 participants or more (Wilson's of all images .60 to .88),
        .93 to .99 where fewer than 8 participants have one of the answers
        (conservative), .96 to .99 with 4 to 8 clusters (approximate).
    confidence_level : float
        For example .95.

    Returns
    -------
    Estimate
        Never of zero width.

    Raises
    ------
    StatisticsError
        If counts make no sense, or ``cluster`` is given with counts.

    References
    ----------
    Wilson, J. Am. Stat. Assoc. 22, 1927; Clopper and Pearson, Biometrika 26, 1934.
    """
    check_level(confidence_level)
    check_choice("method", method, _METHODS)
    each = _zeros_and_ones(successes, n)
    if cluster is not None:
        if each is None:
            raise StatisticsError(
                "With clusters give 1 or 0 for each image as successes, not counts: "
                "counts do not say whose images are right."
            )
        return _clustered(each, cluster, confidence_level)
    count, total = (
        (int(each.sum()), each.size) if each is not None else _counts(successes, n)
    )
    from statsmodels.stats.proportion import proportion_confint

    name = "wilson" if method == "wilson" else "beta"
    low, high = proportion_confint(count, total, 1 - confidence_level, name)
    share = count / total
    calibration: Calibration = "conservative"
    if method == "wilson":
        enough = min(count, total - count) >= RARE
        calibration = "calibrated" if enough else "approximate"
    return Estimate(
        value=share,
        low=float(low),
        high=float(high),
        confidence_level=confidence_level,
        standard_error=math.sqrt(share * (1 - share) / total),
        method="Wilson" if method == "wilson" else "Clopper and Pearson",
        calibration=calibration,
        n=total,
        n_clusters=total,
    )


def _clustered(
    each: np.ndarray, cluster: npt.ArrayLike, confidence_level: float
) -> Estimate:
    sample = Sample.make(each, cluster)
    counts = Counts.of(sample.cluster)
    value, error, df = clustered_share(each, sample)
    interval = scaled_interval(
        value,
        error,
        df,
        confidence_level,
        scale="logit",
        bounds=(0.0, 1.0),
        n_answers=float(counts.n_images),
        n_clusters=counts.n_effective,
    )
    return Estimate(
        value=value,
        low=interval.low,
        high=interval.high,
        confidence_level=confidence_level,
        standard_error=error,
        method="cluster sandwich, logit scale, t",
        calibration=_share_label(each, sample),
        n=each.size,
        n_clusters=counts.n_clusters,
        df=df,
    )


def n_telling(values: np.ndarray, sample: Sample) -> int:
    """Count the clusters whose values do not add up to 0."""
    return int((np.bincount(sample.cluster, values) != 0).sum())


def _share_label(each: np.ndarray, sample: Sample) -> Calibration:
    if sample.n_clusters < ENOUGH_CLUSTERS:
        return "approximate"
    rarer = min(n_telling(each, sample), n_telling(1.0 - each, sample))
    return "calibrated" if rarer >= RARE else "conservative"


def clustered_share(values: np.ndarray, sample: Sample) -> tuple[float, float, float]:
    """Return a mean, its clustered standard error and degrees of freedom.

    Raises
    ------
    StatisticsError
        If there is one cluster.
    """
    g = sample.n_clusters
    if g < 2:
        raise StatisticsError(
            "There is one cluster: nothing tells how another would differ."
        )
    means = clustered_means(values[:, None], sample)
    mean, error = float(means.values[0]), float(means.standard_errors[0])
    effective = Counts.of(sample.cluster).n_effective
    return mean, error, min(max(effective, 2.0), g) - 1.0


def _zeros_and_ones(successes: int | npt.ArrayLike, n: int | None) -> np.ndarray | None:
    if np.isscalar(successes) or successes is None:
        return None
    if n is not None:
        raise StatisticsError(
            "Give either counts (successes and n) or 1 and 0 for each image, not both."
        )
    return as_answers(successes)


def as_answers(values: npt.ArrayLike) -> np.ndarray:
    """Return 1 or 0 for each image as an array.

    Raises
    ------
    StatisticsError
        If a value is another.
    """
    array = finite(values, "Answers")
    wrong = array[~np.isin(array, [0, 1])]
    if wrong.size:
        raise StatisticsError(
            f"Answers must be 1 (right) or 0, and some are not, such as {wrong[0]:g}."
        )
    return array


def _counts(successes: object, n: int | None) -> tuple[int, int]:
    if n is None:
        raise StatisticsError(f"successes={successes} of how many? Give n, too.")
    try:
        count, total = float(successes), float(n)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        count = total = math.nan
    if not (0 <= count <= total and total >= 1) or count % 1 or total % 1:
        raise StatisticsError(
            f"{successes} successes of {n} make no sense: whole numbers, the first at "
            "most the second."
        )
    return int(count), int(total)
