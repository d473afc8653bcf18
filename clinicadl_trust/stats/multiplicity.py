"""Several p-values at once."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import stats as distributions

from clinicadl_trust.exceptions import StatisticsError, did_you_mean

__all__ = ["adjust", "max_t"]

#: Draws of the joint distribution.
_DRAWS = 50_000

_METHODS = ("holm", "bonferroni", "hommel", "fdr_bh", "fdr_by")


def adjust(p_values: Sequence[float], method: str = "holm") -> np.ndarray:
    """Adjust p-values for their number.

    Parameters
    ----------
    p_values : sequence of float
        A nan (a test that could not be made) stays nan and does not count.
    method : str
        As in ``statsmodels.stats.multitest.multipletests``: ``holm``,
        ``bonferroni``, ``hommel`` keep the chance of any false claim, ``fdr_bh`` and
        ``fdr_by`` the expected share of false claims.

    Returns
    -------
    numpy.ndarray
        Adjusted p-values, in the given order.

    Raises
    ------
    StatisticsError
        If the method is unknown or a value is no probability.
    """
    if method not in _METHODS:
        raise StatisticsError(
            f"Unknown adjustment '{method}'.{did_you_mean(method, _METHODS)}"
        )
    raw = np.asarray(p_values, dtype=float)
    known = ~np.isnan(raw)
    if ((raw[known] < 0) | (raw[known] > 1)).any():
        raise StatisticsError(f"P-values lie between 0 and 1; got {raw.tolist()}.")
    adjusted = np.full(raw.shape, np.nan)
    if known.any():
        from statsmodels.stats.multitest import multipletests

        adjusted[known] = multipletests(raw[known], method=method)[1]
    return adjusted


def max_t(
    p_values: npt.ArrayLike, df: npt.ArrayLike, contributions: np.ndarray, seed: int = 0
) -> np.ndarray:
    """Adjust two-sided p-values by the joint distribution of their t statistics.

    Parameters
    ----------
    p_values, df : array-like of shape (n_tests,)
        P-values and degrees of freedom; a nan stays nan and does not count.
    contributions : numpy.ndarray of shape (n_units, n_tests)
        What each independent unit adds to each estimate: their correlation is that of
        the tests.
    seed : int
        Of the draws.

    Returns
    -------
    numpy.ndarray of shape (n_tests,)
        Adjusted p-values, single step; never below the given ones.

    References
    ----------
    Hothorn, Bretz and Westfall, Biom. J. 50, 2008.
    """
    p = np.asarray(p_values, dtype=float)
    sums = contributions
    known = np.isfinite(p) & (sums.std(axis=0) > 0)
    adjusted = p.copy()
    if known.sum() < 2:
        return adjusted
    correlation = np.corrcoef(sums[:, known].T)
    least = float(np.nanmin(np.asarray(df, dtype=float)[known]))
    rng = np.random.default_rng(seed)
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.maximum(values, 0))
    z = np.abs(rng.normal(size=(_DRAWS, int(known.sum()))) @ root.T)
    if math.isfinite(least):
        z /= np.sqrt(rng.chisquare(least, (_DRAWS, 1)) / least)
    greatest = z.max(axis=1)
    single = distributions.t(least) if math.isfinite(least) else distributions.norm()
    limits = single.isf(np.clip(p[known], 1e-300, 1) / 2)
    joint = (greatest[:, None] >= limits).mean(axis=0)
    adjusted[known] = np.maximum(joint, p[known])
    return adjusted
