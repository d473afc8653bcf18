"""Functions of R that formulas use, where patsy has none or another."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clinicadl_trust.exceptions import StatisticsError

__all__ = ["FUNCTIONS", "poly", "scale"]

Array = NDArray[np.float64]


def scale(x: ArrayLike) -> Array:
    """Return a column less its mean, over its standard deviation (n - 1), as in R."""
    values = np.asarray(x, dtype=float)
    return (values - values.mean()) / values.std(ddof=1)


def poly(x: ArrayLike, degree: int = 1, raw: bool = False) -> Array:
    """Return powers of a column, orthogonal to each other and to 1 as in R.

    Parameters
    ----------
    x : array-like of float, shape (n_rows,)
        The column.
    degree : int
        Highest power.
    raw : bool
        Plain powers.

    Returns
    -------
    ndarray of float, shape (n_rows, degree)
        Of length one unless they are raw.

    Raises
    ------
    StatisticsError
        If the column has too few values for the degree.
    """
    values = np.asarray(x, dtype=float)
    if raw:
        return values[:, None] ** np.arange(1, degree + 1)
    if len(np.unique(values)) <= degree:
        raise StatisticsError(
            f"poly(..., {degree}) needs more than {degree} different values; there "
            f"are {len(np.unique(values))}."
        )
    q, r = np.linalg.qr(np.vander(values - values.mean(), degree + 1, increasing=True))
    return np.asarray(q[:, 1:] * np.sign(np.diag(r))[1:], dtype=float)


FUNCTIONS: dict[str, Any] = {
    "log": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "log1p": np.log1p,
    "exp": np.exp,
    "sqrt": np.sqrt,
    "poly": poly,
    "scale": scale,
    "TRUE": True,
    "FALSE": False,
}
