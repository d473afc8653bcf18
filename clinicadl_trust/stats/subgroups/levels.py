"""Which level of a column an image belongs to: a name, or a band of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from clinicadl_trust.exceptions import StatisticsError

__all__ = ["levels_of"]

#: Levels beyond which a column is no grouping.
_MOST = 30


def levels_of(
    values: pd.Series, name: str, bands: Sequence[float] | None
) -> tuple[np.ndarray, list[str]]:
    """Number the level of each image, -1 where it is missing.

    Parameters
    ----------
    values : pandas.Series of shape (n_images,)
        The column.
    name : str
        Its name, for messages.
    bands : sequence of float, optional
        Numbers at which a new band starts: ``[65, 75]`` makes three.

    Returns
    -------
    tuple of numpy.ndarray of int, shape (n_images,), and list of str
        Numbers and names of the levels that occur, in order.

    Raises
    ------
    StatisticsError
        If bands are asked for of values that are no numbers, do not increase, or
        there are too many levels, or fewer than two.
    """
    if bands is None:
        codes, named = pd.factorize(values, sort=True)
        names = [
            f"{each:g}" if isinstance(each, float) else str(each) for each in named
        ]
    else:
        codes, names = _bands(values, name, bands)
    if len(names) > _MOST:
        raise StatisticsError(
            f"Column '{name}' has {len(names)} different values, too many for "
            f"subgroups. Cut numbers into bands, such as bands=[65, 75], or name at "
            f"most {_MOST} groups."
        )
    if len(names) < 2:
        raise StatisticsError(
            f"Column '{name}' has {len(names)} level{'s' * (len(names) != 1)} among "
            "these images: subgroups need two or more."
        )
    return codes, names


def _bands(
    values: pd.Series, name: str, bands: Sequence[float]
) -> tuple[np.ndarray, list[str]]:
    numbers = pd.to_numeric(values, errors="coerce")
    wrong = values[numbers.isna() & values.notna()]
    if len(wrong):
        raise StatisticsError(
            f"Column '{name}' cannot be cut into bands: {wrong.iloc[0]!r} is no "
            "number. Leave bands out to take its values as they are."
        )
    edges = np.asarray(bands, dtype=float)
    if edges.ndim != 1 or not edges.size or not (np.diff(edges) > 0).all():
        raise StatisticsError(
            f"bands={list(bands)} must be numbers that increase, each the start of a "
            "band, such as [65, 75]."
        )
    between = [f"{low:g} to <{high:g}" for low, high in pairwise(edges)]
    every = [f"<{edges[0]:g}", *between, f">={edges[-1]:g}"]
    raw = np.searchsorted(edges, numbers.to_numpy(float), side="right")
    seen = np.unique(raw[numbers.notna()])
    codes = np.where(numbers.notna(), np.searchsorted(seen, raw), -1)
    return codes, [every[number] for number in seen]
