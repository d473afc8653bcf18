"""What a run was asked, whom it has seen, and what it ran with.

Shared by every type of model: the same three files lie in each run's folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from itertools import combinations
from pathlib import Path
from typing import Any

from clinicadl_trust.caps import ImageType
from clinicadl_trust.exceptions import (
    LeakageError,
    OutputError,
    RunError,
    SplitError,
)
from clinicadl_trust.models.masks import MaskSource
from clinicadl_trust.models.spec import RunSpec
from clinicadl_trust.records import (
    Lineage,
    RunRecord,
    read_lineage,
    record_dir,
    write_json,
)
from clinicadl_trust.task import Task

__all__ = [
    "Settings",
    "check_fold",
    "claim",
    "lineage_of",
    "read_settings",
    "settings_of",
    "versions",
    "write_record",
]

#: Whose versions are recorded, when they are installed.
_RECORDED = (
    "clinicadl-trust",
    "clinicadl",
    "torch",
    "monai",
    "torchio",
    "scikit-learn",
    "nilearn",
    "numpy",
    "pandas",
)

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


def check_fold(spec: RunSpec) -> None:
    """Check that a fold can be trained on: nobody is on two sides.

    Parameters
    ----------
    spec : RunSpec
        The run.

    Raises
    ------
    LeakageError
        If a participant is in two of the training, validation and test sets.
    SplitError
        If nobody is trained on, or nobody validated.
    """
    groups = {
        name: set(getattr(spec.fold, name)["participant_id"])
        for name in ("train", "validation", "test")
    }
    for name in ("train", "validation"):
        if not groups[name]:
            raise SplitError(f"The {name} set of {spec.fold.where} is empty.")
    for first, second in combinations(groups, 2):
        if both := sorted(groups[first] & groups[second]):
            raise LeakageError(
                f"{len(both)} participants are in the {first} and the {second} set of "
                f"{spec.fold.where}: {', '.join(both[:3])}"
                f"{', ...' if len(both) > 3 else ''}. A split by participants keeps "
                "all sessions of a person together; only models of type "
                "'scikit-learn' run a leaky split, to show what it does."
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


def lineage_of(spec: RunSpec, ancestors: Sequence[Path] = ()) -> Lineage:
    """Return whom a run sees, and whom its ancestors have seen.

    Parameters
    ----------
    spec : RunSpec
        The run.
    ancestors : sequence of pathlib.Path
        Further ones than ``spec.ancestors``.

    Raises
    ------
    RunError
        If an ancestor has no lineage.
    """
    paths = dict.fromkeys([*spec.ancestors, *ancestors])
    fold = spec.fold
    return Lineage(
        train=tuple(sorted(set(fold.train["participant_id"]))),
        validation=tuple(sorted(set(fold.validation["participant_id"]))),
        ancestors=tuple(read_lineage(path) for path in paths),
        name=spec.model,
    )


def write_record(
    spec: RunSpec, maps: Path, durations: Mapping[str, float], **hardware: Any
) -> None:
    """Write ``run.json``, the last file of a run.

    Parameters
    ----------
    spec : RunSpec
        The run.
    maps : pathlib.Path
        Its MAPS, where it is being built.
    durations : mapping
        Seconds per stage.
    **hardware
        What it ran on, beside the processor.
    """
    record = RunRecord(
        split_strategy=spec.split_strategy,
        repeat=spec.fold.repeat,
        split=spec.fold.split,
        fold=spec.fold.name,
        model=spec.model,
        seed=spec.seed,
        durations={name: round(value, 3) for name, value in durations.items()},
        versions=versions(),
        hardware={
            "machine": platform.machine(),
            "system": f"{platform.system()} {platform.release()}",
            "cpus": os.cpu_count(),
            "threads": spec.threads,
            **hardware,
        },
        config=settings_of(spec).config,
    )
    write_json(record_dir(maps, spec.fold.split) / "run.json", record)


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that matter here."""
    found = {"python": sys.version.split()[0]}
    for name in _RECORDED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
