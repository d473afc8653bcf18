"""Several p-values at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clinicadl_trust.exceptions import StatisticsError, did_you_mean

__all__ = ["adjust"]

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
