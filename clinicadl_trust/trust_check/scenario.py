"""What a scenario is: data with a known truth, and procedures that are put to it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from clinicadl_trust.stats.results import Calibration, Comparison, Estimate

__all__ = ["Answer", "Kind", "Procedure", "Scenario", "Setting"]

Kind = Literal["coverage", "rejection"]

#: Intervals are of 95 %, tests at 5 %.
LEVEL = 0.05


@dataclass(frozen=True)
class Answer:
    """What a procedure says of one data set.

    Attributes
    ----------
    low, high : float
        A 95 % interval.
    p_value : float
        Of a test that there is no difference.
    calibration : {"calibrated", "conservative", "approximate"} or None
        What the result says of itself; None where it says nothing.
    """

    low: float = math.nan
    high: float = math.nan
    p_value: float = math.nan
    calibration: str | None = None

    @classmethod
    def of(cls, result: Estimate | Comparison) -> Answer:
        """Take what counts from a result."""
        p_value = result.p_value if isinstance(result, Comparison) else math.nan
        return cls(result.low, result.high, p_value, result.calibration)

    @classmethod
    def around(
        cls, value: float, reach: float, calibration: Calibration | None = None
    ) -> Answer:
        """Make a symmetric interval."""
        return cls(value - reach, value + reach, calibration=calibration)


@dataclass(frozen=True)
class Procedure:
    """A way to analyse the data of a setting.

    Attributes
    ----------
    name : str
        As a reader would call it, the function where it is one of ours.
    analyse : callable
        From drawn data to an ``Answer`` or one of our results.
    naive : bool
        Whether it is what should not be done; what it says of itself is not asked.
    truth : float, optional
        Where it estimates something else than the setting's other procedures.
    """

    name: str
    analyse: Callable[[Any], Answer | Estimate | Comparison]
    naive: bool = False
    truth: float | None = None

    def answer(self, data: Any) -> Answer:
        """Analyse drawn data."""
        made = self.analyse(data)
        return made if isinstance(made, Answer) else Answer.of(made)


@dataclass(frozen=True)
class Setting:
    """One kind of data, whose truth is known.

    Attributes
    ----------
    title : str
        In words, unique in its scenario.
    draw : callable
        From a random generator to data.
    procedures : tuple of Procedure
        Put to the same data.
    kind : {"coverage", "rejection"}
        Whether it is counted how often an interval holds the truth, or how often a
        test rejects that there is no difference, which is true.
    truth : float or callable
        For coverage: the value, or a function of the drawn data.
    """

    title: str
    draw: Callable[[np.random.Generator], Any]
    procedures: tuple[Procedure, ...]
    kind: Kind = "coverage"
    truth: float | Callable[[Any], float] = math.nan

    def hit(self, procedure: Procedure, data: Any) -> tuple[bool | None, str | None]:
        """Return whether truth is held or rejected (None: no answer), and the label."""
        answer = procedure.answer(data)
        return self._hit(answer, procedure.truth, data), answer.calibration

    def _hit(self, answer: Answer, truth: float | None, data: Any) -> bool | None:
        if self.kind == "rejection":
            return None if math.isnan(answer.p_value) else answer.p_value < LEVEL
        if math.isnan(answer.low) or math.isnan(answer.high):
            return None
        if truth is None:
            truth = self.truth(data) if callable(self.truth) else self.truth
        return bool(answer.low <= truth <= answer.high)


@dataclass(frozen=True)
class Scenario:
    """Settings that share a trap.

    Attributes
    ----------
    name : str
        For ``--scenario``.
    title : str
        A heading.
    naive : str
        What a naive analysis does, in a plain sentence or two.
    ours : str
        What we do instead.
    settings : tuple of Setting
        With the mildest first.
    """

    name: str
    title: str
    naive: str
    ours: str
    settings: tuple[Setting, ...]
