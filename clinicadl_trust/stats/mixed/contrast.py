"""A weighted sum of fixed effects, tested against 0."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats as distributions

__all__ = ["Contrast", "make_contrast"]


@dataclass(frozen=True)
class Contrast:
    """A weighted sum of fixed effects.

    Attributes
    ----------
    value, standard_error : float
        Estimate.
    df, statistic, p_value : float
        Two-sided t test (z test where ``df`` is infinite) against 0.
    low, high, confidence_level : float
        Confidence interval.
    """

    value: float
    standard_error: float
    df: float
    statistic: float
    p_value: float
    low: float
    high: float
    confidence_level: float

    def to_frame(self) -> pd.DataFrame:
        """Return one row."""
        return pd.DataFrame([vars(self)])


def make_contrast(value: float, error: float, df: float, level: float) -> Contrast:
    """Test a normal estimate against 0 with t degrees of freedom."""
    t = distributions.t(df) if np.isfinite(df) else distributions.norm()
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = float(np.divide(value, error))
    reach = float(t.ppf((1 + level) / 2)) * error
    p_value = float(2 * t.sf(abs(statistic)))
    return Contrast(
        value, error, df, statistic, p_value, value - reach, value + reach, level
    )
