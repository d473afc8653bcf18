"""The contract of a split strategy."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_type_hints

import numpy as np
import pandas as pd

from clinicadl_trust.cohort import IDS, Cohort
from clinicadl_trust.exceptions import TrustError
from clinicadl_trust.split import Fold, SplitStrategy, read_splits, write_splits
from clinicadl_trust.testing.contract import (
    ContractError,
    check_class,
    make_example,
    require,
)
from clinicadl_trust.testing.synthetic import synthetic_cohort

__all__ = ["check_split_strategy"]

GROUPS = ("train", "validation", "test")

#: What must not stand on both sides of a split, by unit.
_APART = {
    "participant": "participant_id",
    "site": "site",
    "scanner": "scanner",
    "dataset": "dataset",
    "family": "family_id",
}
_UNITS = (*_APART, "time", "scan")


def check_split_strategy(
    cls: type[SplitStrategy],
    example: SplitStrategy | None = None,
    cohort: Cohort | None = None,
    label: str = "diagnosis",
) -> None:
    """Check that a class keeps the contract of a split strategy.

    Its folds are made twice on a cohort, from rows in another order, written and
    read back; participants, and the groups it says it holds out, must be apart.

    Parameters
    ----------
    cls : type
        A frozen dataclass derived from ``SplitStrategy``.
    example : SplitStrategy, optional
        An instance to split with; by default one made of the fields' defaults.
    cohort : Cohort, optional
        What to split; by default a synthetic cohort of about 140 images with every
        known column.
    label : str
        The column to stratify by.

    Raises
    ------
    ContractError
        Naming what is broken and how to mend it. It is an ``AssertionError``.
    """
    check_class(cls, SplitStrategy, "split_strategies")
    _check_words(cls)
    strategy = make_example(cls, example)
    _check_options(strategy)
    cohort = cohort or synthetic_cohort()
    folds = _split(strategy, cohort, label)
    _check_numbers(folds, cls.__name__)
    for fold in folds:
        _check_fold(fold, strategy, cohort)
    _check_repeatable(strategy, cohort, label, folds)
    _check_disk(strategy, cohort, label, folds)


def _check_words(cls: type[SplitStrategy]) -> None:
    name = cls.__name__
    require(
        "__dataclass_params__" in vars(cls)
        and vars(cls)["__dataclass_params__"].frozen,
        f"{name} is no frozen dataclass of its own: its fields would not become "
        "options. Put @dataclass(frozen=True, kw_only=True) above it.",
    )
    title = getattr(cls, "title", None)
    require(
        isinstance(title, str) and title.strip(),
        f"{name}.title is {title!r}. Say in plain words who is held out; reports "
        "print it.",
    )
    require(
        getattr(cls, "unit", None) in _UNITS,
        f"{name}.unit is {getattr(cls, 'unit', None)!r}; it says what is held out "
        f"whole, one of {', '.join(_UNITS)}.",
    )
    require(
        isinstance(cls.leaky, bool),
        f"{name}.leaky is {cls.leaky!r}; it must be True or False.",
    )
    try:
        get_type_hints(cls)
    except NameError as error:
        raise ContractError(
            f"A type hint of {name} cannot be read ({error}), so options given as "
            "text cannot either. Import the type at the top of the module."
        ) from error


def _check_options(strategy: SplitStrategy) -> None:
    name = type(strategy).__name__
    try:
        options = json.loads(json.dumps(asdict(strategy)))
        again = type(strategy)(**options)
    except (TypeError, ValueError, TrustError) as error:
        raise ContractError(
            f"The options of {name} do not come back from JSON: {error}. Use numbers, "
            "text, booleans and None as fields."
        ) from error
    require(
        asdict(again) == asdict(strategy),
        f"The options of {name} change on their way through JSON: "
        f"{asdict(strategy)} became {asdict(again)}. Use lists rather than tuples or "
        "sets.",
    )


def _split(strategy: SplitStrategy, cohort: Cohort, label: str) -> list[Fold]:
    name = type(strategy).__name__
    before = cohort.table.copy()
    try:
        folds = strategy.split(cohort, label)
    except Exception as error:
        raise ContractError(
            f"{name} cannot split {cohort.source}: {type(error).__name__}: {error} If "
            "it needs another cohort or other options, pass `cohort` and `example`."
        ) from error
    require(
        before.equals(cohort.table),
        f"{name} changes the cohort it is given. Work on a copy.",
    )
    require(
        isinstance(folds, list) and folds and all(isinstance(f, Fold) for f in folds),
        f"{name}.split must return a list of Fold; got {folds!r:.80}.",
    )
    return folds


def _check_numbers(folds: list[Fold], name: str) -> None:
    places = [(fold.repeat, fold.split) for fold in folds]
    sizes = Counter(repeat for repeat, _ in places)
    wanted = [(r, s) for r in range(len(sizes)) for s in range(sizes[r])]
    require(
        places == wanted,
        f"{name} numbers its folds {places}; they must run from 0 within each repeat.",
    )


def _check_fold(fold: Fold, strategy: SplitStrategy, cohort: Cohort) -> None:
    name = f"{type(strategy).__name__}, {fold.where}"
    parts = {group: getattr(fold, group) for group in GROUPS}
    for group, ids in parts.items():
        _check_ids(ids, f"The {group} set of {name}", cohort)
    rows = {
        group: ids.merge(cohort.table, on=list(IDS)) for group, ids in parts.items()
    }
    seen = pd.concat([rows["train"], rows["validation"]])
    for one, other in (
        ("train", "validation"),
        ("train", "test"),
        ("validation", "test"),
    ):
        shared = parts[one].merge(parts[other], on=list(IDS))
        require(
            shared.empty,
            f"{len(shared)} images of {name} are both in {one} and in {other}.",
        )
    if strategy.leaky:
        return
    _check_apart(rows["train"], rows["validation"], "participant_id", name)
    _check_apart(seen, rows["test"], "participant_id", name)
    if strategy.unit in _APART:
        _check_apart(seen, rows["test"], _APART[strategy.unit], name)
    if strategy.unit == "time":
        last, first = (
            seen["acquisition_date"].max(),
            rows["test"]["acquisition_date"].min(),
        )
        require(
            last < first,
            f"{name} says that it splits by time, and trains on {last}, not before "
            f"its first test image of {first}.",
        )


def _check_ids(ids: pd.DataFrame, where: str, cohort: Cohort) -> None:
    require(
        isinstance(ids, pd.DataFrame) and list(ids.columns) == list(IDS),
        f"{where} must be a table of {' and '.join(IDS)}.",
    )
    require(len(ids), f"{where} is empty.")
    ordered = ids.sort_values(list(IDS)).drop_duplicates().reset_index(drop=True)
    require(
        ids.equals(ordered),
        f"{where} must be sorted by its ids, each image once, with the index 0..n-1.",
    )
    known = ids.merge(cohort.table[list(IDS)], on=list(IDS))
    require(
        len(known) == len(ids),
        f"{where} holds {len(ids) - len(known)} images that are not in the cohort.",
    )


def _check_apart(
    one: pd.DataFrame, other: pd.DataFrame, column: str, name: str
) -> None:
    shared = sorted(set(one[column].dropna()) & set(other[column].dropna()))
    require(
        not shared,
        f"{name} leaks: {len(shared)} values of '{column}' stand on both sides "
        f"({', '.join(map(str, shared[:3]))}). Keep them together, or say leaky.",
    )


def _check_repeatable(
    strategy: SplitStrategy, cohort: Cohort, label: str, folds: list[Fold]
) -> None:
    name = type(strategy).__name__
    # Not at the first call: an import made by it may draw, too.
    before = _global_state()
    again = strategy.split(cohort, label)
    require(
        before == _global_state(),
        f"{name} draws from the global random state, so its folds depend on what ran "
        "before. Draw from the `rng` it is given.",
    )
    require(
        _same(folds, again),
        f"{name} gives other folds when it is called again. Draw only from the `rng` "
        "it is given.",
    )
    shuffled = cohort.table.sample(frac=1, random_state=1).reset_index(drop=True)
    require(
        _same(folds, strategy.split(replace(cohort, table=shuffled), label)),
        f"{name} gives other folds when the rows of the table are in another order. "
        "Sort by ids before drawing.",
    )


def _check_disk(
    strategy: SplitStrategy, cohort: Cohort, label: str, folds: list[Fold]
) -> None:
    with TemporaryDirectory() as folder:
        directory = Path(folder) / "splits"
        write_splits(strategy, cohort, directory, label)
        require(
            _same(folds, read_splits(directory)[1]),
            f"The folds of {type(strategy).__name__} change when they are written and "
            "read back.",
        )


def _global_state() -> tuple[Any, ...]:
    numpy_state: Any = np.random.get_state()  # noqa: NPY002 - looked at, not drawn from
    return numpy_state[1].tolist(), numpy_state[2], random.getstate()


def _same(one: list[Fold], other: list[Fold]) -> bool:
    return len(one) == len(other) and all(
        a.name == b.name and all(getattr(a, g).equals(getattr(b, g)) for g in GROUPS)
        for a, b in zip(one, other, strict=True)
    )
