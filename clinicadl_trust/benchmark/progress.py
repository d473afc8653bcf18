"""What a user sees while a benchmark runs: a display on a terminal, else lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from clinicadl_trust.benchmark.time_left import TimeLeft, spoken

if TYPE_CHECKING:
    from rich.progress import TaskID

    from clinicadl_trust.benchmark.execution import Outcome
    from clinicadl_trust.benchmark.plan import Run

__all__ = [
    "Display",
    "Lines",
    "Silent",
    "Terminal",
    "TimeLeft",
    "make_display",
    "spoken",
]


class Display(Protocol):
    """Where a benchmark tells how far it is."""

    def stage(self, text: str) -> None:
        """Say what is done next."""

    def begin(
        self, runs: Sequence[Run], done: Sequence[Run], n_jobs: int, noun: str = "runs"
    ) -> None:
        """Say how many runs there are to do, and which were done before."""

    def started(self, run: Run) -> None:
        """Say that a run has started."""

    def told(self, run: Run, fraction: float, phrase: str) -> None:
        """Say how far a run is, and what it does."""

    def ended(self, outcome: Outcome) -> None:
        """Say that a run has ended, well or not."""

    def close(self) -> None:
        """Put the terminal back."""


class Silent:
    """Tell nothing."""

    def stage(self, text: str) -> None:
        """Say nothing."""

    def begin(
        self, runs: Sequence[Run], done: Sequence[Run], n_jobs: int, noun: str = "runs"
    ) -> None:
        """Say nothing."""

    def started(self, run: Run) -> None:
        """Say nothing."""

    def told(self, run: Run, fraction: float, phrase: str) -> None:
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

    def begin(
        self, runs: Sequence[Run], done: Sequence[Run], n_jobs: int, noun: str = "runs"
    ) -> None:
        """Write how many runs there are."""
        self._left = TimeLeft(runs, n_jobs, done)
        self._total, self._done = len(runs) + len(done), len(done)
        before = f", {len(done)} of them done before" if done else ""
        self._write(f"{self._total} {noun}{before}")

    def started(self, run: Run) -> None:
        """Start the clock."""
        self._left.started(run)

    def told(self, run: Run, fraction: float, phrase: str) -> None:
        """Take it into the time left."""
        self._left.told(run, fraction)

    def ended(self, outcome: Outcome) -> None:
        """Write how a run ended, and the time left."""
        self._done += 1
        self._left.ended(outcome.run, outcome.seconds)
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
            TextColumn("{task.fields[now]}", style="dim", markup=False),
            console=self.console,
        )
        self._task: TaskID | None = None
        self._left = TimeLeft([], 1)
        self._now: dict[str, str] = {}

    def stage(self, text: str) -> None:
        """Print what is done next."""
        self._print(text)

    def begin(
        self, runs: Sequence[Run], done: Sequence[Run], n_jobs: int, noun: str = "runs"
    ) -> None:
        """Start the bar."""
        self._left = TimeLeft(runs, n_jobs, done)
        self._bar.start()
        self._task = self._bar.add_task(
            noun.capitalize(),
            total=len(runs) + len(done),
            completed=len(done),
            left="",
            now="",
        )

    def started(self, run: Run) -> None:
        """Show a run among those of now."""
        self._left.started(run)
        self._now[str(run)] = run.spec.model
        self._show()

    def told(self, run: Run, fraction: float, phrase: str) -> None:
        """Show how far it is."""
        self._left.told(run, fraction)
        self._now[str(run)] = f"{run.spec.model} {fraction:.0%} ({phrase})"
        self._show()

    def ended(self, outcome: Outcome) -> None:
        """Advance the bar; a failure stays on the screen."""
        self._now.pop(str(outcome.run), None)
        self._left.ended(outcome.run, outcome.seconds)
        if outcome.error:
            self._print(f"Failed: {outcome.run}: {outcome.message}", style="red")
        self._show(advance=1)

    def close(self) -> None:
        """Stop the bar."""
        self._bar.stop()

    def _print(self, text: str, style: str = "") -> None:
        self.console.print(text, style=style, highlight=False, markup=False)

    def _show(self, advance: int = 0) -> None:
        if self._task is None:
            return
        left = self._left.seconds
        self._bar.update(
            self._task,
            advance=advance,
            left=f"{spoken(left)} left" if left else "",
            now="; ".join(self._now.values()),
        )


def make_display() -> Display:
    """Return the display that suits where the output goes."""
    from rich.console import Console

    return Terminal() if Console().is_terminal else Lines()
