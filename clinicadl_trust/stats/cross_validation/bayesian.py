"""How probable it is that a model is worse, equivalent or better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.cross_validation.corrected import corrected_resampled_ttest
from clinicadl_trust.stats.means import finite_values
from clinicadl_trust.stats.options import check_number
from clinicadl_trust.stats.results import Calibration

__all__ = ["BayesianComparison", "bayesian_correlated_ttest", "check_rope"]

Array = npt.NDArray[np.float64]

_POINT = (
    "All differences are the same, so nothing tells how much they vary: the posterior "
    "is a single point."
)


@dataclass(frozen=True)
class BayesianComparison:
    """A posterior of the difference between two models.

    Attributes
    ----------
    p_worse, p_equivalent, p_better : float
        Probability that the first model is worse than the second by more than the
        region of practical equivalence (ROPE), within it, better by more. They sum
        to 1. Higher values of the metric are taken to be better.
    mean, scale, df : float
        Location, scale and degrees of freedom of a posterior that is a Student t;
        otherwise mean and standard deviation of the posterior, and nan.
    low, high : float
        Central credible interval.
    rope : float
        Half the width of the ROPE, in units of the metric.
    method : str
        How the posterior is made, with its source.
    calibration : {"calibrated", "conservative", "approximate"}
        Whether the interval keeps its level in our own simulations.
    warnings : tuple of str
        What a reader must know.
    credible_level : float
        Of the interval.
    estimand : str
        What the difference is about, as in ``Comparison``.
    n : int
        Differences that it is made of.
    draws : ndarray of float, shape (n_draws,), or None
        From the posterior of the difference, where it has no density of its own.
    """

    p_worse: float
    p_equivalent: float
    p_better: float
    mean: float
    scale: float
    df: float
    low: float
    high: float
    rope: float
    method: str
    calibration: Calibration
    warnings: tuple[str, ...] = ()
    credible_level: float = 0.95
    estimand: str = ""
    n: int = 0
    draws: Array | None = field(default=None, repr=False, compare=False)

    def to_frame(self) -> pd.DataFrame:
        """Return the result as a table of one row, without the draws."""
        row = {k: v for k, v in vars(self).items() if k != "draws"}
        return pd.DataFrame([{**row, "warnings": " ".join(self.warnings)}])

    def __str__(self) -> str:
        text = (
            f"P(worse) = {self.p_worse:.3f}, P(equivalent) = {self.p_equivalent:.3f}, "
            f"P(better) = {self.p_better:.3f} with a ROPE of +-{self.rope:g}; "
            f"{self.mean:+.3f} [{self.low:+.3f}, {self.high:+.3f}] "
            f"({100 * self.credible_level:.6g}% credible, {self.method}, "
            f"{self.calibration}, for {self.estimand}, {self.n} values)"
        )
        return "\n".join([text, *(f"  ! {w}" for w in self.warnings)])


def bayesian_correlated_ttest(
    differences: Sequence[float],
    n_train: float,
    n_test: float,
    rope: float = 0.0,
    *,
    credible_level: float = 0.95,
) -> BayesianComparison:
    """Weigh two models in cross-validation, with a region of practical equivalence.

    Parameters
    ----------
    differences : sequence of float of length J
        First minus second model in each fold of each repeat, for a metric of which
        more is better. For an error give second minus first.
    n_train, n_test : float
        Participants, not images, in a training and in a test fold.
    rope : float
        Differences of at most this size do not matter in practice.
    credible_level : float
        Of the interval.

    Returns
    -------
    BayesianComparison
        The posterior is Student's t at the mean difference with scale
        sqrt((1 / J + n_test / n_train) s2) and J - 1 degrees of freedom, under the
        flat prior. Its interval is that of ``corrected_resampled_ttest``, and so is
        its coverage.

    Raises
    ------
    StatisticsError
        If there are fewer than two differences, or a value or size makes no sense.

    References
    ----------
    Corani, Benavoli (2015), A Bayesian approach for comparing cross-validated
    algorithms on multiple data sets. Machine Learning 100, 285-304. Benavoli, Corani,
    Demsar, Zaffalon (2017), Time for a change. JMLR 18(77), 1-36.
    """
    check_rope(rope)
    array = finite_values(differences)
    if array.size < 2:
        raise StatisticsError(
            f"A posterior needs at least two differences, not {array.size}. Give one "
            "for each fold."
        )
    made = corrected_resampled_ttest(array.tolist(), n_train, n_test, credible_level)
    mean, scale = made.effect, made.standard_error
    worse, better = _tails(mean, scale, made.df, rope)
    return BayesianComparison(
        p_worse=worse,
        p_equivalent=max(0.0, 1.0 - worse - better) if rope else 0.0,
        p_better=better,
        mean=mean,
        scale=scale,
        df=made.df,
        low=made.low if scale else mean,
        high=made.high if scale else mean,
        rope=float(rope),
        method="Bayesian correlated t (Corani and Benavoli 2015)",
        calibration="approximate",
        warnings=() if scale else (_POINT,),
        credible_level=credible_level,
        estimand=made.estimand,
        n=made.n,
    )


def _tails(mean: float, scale: float, df: float, rope: float) -> tuple[float, float]:
    """Return the probabilities below and above the ROPE."""
    if scale:
        below = special.stdtr(df, (-rope - mean) / scale)
        above = special.stdtr(df, (mean - rope) / scale)
        return float(below), float(above)
    if rope or mean:
        return float(mean < -rope), float(mean > rope)
    return 0.5, 0.5


def check_rope(rope: float) -> None:
    """Refuse a region of practical equivalence of negative or no width.

    Raises
    ------
    StatisticsError
        If it is negative or not finite.
    """
    if check_number("rope", rope) < 0:
        raise StatisticsError(
            f"A region of practical equivalence goes from -rope to rope; rope={rope} "
            "is no such width. Give for example .01 for a hundredth of AUC."
        )
