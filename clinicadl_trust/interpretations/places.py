"""Where interpretations lie."""

from __future__ import annotations

import os
from pathlib import Path

from clinicadl_trust.records import record_dir

__all__ = ["ABOUT", "FOLDER", "interpretation_dir", "summary_dir"]

FOLDER = "interpretation"

#: What was asked, and whether it is done.
ABOUT = "interpretation.json"


def interpretation_dir(
    maps: str | os.PathLike[str], split: int, group: str, method: str
) -> Path:
    """Return the folder of a method on a group (not created)."""
    return record_dir(maps, split) / FOLDER / group / method


def summary_dir(root: str | os.PathLike[str], group: str, method: str) -> Path:
    """Return where a folder of many runs keeps tables of all of them (not created)."""
    return Path(root) / FOLDER / group / method
