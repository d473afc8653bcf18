"""Two models' right answers on the same images: McNemar's test, also clustered."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy import stats as distributions

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.estimands import PATIENT
from clinicadl_trust.stats.intervals import (
    alike_interval,
    check_level,
    disagreement,
    sign_p_value,
    t_interval,
    t_p_value,
)
from clinicadl_trust.stats.proportions import (
    ENOUGH_CLUSTERS,
    RARE,
    as_answers,
    clustered_share,
    n_telling,
)
from clinicadl_trust.stats.results import Calibration, Comparison
from clinicadl_trust.stats.sample import Sample

__all__ = ["mcnemar"]

_ALIKE = (
    "Every cluster tells the two models apart alike: the interval and the p-value are "
    "the cautious ones of a sign test over clusters."
)

#: Discordant pairs below which McNemar's test is exact.
_FEW = 25


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
    a, b = (as_answers(values) for values in (correct_a, correct_b))
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
        warnings=disagreement(low, high, p_value, confidence_level) if exact else (),
        confidence_level=confidence_level,
        standard_error=error,
    )


def _clustered_difference(
    difference: np.ndarray, sample: Sample, confidence_level: float
) -> Comparison:
    effect, error, df = clustered_share(difference, sample)
    interval = t_interval(effect, error, df, confidence_level, (-1.0, 1.0))
    statistic = effect / error if error > 0 else math.nan
    warnings: tuple[str, ...] = ()
    p_value = t_p_value(statistic, df)
    enough = sample.n_clusters >= ENOUGH_CLUSTERS
    enough = enough and n_telling(difference, sample) >= RARE
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
