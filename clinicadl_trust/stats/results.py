"""Frozen results: the same fields for every procedure."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Literal

import pandas as pd

__all__ = ["Calibration", "Comparison", "Estimate"]

#: What is known of a procedure's error rate, measured in ``tests/long``.
Calibration = Literal["calibrated", "conservative", "approximate"]


class _Result:
    def to_frame(self) -> pd.DataFrame:
        """Return the result as a table of one row."""
        row = {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]
        row["warnings"] = " ".join(row["warnings"])
        return pd.DataFrame([row])


@dataclass(frozen=True)
class Estimate(_Result):
    """A performance with its interval.

    Attributes
    ----------
    value, low, high : float
        Estimate and confidence interval.
    confidence_level : float
        For example .95.
    standard_error : float
        On the metric's own scale.
    method : str
        How the interval is made, with its source.
    calibration : {"calibrated", "conservative", "approximate"}
        Whether the interval keeps its level in our own simulations.
    n, n_clusters : int
        Values that it is made of (images, or those of folds or sites), and the
        independent units that they come from.
    warnings : tuple of str
        What a reader must know.
    df : float
        Degrees of freedom of the interval, nan when it has none.
    """

    value: float
    low: float
    high: float
    confidence_level: float
    standard_error: float
    method: str
    calibration: Calibration
    n: int
    n_clusters: int
    warnings: tuple[str, ...] = ()
    df: float = float("nan")

    def __str__(self) -> str:
        if math.isnan(self.value):
            return _no("value", self.warnings)
        interval = f"[{self.low:.3f}, {self.high:.3f}]"
        if math.isnan(self.low):
            interval = "without an interval"
        text = (
            f"{self.value:.3f} {interval} "
            f"({100 * self.confidence_level:.6g}%, {self.method}, {self.calibration}, "
            f"{self.n} values of {self.n_clusters} units)"
        )
        return "\n".join([text, *(f"  ! {w}" for w in self.warnings)])


@dataclass(frozen=True)
class Comparison(_Result):
    """A difference between two models with its interval and p-value.

    Attributes
    ----------
    effect, low, high : float
        First minus second, and its confidence interval.
    p_value : float
        Two-sided.
    statistic, df : float
        The test statistic and its degrees of freedom (nan when it has none).
    method, calibration, n, n_clusters, warnings
        As in ``Estimate``.
    estimand : str
        What the difference is about: this test set, a new patient of these
        hospitals, a new hospital, a retrained model.
    confidence_level : float
        Of the interval.
    standard_error : float
        Of the effect, nan when the procedure has none.
    """

    effect: float
    low: float
    high: float
    p_value: float
    statistic: float
    df: float
    method: str
    calibration: Calibration
    estimand: str
    n: int
    n_clusters: int
    warnings: tuple[str, ...] = ()
    confidence_level: float = 0.95
    standard_error: float = float("nan")

    def __str__(self) -> str:
        if math.isnan(self.effect):
            return _no("difference", self.warnings)
        interval = f"[{self.low:+.3f}, {self.high:+.3f}]"
        if math.isnan(self.low):
            interval = "without an interval"
        p_value = f"p = {self.p_value:.3g}"
        if math.isnan(self.p_value):
            p_value = "without a p-value"
        text = (
            f"{self.effect:+.3f} {interval}, {p_value} ({self.method}, "
            f"{self.calibration}, for {self.estimand}, {self.n} values of "
            f"{self.n_clusters} units)"
        )
        return "\n".join([text, *(f"  ! {w}" for w in self.warnings)])


def _no(what: str, warnings: tuple[str, ...]) -> str:
    """Say why there is no number, instead of nan."""
    return f"No {what}: {' '.join(warnings) or 'it is undefined on these data.'}"
