"""A performance against those of models trained on labels that mean nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.cross_validation.redrawing import Redrawing
from clinicadl_trust.stats.estimands import CHANCE
from clinicadl_trust.stats.metric import Metric
from clinicadl_trust.stats.proportions import proportion
from clinicadl_trust.stats.results import Calibration

__all__ = ["RefitPermutationTest", "against_chance"]

_METHOD = "refit permutation: labels redrawn by participant within the test fold"
_TIE = 1e-12


@dataclass(frozen=True)
class RefitPermutationTest:
    """Whether a way of training learns anything: the model refitted on redrawn labels.

    Attributes
    ----------
    value : float
        The metric with the labels observed.
    p_value : float
        (1 + draws that are at least as good) / (1 + draws).
    p_low, p_high : float
        Where the p-value of all possible draws lies: the exact binomial interval
        (Clopper and Pearson) of the share of draws that are at least as good.
    smallest_p_value : float
        The least that this number of draws, or of participants, can give.
    drawn : numpy.ndarray of shape (n_permutations,)
        The metric of each refit.
    metric, method, estimand : str
        Of what, how, and about what.
    calibration : {"calibrated", "conservative", "approximate"}
        Whether it keeps its level in our own simulations.
    n, n_clusters : int
        Images and participants.
    confidence_level : float
        Of the interval of the p-value.
    warnings : tuple of str
        What a reader must know.
    """

    value: float
    p_value: float
    p_low: float
    p_high: float
    smallest_p_value: float
    drawn: npt.NDArray[np.float64]
    metric: str
    n: int
    n_clusters: int
    method: str = _METHOD
    estimand: str = CHANCE
    calibration: Calibration = "calibrated"
    confidence_level: float = 0.95
    warnings: tuple[str, ...] = ()

    @property
    def n_permutations(self) -> int:
        """How many times the labels were redrawn."""
        return int(self.drawn.size)

    def to_frame(self) -> pd.DataFrame:
        """Return the result as a table of one row, the draws as mean and SD."""
        row = {name: value for name, value in vars(self).items() if name != "drawn"}
        spread = self.drawn.std(ddof=1) if self.drawn.size > 1 else np.nan
        return pd.DataFrame(
            [
                row
                | {
                    "n_permutations": self.n_permutations,
                    "drawn_mean": self.drawn.mean(),
                    "drawn_sd": spread,
                    "warnings": " ".join(self.warnings),
                }
            ]
        )

    def __str__(self) -> str:
        text = (
            f"{self.metric} {self.value:.3f} against {self.drawn.mean():.3f} on "
            f"average by chance: p = {self.p_value:.3g} [{self.p_low:.3g}, "
            f"{self.p_high:.3g}] from {self.n_permutations} draws, at least "
            f"{self.smallest_p_value:.3g} ({self.method}, {self.calibration}, for "
            f"{self.estimand}, {self.n} images of {self.n_clusters} participants)"
        )
        return "\n".join([text, *(f"  ! {w}" for w in self.warnings)])


def against_chance(
    value: float,
    drawn: Sequence[float],
    redrawing: Redrawing,
    metric: Metric,
    confidence_level: float = 0.95,
) -> RefitPermutationTest:
    """Hold a metric against those of refits on redrawn labels.

    Parameters
    ----------
    value : float
        With the labels observed.
    drawn : sequence of float
        With redrawn ones.
    redrawing : Redrawing
        What redrew them.
    metric : Metric
        Of what.
    confidence_level : float
        Of the interval of the p-value.

    Raises
    ------
    StatisticsError
        If there is no draw, or a value is not finite.

    References
    ----------
    Phipson, Smyth (2010), Permutation p-values should never be zero. Statistical
    Applications in Genetics and Molecular Biology 9(1), 39. Ojala, Garriga (2010),
    Permutation tests for studying classifier performance. JMLR 11, 1833-1863.
    """
    values = np.asarray(drawn, dtype=float)
    if not values.size or not np.isfinite([value, *values]).all():
        raise StatisticsError(
            f"{metric.title} must have a value for the labels observed and for each "
            f"draw; got {value} and {int((~np.isfinite(values)).sum())} of "
            f"{values.size} draws without one. Give folds with every class in them."
        )
    sign = 1.0 if metric.greater_is_better else -1.0
    as_good = int((sign * (values - value) >= -_TIE).sum())
    share = proportion(
        as_good, values.size, "clopper-pearson", confidence_level=confidence_level
    )
    smallest = redrawing.smallest_p_value(values.size)
    warnings = redrawing.notes
    if smallest > 0.05:
        warnings += (
            f"The smallest possible p-value is {smallest:.3g}: this test cannot reject "
            "at 5 %, whatever the data. Redraw more often, or give fewer folds.",
        )
    return RefitPermutationTest(
        value=float(value),
        p_value=(1 + as_good) / (1 + values.size),
        p_low=share.low,
        p_high=share.high,
        smallest_p_value=smallest,
        drawn=values,
        metric=metric.name,
        n=redrawing.labels.size,
        n_clusters=len(pd.unique(redrawing.participants)),
        calibration="calibrated" if smallest <= 0.05 else "conservative",
        confidence_level=confidence_level,
        warnings=warnings,
    )
