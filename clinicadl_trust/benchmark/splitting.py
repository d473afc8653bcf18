"""Make every split, the sealed test group before all others, and audit them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from clinicadl_trust.benchmark.config import SEALED, Experiment
from clinicadl_trust.benchmark.preparation import Prepared
from clinicadl_trust.cohort import IDS, Cohort
from clinicadl_trust.exceptions import SplitError
from clinicadl_trust.split import (
    Fold,
    SplitInfo,
    from_options,
    read_splits,
    write_splits,
)

__all__ = ["Splits", "development", "make_splits"]


@dataclass(frozen=True)
class Splits:
    """The folds of one strategy.

    Attributes
    ----------
    info : SplitInfo
        What made them.
    folds : list of Fold
        By repeat, then by split.
    """

    info: SplitInfo
    folds: list[Fold]


def make_splits(
    experiment: Experiment, prepared: Prepared, directory: Path
) -> dict[str, Splits]:
    """Make the splits that are not there yet, and read those that are.

    The sealed test group is drawn from the whole cohort; every other strategy sees
    the rest, the development set.

    Parameters
    ----------
    experiment : Experiment
        What to make.
    prepared : Prepared
        The cohort and the task.
    directory : pathlib.Path
        The benchmark; splits go to ``splits/NAME``.

    Returns
    -------
    dict of str to Splits
        The sealed test group first.

    Raises
    ------
    SplitError
        If the cohort cannot be split so, or was changed since it was split.
    """
    cohort = prepared.cohort
    made: dict[str, Splits] = {}
    for name, section in experiment.all_splits.items():
        path = directory / "splits" / name
        if not path.is_dir():
            strategy = from_options(section.strategy, section.options)
            try:
                write_splits(strategy, cohort, path, prepared.task.columns[0], name)
            except SplitError as error:
                raise SplitError(f"Split '{name}': {error}") from error
        made[name] = Splits(*read_splits(path))
        _check_known(made[name], cohort, path)
        if name == SEALED:
            cohort = development(made[name].folds, cohort)
    return made


def development(sealed: Sequence[Fold], cohort: Cohort) -> Cohort:
    """Return the rows that strategies other than the sealed test group see.

    Parameters
    ----------
    sealed : sequence of Fold
        The sealed test group's one fold.
    cohort : Cohort
        Everyone.

    Raises
    ------
    SplitError
        If there is more than one fold.
    """
    if len(sealed) != 1:
        raise SplitError(
            "The sealed test group is one fold, and this strategy makes "
            f"{len(sealed)}. Use 'MatchedTestSet' or 'TemporalSplit'."
        )
    ids = pd.concat([sealed[0].train, sealed[0].validation])[list(IDS)]
    keep = pd.MultiIndex.from_frame(cohort.table[list(IDS)]).isin(
        pd.MultiIndex.from_frame(ids)
    )
    return cohort.select(keep)


def _check_known(splits: Splits, cohort: Cohort, path: Path) -> None:
    rows = pd.MultiIndex.from_frame(cohort.table[list(IDS)])
    for fold in splits.folds:
        ids = pd.concat([fold.train, fold.validation, fold.test])[list(IDS)]
        unknown = ~pd.MultiIndex.from_frame(ids).isin(rows)
        if unknown.any():
            first = " ".join(ids.loc[unknown].iloc[0])
            raise SplitError(
                f"'{path}' holds {first}, whom the cohort has not (any more). Start in "
                "another folder."
            )
