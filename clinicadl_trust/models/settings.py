"""What a run was asked: written before anything else, and read back from its MAPS.

Shared by every type of model: the same file lies in each run's folder.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from clinicadl_trust.caps import ImageType
from clinicadl_trust.exceptions import OutputError, RunError
from clinicadl_trust.models.masks import MaskSource
from clinicadl_trust.models.spec import RunSpec
from clinicadl_trust.records import write_json
from clinicadl_trust.task import Task

__all__ = ["Settings", "claim", "read_settings", "settings_of"]

#: What a user knows some of the settings by.
_IN_WORDS = {
    "data": "set of images or labels",
    "image": "image type",
    "truth": "source of masks",
    "test_image": "image type of the test set",
}


@dataclass(frozen=True)
class Settings:
    """What makes a run the run that it is; written before anything else.

    Attributes
    ----------
    model : str
        The model's name.
    config : dict
        Its configuration as given.
    task : Task
        What it predicts.
    image : ImageType
        From which image.
    seed : int
        Its seed.
    data : str
        A digest of who trains, validates and tests, with labels.
    truth : MaskSource or None
        The masks of a segmentation.
    test_image : ImageType or None
        From which image it is tested, if it is another one.
    """

    model: str
    config: dict[str, Any]
    task: Task
    image: ImageType
    seed: int
    data: str
    truth: MaskSource | None = None
    test_image: ImageType | None = None

    def image_of(self, group: str) -> ImageType:
        """Return from which image of a session a data group is read."""
        return (self.test_image if group == "test" else None) or self.image

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Settings:
        """Read what ``dataclasses.asdict`` and JSON made of one."""
        task, other = dict(content["task"]), content.get("test_image")
        for key in ("classes", "outputs", "deviations"):
            task[key] = tuple(task.get(key, ()))
        return cls(
            model=content["model"],
            config=content["config"],
            task=Task(**task),
            image=ImageType(**content["image"]),
            seed=content["seed"],
            data=content["data"],
            truth=MaskSource.from_dict(content.get("truth")),
            test_image=ImageType(**other) if other else None,
        )


def settings_of(spec: RunSpec) -> Settings:
    """Return the settings of a run."""
    digest = hashlib.sha256()
    for group in ("train", "validation", "test"):
        rows = spec.rows(group)
        columns = ["participant_id", "session_id"]
        columns += [name for name in spec.task.columns if name in rows]
        digest.update(f"{group}\n{rows[columns].to_csv(index=False)}".encode())
    plain = json.loads(json.dumps(dict(spec.config), default=str))
    return Settings(
        model=spec.model,
        config=plain,
        task=spec.task,
        image=spec.image,
        seed=spec.seed,
        data=digest.hexdigest(),
        truth=spec.truth,
        test_image=spec.test_image,
    )


def claim(spec: RunSpec, folder: Path) -> None:
    """Write the settings of a run, or check those of the run that was begun there.

    Parameters
    ----------
    spec : RunSpec
        The run.
    folder : pathlib.Path
        Its record folder.

    Raises
    ------
    OutputError
        If a run with other settings was begun there.
    """
    path = folder / "settings.json"
    wanted = json.loads(json.dumps(asdict(settings_of(spec)), default=str))
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        write_json(path, wanted)
        return
    differing = [key for key in wanted if found.get(key) != wanted[key]]
    if differing:
        names = [_IN_WORDS.get(key, key) for key in differing]
        raise OutputError(
            f"'{folder.parents[2]}' was begun with another {' and '.join(names)}. "
            "Choose another output, or remove that folder."
        )


def read_settings(maps: str | os.PathLike[str]) -> tuple[Settings, Path]:
    """Read the settings of a finished run.

    Parameters
    ----------
    maps : path-like
        A MAPS of one run.

    Returns
    -------
    settings : Settings
        What it was asked.
    folder : pathlib.Path
        Its record folder.

    Raises
    ------
    RunError
        If it is no run of ours, or not one.
    """
    found = sorted(Path(maps).glob("training/split-*/trust/settings.json"))
    if len(found) != 1 or not (found[0].parent / "run.json").is_file():
        raise RunError(
            f"'{maps}' holds {len(found)} finished runs of clinicadl-trust; one is "
            "wanted. Give the MAPS of one run, as `clinicadl train` writes it."
        )
    try:
        content = json.loads(found[0].read_text(encoding="utf-8"))
        return Settings.from_dict(content), found[0].parent
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"'{found[0]}' cannot be read: {error!r}.") from error
