"""Agreement of raters: Cohen's kappa, and intraclass correlations."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats as distributions

from clinicadl_trust.exceptions import StatisticsError, did_you_mean
from clinicadl_trust.stats.intervals import check_level
from clinicadl_trust.stats.results import Estimate

__all__ = ["cohen_kappa", "icc"]

Form = Literal["1", "2", "3", "1k", "2k", "3k"]
_FORMS = ("1", "2", "3", "1k", "2k", "3k")


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
        By statsmodels' definitions (Fleiss, Cohen and Everitt 1969).

    Raises
    ------
    StatisticsError
        If lengths differ, a label is missing, or there is one class.
    """
    check_level(confidence_level)
    a, b = pd.Series(np.asarray(rater_a)), pd.Series(np.asarray(rater_b))
    if len(a) != len(b):
        raise StatisticsError(f"There are {len(a)} labels of one rater and {len(b)}.")
    missing = int((a.isna() | b.isna()).sum())
    if missing:
        raise StatisticsError(f"{missing} images lack a label. Leave them out first.")
    classes = sorted(set(a) | set(b))
    if len(classes) < 2:
        raise StatisticsError(
            f"Every label is {classes[0] if classes else 'absent'}: chance alone "
            "agrees."
        )
    table = pd.crosstab(a, b).reindex(index=classes, columns=classes, fill_value=0)
    from statsmodels.stats.inter_rater import cohens_kappa

    made = cohens_kappa(
        table.to_numpy(), wt={"quadratic": "fc"}.get(str(weights), weights)
    )
    z = float(distributions.norm.ppf((1 + confidence_level) / 2))
    error = float(made.std_kappa)
    value = float(made.kappa)
    return Estimate(
        value=value,
        low=max(value - z * error, -1.0),
        high=min(value + z * error, 1.0),
        confidence_level=confidence_level,
        standard_error=error,
        method=f"Cohen's {weights + ' weighted ' if weights else ''}kappa",
        calibration="approximate",
        n=len(a),
        n_clusters=len(a),
    )


def icc(
    ratings: npt.ArrayLike | pd.DataFrame,
    form: Form = "2",
    *,
    confidence_level: float = 0.95,
) -> Estimate:
    """Intraclass correlation of several raters, or repeated measurements.

    Parameters
    ----------
    ratings : array-like of shape (n_targets, n_raters)
        Complete.
    form : {"1", "2", "3", "1k", "2k", "3k"}
        Shrout and Fleiss' forms: each target has raters of its own (1); the raters are
        a sample of all (2, absolute agreement); they are the only ones (3,
        consistency). With k, of the mean of all raters.
    confidence_level : float
        Of the interval, from F distributions.

    Returns
    -------
    Estimate
        ``n_clusters`` counts targets.

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
    if form not in _FORMS:
        raise StatisticsError(
            f"form={form!r} is unknown.{did_you_mean(str(form), _FORMS)}"
        )
    x = np.asarray(ratings, dtype=float)
    if x.ndim != 2 or min(x.shape) < 2:
        raise StatisticsError(
            f"Ratings have shape {x.shape}: two targets (rows) and two raters "
            "(columns) or more are needed."
        )
    if not np.isfinite(x).all():
        raise StatisticsError(
            f"{int((~np.isfinite(x)).any(axis=1).sum())} targets lack a rating. Leave "
            "them out, or fit stats.mixed_model, whose icc needs no complete table."
        )
    if np.ptp(x) == 0:
        raise StatisticsError(f"Every rating is {x[0, 0]:g}: nothing can be compared.")
    value, low, high = _shrout_fleiss(x, form[0], confidence_level)
    if form.endswith("k"):
        k = x.shape[1]
        value, low, high = (_of_mean(v, k) for v in (value, low, high))
    return Estimate(
        value=value,
        low=low,
        high=high,
        confidence_level=confidence_level,
        standard_error=math.nan,
        method=f"intraclass correlation, form {form} of Shrout and Fleiss",
        calibration="calibrated",
        n=x.size,
        n_clusters=len(x),
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
    """Spearman and Brown's correlation of a mean of k raters."""
    return k * value / (1 + (k - 1) * value)
