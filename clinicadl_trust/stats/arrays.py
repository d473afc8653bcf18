"""Arrays as users give them: read, and refused with the reason."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from clinicadl_trust.exceptions import StatisticsError

__all__ = [
    "as_codes",
    "as_ids",
    "as_matrix",
    "as_numbers",
    "check_size",
    "finite",
    "is_finite",
]

Array = npt.NDArray[np.float64]

#: Numbers beyond it have squares and sums that overflow; some files write them for
#: missing.
_HUGE = 1e100

_NOBODY = "Images of nobody known cannot be told from one another's."
_ADVICE = "Write 1 for the positive class and 0 for the other."


def as_numbers(values: npt.ArrayLike, what: str) -> Array:
    """Return a list of numbers as an array.

    Parameters
    ----------
    values : array-like of shape (n,)
        Numbers or booleans in a list, a generator, an array or a pandas object.
    what : str
        Their name, for messages: ``"Scores"``.

    Returns
    -------
    numpy.ndarray of float, shape (n,)
        Missing values (None, NaN, pandas' NA, masked) as nan.

    Raises
    ------
    StatisticsError
        If a value is no number, or the list has columns.
    """
    numbers = _floats(values, what)
    if numbers.ndim != 1:
        raise StatisticsError(
            f"{what} must be a list of numbers, not {_shape(values, numbers)}. Of "
            "several columns give one, that of the positive class."
        )
    return numbers


def as_matrix(values: npt.ArrayLike | pd.DataFrame, what: str) -> Array:
    """Return rows and columns of numbers as an array, missing values as nan.

    Raises
    ------
    StatisticsError
        If a value is no number, or there are no rows and columns.
    """
    numbers = _floats(values, what)
    if numbers.ndim != 2:
        raise StatisticsError(
            f"{what} must have rows and columns, and are {_shape(values, numbers)}."
        )
    return numbers


def finite(values: npt.ArrayLike, what: str, advice: str = "") -> Array:
    """Return a list of finite numbers, at least one.

    Parameters
    ----------
    values, what
        As in ``as_numbers``.
    advice : str
        What to do with missing ones.

    Raises
    ------
    StatisticsError
        If there is none, or one is missing, infinite, beyond 1e100 or no number.
    """
    numbers = as_numbers(values, what)
    if not numbers.size:
        raise StatisticsError(f"{what} must be a list with at least one value.")
    wrong = int((~is_finite(numbers)).sum())
    if wrong:
        raise StatisticsError(
            f"{wrong} of {numbers.size} {what.lower()} are missing or infinite. "
            f"{advice or 'Leave these out first.'}"
        )
    return numbers


def is_finite(numbers: Array) -> npt.NDArray[np.bool_]:
    """Tell which numbers are neither missing nor infinite nor beyond 1e100."""
    return np.abs(numbers) <= _HUGE


def as_ids(values: npt.ArrayLike, what: str, advice: str = _NOBODY) -> npt.NDArray[Any]:
    """Return ids of any kind as an array, each as it was given.

    Parameters
    ----------
    values : array-like of shape (n,)
        Names or numbers.
    what, advice : str
        As in ``finite``.

    Raises
    ------
    StatisticsError
        If they are no list, or one is missing.
    """
    if isinstance(values, Iterator):
        values = list(values)
    # A list as objects: else a missing id among names becomes one more name.
    typed = isinstance(values, np.ndarray | pd.Series | pd.Index)
    ids = np.asarray(values, dtype=None if typed else object)
    if ids.ndim != 1:
        raise StatisticsError(
            f"{what} must be a list, one for each image, not {_shape(values, ids)}."
        )
    objects = ids if ids.dtype.kind == "O" else ids[:0]
    unfit = [each for each in objects if not isinstance(each, Hashable)]
    if unfit:
        raise StatisticsError(
            f"{what} must be names or numbers, and one is the "
            f"{type(unfit[0]).__name__} {unfit[0]!r}."
        )
    missing = int(pd.isna(ids).sum())
    if missing:
        raise StatisticsError(
            f"{missing} of {ids.size} {what.lower()} are missing. {advice}"
        )
    return ids


def as_codes(values: npt.ArrayLike, what: str) -> npt.NDArray[np.intp]:
    """Number ids from 0 without a gap, in the order in which they appear.

    Raises
    ------
    StatisticsError
        As ``as_ids``.
    """
    return pd.factorize(as_ids(values, what))[0]


def check_size(n: int, values: np.ndarray, what: str) -> None:
    """Refuse another number of values than of labels.

    Raises
    ------
    StatisticsError
        If they differ.
    """
    if len(values) != n:
        raise StatisticsError(
            f"There are {n} labels and {len(values)} {what}. Give one each per image."
        )


def _floats(values: Any, what: str) -> Array:
    if isinstance(values, Iterator):
        values = list(values)
    if isinstance(values, np.ma.MaskedArray):
        values = np.ma.filled(values.astype(float), np.nan)
    if isinstance(values, pd.api.extensions.ExtensionArray):
        values = pd.Series(values)
    try:
        array = np.asarray(values)
        if array.dtype.kind == "O":
            _refuse_text(array, what)
            array = np.where(pd.isna(array), np.nan, array)
        elif array.dtype.kind not in "biuf":
            raise TypeError(f"they are {_kind(array)}")
        return array.astype(float)
    except (OverflowError, TypeError, ValueError) as error:
        raise StatisticsError(f"{what} must be numbers: {error}. {_ADVICE}") from error


def _refuse_text(array: np.ndarray, what: str) -> None:
    for value in array.flat:
        if isinstance(value, str):
            raise StatisticsError(
                f"{what} must be numbers, and one is the text {value!r}. {_ADVICE}"
            )


def _kind(array: np.ndarray) -> str:
    if array.dtype.kind in "US":
        return f"text such as {str(array.flat[0])!r}"
    return f"of the kind {array.dtype}"


def _shape(values: object, array: np.ndarray) -> str:
    if array.ndim == 0:
        return f"the single {type(values).__name__} {values!r}"
    return f"of shape {array.shape}"
