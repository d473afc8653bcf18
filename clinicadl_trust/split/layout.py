"""Splits on disk, as ClinicaDL's ``KFold`` and ``SingleSplit`` read them.

::

    NAME/split.json                      ours: strategy, options, lineage
    NAME/repeat-R/kfold_config.json      ClinicaDL's, from two folds on
    NAME/repeat-R/split-K/single_split_config.json
    NAME/repeat-R/split-K/{train,validation}.tsv and *_baseline.tsv
    NAME/repeat-R/split-K/test.tsv       ours: what is reported on
    NAME/repeat-R/split-K/inner/         the nested form, again a KFold

``KFold(repeat-R)`` and ``SingleSplit(split-K)`` both work: a run of one fold needs
only the second.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from clinicadl_trust import __version__
from clinicadl_trust.cohort import IDS, Cohort
from clinicadl_trust.exceptions import OutputError, SplitError, did_you_mean
from clinicadl_trust.records import write_json
from clinicadl_trust.split.base import Fold, SplitStrategy
from clinicadl_trust.tables import read_table

__all__ = ["INFO", "SplitInfo", "digest", "read_splits", "write_splits"]

#: Our own file: ClinicaDL refuses unknown keys in its JSON.
INFO = "split.json"
GROUPS = ("train", "validation", "test")


@dataclass(frozen=True)
class SplitInfo:
    """What made the folds of a directory.

    Attributes
    ----------
    name : str
        The name given to the strategy, by default its class.
    strategy : str
        The registered name.
    options : dict
        Its options, the seed among them.
    title, unit, leaky
        As the strategy says of itself.
    label : str or None
        The column stratified by.
    folds : list of dict
        Per outer fold its ``repeat``, ``split``, ``name``, ``notes`` and numbers.
    lineage : dict
        What the folds come from: the cohort's source, its numbers and digest, and
        our version.
    digest : str
        SHA-256 of who is where, to notice files edited later.
    """

    name: str
    strategy: str
    options: dict[str, Any] = field(default_factory=dict)
    title: str = ""
    unit: str = "participant"
    leaky: bool = False
    label: str | None = None
    folds: list[dict[str, Any]] = field(default_factory=list)
    lineage: dict[str, Any] = field(default_factory=dict)
    digest: str = ""


def write_splits(
    strategy: SplitStrategy,
    cohort: Cohort,
    directory: str | os.PathLike[str],
    label: str | None = None,
    name: str | None = None,
) -> list[Fold]:
    """Split a cohort and write the folds, whole or not at all.

    Parameters
    ----------
    strategy : SplitStrategy
        Who is compared.
    cohort : Cohort
        The participants table.
    directory : path-like
        The folder to make.
    label : str, optional
        The column to stratify by.
    name : str, optional
        What to call it in tables and reports; by default the folder's name.

    Returns
    -------
    list of Fold
        With ``directory`` set.

    Raises
    ------
    OutputError
        If the folder exists and is not empty.
    SplitError
        If the cohort cannot be split so; nothing is written then.
    """
    directory = Path(directory)
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise OutputError(
            f"'{directory}' exists already. Splits are never written over: choose "
            "another folder, or remove it."
        )
    folds = strategy.split(cohort, label)
    partial = directory.with_name(f"{directory.name}.partial")
    if partial.exists():
        shutil.rmtree(partial)
    for repeat in sorted({fold.repeat for fold in folds}):
        chosen = [fold for fold in folds if fold.repeat == repeat]
        _write_folds(chosen, partial / f"repeat-{repeat}", strategy.seed)
    info = _info(strategy, cohort, folds, label, name or directory.name)
    write_json(partial / INFO, info)
    if directory.exists():
        directory.rmdir()
    partial.rename(directory)
    return [_placed(fold, directory) for fold in folds]


def read_splits(directory: str | os.PathLike[str]) -> tuple[SplitInfo, list[Fold]]:
    """Read what ``write_splits`` wrote.

    Raises
    ------
    SplitError
        If the folder is not one of ours, or a file of it is missing.
    """
    directory = Path(directory)
    path = directory / INFO
    if not path.is_file():
        below = sorted(p.parent.name for p in directory.glob(f"*/{INFO}"))
        hint = f" It holds the splits {below}: name one." if below else ""
        raise SplitError(
            f"'{directory}' has no {INFO}, so it is no split that we wrote.{hint} "
            "`clinicadl split make` writes one."
        )
    try:
        info = SplitInfo(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise SplitError(f"'{path}' cannot be read: {error}.") from error
    folds = [read_fold(split) for split in split_dirs(directory)]
    listed = {(f["repeat"], f["split"]): f for f in info.folds}
    if {(fold.repeat, fold.split) for fold in folds} != set(listed):
        raise SplitError(
            f"'{directory}' should hold {len(listed)} folds, as its {INFO} says, and "
            f"holds {len(folds)}. Make the split again."
        )
    return info, [_named(fold, listed[fold.repeat, fold.split]) for fold in folds]


def read_fold(directory: Path) -> Fold:
    """Read one ``split-K`` folder; a file that is missing is an error.

    Raises
    ------
    SplitError
        If a table is missing or has no ids.
    """
    tables = {group: read_ids(directory / f"{group}.tsv") for group in GROUPS}
    inner = directory / "inner"
    return Fold(
        repeat=_number(directory.parent) if directory.parent.name != "inner" else 0,
        split=_number(directory),
        name="",
        **tables,
        inner=tuple(read_fold(path) for path in _sorted(inner.glob("split-*"))),
        directory=directory,
    )


def read_ids(path: Path) -> pd.DataFrame:
    """Read the ids of one group.

    Raises
    ------
    SplitError
        If the table is missing or lacks an id column.
    """
    table = read_table(path, "list of images of a split", SplitError, text=IDS)
    for name in IDS:
        if name not in table:
            raise SplitError(
                f"'{path}' has no column '{name}'."
                f"{did_you_mean(name, map(str, table.columns))}"
            )
    return table[list(IDS)]


def digest(folds: Sequence[Fold]) -> str:
    """Return the SHA-256 of who is where in the folds, inner ones included."""
    content = hashlib.sha256()
    for fold in folds:
        content.update(f"fold {fold.repeat} {fold.split}\n".encode())
        for group in GROUPS:
            text = getattr(fold, group)[list(IDS)].to_csv(sep="\t", index=False)
            content.update(f"{group}\n{text}".encode())
        content.update(digest(fold.inner).encode() if fold.inner else b"")
    return content.hexdigest()


def split_dirs(directory: Path) -> list[Path]:
    """List the ``split-K`` folders of a strategy by repeat and number."""
    repeats = _sorted(directory.glob("repeat-*"))
    return [path for repeat in repeats for path in _sorted(repeat.glob("split-*"))]


def _sorted(paths: Iterable[Path]) -> list[Path]:
    return sorted((path for path in paths if path.is_dir()), key=_number)


def _number(path: Path) -> int:
    try:
        return int(path.name.rpartition("-")[2])
    except ValueError as error:
        raise SplitError(
            f"'{path}' should end in a number, like split-0. Rename or remove it."
        ) from error


def _write_folds(folds: Sequence[Fold], directory: Path, seed: int) -> None:
    """Write folds of one repeat in a folder that ClinicaDL's KFold reads."""
    for fold in folds:
        path = directory / f"split-{fold.split}"
        path.mkdir(parents=True)
        for group in GROUPS:
            _write_group(getattr(fold, group), path, group)
        write_json(path / "single_split_config.json", _single_config(fold, seed))
        if fold.inner:
            _write_folds(fold.inner, path / "inner", seed)
    if len(folds) > 1:
        config = {**_COMMON, "stratification": None, "seed": seed}
        config["n_splits"] = len(folds)
        write_json(directory / "kfold_config.json", config)


