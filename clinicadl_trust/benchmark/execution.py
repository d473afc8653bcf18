"""Do the runs, several at a time; one that fails does not stop the others."""

from __future__ import annotations

import time
import traceback as tb
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from clinicadl_trust.benchmark.folder import unwritable
from clinicadl_trust.benchmark.plan import Run
from clinicadl_trust.benchmark.progress import Display
from clinicadl_trust.benchmark.telling import telling, told
from clinicadl_trust.benchmark.workers import Workers, settle
from clinicadl_trust.exceptions import OutputError, TrustError

__all__ = ["Outcome", "execute", "perform"]


#: Seconds between two looks at how far the runs are.
_GLANCE = 1.0


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes
    ----------
    run : Run
        Which.
    seconds : float
        How long it took.
    error : str
        The kind of error, empty when it went well.
    message : str
        What went wrong.
    traceback : str
        For an error that no user is expected to mend.
    unwritable : str
        Why nothing can be written, if that is what went wrong.
    """

    run: Run
    seconds: float
    error: str = ""
    message: str = ""
    traceback: str = ""
    unwritable: str = ""


def execute(
    runs: Sequence[Run],
    workers: Workers,
    display: Display,
    record: Callable[[Sequence[Outcome]], None],
    do: Callable[[Run], Outcome] | None = None,
    *,
    noun: str = "runs",
) -> list[Outcome]:
    """Do the runs that are not done.

    Parameters
    ----------
    runs : sequence of Run
        All of them; those that are done are passed over.
    workers : Workers
        Who does them.
    display : Display
        Where it is told.
    record : callable
        Given all that failed, in the order of ``runs``, at the start and whenever
        another fails.
    do : callable, optional
        Does one run in a worker; by default ``perform``.
    noun : str
        What the display calls them.

    Returns
    -------
    list of Outcome
        Those that failed, in the order of ``runs``.

    Raises
    ------
    OutputError
        If the results of a run cannot be written: no other could be either.
    """
    todo: list[Run] = []
    done: list[Run] = []
    for run in runs:
        (done if run.is_done else todo).append(run)
    n_jobs = min(workers.n_jobs, len(todo))
    display.begin(todo, done, n_jobs, noun)
    failed: list[Outcome] = []
    record(failed)
    order = {str(run): place for place, run in enumerate(todo)}
    for outcome in _outcomes(todo, workers, display, do or perform):
        display.ended(outcome)
        if outcome.unwritable:
            raise OutputError(
                f"'{outcome.run.spec.output}' cannot be written: {outcome.unwritable}. "
                "What is done is kept: mend this, then run the same command to "
                "continue."
            )
        if outcome.error:
            failed.append(outcome)
            failed.sort(key=lambda each: order[str(each.run)])
            record(failed)
    return failed


def perform(run: Run) -> Outcome:
    """Do one run, in a worker; whatever goes wrong is its outcome."""
    settle(run.directory)
    print(f"--- {run}", flush=True)
    start = time.monotonic()
    error: Exception | None = None
    try:
        with telling(run) as tell:
            run.do(tell)
    except Exception as caught:  # one run's failure is not the benchmark's
        error = caught
        tb.print_exc()
    seconds = time.monotonic() - start
    if error is None:
        return Outcome(run, seconds)
    # A mistake that the user can mend is told by its message alone.
    trace = [] if isinstance(error, TrustError) else tb.format_exception(error)
    return Outcome(
        run,
        seconds,
        error=type(error).__name__,
        message=str(error) or "no message",
        traceback="".join(trace),
        unwritable=unwritable(error) or "",
    )


def _outcomes(
    todo: Iterable[Run],
    workers: Workers,
    display: Display,
    do: Callable[[Run], Outcome],
) -> Iterator[Outcome]:
    """Yield each run's outcome as it ends.

    A worker that dies (out of memory, a crash in a library) takes the pool with it,
    and its run is one of those under way: each of these is done again alone, so that
    the one which kills is known, and the others are none the worse.
    """
    waiting = deque(todo)
    while waiting:
        suspects = []
        for item in _until_broken(waiting, workers, display, do):
            if isinstance(item, Outcome):
                yield item
            else:
                suspects.append(item)
        for run in suspects:
            alone = list(_until_broken(deque([run]), workers, display, do))
            outcome = alone[0]
            yield outcome if isinstance(outcome, Outcome) else _killed(run)


def _until_broken(
    waiting: deque[Run],
    workers: Workers,
    display: Display,
    do: Callable[[Run], Outcome],
) -> Iterator[Outcome | Run]:
    """Yield outcomes until all is done or a worker dies, then the runs under way."""
    under_way: dict[Future[Outcome], Run] = {}
    broken = False
    while under_way or (waiting and not broken):
        while waiting and len(under_way) < workers.n_jobs and not broken:
            try:
                future = workers.submit(do, waiting[0])
            except BrokenProcessPool:
                broken = True
                break
            under_way[future] = waiting.popleft()
            display.started(under_way[future])
        ended = wait(under_way, _GLANCE, FIRST_COMPLETED).done
        for run, fraction, phrase in told(under_way.values()):
            display.told(run, fraction, phrase)
        for future in ended:
            run = under_way.pop(future)
            try:
                yield future.result()
            except BrokenProcessPool:
                broken = True
                yield run
    if broken:
        workers.stop()


def _killed(run: Run) -> Outcome:
    return Outcome(
        run,
        seconds=0.0,
        error="WorkerDied",
        message=(
            "the process that did this run was killed, which is what the system does "
            "when memory runs out. Use a smaller batch or fewer jobs; "
            f"'{run.directory / 'logs'}' may say more"
        ),
    )
