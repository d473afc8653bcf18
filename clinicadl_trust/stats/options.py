"""Options as users give them: refused with the value and what would be right."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from clinicadl_trust.exceptions import StatisticsError, did_you_mean

__all__ = ["check_choice", "check_number", "check_seed", "check_whole"]


def check_choice(name: str, value: object, known: Iterable[str]) -> None:
    """Refuse an option that is none of those known.

    Raises
    ------
    StatisticsError
        With the nearest one.
    """
    known = list(known)
    if not isinstance(value, str) or value not in known:
        raise StatisticsError(
            f"{name}={value!r} is unknown.{did_you_mean(str(value), known)}"
        )


def check_number(name: str, value: object) -> float:
    """Return a finite number.

    Raises
    ------
    StatisticsError
        If it is another thing, or not finite.
    """
    if not isinstance(value, str):
        try:
            number = float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if math.isfinite(number):
            return number
    raise StatisticsError(f"{name}={value!r} makes no sense: give a finite number.")


def check_whole(name: str, value: object, least: int = 1, advice: str = "") -> int:
    """Return a whole number, refused below the least that makes sense.

    Raises
    ------
    StatisticsError
        If it is smaller, a fraction, or no number.
    """
    number = value if isinstance(value, int | float | np.number) else math.nan
    if math.isfinite(number) and number >= least and number == int(number):
        return int(number)
    raise StatisticsError(
        f"{name}={value!r} makes no sense: a whole number from {least} on is needed."
        + (f" {advice}" if advice else "")
    )


def check_seed(seed: object) -> int:
    """Return a seed, a whole number from 0 on.

    Raises
    ------
    StatisticsError
        If it is none.
    """
    return check_whole("seed", seed, 0, "The same seed gives the same numbers.")