#: Longitudinal: the groups hold every image, not the first session alone.
_COMMON: dict[str, Any] = {"subset_name": "validation", "longitudinal": True}


def _single_config(fold: Fold, seed: int) -> dict[str, Any]:
    held = fold.validation["participant_id"].nunique()
    total = held + fold.train["participant_id"].nunique()
    return {
        **_COMMON,
        "stratification": [],
        "seed": seed,
        "n_test": round(held / total, 6),
        "p_categorical_threshold": 0.0,
        "p_continuous_threshold": 0.0,
    }


def _write_group(ids: pd.DataFrame, directory: Path, group: str) -> None:
    # Not by ClinicaDL's own writer: it adds every session of a participant, also
    # those on the other side of a date.
    ids = ids[list(IDS)]
    _write_tsv(ids, directory / f"{group}.tsv")
    if group != "test":
        first = ids.drop_duplicates("participant_id")
        _write_tsv(first, directory / f"{group}_baseline.tsv")


def _write_tsv(table: pd.DataFrame, path: Path) -> None:
    table.to_csv(path, sep="\t", index=False, lineterminator="\n")


def _info(
    strategy: SplitStrategy,
    cohort: Cohort,
    folds: Sequence[Fold],
    label: str | None,
    name: str,
) -> SplitInfo:
    ids = cohort.table[list(IDS)].sort_values(list(IDS))
    text = ids.to_csv(sep="\t", index=False)
    return SplitInfo(
        name=name,
        strategy=type(strategy).__name__,
        options=asdict(strategy),
        title=strategy.title,
        unit=strategy.unit,
        leaky=strategy.leaky,
        label=label,
        folds=[_summary(fold) for fold in folds],
        lineage={
            "cohort": cohort.source.strip("'"),
            "participants": len(cohort.participants),
            "images": len(cohort),
            "cohort_digest": hashlib.sha256(text.encode()).hexdigest(),
            "clinicadl_trust": __version__,
        },
        digest=digest(folds),
    )


def _summary(fold: Fold) -> dict[str, Any]:
    summary: dict[str, Any] = {
        "repeat": fold.repeat,
        "split": fold.split,
        "name": fold.name,
        "notes": list(fold.notes),
    }
    for group in GROUPS:
        ids = getattr(fold, group)
        summary[group] = {
            "participants": int(ids["participant_id"].nunique()),
            "images": len(ids),
        }
    if fold.inner:
        summary["inner"] = [_summary(inner) for inner in fold.inner]
    return summary


def _named(fold: Fold, summary: Mapping[str, Any]) -> Fold:
    """Give a fold that was read its name and notes back."""
    inner = fold.inner
    if summary.get("inner"):
        inner = tuple(
            _named(replace(f, repeat=s["repeat"]), s)
            for f, s in zip(fold.inner, summary["inner"], strict=True)
        )
    return replace(
        fold, name=summary["name"], notes=tuple(summary["notes"]), inner=inner
    )


def _placed(fold: Fold, directory: Path) -> Fold:
    path = directory / f"repeat-{fold.repeat}" / f"split-{fold.split}"
    inner = tuple(
        replace(f, directory=path / "inner" / f"split-{f.split}") for f in fold.inner
    )
    return replace(fold, directory=path, inner=inner)
