"""A result that is there whole, or not at all: built beside its place, then renamed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from clinicadl_trust.exceptions import OutputError
from clinicadl_trust.models.spec import RunSpec
from clinicadl_trust.records import record_dir

__all__ = ["building", "is_finished"]


def is_finished(spec: RunSpec) -> bool:
    """Whether a run is done.

    Parameters
    ----------
    spec : RunSpec
        The run.

    Raises
    ------
    OutputError
        If something else is where its MAPS goes.
    """
    if not spec.output.exists():
        return False
    if (record_dir(spec.output, spec.fold.split) / "run.json").is_file():
        return True
    raise OutputError(
        f"'{spec.output}' exists and is not the finished MAPS of split "
        f"{spec.fold.split}. Choose another output, or remove it."
    )


@contextmanager
def building(spec: RunSpec) -> Iterator[Path]:
    """Hold the place of a run's MAPS while it is built.

    Parameters
    ----------
    spec : RunSpec
        The run.

    Yields
    ------
    pathlib.Path
        ``NAME.partial``, renamed to ``NAME`` when the block ends well and left for
        the next attempt when it does not. It may hold what an earlier one has left.

    Raises
    ------
    OutputError
        If another process is building the same run.
    """
    output = spec.output
    output.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(output.with_name(f".{output.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise OutputError(
            f"Another process is making '{output}'. Wait for it, or end it."
        ) from error
    try:
        partial = output.with_name(f"{output.name}.partial")
        yield partial
        partial.replace(output)
        # Nobody is misled: who waits for this lock finds the output first.
        Path(lock.lock_file).unlink(missing_ok=True)
    finally:
        lock.release()
