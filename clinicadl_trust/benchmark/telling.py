"""How far a run is, told by its worker in a file: any worker that sees the disk can."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from clinicadl_trust.benchmark.plan import Run

__all__ = ["telling", "told"]

#: Seconds between two words.
_PAUSE = 1.0


@contextlib.contextmanager
def telling(run: Run) -> Iterator[Callable[[float, str], None]]:
    """Give a function that tells how far a run is: the fraction done and a phrase."""
    path = _path(run)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # left by one that was killed
    last = -_PAUSE

    def tell(fraction: float, phrase: str) -> None:
        nonlocal last
        if time.monotonic() - last >= _PAUSE:
            last = time.monotonic()
            temporary = path.with_suffix(".tmp")
            temporary.write_text(json.dumps([fraction, phrase]), encoding="utf-8")
            temporary.replace(path)

    try:
        yield tell
    finally:
        path.unlink(missing_ok=True)


def told(runs: Iterable[Run]) -> Iterator[tuple[Run, float, str]]:
    """Yield what is known of how far runs are."""
    for run in runs:
        with contextlib.suppress(OSError, ValueError):
            fraction, phrase = json.loads(_path(run).read_text(encoding="utf-8"))
            yield run, fraction, phrase


def _path(run: Run) -> Path:
    output = run.spec.output
    return output.with_name(f"{output.name}.progress")
