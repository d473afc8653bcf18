"""Numbers and lists as a reader expects to find them in a paper."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from markupsafe import Markup, escape

__all__ = [
    "code",
    "count",
    "duration",
    "interval",
    "joined",
    "number",
    "p_value",
    "percent",
    "signed",
]

MISSING = "not estimable"

_MOST_DIGITS = 4
_BACKTICKS = re.compile(r"`([^`]+)`")


def number(value: float | None, digits: int = 2) -> str:
    """Write a number with two decimals, up to four where fewer would say 0 or 1.

    A performance of 0.997 is not perfect, and a bound of 0.001 is above zero, so
    neither may be rounded to what it is not.
    """
    if value is None or not math.isfinite(value):
        return MISSING
    if abs(value) >= 100:
        return _typeset(f"{value:.1f}")
    texts = [f"{value:.{n}f}" for n in range(digits, max(digits, _MOST_DIGITS) + 1)]
    exact = (t for t in texts if abs(float(t)) not in (0.0, 1.0) or float(t) == value)
    return _typeset(next(exact, texts[0]))


def _typeset(text: str) -> str:
    """Set the minus sign; a rounded zero has none."""
    text = text.lstrip("-") if float(text) == 0 else text
    return text.replace("-", "\N{MINUS SIGN}")


def signed(value: float | None) -> str:
    """Write a difference with its sign."""
    text = number(value)
    if text == MISSING or text.startswith("\N{MINUS SIGN}") or not float(text):
        return text
    return f"+{text}"


def interval(low: float | None, high: float | None, *, sign: bool = False) -> str:
    """Write an interval, or nothing when there is none."""
    write = signed if sign else number
    ends = (write(low), write(high))
    return "no interval" if MISSING in ends else f"{ends[0]} to {ends[1]}"


def p_value(value: float | None) -> str:
    """Write a p-value with two significant digits, never as zero."""
    if value is None or not math.isfinite(value):
        return "\N{EM DASH}"
    if value < 0.001:
        return "< 0.001"
    return f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def p_phrase(value: float | None) -> str:
    """Write ``p = 0.012`` or ``p < 0.001``."""
    text = p_value(value)
    return f"p {text}" if text.startswith("<") else f"p = {text}"


def percent(share: float | None) -> str:
    """Write a share of 1 as a whole percentage."""
    if share is None or not math.isfinite(share):
        return "n/a"
    return f"{100 * share:.0f}\N{NARROW NO-BREAK SPACE}%"


def count(n: float, noun: str, plural: str | None = None) -> str:
    """Write a number of things: ``1 site``, ``1,204 participants``."""
    word = noun if int(n) == 1 else plural or f"{noun}s"
    return f"{int(n):,} {word}"


def code(text: str) -> Markup:
    """Escape a text and set what stands between backticks as code."""
    return Markup(_BACKTICKS.sub(r"<code>\1</code>", str(escape(text))))


def joined(names: Sequence[str], last: str = "and") -> str:
    """Write a list in words: ``a, b and c``."""
    names = list(names)
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {last} {names[-1]}"


def duration(seconds: float | None) -> str:
    """Write a duration with its two largest units."""
    if seconds is None or not math.isfinite(seconds):
        return "n/a"
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"
