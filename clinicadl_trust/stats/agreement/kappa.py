"""Agreement of two raters on labels: Cohen's kappa."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import stats as distributions

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.arrays import as_ids
from clinicadl_trust.stats.intervals import check_level, extreme_share
from clinicadl_trust.stats.options import check_choice
from clinicadl_trust.stats.results import Estimate

__all__ = ["cohen_kappa"]

_WEIGHTS = ("linear", "quadratic")

_LEAVE = "Leave these images out first."
_ONE_CLASS = (
    "One rater gives every image the same label: kappa is 0 whatever the other says, "
    "and tells nothing of their agreement."
)
_NO_ERROR = (
    "Each label of one rater goes with one label of the other, never the same: nothing "
    "tells how much kappa varies, and no interval can be given."
)
_PERFECT = (
    "The raters agree on every image: the interval is a cautious one, from the share "
    "of disagreements that so many images do not rule out."
)


def cohen_kappa(
    rater_a: npt.ArrayLike,
    rater_b: npt.ArrayLike,
    *,
    weights: Literal["linear", "quadratic"] | None = None,
    confidence_level: float = 0.95,
) -> Estimate:
    """Agreement of two raters beyond chance.

    Parameters
    ----------
    rater_a, rater_b : array-like of shape (n_images,)
        Their labels, of any kind; sorted, where weights need an order.
    weights : {"linear", "quadratic"} or None
        How much worse a disagreement by two classes is than by one.
    confidence_level : float
        Of the interval, which is a normal approximation.

    Returns
    -------
    Estimate
        By statsmodels' definitions (Fleiss, Cohen and Everitt 1969). Approximate: it
        covers .92 to .94 at a kappa of .4 to .6 with 30 to 100 images, .88 to .92 at
        .8 with 50 to 200.

    Raises
    ------
    StatisticsError
        If lengths differ, a label is missing, or there is one class.
    """
    check_level(confidence_level)
    if weights is not None:
        check_choice("weights", weights, _WEIGHTS)
    table = _crossed(rater_a, rater_b)
    from statsmodels.stats.inter_rater import cohens_kappa

    with np.errstate(invalid="ignore", divide="ignore"):
        made = cohens_kappa(table, wt="fc" if weights == "quadratic" else weights)
    z = float(distributions.norm.ppf((1 + confidence_level) / 2))
    value, error = float(made.kappa), float(made.std_kappa)
    low, high = max(value - z * error, -1.0), min(value + z * error, 1.0)
    warnings: tuple[str, ...] = ()
    if min((table.sum(axis=axis) > 0).sum() for axis in (0, 1)) == 1:
        value, error, low, high = 0.0, math.nan, math.nan, math.nan
        warnings = (_ONE_CLASS,)
    elif not (table - np.diag(np.diag(table))).any():
        low, warnings = _perfect(table, weights, confidence_level), (_PERFECT,)
    elif not error > 1e-9:
        low, high, warnings = math.nan, math.nan, (_NO_ERROR,)
    return Estimate(
        value=value,
        low=low,
        high=high,
        confidence_level=confidence_level,
        standard_error=error,
        method=f"Cohen's {weights + ' weighted ' if weights else ''}kappa",
        calibration="approximate",
        n=int(table.sum()),
        n_clusters=int(table.sum()),
        warnings=warnings,
    )


def _crossed(rater_a: npt.ArrayLike, rater_b: npt.ArrayLike) -> np.ndarray:
    """Count images by the labels of both raters, of shape (n_classes, n_classes)."""
    a, b = (as_ids(r, "Labels", _LEAVE) for r in (rater_a, rater_b))
    if len(a) != len(b):
        raise StatisticsError(f"There are {len(a)} labels of one rater and {len(b)}.")
    try:
        classes = sorted(set(a) | set(b))
    except TypeError as error:
        raise StatisticsError(
            f"The two raters' labels are of different kinds ({a[0]!r} and {b[0]!r}): "
            "write them alike."
        ) from error
    if len(classes) < 2:
        raise StatisticsError(
            f"Every label is {classes[0] if classes else 'absent'}: chance alone "
            "agrees."
        )
    place = {name: number for number, name in enumerate(classes)}
    table = np.zeros((len(classes), len(classes)), dtype=int)
    for first, second in zip(a, b, strict=True):
        table[place[first], place[second]] += 1
    return table


def _perfect(table: np.ndarray, weights: str | None, level: float) -> float:
    """Lower end where all agree: the share that may not, at its worst."""
    n, place = table.sum(), np.arange(len(table))
    apart = np.abs(place[:, None] - place)
    cost = {None: apart > 0, "linear": apart, "quadratic": apart**2}[weights]
    expected = (np.outer(table.sum(axis=1), table.sum(axis=0)) / n**2 * cost).sum()
    return float(max(1 - (1 - extreme_share(n, level)) * cost.max() / expected, -1.0))
