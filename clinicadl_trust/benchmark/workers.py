"""Long-lived processes that do the runs: torch is imported once in each."""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.util
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, ParamSpec, TypeVar

from clinicadl_trust.benchmark.folder import hold_workers_lock

__all__ = ["Workers", "settle"]

_P = ParamSpec("_P")
_R = TypeVar("_R")

#: Libraries read their number of threads when they are imported.
_THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


class Workers:
    """A pool of processes that end when this process does, however it ends.

    Parameters
    ----------
    n_jobs : int
        How many.
    threads : int
        CPU threads of each.
    """

    def __init__(self, n_jobs: int, threads: int) -> None:
        self.n_jobs = n_jobs
        self.threads = threads
        self._pool: ProcessPoolExecutor | None = None
        self._alive: Connection | None = None

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, kind: object, *error: object) -> None:
        if kind is None:
            self.close()
        self.stop()

    def submit(
        self, function: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs
    ) -> Future[_R]:
        """Have a worker call a function that can be imported by its name."""
        with _environment(self.threads), _interrupts_blocked():
            if self._pool is None:
                self._start()
            assert self._pool is not None
            return self._pool.submit(function, *args, **kwargs)

    def call(
        self, function: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs
    ) -> _R:
        """Have a worker call a function, and return or raise what it does."""
        return self.submit(function, *args, **kwargs).result()

    def close(self) -> None:
        """End the workers when they have done what was asked of them."""
        if self._pool is not None:
            self._pool.shutdown(wait=True)
        self.stop()

    def stop(self) -> None:
        """End the workers at once, whatever they do; the next call starts others."""
        pool, self._pool = self._pool, None
        alive, self._alive = self._alive, None
        if alive is not None:
            alive.close()
        if pool is not None:
            pool.shutdown(wait=True, cancel_futures=True)

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        # Nobody else has the writing end: it closes when this process ends, and the
        # workers see it, even after kill -9.
        watched, self._alive = context.Pipe(duplex=False)
        self._pool = ProcessPoolExecutor(
            self.n_jobs,
            mp_context=context,
            initializer=_begin,
            initargs=(watched,),
        )


def settle(directory: Path) -> None:
    """Make this worker one of a benchmark's, once.

    It holds the workers' lock until it ends, and what it, the libraries it loads and
    the system print goes to a file in ``logs/``.
    """
    if directory in _settled:
        return
    _settled[directory] = hold_workers_lock(directory)
    logs = directory / "logs"
    logs.mkdir(exist_ok=True)
    _print_to(logs / f"worker-{os.getpid()}.log")


_settled: dict[Path, IO[str]] = {}


def _begin(watched: Connection) -> None:
    """Prepare a worker: it ends with its parent, and Ctrl-C is not for it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_end_with_parent, args=(watched,), daemon=True).start()
    _print_to(Path(os.devnull))


def _print_to(path: Path) -> None:
    """Send what this process prints, compiled libraries included, to a file."""
    sys.stdout.flush()
    sys.stderr.flush()
    stream = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    os.dup2(stream, 1)
    os.dup2(stream, 2)
    os.close(stream)


def _end_with_parent(watched: Connection) -> None:
    with contextlib.suppress(EOFError, OSError):
        watched.recv()
    with contextlib.suppress(Exception):
        # Gives named semaphores back, or Python complains of them on the terminal.
        multiprocessing.util._run_finalizers(0)  # type: ignore[attr-defined]
    os._exit(1)


@contextlib.contextmanager
def _environment(threads: int) -> Iterator[None]:
    """Set the threads of processes started meanwhile."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, str(threads)))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Keep Ctrl-C from processes that start meanwhile, until they can ignore it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
