"""How many participants a study needs."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Literal

import pandas as pd

from clinicadl_trust.exceptions import StatisticsError, did_you_mean
from clinicadl_trust.stats.intervals import check_level
from clinicadl_trust.stats.options import check_choice, check_number
from clinicadl_trust.stats.planning.goal import Design, Goal, smallest
from clinicadl_trust.stats.planning.pilot import from_pilot
from clinicadl_trust.stats.planning.spread import (
    FORMULAS,
    METRICS,
    NAMES,
    PlannedMetric,
    Spread,
    from_assumptions,
    planned,
)
from clinicadl_trust.stats.results import Calibration

__all__ = ["SampleSize", "required_sample_size"]


@dataclass(frozen=True)
class SampleSize:
    """How many participants are needed, and on what assumptions.

    Attributes
    ----------
    n_participants, n_images : int
        Needed.
    n_positive, n_negative : int or None
        Participants of each class (ROC AUC).
    design_effect : float
        By how much correlated images raise the variance.
    method : str
        What the plan is for, and the formula.
    calibration : {"calibrated", "conservative", "approximate"}
        Always approximate: a plan is no better than its assumptions.
    assumptions, warnings : tuple of str
        What was assumed, and what a reader must know.
    """

    n_participants: int
    n_images: int
    n_positive: int | None
    n_negative: int | None
    design_effect: float
    method: str
    calibration: Calibration
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return the plan as a table of one row."""
        row = {f.name: getattr(self, f.name) for f in fields(self)}
        row["assumptions"] = "; ".join(self.assumptions)
        row["warnings"] = " ".join(self.warnings)
        return pd.DataFrame([row])

    def __str__(self) -> str:
        classes = ""
        if self.n_positive is not None:
            classes = f" ({self.n_positive} positive, {self.n_negative} negative)"
        text = (
            f"{self.n_participants} participants{classes} with {self.n_images} images "
            f"are needed for {self.method}, assuming {'; '.join(self.assumptions)}."
        )
        return "\n".join([text, *(f"  ! {w}" for w in self.warnings)])


def required_sample_size(
    metric: PlannedMetric | str,
    *,
    width: float | None = None,
    power: float | None = None,
    value: float | None = None,
    difference: float | None = None,
    sd: float | None = None,
    correlation: float | None = None,
    pilot: pd.DataFrame | None = None,
    prevalence: float | None = None,
    images_per_participant: float | None = None,
    icc: float | None = None,
    participants_per_site: float | None = None,
    site_icc: float | None = None,
    confidence_level: float = 0.95,
    variance: Literal["hanley-mcneil", "obuchowski-mcclish"] = "hanley-mcneil",
) -> SampleSize:
    """Say how many participants an interval's width or a comparison's power needs.

    Give either ``width``, for one model, or ``power`` with ``difference``, for two
    models on the same images; and either what is expected or a ``pilot``.

    Parameters
    ----------
    metric : {"roc_auc", "proportion", "mean"}
        A mean is that of any value of an image, such as Dice. ``"auc"``, ``"dice"``
        and ``"accuracy"`` are understood.
    width : float
        Wanted from the lower to the upper end of the interval that ``roc_auc``,
        ``proportion`` or the t interval of a mean would have.
    power : float
        Wanted probability of finding the difference, two-sided at 1 -
        ``confidence_level``: paired AUCs, McNemar, paired t.
    value : float
        AUC or proportion expected, of the first model.
    difference : float
        First minus second model's value, the least that would matter. It is never
        taken from a pilot, whose own difference is mostly chance.
    sd : float
        Standard deviation of an image's value (mean).
    correlation : float
        Between the two AUCs, or the two models' values of an image.
    pilot : pandas.DataFrame, optional
        Columns ``participant_id``, ``score`` and for power ``score_b``. For the AUC
        ``label`` of 0 and 1, too; for a proportion ``score >= .5`` is compared with
        ``label``, or is itself what counts as right where there is none; for a mean
        ``score`` is the value. Value, variance, correlation and ICC come from it.
    prevalence : float, optional
        Share of positive participants (AUC); the pilot's, or .5.
    images_per_participant : float, optional
        Visits; the pilot's rounded mean, or 1.
    icc : float, optional
        Correlation of two images of a participant in what is averaged: the values, or
        for power their paired differences. Needed with several images without a pilot.
    participants_per_site, site_icc : float, optional
        Where sites are what is random: participants in each, and the correlation of two
        images of other participants of a site.
    confidence_level : float
        Of the interval.
    variance : {"hanley-mcneil", "obuchowski-mcclish"}
        Of an AUC: from exponential or from normal scores (greater where ratings are
        few).

    Returns
    -------
    SampleSize
        Its ``str`` is a sentence for a protocol. In our simulations, of a wanted power
        of .8 the paired AUC test planned from pilots of 150 to 200 participants had
        .79 to .82, and McNemar's .81; intervals of an AUC were on average .0964 wide
        for .1 (AUC .85), and .057 for .08 at AUC .95, where the formula is cautious.

    Raises
    ------
    StatisticsError
        If options contradict one another or one is absent or impossible.

    References
    ----------
    Hanley and McNeil, Radiology 143, 1982; Obuchowski and McClish, Stat. Med. 16, 1997;
    Connor, Biometrics 43, 1987 (McNemar); Kish, Survey Sampling, 1965 (design effect).
    """
    numbers = {"width": width, "power": power, "value": value, "sd": sd}
    numbers |= {"difference": difference, "correlation": correlation, "icc": icc}
    numbers |= {"prevalence": prevalence, "site_icc": site_icc}
    numbers |= {"images_per_participant": images_per_participant}
    numbers |= {"participants_per_site": participants_per_site}
    for name, number in numbers.items():
        if number is not None:
            check_number(name, number)
    metric = planned(metric)
    goal = _goal(metric, width, power, difference, confidence_level)
    _check(metric, variance, prevalence)
    if pilot is None:
        spread = from_assumptions(
            metric,
            value=value,
            difference=difference,
            sd=sd,
            correlation=correlation,
            prevalence=0.5 if prevalence is None else prevalence,
            variance=variance,
        )
    else:
        _refuse(value=value, sd=sd, correlation=correlation)
        spread = from_pilot(metric, pilot, difference, prevalence)
    design = Design.make(
        spread, images_per_participant, icc, participants_per_site, site_icc
    )
    return _plan(goal, spread, design)


