"""How long the remaining runs will take."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clinicadl_trust.benchmark.plan import Run

__all__ = ["TimeLeft", "spoken"]


class TimeLeft:
    """The time left, from what runs of the same model took.

    Parameters
    ----------
    runs : sequence of Run
        Those to do.
    n_jobs : int
        How many are done at a time.
    done : sequence of Run
        Those that an earlier call has done, and recorded how long they took.
    clock : callable
        Tells the time in seconds.
    """

    def __init__(
        self,
        runs: Sequence[Run],
        n_jobs: int,
        done: Sequence[Run] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.n_jobs = max(n_jobs, 1)
        self._clock = clock
        self._waiting: dict[str, int] = defaultdict(int)
        self._took: dict[str, list[float]] = defaultdict(list)
        #: When each run under way began, and what it is expected to take in all.
        self._begun: dict[str, tuple[str, float]] = {}
        self._expected: dict[str, float] = {}
        for run in runs:
            self._waiting[run.spec.model] += 1
        for run in done:
            if run.seconds is not None and run.spec.model in self._waiting:
                self._took[run.spec.model].append(run.seconds)

    def started(self, run: Run) -> None:
        """Start a run's clock (again, when it is done again alone)."""
        if str(run) not in self._begun:
            self._waiting[run.spec.model] -= 1
        self._begun[str(run)] = run.spec.model, self._clock()

    def told(self, run: Run, fraction: float) -> None:
        """Take into account how far a run is."""
        if fraction > 0 and str(run) in self._begun:
            elapsed = self._clock() - self._begun[str(run)][1]
            self._expected[run.spec.model] = elapsed / fraction

    def ended(self, run: Run, seconds: float) -> None:
        """Take into account what a run took."""
        self._begun.pop(str(run), None)
        self._took[run.spec.model].append(seconds)

    @property
    def seconds(self) -> float | None:
        """Seconds left; None while nothing is known of a model that is left."""
        now = self._clock()
        total = 0.0
        for model, n in self._waiting.items():
            begun = [start for name, start in self._begun.values() if name == model]
            whole = self._whole(model)
            if whole is None and (n or begun):
                return None
            if whole is not None:
                total += n * whole + sum(max(whole - now + t, 0.0) for t in begun)
        return total / self.n_jobs

    def _whole(self, model: str) -> float | None:
        """Return what a whole run of a model takes."""
        took = self._took.get(model)
        return sum(took) / len(took) if took else self._expected.get(model)


def spoken(seconds: float) -> str:
    """Say a duration as a person would: ``8 s``, ``3 min``, ``2 h 05 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return (
        f"{minutes} min"
        if minutes < 90
        else f"{minutes // 60} h {minutes % 60:02d} min"
    )
