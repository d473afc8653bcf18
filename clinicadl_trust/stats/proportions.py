"""Shares of right answers: their interval, and two models' compared."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import stats as distributions

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.arrays import finite
from clinicadl_trust.stats.estimands import PATIENT
from clinicadl_trust.stats.intervals import (
    alike_interval,
    check_level,
    scaled_interval,
    sign_p_value,
    t_interval,
    t_p_value,
)
from clinicadl_trust.stats.joint import clustered_means
from clinicadl_trust.stats.options import check_choice
from clinicadl_trust.stats.results import Calibration, Comparison, Estimate
from clinicadl_trust.stats.sample import Counts, Sample

__all__ = ["mcnemar", "proportion"]

Method = Literal["wilson", "clopper-pearson"]
_METHODS = ("wilson", "clopper-pearson")

#: Of the rarer answer, below which Wilson's interval covers .92 to .98 (down to .84
#: where it is hardly expected at all), by exact sums for 10 to 500 images; from here
#: on .93 to .97. With clusters it counts the participants that have such an answer:
#: below, the interval covers .93 to .99 (20 to 200 participants, ICC .1 to .8, shares
#: of .5 to .98). Or those on which two models differ: below, the test rejects .00 to
#: .04, and the interval covers .83 to .98.
_RARE = 8

#: Participants below which clustered intervals and tests were not measured enough.
_ENOUGH_CLUSTERS = 20

_ALIKE = (
    "Every cluster tells the two models apart alike: the interval and the p-value are "
    "the cautious ones of a sign test over clusters."
)

#: Discordant pairs below which McNemar's test is exact.
_FEW = 25


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
        enough = min(count, total - count) >= _RARE
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


def mcnemar(
    correct_a: npt.ArrayLike,
    correct_b: npt.ArrayLike,
    cluster: npt.ArrayLike | None = None,
    *,
    confidence_level: float = 0.95,
) -> Comparison:
    """Compare how often two models are right on the same images.

    Parameters
    ----------
    correct_a, correct_b : array-like of shape (n_images,)
        1 where the model is right, 0 where not.
    cluster : array-like of shape (n_images,), optional
        The participant of each image.
    confidence_level : float
        Of the interval.

    Returns
    -------
    Comparison
        The difference of the shares, first minus second. Without clusters the p-value
        is McNemar's, exact below 25 discordant pairs (conservative: it rejects .021 at
        5 % with 10), and the interval that of Agresti and Min; with clusters both come
        from the cluster sandwich: it rejects .04 to .06 (McNemar's of all images .16 to
        .37). Where the models differ on fewer than 8 participants it rejects .00 to
        .04 and the interval covers .83 to .98 (approximate).

    Raises
    ------
    StatisticsError
        If a value is neither 0 nor 1, or lengths differ.

    References
    ----------
    McNemar, Psychometrika 12, 1947; Agresti and Min, Stat. Med. 24, 2005; Obuchowski,
    Stat. Med. 17, 1998 (clusters).
    """
    check_level(confidence_level)
    a, b = (_answers(values) for values in (correct_a, correct_b))
    if a.shape != b.shape:
        raise StatisticsError(
            f"There are {a.size} answers of the first model and {b.size} of the second."
        )
    sample = Sample.make(a, cluster)
    difference = a - b
    effect = float(difference.mean())
    if sample.is_clustered:
        return _clustered_difference(difference, sample, confidence_level)
    only_a, only_b = int((difference > 0).sum()), int((difference < 0).sum())
    discordant = only_a + only_b
    exact = discordant < _FEW
    statistic = math.nan if exact else (only_a - only_b) ** 2 / discordant
    p_value = (
        float(
            min(1.0, 2 * distributions.binom.cdf(min(only_a, only_b), discordant, 0.5))
        )
        if exact
        else float(distributions.chi2.sf(statistic, 1))
    )
    low, high = _agresti_min(only_a, only_b, a.size, confidence_level)
    error = math.sqrt(max(discordant - (only_a - only_b) ** 2 / a.size, 0)) / a.size
    return Comparison(
        effect=effect,
        low=low,
        high=high,
        p_value=p_value,
        statistic=statistic,
        df=math.nan if exact else 1.0,
        method=f"McNemar's {'exact ' if exact else ''}test, Agresti and Min's interval",
        calibration="conservative" if exact else "calibrated",
        estimand=PATIENT,
        n=a.size,
        n_clusters=a.size,
        confidence_level=confidence_level,
        standard_error=error,
    )


def _clustered(
    each: np.ndarray, cluster: npt.ArrayLike, confidence_level: float
) -> Estimate:
    sample = Sample.make(each, cluster)
    counts = Counts.of(sample.cluster)
    value, error, df = _sandwich(each, sample)
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


def _having(values: np.ndarray, sample: Sample) -> int:
    """Count the clusters whose values do not add up to 0."""
    return int((np.bincount(sample.cluster, values) != 0).sum())


def _share_label(each: np.ndarray, sample: Sample) -> Calibration:
    if sample.n_clusters < _ENOUGH_CLUSTERS:
        return "approximate"
    rarer = min(_having(each, sample), _having(1.0 - each, sample))
    return "calibrated" if rarer >= _RARE else "conservative"


def _sandwich(values: np.ndarray, sample: Sample) -> tuple[float, float, float]:
    """Return a mean, its clustered standard error and degrees of freedom."""
    g = sample.n_clusters
    if g < 2:
        raise StatisticsError(
            "There is one cluster: nothing tells how another would differ."
        )
    means = clustered_means(values[:, None], sample)
    mean, error = float(means.values[0]), float(means.standard_errors[0])
    effective = Counts.of(sample.cluster).n_effective
    return mean, error, min(max(effective, 2.0), g) - 1.0


def _clustered_difference(
    difference: np.ndarray, sample: Sample, confidence_level: float
) -> Comparison:
    effect, error, df = _sandwich(difference, sample)
    interval = t_interval(effect, error, df, confidence_level, (-1.0, 1.0))
    statistic = effect / error if error > 0 else math.nan
    warnings: tuple[str, ...] = ()
    p_value = t_p_value(statistic, df)
    enough = sample.n_clusters >= _ENOUGH_CLUSTERS
    enough = enough and _having(difference, sample) >= _RARE
    calibration: Calibration = "calibrated" if enough else "approximate"
    if error == 0:
        interval = alike_interval(effect, df + 1.0, confidence_level)
        p_value = sign_p_value(effect, df + 1.0)
        warnings, calibration = (_ALIKE,), "conservative"
    return Comparison(
        effect=effect,
        low=interval.low,
        high=interval.high,
        p_value=p_value,
        statistic=statistic,
        df=df,
        method="difference of shares, cluster sandwich, t",
        calibration=calibration,
        estimand=PATIENT,
        n=difference.size,
        n_clusters=sample.n_clusters,
        warnings=warnings,
        confidence_level=confidence_level,
        standard_error=error,
    )


def _agresti_min(
    only_a: int, only_b: int, n: int, confidence_level: float
) -> tuple[float, float]:
    """Wald's interval after half a pair is added to each cell."""
    p, q, size = (only_a + 0.5) / (n + 2), (only_b + 0.5) / (n + 2), n + 2
    z = float(distributions.norm.ppf((1 + confidence_level) / 2))
    half = z * math.sqrt((p + q - (p - q) ** 2) / size)
    return max(p - q - half, -1.0), min(p - q + half, 1.0)


def _zeros_and_ones(successes: int | npt.ArrayLike, n: int | None) -> np.ndarray | None:
    if np.isscalar(successes) or successes is None:
        return None
    if n is not None:
        raise StatisticsError(
            "Give either counts (successes and n) or 1 and 0 for each image, not both."
        )
    return _answers(successes)


def _answers(values: npt.ArrayLike) -> np.ndarray:
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
