"""Designs whose parameters the rows cannot tell, each with the reason."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.mixed.design import DesignMatrices
from clinicadl_trust.stats.mixed.grouping import Grouping

__all__ = ["check_design"]


def check_design(design: DesignMatrices, family: str) -> None:
    """Refuse designs whose parameters the rows cannot tell.

    Parameters
    ----------
    design : DesignMatrices
        What was read.
    family : {"gaussian", "binomial"}
        Of the model.

    Raises
    ------
    StatisticsError
        If there are too few rows, levels or values, or the same effect twice.
    """
    n, n_fixed = design.x.shape
    if n <= n_fixed:
        raise StatisticsError(
            f"{n} rows cannot tell {n_fixed} fixed effects ({design.names[0]}, ..., "
            f"{design.names[-1]}). Use fewer, or more rows; numbers kept as text have "
            "an effect for every value."
        )
    if family == "gaussian" and len(design.formula.response) == 2:
        raise StatisticsError("cbind(successes, failures) needs family='binomial'.")
    if family == "gaussian" and np.ptp(design.y) == 0:
        raise StatisticsError(
            f"Every response is {design.y[0]:g}: there is nothing to explain."
        )
    for grouping in design.groupings:
        _check_grouping(grouping, n, family)
    for one, two in combinations(design.groupings, 2):
        _check_apart(one, two)


def _check_grouping(grouping: Grouping, n: int, family: str) -> None:
    levels, effects = len(grouping.levels), grouping.values.shape[1]
    names = [name for term in grouping.terms for name in term.columns]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise StatisticsError(
            f"'{sorted(twice)[0]}' varies twice between the levels of "
            f"'{grouping.name}'. Name it in one bar only."
        )
    if levels < 2:
        raise StatisticsError(
            f"'{grouping.name}' has one level ({grouping.levels[0]}): a variance "
            "between levels cannot be told. Leave its random effect out."
        )
    if family == "gaussian" and levels * effects >= n:
        raise StatisticsError(
            f"The random effects of '{grouping.name}' are {levels * effects} and "
            f"the rows {n}: they cannot be told from the residual. Repeated rows "
            "per level are needed."
        )


def _check_apart(one: Grouping, two: Grouping) -> None:
    """Refuse two names for one grouping, as nesting the wrong way round makes."""
    shared = {c for t in one.terms for c in t.columns} & {
        c for t in two.terms for c in t.columns
    }
    if not shared or len(one.levels) != len(two.levels):
        return
    pairs = pd.MultiIndex.from_arrays([one.codes, two.codes]).nunique()
    if pairs == len(one.levels):
        raise StatisticsError(
            f"'{one.name}' and '{two.name}' group the rows alike, so their variances "
            "cannot be told apart. Nest the smaller in the larger, as in "
            "(1 | site/participant_id), or leave one out."
        )
