"""The contract of a statistic."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from clinicadl_trust.exceptions import TrustError
from clinicadl_trust.testing.contract import ContractError, require
from clinicadl_trust.testing.synthetic import (
    synthetic_predictions,
    synthetic_readings,
    synthetic_seeds,
    synthetic_test_group,
)

__all__ = ["check_statistic"]

#: Arguments that a statistic of predictions may need, on the synthetic table.
_ARGUMENTS = {
    "by": "site",
    "metric": "roc_auc",
    "model": "better",
    "reference": "worse",
}

#: Of a statistic that resamples: enough to see what it depends on.
_RESAMPLES = 199


def check_statistic(
    statistic: Callable[..., Any],
    predictions: pd.DataFrame | None = None,
    **arguments: Any,
) -> None:
    """Check that a function keeps the contract of a statistic.

    Parameters
    ----------
    statistic : callable
        Takes a predictions table; returns a table, or frozen results that have
        ``to_frame``.
    predictions : pandas.DataFrame, optional
        What to call it on; by default two models in four folds; if it refuses these
        with a ``TrustError``, three models on one test group, a reader study, or
        models of several seeds.
    **arguments
        Further arguments. ``by``, ``metric``, ``model`` and ``reference`` are filled in
        when the function needs them, and ``n_resamples`` is 199 when it has that.

    Raises
    ------
    ContractError
        Naming what is broken and how to mend it. It is an ``AssertionError``.
    """
    name = getattr(statistic, "__name__", repr(statistic))
    require(
        callable(statistic),
        f"A plugin of kind 'statistics' is called with a predictions table; {name} "
        "cannot be called.",
    )
    require(
        inspect.getdoc(statistic),
        f"{name} has no docstring. Say what it estimates, and from which source.",
    )
    arguments = {**_needed(statistic), **arguments}
    table = predictions
    if table is None:
        table = _table_for(statistic, arguments).copy()
    before = table.copy()
    first = _call(statistic, table, arguments, name)
    require(
        before.equals(table), f"{name} changes the table it is given. Work on a copy."
    )
    require(
        first.equals(_call(statistic, table, arguments, name)),
        f"{name} gives another result when it is called again. Draw from a generator "
        "seeded by an argument `seed`.",
    )
    shuffled = table.sample(frac=1, random_state=1).reset_index(drop=True)
    again = _call(statistic, shuffled, arguments, name)
    try:
        pd.testing.assert_frame_equal(
            _sorted(first), _sorted(again), rtol=1e-9, check_like=True
        )
    except AssertionError as error:
        raise ContractError(
            f"{name} gives another result when the rows are in another order: {error}"
        ) from error


def _table_for(
    statistic: Callable[..., Any], arguments: dict[str, Any]
) -> pd.DataFrame:
    """Choose a table: what is right for a test group is mostly wrong for folds."""
    table = _made(synthetic_predictions)
    for make in (
        synthetic_predictions,
        synthetic_test_group,
        synthetic_readings,
        synthetic_seeds,
    ):
        table = _made(make)
        try:
            statistic(table.copy(), **arguments)
        except TrustError:
            continue
        except Exception:  # the check to come tells it
            return table
        return table
    return table


@functools.cache
def _made(make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """Return a table that is drawn once, however many statistics are checked."""
    return make()


def _sorted(frame: pd.DataFrame) -> pd.DataFrame:
    """Sort rows: which comes first may follow the table."""
    keys = frame.round(9).astype(str)
    return frame.loc[keys.sort_values(list(keys)).index].reset_index(drop=True)


def _needed(statistic: Callable[..., Any]) -> dict[str, Any]:
    parameters = list(inspect.signature(statistic).parameters.values())[1:]
    needed: dict[str, Any] = {
        parameter.name: _ARGUMENTS[parameter.name]
        for parameter in parameters
        if parameter.default is parameter.empty and parameter.name in _ARGUMENTS
    }
    if any(parameter.name == "n_resamples" for parameter in parameters):
        needed["n_resamples"] = _RESAMPLES  # it is called four times
    return needed


def _call(
    statistic: Callable[..., Any],
    table: pd.DataFrame,
    arguments: dict[str, Any],
    name: str,
) -> pd.DataFrame:
    try:
        result = statistic(table, **arguments)
    except Exception as error:
        raise ContractError(
            f"{name} fails on the predictions table: {type(error).__name__}: {error} "
            "Pass `predictions` or further arguments if it needs others."
        ) from error
    return _frame(result, name)


def _frame(result: Any, name: str) -> pd.DataFrame:
    """Return a result as a table: a table, a result, or several."""
    several = result if isinstance(result, Sequence) else [result]
    frames = []
    for item in several:
        frozen = getattr(type(item), "__dataclass_params__", None)
        if isinstance(item, pd.DataFrame):
            frames.append(item)
            continue
        require(
            frozen is not None and frozen.frozen and hasattr(item, "to_frame"),
            f"{name} returns {type(item).__name__}. Return a DataFrame, or a frozen "
            "dataclass with to_frame() such as clinicadl_trust.stats.Estimate.",
        )
        frames.append(item.to_frame())
    require(
        frames and all(len(frame) for frame in frames), f"{name} returns no result."
    )
    return pd.concat(frames, ignore_index=True)
