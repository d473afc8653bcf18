"""What of a run is done, in a file that survives a kill."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from clinicadl_trust.exceptions import RunError
from clinicadl_trust.records import write_json

__all__ = ["RunState", "read_state"]

_FILE = "state.json"


class RunState:
    """The stages of a run that are done, and how long each took.

    Parameters
    ----------
    folder : pathlib.Path
        The run's record folder; it need not be there yet.

    Attributes
    ----------
    durations : dict of str to float
        Seconds per stage, those before an interruption included once they were
        remembered.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.durations: dict[str, float] = self._read().get("durations", {})

    def has(self, stage: str) -> bool:
        """Whether a stage is done."""
        return bool(self._read().get(stage))

    def remember(self, **content: Any) -> None:
        """Write what is done, beside what was written before."""
        state = {**self._read(), "durations": self.durations, **content}
        write_json(self.folder / _FILE, state)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add how long a block takes to the seconds of a stage."""
        start = time.perf_counter()
        yield
        spent = time.perf_counter() - start
        self.durations[stage] = self.durations.get(stage, 0.0) + spent

    def _read(self) -> dict[str, Any]:
        try:
            return json.loads((self.folder / _FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}


def read_state(folder: Path) -> dict[str, Any]:
    """Read what a finished run has remembered.

    Raises
    ------
    RunError
        If the file is missing or damaged.
    """
    path = folder / _FILE
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(
            f"'{path}' cannot be read: {error}. It belongs to every run that "
            "`clinicadl train` finishes: copy the whole MAPS, or train again."
        ) from error