def _plan(goal: Goal, spread: Spread, design: Design) -> SampleSize:
    n = smallest(goal, spread, design)
    positive = None
    if goal.metric == "roc_auc":
        positive = min(max(round(spread.prevalence * n), 2), n - 2)
    source = f", {spread.source}" if spread.source else ""
    return SampleSize(
        n_participants=n,
        n_images=math.ceil(n * design.images),
        n_positive=positive,
        n_negative=None if positive is None else n - positive,
        design_effect=design.effect,
        method=f"{goal}{source}",
        calibration="approximate",
        assumptions=(*spread.assumptions, *design.told(n)),
        warnings=(*spread.warnings, *design.warnings(n)),
    )


def _goal(
    metric: PlannedMetric,
    width: float | None,
    power: float | None,
    difference: float | None,
    level: float,
) -> Goal:
    check_level(level)
    if not isinstance(metric, str) or metric not in METRICS:
        raise StatisticsError(
            f"metric={metric!r} is unknown.{did_you_mean(metric, METRICS)} A Dice "
            "score is a 'mean'."
        )
    if (width is None) == (power is None):
        raise StatisticsError(
            f"Give either width or power, not {'both' if power else 'neither'}: a plan "
            "is for one interval's width, or for finding a difference."
        )
    if (power is None) != (difference is None):
        raise StatisticsError(
            "power needs difference, first minus second model, the least that would "
            "matter."
            if difference is None
            else "difference goes with power, not width."
        )
    if power is not None and not 1 - level < power < 1:
        raise StatisticsError(
            f"power={power:g} must lie between {1 - level:g} and 1, such as 0.8."
        )
    if width is not None and not 0 < width < (math.inf if metric == "mean" else 1.0):
        raise StatisticsError(f"width={width:g} must lie between 0 and 1, such as 0.1.")
    if difference == 0:
        raise StatisticsError("difference=0 cannot be found with any number.")
    return Goal(metric, width, power, difference, level)


def _check(metric: str, variance: str, prevalence: float | None) -> None:
    check_choice("variance", variance, FORMULAS)
    if prevalence is not None and metric != "roc_auc":
        raise StatisticsError(f"prevalence is for the ROC AUC, not a {NAMES[metric]}.")
    if prevalence is not None and not 0 < prevalence < 1:
        raise StatisticsError(f"prevalence={prevalence:g} must lie between 0 and 1.")


def _refuse(**given: float | None) -> None:
    for name, number in given.items():
        if number is not None:
            raise StatisticsError(
                f"{name}={number:g} and a pilot contradict one another: the pilot "
                f"tells it. Leave out {name}, or the pilot."
            )
