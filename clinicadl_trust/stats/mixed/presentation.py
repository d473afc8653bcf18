"""What a fit found, arranged as a result."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clinicadl_trust.stats.mixed.contrast import make_contrast
from clinicadl_trust.stats.mixed.covariance import CovarianceFactor
from clinicadl_trust.stats.mixed.design import DesignMatrices
from clinicadl_trust.stats.mixed.result import MixedModel

__all__ = ["present"]

Array = NDArray[np.float64]


def present(
    design: DesignMatrices,
    *,
    family: str,
    method: str,
    beta: Array,
    covariance: Array,
    theta: Array,
    sigma: float,
    modes: Sequence[Array],
    criterion: float,
    mean: Callable[[Array], Array],
    variances: Callable[[], Sequence[Array]],
    reml: bool,
    singular: bool,
    degrees: Callable[[Array], float],
    level: float,
    warnings: tuple[str, ...],
    refit: Callable[[bool], MixedModel],
) -> MixedModel:
    """Make the result of a fit.

    Parameters
    ----------
    design : DesignMatrices
        What was fitted.
    family, method : str
        As in the result.
    beta, covariance : ndarray of float, shapes (n_fixed,) and (n_fixed, n_fixed)
        Fixed effects.
    theta, sigma : ndarray of float and float
        Covariance parameters; ``sigma`` is nan where there is no residual variance.
    modes : sequence of ndarray of float, shape (n_levels, n_effects)
        Conditional modes, by grouping.
    criterion : float
        Minus twice the (restricted) log-likelihood.
    mean : callable
        From the linear predictor to the response.
    variances : callable
        Returns those of the conditional modes, in the shapes of ``modes``.
    reml, singular : bool
        As in the result.
    degrees : callable
        From a contrast to its degrees of freedom.
    level : float
        Of the intervals.
    warnings : tuple of str
        Of the fit.
    refit : callable
        Fits again, with or without restricted likelihood.

    Returns
    -------
    MixedModel
        The result.
    """
    names = list(design.names)
    rows = []
    for place in range(len(names)):
        contrast = np.eye(len(names))[place]
        error = float(np.sqrt(covariance[place, place]))
        made = make_contrast(float(beta[place]), error, degrees(contrast), level)
        rows.append(vars(made))
    fixed = pd.DataFrame(rows, index=names).rename(columns={"value": "estimate"})
    components = _components(design, theta, sigma)
    n_parameters = len(beta) + len(theta) + (family == "gaussian")
    eta = design.x @ beta + design.offset
    for grouping, effects in zip(design.groupings, modes, strict=True):
        eta = eta + (grouping.values * effects[grouping.codes]).sum(axis=1)
    n = len(design.y)
    fitted = mean(eta)
    # No probability is so sure that its residual would be infinite.
    spread = 1.0 if family == "gaussian" else np.maximum(fitted * (1 - fitted), 1e-14)
    return MixedModel(
        formula=design.formula.text,
        family=family,
        method=method,
        fixed_effects=fixed.drop(columns="confidence_level"),
        covariance=pd.DataFrame(covariance, index=names, columns=names),
        variance_components=components,
        icc=_icc(components, sigma),
        random_effects={
            g.name: pd.DataFrame(
                b, index=g.levels, columns=[c for t in g.terms for c in t.columns]
            )
            for g, b in zip(design.groupings, modes, strict=True)
        },
        residual_sd=sigma,
        log_likelihood=-criterion / 2,
        aic=criterion + 2 * n_parameters,
        bic=criterion + np.log(n) * n_parameters,
        criterion=criterion,
        n=n,
        n_parameters=n_parameters,
        n_levels={g.name: len(g.levels) for g in design.groupings},
        fitted=fitted,
        residuals=(design.y - fitted) * np.sqrt(design.weights / spread),
        reml=reml,
        singular=singular,
        confidence_level=level,
        warnings=(*design.warnings, *warnings),
        _degrees=degrees,
        _refit=refit,
        _mode_variances=variances,
    )


def _components(design: DesignMatrices, theta: Array, sigma: float) -> pd.DataFrame:
    scale = 1.0 if np.isnan(sigma) else sigma
    factors = CovarianceFactor(design.groupings).matrices(theta)
    rows: list[tuple[str, str, str | None, float, float, float]] = []
    for grouping, factor in zip(design.groupings, factors, strict=True):
        covariance = scale**2 * factor @ factor.T
        sd = np.sqrt(np.diag(covariance))
        start = 0
        for term in grouping.terms:
            places = range(start, start + len(term.columns))
            for i in places:
                name = term.columns[i - start]
                rows.append(
                    (grouping.name, name, None, sd[i] ** 2, sd[i], float("nan"))
                )
            for i in places:
                for j in range(start, i):
                    both = sd[i] * sd[j]
                    correlation = covariance[i, j] / both if both > 0 else float("nan")
                    first, second = term.columns[j - start], term.columns[i - start]
                    rows.append(
                        (grouping.name, first, second, covariance[i, j],
                         float("nan"), correlation)
                    )  # fmt: skip
            start += len(term.columns)
    if not np.isnan(sigma):
        rows.append(("Residual", "", None, sigma**2, sigma, float("nan")))
    columns = ["group", "effect", "with_effect", "variance", "sd", "correlation"]
    return pd.DataFrame(rows, columns=columns)


def _icc(components: pd.DataFrame, sigma: float) -> pd.Series:
    intercepts = components[
        (components["effect"] == "Intercept") & components["with_effect"].isna()
    ].set_index("group")["variance"]
    residual = np.pi**2 / 3 if np.isnan(sigma) else sigma**2
    return (intercepts / (intercepts.sum() + residual)).rename("icc")
