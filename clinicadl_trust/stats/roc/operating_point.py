"""Sensitivity where the specificity is fixed, with the threshold's own uncertainty."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.arrays import as_numbers
from clinicadl_trust.stats.clustered import Measured, measure
from clinicadl_trust.stats.held_out import is_constant
from clinicadl_trust.stats.intervals import check_level, scaled_interval
from clinicadl_trust.stats.labels import say_few
from clinicadl_trust.stats.metric import Metric
from clinicadl_trust.stats.options import check_number
from clinicadl_trust.stats.results import Calibration, Estimate
from clinicadl_trust.stats.sample import Counts, Sample, binary_sample

__all__ = ["sensitivity_at_specificity"]

#: The slope of the curve is that over so many standard errors of the specificity on
#: either side: over 1.96 the interval covers .98 to 1.00 with 30 to 50 images a class,
#: over 1 it covers .94.
_REACH = 1.5

#: Fewer participants than this beyond the threshold do not tell where it is.
_FEW_BEYOND = 5


_TIED = (
    "Every image has the same score, which has no threshold: the value is what "
    "flagging images at random would give."
)


def sensitivity_at_specificity(
    label: npt.ArrayLike,
    score: npt.ArrayLike,
    specificity: float = 0.9,
    cluster: npt.ArrayLike | None = None,
    *,
    confidence_level: float = 0.95,
) -> Estimate:
    """Estimate the sensitivity at the threshold that has a given specificity.

    The threshold is found on the same images, so it varies from sample to sample, too.
    An interval that takes it for fixed covers .76 to .90.

    Parameters
    ----------
    label : array-like of shape (n_images,)
        1 for positive, 0 for negative.
    score : array-like of shape (n_images,)
        Greater for positive.
    specificity : float
        Wanted share of negatives below the threshold, between 0 and 1.
    cluster : array-like of shape (n_images,), optional
        The participant of each image. Without it every image is taken for another
        participant.
    confidence_level : float
        Of the interval.

    Returns
    -------
    Estimate
        The point of the empirical ROC curve, joined linearly where scores are tied, as
        in pROC. Each image's influence on it (that of a negative goes through the
        threshold, times the slope of the curve) is summed by participant; the interval
        is on the logit scale with t degrees of freedom. In 1,000 simulated test groups
        each (20 to 200 participants a class, 1 to 5 images, AUC .75 to .95, normal,
        skewed and five-level scores) it covered .943 to .998, the most where fewer than
        five negatives lie beyond the threshold, which a warning tells.

    Raises
    ------
    StatisticsError
        If ``specificity`` is not between 0 and 1, a class is absent, or a value is
        missing.

    References
    ----------
    Linnet, Clin. Chem. 33, 1987 (why the threshold counts); Hsieh and Turnbull, Ann.
    Stat. 24, 1996 (the variance); Obuchowski, Biometrics 53, 1997 (sums by cluster).
    """
    check_level(confidence_level)
    if not 0 < check_number("specificity", specificity) < 1:
        hint = f" Write {specificity / 100:g}." if 1 < specificity < 100 else ""
        raise StatisticsError(
            f"A specificity lies between 0 and 1, not {specificity:g}.{hint}"
        )
    sample = binary_sample(label, cluster)
    scores = as_numbers(score, "Scores")
    measured = measure(_metric(specificity), sample, [scores])
    return _estimate(measured, sample, scores, specificity, confidence_level)


def _estimate(
    measured: Measured,
    sample: Sample,
    score: np.ndarray,
    specificity: float,
    level: float,
) -> Estimate:
    positive = sample.classes[1.0]
    interval = scaled_interval(
        measured.value,
        measured.standard_error,
        measured.df,
        level,
        scale="logit",
        bounds=(0.0, 1.0),
        n_answers=float(positive.n_images),
        n_clusters=positive.n_effective,
    )
    beyond = round((1.0 - specificity) * sample.classes[0.0].n_effective, 9)
    curve = _Curve.of(sample.label, score)
    at = curve.threshold[curve.place(1.0 - specificity)[0]]
    at = f"score >= {at:.4g}" if math.isfinite(at) else "above all scores"
    return Estimate(
        value=measured.value,
        low=interval.low,
        high=interval.high,
        confidence_level=level,
        standard_error=measured.standard_error,
        method=f"sensitivity at specificity {specificity:g} ({at}), "
        "threshold estimated, clustered influence, logit scale, t",
        calibration=_label(measured.smallest, beyond),
        n=sample.label.size,
        n_clusters=sample.n_clusters,
        warnings=_warnings(measured.smallest, beyond, specificity, score),
        df=measured.df,
    )


def _warnings(
    smallest: Counts, beyond: float, specificity: float, score: np.ndarray
) -> tuple[str, ...]:
    warnings = say_few(_metric(specificity), smallest)
    if is_constant(score):
        warnings += (_TIED,)
    if beyond < _FEW_BEYOND:
        warnings += (
            f"About {beyond:.1f} negative participants lie beyond the threshold: too "
            "few to say where it is. Ask for a lower specificity, or more negatives.",
        )
    return warnings


def _label(smallest: Counts, beyond: float) -> Calibration:
    enough = beyond >= _FEW_BEYOND and smallest.n_effective >= 20
    return "conservative" if enough else "approximate"


def _metric(specificity: float) -> Metric:
    return Metric(
        name="sensitivity_at_specificity",
        title=f"Sensitivity at specificity {specificity:g}",
        task="binary",
        influence=partial(_influence, specificity=specificity),
        scale="logit",
        bounds=(0.0, 1.0),
        classes=None,
        stratified=True,
    )


@dataclass(frozen=True)
class _Curve:
    """The empirical ROC curve: one point a threshold, from (0, 0)."""

    threshold: np.ndarray
    fpr: np.ndarray
    tpr: np.ndarray

    @classmethod
    def of(cls, label: np.ndarray, score: np.ndarray) -> _Curve:
        threshold = np.append(np.inf, np.unique(score)[::-1])
        rates = []
        for code in (0, 1):
            own = np.sort(score[label == code])
            rates.append(1.0 - np.searchsorted(own, threshold) / own.size)
        return cls(threshold, *rates)

    def place(self, fpr: float) -> tuple[int, float]:
        """Return the last point not beyond a rate, and the share of the next step."""
        i = int(np.searchsorted(self.fpr, fpr + 1e-12, side="right")) - 1
        return i, max((fpr - self.fpr[i]) / (self.fpr[i + 1] - self.fpr[i]), 0.0)

    def slope(self, fpr: float, reach: float) -> float:
        """Return the mean slope around a rate, through the middles of the steps."""
        x, first = np.unique(self.fpr, return_index=True)
        last = np.append(first[1:], self.fpr.size) - 1
        middle = (self.tpr[first] + self.tpr[last]) / 2.0
        ends = np.clip([fpr - reach, fpr + reach], 0.0, 1.0)
        return float(np.diff(np.interp(ends, x, middle))[0] / np.diff(ends)[0])


def _influence(
    label: np.ndarray, score: np.ndarray, specificity: float
) -> tuple[float, np.ndarray]:
    curve, fpr, positive = _Curve.of(label, score), 1.0 - specificity, label == 1
    i, share = curve.place(fpr)
    flagged = (1.0 - share) * (score >= curve.threshold[i])
    flagged += share * (score >= curve.threshold[i + 1])
    n_positive, n_negative = positive.sum(), (~positive).sum()
    value = float(flagged[positive].mean())
    reach = _REACH * math.sqrt(fpr * specificity / n_negative)
    # One more negative above the threshold raises it, and the sensitivity falls.
    of_negative = -curve.slope(fpr, reach) * (flagged - flagged[~positive].mean())
    of_positive = flagged - value
    return value, np.where(positive, of_positive / n_positive, of_negative / n_negative)
