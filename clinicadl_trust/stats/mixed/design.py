"""Matrices of a mixed model: what its formula says of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.arrays import as_numbers
from clinicadl_trust.stats.mixed.columns import plain_columns
from clinicadl_trust.stats.mixed.expressions import Expressions
from clinicadl_trust.stats.mixed.formula import MixedFormula, parse_formula
from clinicadl_trust.stats.mixed.grouping import Grouping
from clinicadl_trust.stats.mixed.identification import check_confounded, say_crossed
from clinicadl_trust.stats.table import check_table

__all__ = ["DesignMatrices", "build_design"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class DesignMatrices:
    """Response, fixed effects and random effects.

    Attributes
    ----------
    y : ndarray of float, shape (n_rows,)
        Response; for proportions the share of successes.
    x : ndarray of float, shape (n_rows, n_fixed)
        Fixed-effects matrix, of full column rank.
    names : tuple of str
        Fixed effects, as patsy names them.
    groupings : tuple of Grouping
        Most levels first.
    weights : ndarray of float, shape (n_rows,)
        Prior weights; for proportions the number of trials.
    offset : ndarray of float, shape (n_rows,)
        Known part of the linear predictor.
    formula : MixedFormula
        What was asked.
    warnings : tuple of str
        Dropped rows and columns.
    """

    y: Array
    x: Array
    names: tuple[str, ...]
    groupings: tuple[Grouping, ...]
    weights: Array
    offset: Array
    formula: MixedFormula
    warnings: tuple[str, ...]


def build_design(
    formula: str,
    data: pd.DataFrame,
    weights: str | Sequence[float] | None = None,
    offset: str | Sequence[float] | None = None,
) -> DesignMatrices:
    """Read a formula on a table.

    Parameters
    ----------
    formula : str
        In lme4's language.
    data : pandas.DataFrame
        One row per observation. Rows with a missing value in a column that the formula
        uses are left out, with a warning.
    weights, offset : str or sequence of float, optional
        Column, or one value per row.

    Returns
    -------
    DesignMatrices
        Ready to fit.

    Raises
    ------
    StatisticsError
        If the formula cannot be read on the table, nothing is left of it, or it has no
        random effect.
    """
    parts = parse_formula(formula)
    if not parts.random:
        raise StatisticsError(
            f"The formula '{formula}' has no random effect. Add one such as "
            "(1 | participant_id), or fit a model without them (statsmodels' ols)."
        )
    data = check_table(data)
    extra = {
        name: _vector(name, given, data)
        for name, given in (("weights", weights), ("offset", offset))
        if given is not None
    }
    frame = data.reset_index(drop=True)
    pieces = Expressions(parts, frame)
    keep = pieces.complete()
    for name, vector in extra.items():
        keep &= np.isfinite(vector)
        if name == "weights" and (vector[keep] <= 0).any():
            raise StatisticsError(
                f"A weight is {vector[keep].min():g}. Weights must be above 0."
            )
    warnings = []
    if not keep.all():
        warnings.append(f"{int((~keep).sum())} rows with a missing value are left out.")
    if not keep.any():
        raise StatisticsError(
            f"Every row has a missing value in a column of '{formula}'."
        )
    frame = plain_columns(frame.loc[keep].reset_index(drop=True))
    extra = {name: vector[keep] for name, vector in extra.items()}
    pieces = Expressions(parts, frame)
    n = len(frame)
    y, trials = pieces.response()
    x, names, dropped = _full_rank(*pieces.matrix(parts.fixed))
    if not names:
        raise StatisticsError(
            f"The formula '{formula}' has no fixed effect. Write 1 for a mean."
        )
    if dropped:
        warnings.append(
            "Collinear fixed effects are left out: " + ", ".join(dropped) + "."
        )
    warnings += say_crossed(parts.random, frame)
    groupings = pieces.groupings()
    check_confounded(x, groupings)
    one = np.ones(n)
    return DesignMatrices(
        y=y,
        x=x,
        names=names,
        groupings=groupings,
        weights=extra.get("weights", one) * (one if trials is None else trials),
        offset=extra.get("offset", np.zeros(n)) + pieces.offset(),
        formula=parts,
        warnings=tuple(warnings),
    )


def _vector(name: str, given: str | Sequence[float], data: pd.DataFrame) -> Array:
    if isinstance(given, str):
        if given not in data:
            raise StatisticsError(
                f"{name}='{given}' is no column. The table has: "
                f"{', '.join(map(str, data.columns))}."
            )
        given = data[given]
    vector = as_numbers(given, name)
    if vector.shape != (len(data),):
        raise StatisticsError(
            f"{name} has shape {vector.shape}; the table has {len(data)} rows."
        )
    return vector


def _full_rank(
    x: Array, names: tuple[str, ...]
) -> tuple[Array, tuple[str, ...], list[str]]:
    """Leave out columns that are combinations of those before them."""
    # Row by row of R: a column adds nothing where its own diagonal is 0.
    scale = np.linalg.norm(x, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        r = np.asarray(np.linalg.qr(np.where(scale > 0, x / scale, 0), mode="r"))
    kept: list[int] = []
    basis = np.empty((len(r), 0))
    for column in range(x.shape[1]):
        rest = r[:, column] - basis @ (basis.T @ r[:, column])
        rest -= basis @ (basis.T @ rest)
        norm = np.linalg.norm(rest)
        if norm > 1e-7:
            kept.append(column)
            basis = np.column_stack([basis, rest / norm])
    dropped = [name for i, name in enumerate(names) if i not in kept]
    return x[:, kept], tuple(names[i] for i in kept), dropped
