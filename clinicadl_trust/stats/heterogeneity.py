"""How much a performance differs between hospitals, and what a new one may see."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special
from scipy import stats as distributions

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.arrays import as_numbers, is_finite
from clinicadl_trust.stats.between_sites import cochran, i_squared, pool, without_each
from clinicadl_trust.stats.intervals import check_level
from clinicadl_trust.stats.options import check_choice

__all__ = ["Heterogeneity", "heterogeneity"]

Array = npt.NDArray[np.float64]
Method = Literal["reml", "dl", "pm"]

_METHODS = ("reml", "dl", "pm")
_FEW = 5

_CLOSE = (
    "The sites are closer to each other than their standard errors let expect, which "
    "makes Hartung and Knapp's interval shorter than if all sites were one: read it "
    "with care."
)
_SAME = (
    "All sites have the same value, so that Hartung and Knapp's interval has no width: "
    "that of sites which are one takes its place."
)


@dataclass(frozen=True)
class Heterogeneity:
    """Estimates of several sites, put together.

    Attributes
    ----------
    value, low, high : float
        Mean over sites, with the interval of Hartung and Knapp.
    standard_error, df : float
        On the scale of the meta-analysis; degrees of freedom of the interval.
    prediction_low, prediction_high : float
        Where the true performance at a site not seen lies, with the confidence level.
    prediction_df : float
        Degrees of freedom of the prediction interval, k - 1.
    tau2, tau : float
        Variance and standard deviation between sites, on the scale of the
        meta-analysis.
    i2 : float
        Share of the estimates' variance that lies between sites, 0 to 1.
    q, q_p_value : float
        Cochran's test that all sites are alike.
    confidence_level : float
        Of both intervals.
    method : str
        How it was estimated.
    transform : str or None
        Scale of the meta-analysis; values and intervals are on the original one.
    calibration : str
        What is known of the interval of the mean; see ``heterogeneity``.
    n_sites : int
        How many.
    influence : pandas.DataFrame
        Per site: ``site, value, low, high, weight`` and, of all others,
        ``value_without``, ``low_without``, ``high_without``, ``tau2_without``.
    warnings : tuple of str
        What a reader must know.
    """

    value: float
    low: float
    high: float
    standard_error: float
    df: float
    prediction_low: float
    prediction_high: float
    prediction_df: float
    tau2: float
    tau: float
    i2: float
    q: float
    q_p_value: float
    confidence_level: float
    method: str
    transform: str | None
    calibration: str
    n_sites: int
    influence: pd.DataFrame
    warnings: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return one row, without the table of sites."""
        row = {k: v for k, v in vars(self).items() if k != "influence"}
        return pd.DataFrame([{**row, "warnings": " ".join(self.warnings)}])

    def __str__(self) -> str:
        level = f"{self.confidence_level:.0%}"
        scale = f" ({self.transform} scale)" if self.transform else ""
        lines = [
            f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}] on average over "
            f"{self.n_sites} sites ({level}, {self.method}, {self.calibration})",
            f"{self.prediction_low:.3f} to {self.prediction_high:.3f} at a new site "
            f"({level} prediction interval, t with {self.prediction_df:g} degrees of "
            "freedom)",
            f"tau = {self.tau:.3f}{scale}, I2 = {self.i2:.0%}, Q = {self.q:.2f} "
            f"(p = {self.q_p_value:.3g})",
        ]
        return "\n".join([*lines, *(f"  ! {w}" for w in self.warnings)])


