"""Distributions that are not installed: a folder on the path holds them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

__all__ = ["forget_modules", "make_distribution"]


def forget_modules(folder: Path) -> None:
    """Forget whatever was imported from a folder."""
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", "")).startswith(str(folder)):
            del sys.modules[name]


def make_distribution(
    folder: Path,
    name: str,
    entry_points: Mapping[str, Mapping[str, str]] | str,
    modules: Mapping[str, str] | None = None,
    version: str = "1.0",
) -> Path:
    """Write what an installer writes, and the modules of the distribution.

    Parameters
    ----------
    folder : pathlib.Path
        Where; put it on ``sys.path``.
    name, version : str
        Of the distribution.
    entry_points : mapping, or str
        Plugin kind to registered name to ``module:attribute``; or the file's text.
    modules : mapping
        Module name to its source.
    """
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    )
    if not isinstance(entry_points, str):
        lines = []
        for kind, entries in entry_points.items():
            lines.append(f"[clinicadl.{kind}]")
            lines += [f"{key} = {value}" for key, value in entries.items()]
        entry_points = "\n".join(lines) + "\n"
    (info / "entry_points.txt").write_text(entry_points)
    for module, source in (modules or {}).items():
        (folder / f"{module}.py").write_text(source)
    return folder
