"""What a table cannot tell, whatever the fit: refused, or said."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.mixed.formula import RandomTerm
from clinicadl_trust.stats.mixed.grouping import Grouping

__all__ = ["check_confounded", "say_crossed"]

Array = NDArray[np.float64]


def check_confounded(x: Array, groupings: Iterable[Grouping]) -> None:
    """Refuse a grouping factor whose levels the fixed effects tell apart already.

    Parameters
    ----------
    x : ndarray of float, shape (n_rows, n_fixed)
        Fixed effects, of full rank.
    groupings : iterable of Grouping
        Random effects.

    Raises
    ------
    StatisticsError
        If nothing is left of a factor beside the fixed effects.
    """
    if x.shape[1] >= len(x):
        return  # too many fixed effects for the rows, which is told apart from this
    basis = np.linalg.qr(x)[0]
    for grouping in groupings:
        n_levels = len(grouping.levels)
        if not 1 < n_levels <= x.shape[1]:
            continue
        indicator = np.eye(n_levels)[grouping.codes]
        rest = indicator - basis @ (basis.T @ indicator)
        if np.abs(rest).max() < 1e-8:
            raise StatisticsError(
                f"The fixed effects tell the levels of '{grouping.name}' apart, so "
                "that a variance between them cannot be told. Leave the factor out of "
                "the fixed effects, or out of the random ones."
            )


def say_crossed(terms: Iterable[RandomTerm], data: pd.DataFrame) -> list[str]:
    """Say where a factor is written as nested, and some of its names are not.

    Names that all occur in each outer level (cask a, b, c of each batch) are numbers
    within it; names of which some only occur twice look like the same thing seen in
    two places.
    """
    said = []
    for outer, inner in dict.fromkeys(
        (term.group[:-1], term.group[-1]) for term in terms if len(term.group) > 1
    ):
        first, *others = (data[name].astype(str) for name in outer)
        key = first.str.cat(others, sep=":") if others else first
        places = key.groupby(data[inner].astype(str)).nunique()
        twice = int((places > 1).sum())
        if 0 < twice < len(places):
            said.append(
                f"{twice} of {len(places)} names of '{inner}' occur in several of "
                f"'{':'.join(outer)}', and each is taken for another one there. If it "
                f"is the same, write (1 | {inner}) beside (1 | {':'.join(outer)})."
            )
    return said
