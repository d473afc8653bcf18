"""How much a metric, or a paired difference, varies from one image to the next."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, cast

from scipy import special

from clinicadl_trust.exceptions import StatisticsError

__all__ = [
    "FORMULAS",
    "METRICS",
    "NAMES",
    "PlannedMetric",
    "Spread",
    "auc_variance",
    "from_assumptions",
    "planned",
]

PlannedMetric = Literal["roc_auc", "proportion", "mean"]
METRICS = ("roc_auc", "proportion", "mean")

#: What they are called, too.
_ALSO: dict[str, PlannedMetric] = {
    "accuracy": "proportion",
    "auc": "roc_auc",
    "dice": "mean",
}

NAMES = {"roc_auc": "ROC AUC", "proportion": "proportion", "mean": "mean"}

FORMULAS = {
    "hanley-mcneil": "Hanley and McNeil (1982)",
    "obuchowski-mcclish": "Obuchowski and McClish (1997)",
}


@dataclass(frozen=True)
class Spread:
    """What a plan knows of the metric.

    Attributes
    ----------
    variance : callable
        From the number of independent images to the variance of the metric, or of the
        paired difference.
    value : float
        The metric expected, of the first model.
    discordant : float
        Share of images that only one of two models gets right; nan elsewhere.
    icc : float
        Correlation of two images of a participant; 0 where assumed by the caller.
    images : float
        Images of a participant.
    prevalence : float
        Share of positives; nan where labels do not matter.
    source : str
        Where the variance is from.
    assumptions, warnings : tuple of str
        For the protocol.
    """

    variance: Callable[[float], float]
    value: float
    source: str
    discordant: float = math.nan
    icc: float = 0.0
    images: float = 1.0
    prevalence: float = math.nan
    assumptions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def auc_variance(value: float, n_positive: float, n_negative: float, how: str) -> float:
    """Return the variance of an AUC by a formula."""
    if how == "hanley-mcneil":
        q1, q2 = value / (2.0 - value), 2.0 * value**2 / (1.0 + value)
        above = value * (1 - value) + (n_positive - 1) * (q1 - value**2)
        above += (n_negative - 1) * (q2 - value**2)
        return above / (n_positive * n_negative)
    square = 2.0 * float(special.ndtri(value)) ** 2
    ratio = n_negative / n_positive
    inside = 5 * square + 8 + (square + 8) / ratio
    return 0.0099 * math.exp(-square / 2.0) * inside / n_positive


def from_assumptions(
    metric: PlannedMetric,
    *,
    value: float | None,
    difference: float | None,
    sd: float | None,
    correlation: float | None,
    prevalence: float,
    variance: str,
) -> Spread:
    """Take the spread from what a user expects.

    Raises
    ------
    StatisticsError
        If a number that is needed is absent or impossible.
    """
    said: tuple[str, ...] = ()
    rho = 0.0
    if difference is not None:
        rho = _needed(correlation, "correlation", "between the two models", -1.0, 1.0)
        said = (f"correlation {rho:g} between the two models",)
    if metric == "mean":
        spread = _needed(sd, "sd", "of an image's value", 0.0, math.inf)
        square = spread**2 * (2.0 * (1.0 - rho) if difference is not None else 1.0)
        said = (f"standard deviation {spread:g}", *said)
        mean = math.nan if value is None else value
        return Spread(lambda n: square / n, mean, "", assumptions=said)
    first = _needed(value, "value", f"of the {NAMES[metric]}", 0.0, 1.0)
    second = first - (difference or 0.0)
    if not 0 < second < 1:
        raise StatisticsError(
            f"value={first:g} and difference={difference:g} put the second model at "
            f"{second:g}, and it must lie between 0 and 1."
        )
    said = (f"{NAMES[metric]} {first:g}", *said)
    if metric == "proportion":
        return _shares(first, second, difference, rho, said)
    said = (*said, f"{prevalence:g} of the participants positive")

    def of(n: float) -> float:
        n1, n0 = prevalence * n, (1.0 - prevalence) * n
        one, two = (auc_variance(a, n1, n0, variance) for a in (first, second))
        return one if difference is None else one + two - 2 * rho * math.sqrt(one * two)

    return Spread(
        of, first, FORMULAS[variance], prevalence=prevalence, assumptions=said
    )


def _shares(
    first: float,
    second: float,
    difference: float | None,
    rho: float,
    said: tuple[str, ...],
) -> Spread:
    """Spread of a share, or of the difference of two on the same images."""
    if difference is None:
        return Spread(lambda n: first * (1 - first) / n, first, "", assumptions=said)
    both = first * second
    both += rho * math.sqrt(first * (1 - first) * second * (1 - second))
    if not max(first + second - 1.0, 0.0) <= both <= min(first, second):
        raise StatisticsError(
            f"correlation={rho:g} is impossible between shares of {first:g} and "
            f"{second:g}: take one nearer to 0."
        )
    discordant = first + second - 2.0 * both
    return Spread(
        lambda n: (discordant - difference**2) / n,
        first,
        "McNemar, Connor (1987)",
        discordant,
        assumptions=(*said, f"{discordant:.3g} of the images right for one model only"),
    )


def _needed(
    given: float | None, name: str, what: str, low: float, high: float
) -> float:
    if given is None:
        raise StatisticsError(
            f"{name} is needed: what is expected {what}. Give it, or a pilot table."
        )
    if not low < given < high:
        raise StatisticsError(
            f"{name}={given:g} must lie between {low:g} and {high:g}, ends excluded."
        )
    return float(given)


def planned(metric: str) -> PlannedMetric:
    """Return the metric that a name means, an unknown one as it is.

    Parameters
    ----------
    metric : str
        One of ``METRICS``, or another name of it.
    """
    if not isinstance(metric, str):
        return metric  # refused by those who need one
    known = metric.lower()
    return _ALSO.get(known, cast(PlannedMetric, known))
