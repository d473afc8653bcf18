"""The folder of a benchmark: whose it is, who works in it, what may change in it."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from clinicadl_trust.benchmark.config import Experiment
from clinicadl_trust.benchmark.toml_text import toml_text
from clinicadl_trust.exceptions import OutputError
from clinicadl_trust.tables import write_whole

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = [
    "CONFIG",
    "check_folder",
    "locked",
    "read_resolved",
    "unwritable",
    "write_resolved",
    "writing",
]

#: The experiment file as resolved: a folder that has it is a benchmark.
CONFIG = "benchmark.toml"

_LOCK = ".lock"
#: Held, shared, by every worker: free once the last worker of a killed call is gone.
WORKERS_LOCK = ".workers.lock"

#: Seconds to wait for the workers of a killed call.
_PATIENCE = 60.0

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_CLOSED = (errno.EROFS, errno.EACCES, errno.EPERM)

_HEADER = """\
# Written by clinicadl-trust: the experiment as it is run, with absolute paths, and
# with the seeds, baselines and metrics that the file leaves to their defaults.

"""


def check_folder(directory: Path) -> None:
    """Check that a folder is new, empty, or a benchmark.

    Raises
    ------
    OutputError
        If it holds something else.
    """
    if not directory.exists():
        return
    if not directory.is_dir():
        raise OutputError(f"'{directory}' is a file. Name a folder that is new.")
    ours = {CONFIG, _LOCK, WORKERS_LOCK}
    found = sorted(path.name for path in directory.iterdir())
    if found and not ours & set(found):
        raise OutputError(
            f"'{directory}' exists and is no benchmark: it holds '{found[0]}'"
            f"{f' and {len(found) - 1} more' if len(found) > 1 else ''}. Name a folder "
            "that is new or empty."
        )


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Make the folder, or take up the benchmark in it, alone.

    The lock is the system's: it ends with the process that holds it, however that
    process ends, so a killed call never blocks the next.

    Parameters
    ----------
    directory : pathlib.Path
        The folder.

    Raises
    ------
    OutputError
        If the folder holds something else, or another call works in it.
    """
    check_folder(directory)
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / _LOCK).open("a+") as lock, _open_workers(directory) as workers:
        if not acquire(lock, exclusive=True):
            raise OutputError(
                f"Another call works in '{directory}'. Wait until it ends, or stop it; "
                "then run the same command to continue."
            )
        # Workers end by themselves when their parent is killed; it takes a moment.
        deadline = time.monotonic() + _PATIENCE
        while not acquire(workers, exclusive=True):
            if time.monotonic() > deadline:
                raise OutputError(
                    f"A worker of a call that was killed still runs in '{directory}'. "
                    "End it, then run the same command to continue."
                )
            time.sleep(0.1)
        acquire(workers, exclusive=False)
        yield


def hold_workers_lock(directory: Path) -> IO[str]:
    """Hold the workers' lock for as long as the returned file is open."""
    stream = _open_workers(directory)
    acquire(stream, exclusive=False)
    return stream


def acquire(stream: IO[str], exclusive: bool) -> bool:
    """Lock an open file, without waiting, and say whether that worked.

    A file system without locks (some network disks) counts as free.
    """
    import fcntl

    kind = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
    try:
        fcntl.flock(stream, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP):
            raise
    return True


def read_resolved(directory: Path) -> Experiment | None:
    """Return the experiment that a folder was made for, None for a new folder.

    Raises
    ------
    OutputError
        If the file was damaged.
    """
    path = directory / CONFIG
    if not path.is_file():
        return None
    try:
        return Experiment(**tomllib.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:
        raise OutputError(
            f"'{path}' is not what this version writes: {error}. Put it back, or start "
            "in another folder."
        ) from error


def write_resolved(experiment: Experiment, directory: Path) -> None:
    """Write the experiment file as resolved, whole or not at all."""
    text = _HEADER + toml_text(experiment.resolved())
    write_whole(directory / CONFIG, text)


@contextlib.contextmanager
def writing(directory: Path) -> Iterator[None]:
    """Say plainly that a disk is full or a folder read-only.

    Raises
    ------
    OutputError
        In place of the ``OSError``.
    """
    try:
        yield
    except OSError as error:
        reason = unwritable(error)
        if reason is None or _is_elsewhere(error, directory):
            raise
        raise OutputError(
            f"'{error.filename or directory}' cannot be written: {reason}. What is "
            "done is kept: mend this, then run the same command to continue."
        ) from error


def _is_elsewhere(error: OSError, directory: Path) -> bool:
    """Whether an error is about a file that was to be read: a table, an image."""
    if error.errno in _FULL or not isinstance(error.filename, str | os.PathLike):
        return False
    path = Path(error.filename).absolute()
    return directory not in (path, *path.parents) and path not in directory.parents


def unwritable(error: BaseException | None) -> str | None:
    """Say why nothing can be written, if that is what an error is about."""
    while error is not None:
        if isinstance(error, OSError):
            if error.errno in _FULL:
                return "the disk, or your quota, is full"
            if error.errno in _CLOSED:
                return "it is read-only for you"
            if error.errno == errno.ENOTDIR:
                return "a part of its path is a file, not a folder"
        error = error.__cause__ or error.__context__
    return None


def _open_workers(directory: Path) -> IO[str]:
    return (directory / WORKERS_LOCK).open("a+")
