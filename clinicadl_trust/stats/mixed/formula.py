"""The formula language of lme4: fixed effects, and random effects behind a bar.

``Reaction ~ Days + (Days | Subject)``: what stands left of the bar varies between the
levels of what stands right of it. Fixed effects and left sides are read by patsy.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from clinicadl_trust.exceptions import StatisticsError

__all__ = ["MixedFormula", "RandomTerm", "parse_formula"]

_CBIND = re.compile(r"^cbind\s*\(\s*([^,()]+?)\s*,\s*([^,()]+?)\s*\)$")
_OFFSET = re.compile(r"^\+?\s*offset\s*\((.*)\)$", re.DOTALL)
_FACTOR = re.compile(r"^(?:as\.)?factor\s*\(\s*([^()]+?)\s*\)$")
_NAME = re.compile(r"^(?:[A-Za-z_.][\w.]*|`[^`]+`)$")


@dataclass(frozen=True)
class RandomTerm:
    """One ``(left | group)``.

    Attributes
    ----------
    left : str
        What varies, in patsy's language.
    group : tuple of str
        Columns whose combinations are the levels.
    correlated : bool
        False for two bars: the columns of ``left`` vary independently.
    """

    left: str
    group: tuple[str, ...]
    correlated: bool = True

    @property
    def name(self) -> str:
        """The grouping factor, as ``batch:cask``."""
        return ":".join(self.group)


@dataclass(frozen=True)
class MixedFormula:
    """A formula taken apart.

    Attributes
    ----------
    text : str
        As it was given.
    response : tuple of str
        One expression, or the columns of successes and failures.
    fixed : str
        The right side without random terms, in patsy's language.
    random : tuple of RandomTerm
        Nested groups expanded.
    offset : tuple of str
        Expressions in ``offset()``, to be summed.
    """

    text: str
    response: tuple[str, ...]
    fixed: str
    random: tuple[RandomTerm, ...]
    offset: tuple[str, ...] = ()


def parse_formula(text: str) -> MixedFormula:
    """Take a formula apart.

    Parameters
    ----------
    text : str
        In lme4's language: ``y ~ x + (1 | site/participant_id)``; ``x`` may be any
        expression that patsy knows, and ``factor(x)``, ``offset(x)``, ``poly(x, 2)``,
        ``scale(x)`` and ``^`` are read as in R.

    Returns
    -------
    MixedFormula
        Its parts.

    Raises
    ------
    StatisticsError
        Where the syntax is wrong; the place is pointed at.

    References
    ----------
    Bates et al., Fitting linear mixed-effects models using lme4, J. Stat. Softw. 67(1),
    2015, section 2.1.
    """
    if not isinstance(text, str) or not text.strip():
        raise StatisticsError(
            f"The formula is {text!r}. Write one such as "
            "'score ~ age + (1 | participant_id)'."
        )
    _check_brackets(text)
    tilde = _only_tilde(text)
    left = text[:tilde].strip()
    if not left:
        raise _error(text, tilde, "nothing stands left of '~'; name the response")
    fixed, offset, random = [], [], []
    for start, end in _summands(text, tilde + 1):
        part = text[start:end]
        known = _OFFSET.match(part.strip())
        if known:
            offset.append(_as_patsy(known[1]))
        elif _bars(part):
            random.extend(_random(text, start, part))
        else:
            fixed.append(part)
    terms = _as_patsy(" ".join(fixed).strip().removeprefix("+").strip() or "1")
    return MixedFormula(text, _response(left), terms, tuple(random), tuple(offset))


def _response(left: str) -> tuple[str, ...]:
    both = _CBIND.match(left)
    if not both and left.startswith("cbind"):
        raise _error(left, 0, "cbind takes two columns, successes and failures")
    return (both[1], both[2]) if both else (_as_patsy(left),)


def _random(text: str, start: int, part: str) -> list[RandomTerm]:
    """Read a summand with a bar: ``+ (left | group)``."""
    opening = part.find("(")
    if (
        opening < 0
        or part[:opening].strip() not in ("", "+")
        or part.strip()[-1] != ")"
    ):
        place = start + _bars(part)[0]
        raise _error(text, place, "put a random effect in brackets: (1 | group)")
    inside = part[opening + 1 : part.rindex(")")]
    offset = start + opening + 1
    bars = _bars(inside, inside=True)
    correlated = not (len(bars) == 2 and bars[1] == bars[0] + 1)
    if len(bars) > (1 if correlated else 2):
        raise _error(
            text, offset + bars[-1], "only one '|' (or '||') in a random effect"
        )
    left, right = inside[: bars[0]].strip(), inside[bars[-1] + 1 :]
    if not left:
        raise _error(text, offset + bars[0], "say what varies: 1, or a column")
    place = offset + bars[-1] + 1
    return [
        RandomTerm(_as_patsy(left), group, correlated)
        for group in _groups(text, place, right)
    ]


def _groups(text: str, place: int, right: str) -> list[tuple[str, ...]]:
    """Expand ``a/b/c`` to a, a:b and a:b:c."""
    nested = [piece.split(":") for piece in right.split("/")]
    # The values of a grouping column are levels already.
    names = [[_FACTOR.sub(r"\1", n.strip()) for n in piece] for piece in nested]
    for name in (name for piece in names for name in piece):
        if not _NAME.match(name):
            raise _error(
                text,
                place,
                f"{name or 'nothing'!r} is no column; group by columns joined by ':' "
                "or '/'",
            )
    plain = [tuple(name.strip("`") for name in piece) for piece in names]
    return [
        tuple(dict.fromkeys(sum(plain[: depth + 1], ())))
        for depth in reversed(range(len(plain)))
    ]


def _summands(text: str, start: int) -> list[tuple[int, int]]:
    """Cut at + and - outside of brackets; each piece keeps its sign."""
    cuts, depth = [start], 0
    for place in range(start, len(text)):
        depth += (text[place] == "(") - (text[place] == ")")
        if not depth and text[place] in "+-" and text[start:place].strip():
            cuts.append(place)
    return list(zip(cuts, [*cuts[1:], len(text)], strict=True))


def _bars(part: str, *, inside: bool = False) -> list[int]:
    """Return the places of bars, outside of functions' brackets."""
    places, depth = [], 0
    deepest = 0 if inside else 1
    for place, letter in enumerate(part):
        depth += (letter == "(") - (letter == ")")
        if letter == "|" and depth <= deepest:
            places.append(place)
    return places


def _only_tilde(text: str) -> int:
    places = [place for place, letter in enumerate(text) if letter == "~"]
    if not places:
        raise _error(text, len(text), "'~' is missing between response and effects")
    if len(places) > 1:
        raise _error(text, places[1], "a second '~'")
    return places[0]


def _check_brackets(text: str) -> None:
    opened: list[int] = []
    for place, letter in enumerate(text):
        if letter == "(":
            opened.append(place)
        elif letter == ")":
            if not opened:
                raise _error(text, place, "')' without '('")
            opened.pop()
    if opened:
        raise _error(text, opened[-1], "'(' is never closed")


def _as_patsy(text: str) -> str:
    """Write R's words as patsy's."""
    text = re.sub(r"\b(?:as\.)?factor\s*\(", "C(", text)
    return re.sub(r"`([^`]+)`", r'Q("\1")', text.replace("^", "**"))


def _error(text: str, place: int, problem: str) -> StatisticsError:
    line = text.replace("\n", " ")
    return StatisticsError(
        f"The formula cannot be read: {problem}.\n  {line}\n  {' ' * place}^"
    )
