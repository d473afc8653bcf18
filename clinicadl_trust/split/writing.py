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

import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from clinicadl_trust.cohort import IDS, Cohort
from clinicadl_trust.exceptions import OutputError
from clinicadl_trust.records import write_json
from clinicadl_trust.split.base import SplitStrategy
from clinicadl_trust.split.fold import GROUPS, Fold
from clinicadl_trust.split.info import INFO, describe_split

__all__ = ["write_splits"]


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
    info = describe_split(strategy, cohort, folds, label, name or directory.name)
    write_json(partial / INFO, info)
    if directory.exists():
        directory.rmdir()
    partial.rename(directory)
    return [_placed(fold, directory) for fold in folds]


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


def _placed(fold: Fold, directory: Path) -> Fold:
    path = directory / f"repeat-{fold.repeat}" / f"split-{fold.split}"
    inner = tuple(
        replace(f, directory=path / "inner" / f"split-{f.split}") for f in fold.inner
    )
    return replace(fold, directory=path, inner=inner)
