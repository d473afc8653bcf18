"""Whether plugins can be imported, found out in a process of its own.

A plugin that prints, exits or crashes while it is imported harms nobody there.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.metadata import EntryPoint
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from clinicadl_trust.plugins import Plugin, group

__all__ = ["HEAVY", "State", "child", "find_states"]

#: What takes seconds to import; plugins that need it are left alone unless asked.
HEAVY = frozenset({"clinicadl", "monai", "torch", "torchio", "torchvision"})

#: Seconds that all the imports together may take.
PATIENCE = 300


@dataclass(frozen=True)
class State:
    """What became of a plugin.

    Attributes
    ----------
    word : {"ok", "broken", "clash", "unchecked"}
        ``clash`` when its name is registered twice, ``unchecked`` when it needs
        torch or ClinicaDL and was not imported.
    cause : str
        Why it is not ok, on one line.
    """

    word: Literal["ok", "broken", "clash", "unchecked"]
    cause: str = ""

    def __str__(self) -> str:
        return f"{self.word}: {self.cause}" if self.cause else self.word


def find_states(plugins: Sequence[Plugin], heavy: bool = False) -> list[State]:
    """Import plugins in another process and say what became of each.

    Parameters
    ----------
    plugins : sequence of Plugin
        From ``clinicadl_trust.plugins.registered``.
    heavy : bool
        Import those that need torch or ClinicaDL too.

    Returns
    -------
    list of State
        In the same order.
    """
    names = [(plugin.kind, plugin.name) for plugin in plugins]
    owners: dict[tuple[str, str], set[str]] = {name: set() for name in names}
    for name, plugin in zip(names, plugins, strict=True):
        owners[name].add(plugin.distribution)
    states: list[State] = []
    while len(states) < len(plugins):
        states += _import_all(plugins[len(states) :], heavy)
    return [
        State("clash", f"registered by {' and '.join(sorted(owners[name]))}")
        if names.count(name) > 1
        else state
        for name, state in zip(names, states, strict=True)
    ]


def child(result: str, heavy: bool, entries: Sequence[tuple[str, str, str]]) -> None:
    """Import entry points one by one and write a line of JSON for each.

    Parameters
    ----------
    result : str
        The file to write.
    heavy : bool
        Import torch and ClinicaDL where they are needed.
    entries : sequence of (name, value, group)
        The entry points.
    """
    if not heavy:
        sys.meta_path.insert(0, _Guard())
    with Path(result).open("w", encoding="utf-8") as stream:
        for name, value, kind in entries:
            stream.write(json.dumps(_import(EntryPoint(name, value, kind))) + "\n")
            stream.flush()


class _NeedsHeavy(BaseException):
    """Goes through a plugin's own ``except Exception``."""


class _Guard(MetaPathFinder):
    def find_spec(self, fullname: str, path: object, target: object = None) -> None:
        if fullname.partition(".")[0] in HEAVY:
            raise _NeedsHeavy(fullname)


def _import(entry: EntryPoint) -> tuple[str, str]:
    try:
        entry.load()
    except _NeedsHeavy as needs:
        return "unchecked", f"needs {needs}"
    except (Exception, SystemExit) as error:
        return "broken", " ".join(f"{type(error).__name__}: {error}".split())
    return "ok", ""


def _import_all(plugins: Sequence[Plugin], heavy: bool) -> Iterator[State]:
    """Yield the states of the plugins up to the first that ends the process."""
    entries = [(plugin.name, plugin.value, group(plugin.kind)) for plugin in plugins]
    with TemporaryDirectory() as folder:
        result = Path(folder) / "states"
        program = (
            f"import sys; sys.path[:] = {sys.path!r}; "
            f"from {__name__} import child; child({str(result)!r}, {heavy}, {entries})"
        )
        try:
            done = subprocess.run(
                [sys.executable, "-c", program],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=PATIENCE,
                check=False,
            )
            end = f"ends Python with code {done.returncode} when it is imported"
        except subprocess.TimeoutExpired:
            end = f"is not imported after {PATIENCE} s"
        lines = result.read_text(encoding="utf-8") if result.is_file() else ""
    found = [State(*json.loads(line)) for line in lines.splitlines()]
    yield from found
    if len(found) < len(plugins):
        yield State("broken", end)
