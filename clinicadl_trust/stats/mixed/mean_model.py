"""The mean of many columns on the same rows, each with random intercepts.

The rows' structure is read and eliminated once: what is left per column is a search.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clinicadl_trust.stats.mixed.checks import check_design
from clinicadl_trust.stats.mixed.contrast import Contrast, make_contrast
from clinicadl_trust.stats.mixed.degrees import satterthwaite
from clinicadl_trust.stats.mixed.design import build_design
from clinicadl_trust.stats.mixed.gaussian import fit_gaussian
from clinicadl_trust.stats.mixed.profile import Profile
from clinicadl_trust.stats.mixed.threads import one_thread

__all__ = ["MeanFit", "MeanModel"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class MeanFit:
    """The mean of a column.

    Attributes
    ----------
    mean : Contrast
        With Satterthwaite's degrees of freedom.
    sd : mapping of str to float
        Standard deviation between the levels of each grouping factor.
    residual_sd : float
        Within them.
    singular : bool
        Whether one of them is 0.
    warnings : tuple of str
        Where the optimum is not proven.
    """

    mean: Contrast
    sd: Mapping[str, float]
    residual_sd: float
    singular: bool
    warnings: tuple[str, ...]


class MeanModel:
    """``column ~ 1 + (1 | group) + ...`` by restricted maximum likelihood.

    Parameters
    ----------
    groups : pandas.DataFrame
        Grouping factors, one row per value, none missing.
    names : sequence of str
        Its columns whose levels differ.
    example : ndarray of float, shape (n_rows,)
        Any of the columns.

    Raises
    ------
    StatisticsError
        If a variance cannot be told.
    """

    def __init__(
        self, groups: pd.DataFrame, names: Sequence[str], example: Array
    ) -> None:
        table = groups[list(names)].assign(value=example)
        random = " + ".join(f"(1 | {name})" for name in names)
        self._design = build_design(f"value ~ 1 + {random}", table)
        check_design(self._design, "gaussian")
        self._profile = Profile(
            example, self._design.x, self._design.groupings, self._design.weights
        )

    @one_thread
    def fit(self, column: Array, confidence_level: float) -> MeanFit:
        """Fit one column, shape (n_rows,), as ``mixed_model`` does."""
        fit = fit_gaussian(self._profile.with_response(column), reml=True)
        one = np.ones(1)
        mean = make_contrast(
            float(fit.solution.beta[0]),
            float(np.sqrt(fit.covariance[0, 0])),
            satterthwaite(fit, one),
            confidence_level,
        )
        names = [grouping.name for grouping in self._design.groupings]
        sd = fit.sigma * np.abs(fit.theta)
        return MeanFit(
            mean,
            dict(zip(names, sd.tolist(), strict=True)),
            fit.sigma,
            fit.singular,
            tuple(w for w in fit.warnings if "singular" not in w),
        )
