"""The errors that this package raises for a user to read.

A message says what is wrong, the value received and what to do about it. The
command line prints the message alone and exits with 1; anything that is not a
``TrustError`` is a bug of ours and keeps its traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "AttributionError",
    "CapsError",
    "CohortError",
    "ConfigError",
    "LeakageError",
    "OutputError",
    "PluginError",
    "PredictionsError",
    "RunError",
    "SplitError",
    "StatisticsError",
    "TrustError",
    "did_you_mean",
]


class TrustError(Exception):
    """Base of every error that a user can mend."""


class AttributionError(TrustError):
    """What a network looks at cannot be computed or constrained as asked."""


class CapsError(TrustError):
    """An image, or the CAPS that should hold it, cannot be used."""


class CohortError(TrustError):
    """The participants table cannot be used."""


class ConfigError(TrustError):
    """An experiment file or an option is wrong."""


class LeakageError(TrustError):
    """Data that must be apart are together."""


class OutputError(TrustError):
    """A result cannot be written where it was asked for."""


class PluginError(TrustError):
    """A plugin is unknown, broken or registered twice."""


class PredictionsError(TrustError):
    """The predictions table cannot be used."""


class RunError(TrustError):
    """A training or a prediction failed."""


class SplitError(TrustError):
    """The participants cannot be split as asked."""


class StatisticsError(TrustError):
    """A statistic is not defined on these data."""


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """End an error message with the nearest known name and the list of all.

    Parameters
    ----------
    name : object
        The name received, or what is none.
    known : iterable of str
        The names that would have been right.

    Returns
    -------
    str
        ``" Did you mean 'x'? Known names: x, y."``, to append to a message.
    """
    known = sorted(known)
    folded = {k.lower().replace("-", "").replace("_", ""): k for k in known}
    key = str(name).lower().replace("-", "").replace("_", "")
    near = difflib.get_close_matches(key, list(folded), n=1, cutoff=0.6)
    hint = f" Did you mean '{folded[near[0]]}'?" if near else ""
    return f"{hint} Known names: {', '.join(known) or 'none'}."


def _fold(name: str) -> str:
    for mark in "-_ ":
        name = name.replace(mark, "")
    return name.lower()
