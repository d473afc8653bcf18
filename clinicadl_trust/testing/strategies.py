"""The contract of a split strategy."""

from __future__ import annotations

import json
import random
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_type_hints

import numpy as np

from clinicadl_trust.cohort import Cohort
from clinicadl_trust.exceptions import TrustError
from clinicadl_trust.split import Fold, SplitStrategy, read_splits, write_splits
from clinicadl_trust.testing.contract import (
    ContractError,
    check_class,
    make_example,
    require,
)
from clinicadl_trust.testing.folds import GROUPS, UNITS, check_fold, check_numbers
from clinicadl_trust.testing.synthetic import synthetic_cohort

__all__ = ["check_split_strategy"]


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
    check_numbers(folds, cls.__name__)
    for fold in folds:
        check_fold(fold, strategy, cohort)
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
        getattr(cls, "unit", None) in UNITS,
        f"{name}.unit is {getattr(cls, 'unit', None)!r}; it says what is held out "
        f"whole, one of {', '.join(UNITS)}.",
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
