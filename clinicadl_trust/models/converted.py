"""The list of images that were converted: from which file, and on which grid."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from clinicadl_trust.cohort import IDS
from clinicadl_trust.exceptions import CapsError
from clinicadl_trust.models.volumes import TOLERANCE, Geometry

__all__ = ["LIST", "Entry", "key_of", "read_list", "same_geometry", "write_list"]

#: The list's name in the folder of a conversion.
LIST = "images.json"


@dataclass(frozen=True)
class Entry:
    """One converted image: which files it was, and its geometry now.

    ``masks`` are the files of its masks, by name, each with its size and its time.
    """

    path: str
    size: int
    modified: int
    geometry: Geometry
    masks: dict[str, list[Any]] = field(default_factory=dict)

    @classmethod
    def read(cls, content: dict[str, Any]) -> Entry:
        """Read what ``asdict`` and JSON made of one."""
        grid = content.pop("geometry")
        geometry = Geometry(tuple(grid["shape"]), tuple(grid["affine"]))
        return cls(**content, geometry=geometry)

    def is_of(self, path: Path, masks: Mapping[str, str]) -> bool:
        """Whether the sources are still the files that were converted."""
        here = [str(path), *_state(path)]
        return here == [self.path, self.size, self.modified] and self.masks == {
            name: [file, *_state(file)] for name, file in masks.items()
        }

    @classmethod
    def of(cls, path: Path, masks: Mapping[str, str], geometry: Geometry) -> Entry:
        """Note the files that an image is made from, before they are read."""
        size, modified = _state(path)
        states = {name: [file, *_state(file)] for name, file in masks.items()}
        return cls(str(path), size, modified, geometry, states)


def _state(path: str | Path) -> tuple[int, int]:
    """Return a file's size and time, zeros where there is none."""
    if not str(path):
        return 0, 0
    status = Path(path).stat()
    return status.st_size, status.st_mtime_ns


def key_of(participant: str, session: str) -> str:
    """Return how a session is listed."""
    return f"{participant} {session}"


def read_list(folder: Path) -> dict[str, Entry]:
    """Read the list of a folder; empty when there is none that can be read."""
    try:
        text = (folder / LIST).read_text(encoding="utf-8")
        return {key: Entry.read(item) for key, item in json.loads(text).items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def write_list(folder: Path, entries: dict[str, Entry]) -> None:
    """Write the list into a folder."""
    content = {key: asdict(entry) for key, entry in entries.items()}
    (folder / LIST).write_text(json.dumps(content), encoding="utf-8")


def same_geometry(
    images: pd.DataFrame, entries: dict[str, Entry], same_affine: bool
) -> Geometry:
    """Return the grid of all images.

    Parameters
    ----------
    images : pandas.DataFrame
        ``participant_id`` and ``session_id`` of the images.
    entries : dict
        The list.
    same_affine : bool
        Whether images in different spaces are refused.

    Raises
    ------
    CapsError
        Naming the first image whose shape or affine differs.
    """
    chosen = [
        entries[key_of(*ids)] for ids in images[list(IDS)].itertuples(index=False)
    ]
    first = chosen[0]
    for entry in chosen:
        ours, theirs = entry.geometry, first.geometry
        if ours.shape != theirs.shape:
            raise CapsError(
                f"'{entry.path}' has the shape {ours.shape} (x, y, z), '{first.path}' "
                f"{theirs.shape}. Images of one model have one shape: preprocess them "
                "alike, or add a transform such as { name = 'CropOrPad', target_shape "
                f"= {list(theirs.shape)}, padding_mode = 'minimum' }}."
            )
        apart = np.abs(np.subtract(ours.affine, theirs.affine)).max()
        if same_affine and apart > TOLERANCE:
            raise CapsError(
                f"'{entry.path}' and '{first.path}' are not in the same space: their "
                f"affines differ by up to {apart:.3g} mm. Register them (clinica run "
                "t1-linear), add the transform Resample, or set training.same_affine "
                "= false if that is meant."
            )
    return first.geometry
