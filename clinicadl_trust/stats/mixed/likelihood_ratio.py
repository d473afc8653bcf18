"""Nested mixed models compared by likelihood ratio."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats as distributions

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.mixed.result import MixedModel

__all__ = ["LikelihoodRatio", "likelihood_ratio"]


@dataclass(frozen=True)
class LikelihoodRatio:
    """Two nested models compared.

    Attributes
    ----------
    statistic, df, p_value : float
        Chi-squared test of the larger model against the smaller.
    smaller, larger : str
        Their formulas.
    table : pandas.DataFrame
        ``n_parameters, aic, bic, log_likelihood`` of both.
    warnings : tuple of str
        What a reader must know.
    """

    statistic: float
    df: float
    p_value: float
    smaller: str
    larger: str
    table: pd.DataFrame
    warnings: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return the table of both models, the test in the second row."""
        table = self.table.copy()
        for name in ("statistic", "df", "p_value"):
            table[name] = [np.nan, getattr(self, name)]
        return table

    def __str__(self) -> str:
        text = (
            f"{self.larger}\n  against {self.smaller}\n  chi2({self.df:g}) = "
            f"{self.statistic:.3f}, p = {self.p_value:.3g}"
        )
        return "\n".join([text, *(f"  ! {w}" for w in self.warnings)])


def likelihood_ratio(one: MixedModel, two: MixedModel) -> LikelihoodRatio:
    """Compare two nested models, in either order.

    Parameters
    ----------
    one, two : MixedModel
        On the same rows. Fits by restricted maximum likelihood are done again without,
        unless their fixed effects are the same.

    Returns
    -------
    LikelihoodRatio
        Of the larger model against the smaller.

    Raises
    ------
    StatisticsError
        If rows or families differ, or both have as many parameters.
    """
    if one.family != two.family or one.n != two.n:
        raise StatisticsError(
            f"Models of {one.n} rows ({one.family}) and {two.n} rows ({two.family}) "
            "cannot be compared: fit both on the same rows, those without a missing "
            "value in either."
        )
    same = list(one.covariance.index) == list(two.covariance.index)
    if one.reml != two.reml or (one.reml and not same):
        one, two = one._refit(False), two._refit(False)
    apart = one.family == "binomial" and one.method != two.method
    if apart:  # quadrature and Laplace's approximation differ by more than the models
        one, two = one._refit(False), two._refit(False)
    small, large = sorted((one, two), key=lambda model: model.n_parameters)
    df = large.n_parameters - small.n_parameters
    if df == 0:
        raise StatisticsError(
            f"Both models have {small.n_parameters} parameters, so neither is nested "
            "in the other. Compare their AIC or BIC."
        )
    statistic = small.criterion - large.criterion
    warnings = list(dict.fromkeys([*small.warnings, *large.warnings]))
    if apart:
        warnings.append(
            "One likelihood was by quadrature and one by Laplace's approximation: both "
            "models were fitted again by the latter."
        )
    if statistic < -1e-6:
        warnings.append(
            "The larger model fits worse: the models are not nested, or one of them "
            "has not converged."
        )
    if len(large.variance_components) > len(small.variance_components):
        warnings.append(
            "A variance is tested at the edge of what it can be: the p-value is too "
            "large (by up to a factor of 2 for one variance)."
        )
    table = pd.DataFrame(
        {
            "formula": [small.formula, large.formula],
            "n_parameters": [small.n_parameters, large.n_parameters],
            "aic": [small.aic, large.aic],
            "bic": [small.bic, large.bic],
            "log_likelihood": [small.log_likelihood, large.log_likelihood],
        }
    )
    statistic = max(float(statistic), 0.0)
    p_value = float(distributions.chi2(df).sf(statistic))
    return LikelihoodRatio(
        statistic, df, p_value, small.formula, large.formula, table, tuple(warnings)
    )
