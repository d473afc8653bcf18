"""What a user sees while a benchmark runs: a display on a terminal, else lines."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from clinicadl_trust.benchmark.execution import Outcome
    from clinicadl_trust.benchmark.plan import Run

__all__ = ["Display", "Lines", "Silent", "Terminal", "TimeLeft", "make_display", "spoken"]


class Display(Protocol):
    """Where a benchmark tells how far it is."""

    def stage(self, text: str) -> None:
        """Say what is done next."""

    def begin(self, runs: Sequence[Run], done: int, n_jobs: int) -> None:
        """Say how many runs there are to do, and how many were done before."""

    def started(self, run: Run) -> None:
        """Say that a run has started."""

    def ended(self, outcome: Outcome) -> None:
        """Say that a run has ended, well or not."""

    def close(self) -> None:
        """Put the terminal back."""


class TimeLeft:
    """How long the remaining runs will take, from those of the same model.

    Parameters
    ----------
    runs : sequence of Run
        Those to do.
    n_jobs : int
        How many are done at a time.
    """

    def __init__(self, runs: Sequence[Run], n_jobs: int) -> None:
        self.n_jobs = max(n_jobs, 1)
        self._left: dict[str, int] = defaultdict(int)
        self._took: dict[str, list[float]] = defaultdict(list)
        for run in runs:
            self._left[run.spec.model] += 1

    def ended(self, model: str, seconds: float) -> None:
        """Take a finished run into account."""
        self._left[model] -= 1
        self._took[model].append(seconds)

    @property
    def seconds(self) -> float | None:
        """Seconds left; None while a model that is left has not been timed yet."""
        total = 0.0
        for model, left in self._left.items():
            if left and not self._took[model]:
                return None
            if left:
                total += left * sum(self._took[model]) / len(self._took[model])
        return total / self.n_jobs


class Silent:
    """Tell nothing."""

    def stage(self, text: str) -> None:
        """Say nothing."""

    def begin(self, runs: Sequence[Run], done: int, n_jobs: int) -> None:
        """Say nothing."""

    def started(self, run: Run) -> None:
        """Say nothing."""

    def ended(self, outcome: Outcome) -> None:
        """Say nothing."""

    def close(self) -> None:
        """Do nothing."""


class Lines(Silent):
    """One line per event, for files and batch systems."""

    def __init__(self) -> None:
        self._left = TimeLeft([], 1)
        self._total = self._done = 0

    def stage(self, text: str) -> None:
        """Write what is done next."""
        self._write(text)

    def begin(self, runs: Sequence[Run], done: int, n_jobs: int) -> None:
        """Write how many runs there are."""
        self._left = TimeLeft(runs, n_jobs)
        self._total, self._done = len(runs) + done, done
        before = f", {done} of them done before" if done else ""
        self._write(f"{self._total} runs{before}")

    def ended(self, outcome: Outcome) -> None:
        """Write how a run ended, and the time left."""
        self._done += 1
        self._left.ended(outcome.run.spec.model, outcome.seconds)
        end = f"FAILED, {outcome.message}" if outcome.error else "done"
        left = self._left.seconds
        rest = f", {spoken(left)} left" if left else ""
        self._write(
            f"[{self._done}/{self._total}] {outcome.run}: {end} "
            f"({spoken(outcome.seconds)}{rest})"
        )

    @staticmethod
    def _write(text: str) -> None:
        print(text, flush=True)


class Terminal(Silent):
    """A bar with the time left, and what runs now."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        self.console = Console()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[left]}"),
            TextColumn("[dim]{task.fields[now]}"),
            console=self.console,
        )
        self._task = None
        self._left = TimeLeft([], 1)
        self._since: dict[str, float] = {}

    def stage(self, text: str) -> None:
        """Print what is done next."""
        self.console.print(text, highlight=False, markup=False)

    def begin(self, runs: Sequence[Run], done: int, n_jobs: int) -> None:
        """Start the bar."""
        self._left = TimeLeft(runs, n_jobs)
        self._bar.start()
        self._task = self._bar.add_task(
            "Runs", total=len(runs) + done, completed=done, left="", now=""
        )

    def started(self, run: Run) -> None:
        """Show a run among those of now."""
        self._since[str(run)] = time.monotonic()
        self._show()

    def ended(self, outcome: Outcome) -> None:
        """Advance the bar; a failure stays on the screen."""
        self._since.pop(str(outcome.run), None)
        self._left.ended(outcome.run.spec.model, outcome.seconds)
        if outcome.error:
            self.console.print(
                f"Failed: {outcome.run}: {outcome.message}", style="red", markup=False
            )
        self._show(advance=1)

    def close(self) -> None:
        """Stop the bar."""
        self._bar.stop()

    def _show(self, advance: int = 0) -> None:
        if self._task is None:
            return
        left = self._left.seconds
        self._bar.update(
            self._task,
            advance=advance,
            left=f"{spoken(left)} left" if left else "",
            now="; ".join(self._since),
        )


def make_display() -> Display:
    """Return the display that suits where the output goes."""
    from rich.console import Console

    return Terminal() if Console().is_terminal else Lines()


def spoken(seconds: float) -> str:
    """Say a duration as a person would: ``8 s``, ``3 min``, ``2 h 05 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
