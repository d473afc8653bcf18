"""The variance between sites, and the mean over them: random effects of estimates."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy import optimize
from scipy import stats as distributions

__all__ = ["Pooled", "cochran", "i_squared", "pool", "without_each"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Pooled:
    """A weighted mean of sites.

    Attributes
    ----------
    mean, error_hk : float
        Mean, and its standard error by Hartung and Knapp.
    tau2 : float
        Variance between sites.
    weights : ndarray of float, shape (n_sites,)
        Summing to 1.
    """

    mean: float
    error_hk: float
    tau2: float
    weights: Array


def pool(y: Array, v: Array, method: str) -> Pooled:
    """Average sites of given values and variances; ``method`` as in heterogeneity."""
    tau2 = {"reml": _reml, "dl": _der_simonian_laird, "pm": _paule_mandel}[method](y, v)
    weights = 1 / (v + tau2)
    mean = float(weights @ y / weights.sum())
    spread = float(weights @ (y - mean) ** 2) / (len(y) - 1)
    return Pooled(
        mean, math.sqrt(spread / weights.sum()), tau2, weights / weights.sum()
    )


def without_each(y: Array, v: Array, method: str, level: float) -> Array:
    """Average all sites but one, for each of them.

    Parameters
    ----------
    y, v : ndarray of float, shape (n_sites,)
        Values and their variances.
    method : str
        As in heterogeneity.
    level : float
        Of the interval by Hartung and Knapp.

    Returns
    -------
    ndarray of float, shape (4, n_sites)
        Mean, its interval's ends and the variance between sites; nan where a single
        site is left.
    """
    k = len(y)
    made = np.full((4, k), math.nan)
    if k < 3:
        return made
    t = float(distributions.t.ppf((1 + level) / 2, k - 2))
    for place in range(k):
        keep = np.arange(k) != place
        other = pool(y[keep], v[keep], method)
        reach = t * other.error_hk
        made[:, place] = other.mean, other.mean - reach, other.mean + reach, other.tau2
    return made


def cochran(y: Array, v: Array) -> tuple[float, float]:
    """Return Cochran's Q and its p-value."""
    weights = 1 / v
    q = float(weights @ (y - weights @ y / weights.sum()) ** 2)
    return q, float(distributions.chi2.sf(q, len(y) - 1))


def _der_simonian_laird(y: Array, v: Array) -> float:
    weights = 1 / v
    q, _ = cochran(y, v)
    scale = weights.sum() - (weights**2).sum() / weights.sum()
    return max(0.0, (q - (len(y) - 1)) / float(scale))


def _paule_mandel(y: Array, v: Array) -> float:
    """Solve for the variance at which Cochran's Q is what it should be."""

    def excess(tau2: float) -> float:
        weights = 1 / (v + tau2)
        mean = weights @ y / weights.sum()
        return float(weights @ (y - mean) ** 2) - (len(y) - 1)

    if excess(0.0) <= 0:
        return 0.0
    top = max(float(np.var(y)), float(v.max()))
    while excess(top) > 0:
        top *= 2
    return float(optimize.brentq(excess, 0.0, top, xtol=1e-14, rtol=1e-12))


def _reml(y: Array, v: Array) -> float:
    """Find the root of the restricted score, the best of them if there are several."""

    def scores(tau2: Array) -> Array:
        weights = 1 / (v + tau2[:, None])
        total = weights.sum(axis=1)
        residual = y - (weights @ y / total)[:, None]
        explained = (weights**2 * residual**2).sum(axis=1)
        return np.asarray(explained - (total - (weights**2).sum(axis=1) / total))

    def score(tau2: float) -> float:
        return float(scores(np.array([tau2]))[0])

    def deviance(tau2: float) -> float:
        weights = 1 / (v + tau2)
        mean = weights @ y / weights.sum()
        return float(
            np.log(v + tau2).sum() + math.log(weights.sum()) + weights @ (y - mean) ** 2
        )

    top = 10 * (float(np.var(y, ddof=1)) + float(v.max()))
    grid = np.concatenate([[0.0], np.geomspace(1e-8, 1, 60) * top])
    values = scores(grid)
    roots = [0.0]
    for (low, high), (before, after) in zip(
        pairwise(grid), pairwise(values), strict=True
    ):
        if before > 0 >= after:
            found = optimize.brentq(score, low, high, xtol=1e-15, rtol=1e-13)
            roots.append(float(found))
    return min(roots, key=deviance)


def i_squared(v: Array, tau2: float) -> float:
    """Return the share of variance between sites (Higgins and Thompson 2002)."""
    weights = 1 / v
    total = weights.sum()
    typical = (len(v) - 1) * total / (total**2 - (weights**2).sum())
    return float(tau2 / (tau2 + typical))