def heterogeneity(
    estimates: npt.ArrayLike,
    standard_errors: npt.ArrayLike,
    method: Method = "reml",
    *,
    sites: Sequence[str] | None = None,
    transform: Literal["logit"] | None = None,
    confidence_level: float = 0.95,
) -> Heterogeneity:
    """Put the estimates of several sites together, and predict a new site's.

    Parameters
    ----------
    estimates : array-like of shape (n_sites,)
        One per site, such as its AUC.
    standard_errors : array-like of shape (n_sites,)
        On the scale of ``estimates``.
    method : {"reml", "dl", "pm"}
        Of the variance between sites: restricted maximum likelihood, DerSimonian and
        Laird, Paule and Mandel.
    sites : sequence of str, optional
        Names.
    transform : {"logit"} or None
        Work on the logit scale, which suits shares and AUCs. A site at 0 or 1 is kept:
        it is moved in by a third of what one answer more or less would change, as told
        by its standard error.
    confidence_level : float
        Of both intervals.

    Returns
    -------
    Heterogeneity
        The interval of the mean is that of Hartung and Knapp, with k - 1 degrees of
        freedom; the prediction interval adds the variance between sites, with t of
        k - 1 degrees of freedom (Partlett and Riley, Stat. Med. 36, 2017). The latter
        is the best known, and yet approximate: for AUCs of 80 participants at 4 to 50
        sites, on the logit scale, it covers .87 to .93, and .81 with 20 sites that
        hardly differ (the interval of the mean, read as what the next site will see:
        .26 to .85). The interval of the mean covers
        .94 to .95 there, but .76 to .91 for raw shares, where sites with more right
        answers have smaller errors and count more: set ``transform="logit"``.

    Raises
    ------
    StatisticsError
        If there are fewer than two sites, or a number makes no sense.

    References
    ----------
    DerSimonian and Laird, Control. Clin. Trials 7, 1986; Paule and Mandel, J. Res. NBS
    87, 1982; Viechtbauer, J. Educ. Behav. Stat. 30, 2005 (REML); Hartung and Knapp,
    Stat. Med. 20, 2001; Higgins and Thompson, Stat. Med. 21, 2002 (I2).
    """
    check_level(confidence_level)
    check_choice("method", method, _METHODS)
    y, v, names = _checked(estimates, standard_errors, sites)
    warnings: list[str] = []
    original = y
    back: Callable[[Array | float], Array] = np.asarray
    if transform == "logit":
        y, v = _logit(y, v, warnings)
        back = special.expit
    elif transform is not None:
        raise StatisticsError(f"transform={transform!r} is not one of 'logit', None.")
    pooled = pool(y, v, method)
    k = len(y)
    df = k - 1.0
    t = float(distributions.t.ppf((1 + confidence_level) / 2, df))
    alike = 1 / math.sqrt((1 / v).sum())
    error = pooled.error_hk if pooled.error_hk > 1e-9 * alike else alike
    if pooled.error_hk < alike:
        warnings.append(_CLOSE if error == pooled.error_hk else _SAME)
    reach = t * error
    away = t * math.sqrt(pooled.tau2 + error**2)
    if k < _FEW:
        warnings.append(
            f"With {k} sites the variance between sites is hardly known: the "
            "prediction interval covers less, or more, than it says."
        )
    if pooled.tau2 == 0:
        warnings.append(
            "No variance between sites is seen beyond chance. With few sites this does "
            "not show that they are alike."
        )
    low, high = back(np.array([pooled.mean - reach, pooled.mean + reach]))
    near, far = back(np.array([pooled.mean - away, pooled.mean + away]))
    q, p_value = cochran(y, v)
    half = float(special.ndtri((1 + confidence_level) / 2)) * np.sqrt(v)
    without = without_each(y, v, method, confidence_level)
    return Heterogeneity(
        value=float(back(pooled.mean)),
        low=float(low),
        high=float(high),
        standard_error=error,
        df=df,
        prediction_low=float(near),
        prediction_high=float(far),
        prediction_df=df,
        tau2=pooled.tau2,
        tau=math.sqrt(pooled.tau2),
        i2=i_squared(v, pooled.tau2),
        q=q,
        q_p_value=p_value,
        confidence_level=confidence_level,
        method=f"random effects by {_TITLES[method]}, Hartung and Knapp",
        transform=transform,
        calibration="approximate",
        n_sites=k,
        influence=pd.DataFrame(
            {
                "site": names,
                "value": original,
                "low": back(y - half),
                "high": back(y + half),
                "weight": pooled.weights,
                "value_without": back(without[0]),
                "low_without": back(without[1]),
                "high_without": back(without[2]),
                "tau2_without": without[3],
            }
        ),
        warnings=tuple(warnings),
    )


_TITLES = {
    "reml": "restricted maximum likelihood",
    "dl": "DerSimonian and Laird",
    "pm": "Paule and Mandel",
}


def _checked(
    estimates: npt.ArrayLike,
    standard_errors: npt.ArrayLike,
    sites: Sequence[str] | None,
) -> tuple[Array, Array, list[str]]:
    y = as_numbers(estimates, "Estimates")
    errors = as_numbers(standard_errors, "Standard errors")
    if y.shape != errors.shape:
        raise StatisticsError(
            f"Estimates have shape {y.shape}, standard errors {errors.shape}: one of "
            "each per site is needed."
        )
    if len(y) < 2:
        raise StatisticsError(
            f"{len(y) or 'No'} site{'s' * (not len(y))} with an estimate: how sites "
            "differ cannot be told from fewer than two. Give each site's estimate, "
            "with both classes in the site where it is an AUC."
        )
    names = [f"site {i + 1}" for i in range(len(y))] if sites is None else list(sites)
    if len(names) != len(y):
        raise StatisticsError(f"There are {len(names)} names of {len(y)} sites.")
    wrong = ~is_finite(y) | ~is_finite(errors) | (errors <= 0)
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        raise StatisticsError(
            f"{names[first]} has estimate {y[first]:g} and standard error "
            f"{errors[first]:g}; estimates must be finite and errors above 0. At an "
            "AUC of 1 take the error of stats.site_metrics, which is never 0."
        )
    return y, errors**2, names


def _logit(y: Array, v: Array, warnings: list[str]) -> tuple[Array, Array]:
    """Move to the logit scale; sites at 0 or 1 are moved in, not dropped."""
    if ((y < 0) | (y > 1)).any():
        raise StatisticsError(
            f"Estimates go from {y.min():g} to {y.max():g}; the logit scale needs 0 to "
            "1."
        )
    edge = (y <= 0) | (y >= 1)
    if edge.any():
        warnings.append(
            f"{int(edge.sum())} of {len(y)} sites are at 0 or 1 and are moved in by a "
            "third of their standard error."
        )
        step = np.minimum(np.sqrt(v) / 3, 0.25)
        y = np.where(y >= 1, 1 - step, np.where(y <= 0, step, y))
    return special.logit(y), v / (y * (1 - y)) ** 2
