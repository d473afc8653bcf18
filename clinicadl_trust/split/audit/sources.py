"""What there is to audit: our splits, ClinicaDL's own, a benchmark."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from clinicadl_trust.cohort import IDS
from clinicadl_trust.exceptions import PluginError, SplitError
from clinicadl_trust.split.fold import GROUPS, Fold
from clinicadl_trust.split.info import INFO, digest, read_info
from clinicadl_trust.split.options import load_strategy
from clinicadl_trust.split.reading import (
    number_of,
    read_ids,
    sorted_by_number,
    split_dirs,
)

__all__ = ["Audited", "benchmark_of", "find_splits", "no_images"]

_HOST = ("kfold_config.json", "single_split_config.json")


@dataclass(frozen=True)
class Audited:
    """The folds of one strategy, as they lie on disk now.

    Attributes
    ----------
    name : str
        What findings call it.
    folds : tuple of Fold
        A fold whose test table is missing has an empty one.
    label : str or None
        The column that it was stratified by, when recorded.
    cohort : str
        Where the participants table was, when recorded.
    leaky : bool
        Whether the registered strategy is leaky on purpose.
    sealed : bool
        Whether its test fold is the benchmark's sealed test group.
    edited : bool
        Whether the files changed since they were written.
    """

    name: str
    folds: tuple[Fold, ...]
    label: str | None = None
    cohort: str = ""
    leaky: bool = False
    sealed: bool = False
    edited: bool = False

    @property
    def images(self) -> pd.DataFrame:
        """The ids of the images in any fold, each once."""
        used = [getattr(fold, group) for fold in self.folds for group in GROUPS]
        return pd.concat(used).drop_duplicates() if used else no_images()

    def where(self, folds: list[Fold]) -> str:
        """Name one fold, or count several."""
        if len(folds) == 1:
            return f"{self.name}/repeat-{folds[0].repeat}/split-{folds[0].split}"
        return f"{self.name} ({len(folds)} of {len(self.folds)} folds)"


def benchmark_of(path: Path) -> tuple[Path | None, dict[str, Any]]:
    """Return the benchmark folder that a path is, or lies in, and its record.

    Raises
    ------
    SplitError
        If the record is no JSON.
    """
    for folder in (path, *path.resolve().parents[:3]):
        record = folder / "benchmark.json"
        if record.is_file():
            try:
                return folder, json.loads(record.read_text(encoding="utf-8"))
            except ValueError as error:
                raise SplitError(f"'{record}' is not valid JSON: {error}.") from error
    return None, {}


def find_splits(path: Path, record: dict[str, Any]) -> list[Audited]:
    """Read every split at or below a path.

    Raises
    ------
    SplitError
        If the path does not exist, or a split there cannot be read.
    """
    if not path.is_dir():
        raise SplitError(f"No folder at '{path}'. Give a split_dir or a benchmark.")
    entries = record.get("splits", {})
    sealed = {name for name, entry in entries.items() if entry.get("sealed")}
    ours = _folders(path, INFO)
    found = [_read_ours(folder, sealed or {"sealed"}) for folder in ours]
    for config in _HOST:
        for folder in _folders(path, config):
            inside = any(folder == o or o in folder.parents for o in ours)
            nested = (folder.parent / _HOST[0]).is_file() or folder.name == "inner"
            if not inside and not nested:
                found.append(_read_host(folder, folder / config, path))
    return found


def _folders(path: Path, name: str) -> list[Path]:
    """List the folders with such a file, not deeper than a benchmark keeps them."""
    files = [
        file for depth in range(4) for file in sorted(path.glob("*/" * depth + name))
    ]
    return [file.parent for file in files if _is_kept(file.relative_to(path).parts)]


def _is_kept(parts: tuple[str, ...]) -> bool:
    """Whether a path is no run, image or leftover of an interrupted call."""
    return not {"runs", "caps", "cache"} & set(parts) and not any(
        part.endswith(".partial") for part in parts
    )


def _read_ours(directory: Path, sealed: set[str]) -> Audited:
    info = read_info(directory)
    named = {(f["repeat"], f["split"]): f["name"] for f in info.folds}
    folds = [
        replace(fold, name=named.get((fold.repeat, fold.split), ""))
        for fold in map(_read_what_is_there, split_dirs(directory))
    ]
    return Audited(
        name=info.name,
        folds=tuple(folds),
        label=info.label,
        cohort=str(info.lineage.get("cohort", "")),
        leaky=info.leaky and _is_leaky(info.strategy),
        sealed=info.name in sealed,
        edited=bool(info.digest) and digest(folds) != info.digest,
    )


def _is_leaky(strategy: str) -> bool:
    """Ask the class: a flag in a file could be edited to silence the audit."""
    try:
        return load_strategy(strategy).leaky
    except PluginError:
        return False


def _read_what_is_there(directory: Path, subset: str = "validation") -> Fold:
    """Read a ``split-K`` folder whose tables may be missing."""
    inner = sorted_by_number((directory / "inner").glob("split-*"))
    repeat = directory.parent.name
    return Fold(
        repeat=number_of(directory.parent) if repeat.startswith("repeat-") else 0,
        split=number_of(directory) if directory.name.startswith("split-") else 0,
        name="",
        train=_read_or_empty(directory, "train"),
        validation=_read_or_empty(directory, subset),
        test=_read_or_empty(directory, "test"),
        inner=tuple(_read_what_is_there(path) for path in inner),
        directory=directory,
    )


def _read_or_empty(directory: Path, group: str) -> pd.DataFrame:
    for name in (f"{group}.tsv", f"{group}_baseline.tsv"):
        if (directory / name).is_file():
            return read_ids(directory / name)
    return no_images()


def no_images() -> pd.DataFrame:
    """Return a list of images without any."""
    return pd.DataFrame(columns=list(IDS), dtype=str)


def _read_host(directory: Path, config: Path, root: Path) -> Audited:
    """Read a folder made by ClinicaDL's ``make_kfold`` or ``make_split``."""
    try:
        subset = json.loads(config.read_text(encoding="utf-8"))["subset_name"]
    except (ValueError, KeyError, TypeError) as error:
        raise SplitError(f"'{config}' is not ClinicaDL's: {error!r}.") from error
    places = [directory]
    if config.name == _HOST[0]:
        places = sorted_by_number(directory.glob("split-*"))
    folds = tuple(_read_what_is_there(place, subset) for place in places)
    name = directory.name if directory == root else str(directory.relative_to(root))
    return Audited(name=name, folds=folds)
