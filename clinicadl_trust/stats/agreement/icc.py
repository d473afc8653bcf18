"""Agreement of raters on quantities: intraclass correlations."""

from __future__ import annotations

import math
import re
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats as distributions

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.arrays import as_matrix, is_finite
from clinicadl_trust.stats.intervals import check_level
from clinicadl_trust.stats.options import check_choice
from clinicadl_trust.stats.results import Estimate

__all__ = ["icc"]

Form = Literal["1", "2", "3", "1k", "2k", "3k"]
_FORMS = ("1", "2", "3", "1k", "2k", "3k")

_NEGATIVE = (
    "Targets differ less than the raters' disagreement alone would make them: a "
    "negative correlation is read as none."
)
_NO_INTERVAL = (
    "Targets differ so little that the correlation of the raters' mean, or its "
    "interval, does not exist."
)


def _form(form: str) -> str:
    """Read Shrout and Fleiss' names however they are written."""
    if isinstance(form, str):
        short = re.sub(r"[\s(),]|ICC", "", form.upper()).lower()
        short = short[:1] if short[1:] == "1" else short
        if short in _FORMS:
            return short
    check_choice("form", form, _FORMS)
    return form


def icc(
    ratings: npt.ArrayLike | pd.DataFrame,
    form: Form | str = "2",
    *,
    confidence_level: float = 0.95,
) -> Estimate:
    """Intraclass correlation of several raters, or repeated measurements.

    Parameters
    ----------
    ratings : array-like of shape (n_targets, n_raters)
        Complete.
    form : {"1", "2", "3", "1k", "2k", "3k"}
        Shrout and Fleiss' forms, also written ``"ICC(2,1)"``, ``"ICC(2,k)"`` or
        ``"ICC2k"``: each target has raters of its own (1); the raters are
        a sample of all (2, absolute agreement); they are the only ones (3,
        consistency). With k, of the mean of all raters.
    confidence_level : float
        Of the interval, from F distributions.

    Returns
    -------
    Estimate
        ``n_clusters`` counts targets. Forms 1 and 3 cover .95 to .96 (10 targets and
        3 raters, 100 and 2): calibrated. Form 2 is approximate, for how much all
        raters differ is seen from a few: it covers .92 to .97 where their bias makes
        up to a tenth of the noise, .88 to .97 at three tenths; where it makes six
        tenths, and there are 100 targets, .70 to .78 with 2 raters, .79 to .83 with
        3, .89 to .92 with 5 or more.

    Raises
    ------
    StatisticsError
        If there are fewer than two targets or raters, or a rating is missing.

    References
    ----------
    Shrout and Fleiss, Psychol. Bull. 86, 1979; McGraw and Wong, Psychol. Methods 1,
    1996 (interval of form 2).
    """
    check_level(confidence_level)
    form = _form(form)
    x = as_matrix(ratings, "Ratings")
    if min(x.shape) < 2:
        raise StatisticsError(
            f"Ratings have shape {x.shape}: two targets (rows) and two raters "
            "(columns) or more are needed."
        )
    if not is_finite(x).all():
        raise StatisticsError(
            f"{int((~is_finite(x)).any(axis=1).sum())} targets lack a rating. Leave "
            "them out, or fit stats.mixed_model, whose icc needs no complete table."
        )
    if np.ptp(x) == 0:
        raise StatisticsError(f"Every rating is {x[0, 0]:g}: nothing can be compared.")
    with np.errstate(divide="ignore", invalid="ignore"):
        value, low, high = _shrout_fleiss(x, form[0], confidence_level)
    warnings: tuple[str, ...] = (_NEGATIVE,) if value < 0 else ()
    if form.endswith("k"):
        k = x.shape[1]
        value, low, high = (_of_mean(v, k) for v in (value, low, high))
    if not math.isfinite(value + low + high):
        low, high = math.nan, math.nan
        warnings += (_NO_INTERVAL,)
    return Estimate(
        value=value,
        low=low,
        high=high,
        confidence_level=confidence_level,
        standard_error=math.nan,
        method=f"intraclass correlation, form {form} of Shrout and Fleiss",
        calibration="approximate" if form[0] == "2" else "calibrated",
        n=x.size,
        n_clusters=len(x),
        warnings=warnings,
    )


def _shrout_fleiss(
    x: np.ndarray, form: str, level: float
) -> tuple[float, float, float]:
    """Return a single rater's correlation with its interval."""
    n, k = x.shape
    grand = x.mean()
    between = k * ((x.mean(axis=1) - grand) ** 2).sum() / (n - 1)
    raters = n * ((x.mean(axis=0) - grand) ** 2).sum() / (k - 1)
    within = ((x - x.mean(axis=1, keepdims=True)) ** 2).sum() / (n * (k - 1))
    error = (within * n * (k - 1) - raters * (k - 1)) / ((n - 1) * (k - 1))
    tiny = 1e-12 * np.ptp(x) ** 2  # what rounding leaves of 0
    between, raters, within, error = (
        0.0 if part < tiny else part for part in (between, raters, within, error)
    )
    tail = (1 + level) / 2
    if form in "13":
        noise, df = (within, n * (k - 1)) if form == "1" else (error, (n - 1) * (k - 1))
        ratio = between / noise if noise > 0 else math.inf
        low = ratio / distributions.f.ppf(tail, n - 1, df)
        high = ratio * distributions.f.ppf(tail, df, n - 1)
        return _of_ratio(ratio, k), _of_ratio(low, k), _of_ratio(high, k)
    scale = between + (k - 1) * error + k * (raters - error) / n
    value = (between - error) / scale
    a = k * value / (n * (1 - value)) if value < 1 else math.inf
    b = 1 + k * value * (n - 1) / (n * (1 - value)) if value < 1 else math.inf
    if not math.isfinite(a):
        return float(value), 1.0, 1.0
    df = (a * raters + b * error) ** 2 / (
        (a * raters) ** 2 / (k - 1) + (b * error) ** 2 / ((n - 1) * (k - 1))
    )
    over = distributions.f.ppf(tail, n - 1, df)
    under = distributions.f.ppf(tail, df, n - 1)
    rest = k * raters + (k * n - k - n) * error
    low = n * (between - over * error) / (over * rest + n * between)
    high = n * (under * between - error) / (rest + n * under * between)
    return float(value), float(low), float(high)


def _of_ratio(ratio: float, k: int) -> float:
    return 1.0 if math.isinf(ratio) else float((ratio - 1) / (ratio + k - 1))


def _of_mean(value: float, k: int) -> float:
    """Spearman and Brown's correlation of a mean of k raters, nan where it has none."""
    below = 1 + (k - 1) * value
    return k * value / below if below > 1e-9 else math.nan
