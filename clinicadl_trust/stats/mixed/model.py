"""Mixed models with the formula language of lme4."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.intervals import check_level
from clinicadl_trust.stats.mixed.binomial import fit_binomial
from clinicadl_trust.stats.mixed.checks import check_design
from clinicadl_trust.stats.mixed.degrees import satterthwaite
from clinicadl_trust.stats.mixed.design import DesignMatrices, build_design
from clinicadl_trust.stats.mixed.gaussian import fit_gaussian
from clinicadl_trust.stats.mixed.kenward_roger import kenward_roger
from clinicadl_trust.stats.mixed.mode_variances import mode_variances
from clinicadl_trust.stats.mixed.presentation import present
from clinicadl_trust.stats.mixed.profile import Profile
from clinicadl_trust.stats.mixed.rescaling import Rescaled
from clinicadl_trust.stats.mixed.result import MixedModel
from clinicadl_trust.stats.mixed.threads import one_thread
from clinicadl_trust.stats.options import check_choice, check_whole

__all__ = ["mixed_model"]

Array = NDArray[np.float64]

#: A residual standard deviation that is rounding, as a part of the response's own.
_EXACT = 1e-7
_NO_RESIDUAL = (
    "The model explains the response exactly: standard errors and p-values mean "
    "nothing. Is the response, or a copy of it, among the fixed effects?"
)

Family = Literal["gaussian", "binomial"]
Refit = Callable[[bool], MixedModel]
Degrees = Literal["satterthwaite", "kenward-roger", "normal"]


@one_thread
def mixed_model(
    formula: str,
    data: pd.DataFrame,
    family: Family = "gaussian",
    reml: bool = True,
    df: Degrees = "satterthwaite",
    *,
    weights: str | Sequence[float] | None = None,
    offset: str | Sequence[float] | None = None,
    n_quadrature: int | None = None,
    confidence_level: float = 0.95,
) -> MixedModel:
    """Fit a linear or logistic model with random effects.

    Parameters
    ----------
    formula : str
        In lme4's language, with crossed and nested random intercepts and slopes:
        ``"score ~ age + (1 | participant_id) + (age || site)"``,
        ``"strength ~ 1 + (1 | batch/cask)"``. Names of fixed effects are patsy's.
    data : pandas.DataFrame
        One row per observation. Rows with a missing value in a column that the formula
        uses are left out, with a warning.
    family : {"gaussian", "binomial"}
        Linear, or logistic with a response of 0 and 1, of shares (the number of trials
        as ``weights``) or ``cbind(successes, failures)``.
    reml : bool
        Restricted maximum likelihood (linear models only).
    df : {"satterthwaite", "kenward-roger", "normal"}
        Degrees of freedom of the fixed effects of a linear model. Kenward-Roger also
        adjusts the standard errors; it is for at most 3,000 rows.
    weights, offset : str or sequence of float, optional
        Prior weights and a known part of the linear predictor; a column or values.
    n_quadrature : int, optional
        Nodes of adaptive Gauss-Hermite quadrature for a logistic model; by default 25
        for one scalar random effect, 1 (Laplace's approximation) otherwise.
    confidence_level : float
        Of the intervals.

    Returns
    -------
    MixedModel
        Fixed effects with intervals and p-values, variance components, conditional
        modes, likelihood. A singular fit, or one whose optimum is not proven, is
        reported in its ``warnings``.

    Raises
    ------
    StatisticsError
        If the formula or an option is wrong, or there are fewer rows than parameters.

    References
    ----------
    Bates et al., J. Stat. Softw. 67(1), 2015 (likelihood); Kuznetsova et al., J. Stat.
    Softw. 82(13), 2017 (Satterthwaite); Pinheiro and Chao, J. Comput. Graph. Stat.
    15(1), 2006 (quadrature).

    Examples
    --------
    >>> import pandas as pd
    >>> from clinicadl_trust.stats import mixed_model
    >>> scores = [1.0, 1.2, 2.1, 2.4, 0.3, 0.2]
    >>> table = pd.DataFrame({"score": scores, "who": list("aabbcc")})
    >>> model = mixed_model("score ~ 1 + (1 | who)", table)
    >>> print(f"{model.icc['who']:.2f}")
    0.98
    """
    _check_options(family, reml, df, confidence_level, n_quadrature)
    design = build_design(formula, data, weights, offset)
    check_design(design, family)

    if df == "kenward-roger" and family == "gaussian" and not reml:
        raise StatisticsError("df='kenward-roger' needs reml=True.")

    def refitted(reml: bool) -> MixedModel:
        if family == "binomial":
            return _binomial(design, 1, confidence_level, refitted)
        # Kenward and Roger's adjustment is one of restricted likelihood.
        method = df if reml or df != "kenward-roger" else "satterthwaite"
        return _gaussian(design, reml, method, confidence_level, refitted)

    if family == "binomial":
        return _binomial(design, n_quadrature, confidence_level, refitted)
    return refitted(reml)


def _check_options(
    family: str,
    reml: object,
    df: str,
    confidence_level: float,
    n_quadrature: int | None,
) -> None:
    check_choice("family", family, ("gaussian", "binomial"))
    check_choice("df", df, ("satterthwaite", "kenward-roger", "normal"))
    check_level(confidence_level)
    if reml not in (True, False):
        raise StatisticsError(
            f"reml={reml!r} must be True, or False for maximum likelihood."
        )
    if n_quadrature is not None and check_whole("n_quadrature", n_quadrature) > 100:
        raise StatisticsError(f"n_quadrature={n_quadrature!r} must be 1 to 100.")


# --- results --------------------------------------------------------------------------


def _gaussian(
    design: DesignMatrices, reml: bool, df: str, level: float, refit: Refit
) -> MixedModel:
    rescaled = Rescaled(design)
    profile = Profile(
        design.y - design.offset, design.x, rescaled.design.groupings, design.weights
    )
    fit = fit_gaussian(profile, reml)
    theta = rescaled.theta(fit.theta)
    covariance = fit.covariance
    degrees: Callable[[Array], float]
    if df == "kenward-roger":
        adjusted = kenward_roger(rescaled.design, fit)
        covariance, degrees = adjusted.adjusted, adjusted.degrees
    elif df == "normal":
        degrees = _infinite
    else:
        degrees = lambda contrast: satterthwaite(fit, contrast)  # noqa: E731
    solution = fit.solution
    exact = fit.sigma < _EXACT * float(np.std(design.y))
    likelihood = "restricted maximum likelihood" if reml else "maximum likelihood"
    return present(
        design,
        family="gaussian",
        method=f"linear mixed model by {likelihood}, {df} degrees of freedom",
        beta=solution.beta,
        covariance=covariance,
        theta=theta,
        sigma=fit.sigma,
        modes=rescaled.modes(profile.modes(fit.theta, solution.beta)),
        criterion=fit.criterion,
        mean=lambda eta: eta,
        variances=lambda: mode_variances(design, theta, design.weights, fit.sigma),
        reml=reml,
        singular=fit.singular,
        degrees=degrees,
        level=level,
        warnings=fit.warnings + ((_NO_RESIDUAL,) if exact else ()),
        refit=refit,
    )


def _binomial(
    design: DesignMatrices, n_quadrature: int | None, level: float, refit: Refit
) -> MixedModel:
    from scipy.special import expit

    rescaled = Rescaled(design)
    fit = fit_binomial(rescaled.design, n_quadrature)
    theta = rescaled.theta(fit.theta)
    how = (
        f"adaptive Gauss-Hermite quadrature ({fit.n_nodes} nodes)"
        if fit.n_nodes > 1
        else "Laplace's approximation"
    )
    return present(
        design,
        family="binomial",
        method=f"logistic mixed model by maximum likelihood, {how}",
        beta=fit.beta,
        covariance=fit.covariance,
        theta=theta,
        sigma=float("nan"),
        modes=rescaled.modes(fit.modes),
        criterion=fit.deviance,
        mean=expit,
        variances=lambda: mode_variances(
            design, theta, design.weights * fit.fitted * (1 - fit.fitted), 1.0
        ),
        reml=False,
        singular=fit.singular,
        degrees=_infinite,
        level=level,
        warnings=fit.warnings,
        refit=refit,
    )


def _infinite(contrast: Array) -> float:
    """Degrees of freedom of a z test."""
    return float("inf")
