"""Options as users give them: refused with the value and what would be right."""

from __future__ import annotations

from collections.abc import Iterable

from clinicadl_trust.exceptions import StatisticsError, did_you_mean

__all__ = ["check_choice", "check_seed", "check_whole"]


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


def check_whole(name: str, value: object, least: int = 1, advice: str = "") -> int:
    """Return a whole number, refused below the least that makes sense.

    Raises
    ------
    StatisticsError
        If it is smaller, a fraction, or no number.
    """
    try:
        number = int(value)  # type: ignore[call-overload]
        if number == value and number >= least and not isinstance(value, str):
            return number
    except (TypeError, ValueError, OverflowError):
        pass
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
