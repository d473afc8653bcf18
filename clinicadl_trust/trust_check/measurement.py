"""How often a procedure was right, and whether that is what it says of itself."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Literal

import pandas as pd

from clinicadl_trust.trust_check.scenario import Kind

__all__ = ["MONTE_CARLO_LEVEL", "Measurement", "Tally", "TrustCheck", "bounds_of"]

Verdict = Literal["holds", "fails", "measured", "naive holds", "naive fails"]

#: Confidence of the interval that says how far a measured rate may be off.
MONTE_CARLO_LEVEL = 0.99

#: What each label promises: the least and the greatest rate.
_PROMISES: dict[Kind, dict[str, tuple[float, float]]] = {
    "coverage": {
        "calibrated": (0.93, 0.97),
        "conservative": (0.93, 1.0),
        "approximate": (0.0, 1.0),
    },
    "rejection": {
        "calibrated": (0.03, 0.07),
        "conservative": (0.0, 0.05),
        "approximate": (0.0, 1.0),
    },
}


@dataclass
class Tally:
    """What was counted of one procedure.

    Attributes
    ----------
    hits, answers, refusals : int
        Intervals with the truth or rejections; answers; data without an answer.
    labels : Counter of str
        What the answers said of themselves.
    """

    hits: int = 0
    answers: int = 0
    refusals: int = 0
    labels: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Add what was counted elsewhere."""
        self.hits += other.hits
        self.answers += other.answers
        self.refusals += other.refusals
        self.labels += other.labels


def bounds_of(kind: Kind, labels: Counter[str]) -> tuple[float, float]:
    """Return what labels promise together.

    Where a procedure says one thing of some data and another of others, the rate over
    all of them is a mean of the rates within, weighted by how often each was said;
    so is its bound.

    Parameters
    ----------
    kind : {"coverage", "rejection"}
        What was counted.
    labels : Counter of str
        How often each was said; empty for what a 95 % interval or a 5 % test promises.
    """
    said = labels or Counter({"calibrated": 1})
    total = sum(said.values())
    low, high = (
        sum(n * _PROMISES[kind][name][end] for name, n in said.items()) / total
        for end in (0, 1)
    )
    return low, high


@dataclass(frozen=True)
class Measurement:
    """How often one procedure was right in one setting.

    Attributes
    ----------
    scenario, setting, procedure, kind : str
        What was measured.
    naive : bool
        Whether it is what should not be done.
    label : str
        What the results said of themselves, with shares where they differ; empty for
        naive ones.
    replicates, refused : int
        Data sets drawn, and how many of them it gave no answer for.
    rate, low, high : float
        Share of intervals that held the truth, or of tests that rejected, with the 99 %
        interval (Wilson) that the number of replicates leaves.
    bound_low, bound_high : float
        What the label promises.
    verdict : str
        ``holds`` unless the whole interval is out of bounds, then ``fails``;
        ``measured`` where the label promises no more than to be measured; after
        ``naive`` against what any 95 % interval or 5 % test promises.
    """

    scenario: str
    setting: str
    procedure: str
    kind: Kind
    naive: bool
    label: str
    replicates: int
    refused: int
    rate: float
    low: float
    high: float
    bound_low: float
    bound_high: float
    verdict: Verdict

    @classmethod
    def of(
        cls,
        names: tuple[str, str, str],
        kind: Kind,
        naive: bool,
        tally: Tally,
    ) -> Measurement:
        """Judge what was counted; ``names`` are scenario, setting and procedure."""
        from statsmodels.stats.proportion import proportion_confint

        nan = float("nan")
        rate, low, high = nan, nan, nan
        if tally.answers:
            rate = tally.hits / tally.answers
            low, high = proportion_confint(
                tally.hits, tally.answers, 1 - MONTE_CARLO_LEVEL, "wilson"
            )
        bound_low, bound_high = bounds_of(kind, Counter() if naive else tally.labels)
        out = not (low <= bound_high and high >= bound_low)
        verdict: Verdict = "fails" if out else "holds"
        if naive:
            verdict = "naive fails" if out else "naive holds"
        elif (bound_low, bound_high) == (0.0, 1.0) and not out:
            verdict = "measured"
        return cls(
            *names,
            kind=kind,
            naive=naive,
            label="" if naive else _label(tally.labels),
            replicates=tally.answers + tally.refusals,
            refused=tally.refusals,
            rate=rate,
            low=float(low),
            high=float(high),
            bound_low=bound_low,
            bound_high=bound_high,
            verdict=verdict,
        )


def _label(labels: Counter[str]) -> str:
    total = sum(labels.values())
    if len(labels) < 2:
        return next(iter(labels), "")
    return ", ".join(
        f"{name} {_percent(n / total)}" for name, n in labels.most_common()
    )


def _percent(share: float) -> str:
    """Write a share that is neither 0 nor 1, and does not look as if it were."""
    return (
        "<1 %" if share < 0.01 else ">99 %" if share > 0.99 else f"{100 * share:.0f} %"
    )


@dataclass(frozen=True)
class TrustCheck:
    """All that was measured.

    Attributes
    ----------
    measurements : tuple of Measurement
        One per procedure and setting, scenarios in their order.
    replicates, seed : int
        Data sets per setting, and the seed of all draws.
    is_complete : bool
        False if it was interrupted: settings that were not finished are left out.
    """

    measurements: tuple[Measurement, ...]
    replicates: int
    seed: int
    is_complete: bool = True

    @property
    def failed(self) -> tuple[Measurement, ...]:
        """Procedures whose label does not hold."""
        return tuple(m for m in self.measurements if m.verdict == "fails")

    def to_frame(self) -> pd.DataFrame:
        """Return one row per procedure and setting."""
        return pd.DataFrame([asdict(m) for m in self.measurements])

    def __str__(self) -> str:
        lines = [
            f"{m.scenario}: {m.setting}: {m.procedure}: {m.kind} {m.rate:.3f} "
            f"[{m.low:.3f}, {m.high:.3f}], {m.label or 'naive'}: {m.verdict}"
            for m in self.measurements
        ]
        return "\n".join(lines)
