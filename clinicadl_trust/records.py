"""What a run leaves beside its weights: who it saw, how it ran, what it said.

Everything of ours lies in one folder of the MAPS, ``training/split-K/trust``,
which ClinicaDL neither reads nor minds:

- ``run.json``: strategy, repeat, split, model, seed, versions, durations;
- ``lineage.json``: every participant that the model, or an ancestor, has seen;
- ``predictions_validation.tsv`` and ``predictions_test.tsv``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from clinicadl_trust.exceptions import RunError

__all__ = [
    "FOLDER",
    "Lineage",
    "LineageKind",
    "RunRecord",
    "find_records",
    "read_lineage",
    "record_dir",
    "write_json",
]

FOLDER = "trust"

#: What a lineage is about.
LineageKind = Literal["model", "encoder", "features", "threshold"]


@dataclass(frozen=True)
class Lineage:
    """The participants that a model has seen, with those of its ancestors.

    Attributes
    ----------
    train, validation : tuple of str
        Participant ids used to fit weights, and to choose (early stopping,
        thresholds, hyper-parameters).
    ancestors : tuple of Lineage
        Models or encoders that this one starts from, and thresholds tuned
        elsewhere.
    name : str
        What this is: a model's name, a checkpoint's path.
    kind : {"model", "encoder", "features", "threshold"}
        A model or pretrained encoder whose weights are taken over, or something
        fitted to the data on the way: selected features, a scaler, a decision
        threshold. The audit names the leak accordingly: biased transfer, late split.
    """

    train: tuple[str, ...] = ()
    validation: tuple[str, ...] = ()
    ancestors: tuple[Lineage, ...] = ()
    name: str = ""
    kind: LineageKind = "model"

    @property
    def seen(self) -> frozenset[str]:
        """All participants seen, ancestors included."""
        own = frozenset(self.train) | frozenset(self.validation)
        return own.union(*(ancestor.seen for ancestor in self.ancestors))

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Lineage:
        """Read what ``dataclasses.asdict`` wrote.

        Raises
        ------
        KeyError, TypeError
            If it does not list who was seen: nobody must not be assumed.
        """
        train, validation = content["train"], content["validation"]
        for names in (train, validation):
            if isinstance(names, str) or not all(isinstance(n, str) for n in names):
                raise TypeError(f"{names!r} is no list of participant ids")
        return cls(
            tuple(train),
            tuple(validation),
            tuple(cls.from_dict(a) for a in content.get("ancestors", ())),
            content.get("name", ""),
            content.get("kind", "model"),
        )


@dataclass(frozen=True)
class RunRecord:
    """One run: one outer fold, one model, one seed.

    Attributes
    ----------
    split_strategy, repeat, split, model, seed
        The run's place in the benchmark (``split_strategy`` is the name given to
        the strategy there).
    fold : str
        What the test fold is, for example the left-out site.
    durations : dict of str to float
        Seconds per stage.
    versions, hardware : dict
        What it ran with.
    config : dict
        The model's configuration as given.
    """

    split_strategy: str
    repeat: int
    split: int
    model: str
    seed: int
    fold: str = ""
    durations: dict[str, float] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    hardware: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)


def record_dir(maps: str | os.PathLike[str], split: int) -> Path:
    """Return our folder in a MAPS (not created)."""
    return Path(maps) / "training" / f"split-{split}" / FOLDER


def find_records(root: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield our folder of every complete MAPS below ``root``, sorted.

    Runs still being built (``NAME.partial``) are passed over.
    """
    root = Path(root)
    for path in sorted(root.glob(f"**/training/split-*/{FOLDER}/run.json")):
        parts = path.relative_to(root).parts
        if not any(part.endswith(".partial") for part in parts):
            yield path.parent


def read_lineage(folder: str | os.PathLike[str]) -> Lineage:
    """Read ``lineage.json`` of one of our folders, or of the MAPS that holds it.

    Raises
    ------
    RunError
        If there is none, or it is not what we write.
    """
    folder = Path(folder)
    path = folder / "lineage.json"
    if not path.is_file():
        found = sorted(folder.glob(f"training/split-*/{FOLDER}/lineage.json"))
        if len(found) != 1:
            raise RunError(
                f"'{folder}' has {len(found)} lineage.json, so which participants "
                "that model has seen is unknown. Point to one run made by clinicadl."
            )
        path = found[0]
    try:
        return Lineage.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, AttributeError, TypeError, KeyError) as error:
        raise RunError(
            f"'{path}' is not a lineage: {error!r}. Train the model again, or restore "
            "the file."
        ) from error


def write_json(path: Path, content: Any) -> None:
    """Write a dataclass or plain content as JSON, whole or not at all."""
    if hasattr(content, "__dataclass_fields__"):
        content = asdict(content)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    text = json.dumps(content, indent=2, default=_plain) + "\n"
    with temporary.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)


def _plain(value: Any) -> Any:
    """Write NumPy's numbers and arrays as JSON's, and anything else as text."""
    return value.tolist() if hasattr(value, "tolist") else str(value)
