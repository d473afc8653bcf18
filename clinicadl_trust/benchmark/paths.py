"""What a path that leads nowhere was perhaps meant to be."""

from __future__ import annotations

import difflib
from pathlib import Path

__all__ = ["near_path"]

_SHOWN = 5


def near_path(path: Path, folder: bool) -> str:
    """End an error message with the nearest path that exists, or what is there.

    Parameters
    ----------
    path : pathlib.Path
        An absolute path that does not exist.
    folder : bool
        Whether it should be a folder.

    Returns
    -------
    str
        ``" Did you mean '/data/caps'?"``, or what the last folder that exists on the
        way holds; empty when that folder cannot be read.
    """
    wrong = path
    while not wrong.parent.is_dir():
        wrong = wrong.parent
    try:
        there = sorted(wrong.parent.iterdir())
        folders = [each.name for each in there if each.is_dir()]
    except OSError:
        return ""
    names = [each.name for each in there]
    likely = folders if folder or wrong != path else names
    near = difflib.get_close_matches(wrong.name, likely, n=1)
    if near:
        return f" Did you mean '{wrong.parent / near[0] / path.relative_to(wrong)}'?"
    names = [name for name in names if not name.startswith(".")]
    more = ", ..." if len(names) > _SHOWN else ""
    held = f"holds {', '.join(names[:_SHOWN])}{more}" if names else "is empty"
    return f" '{wrong.parent}' {held}. A relative path starts at the experiment file."
