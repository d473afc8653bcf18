"""A value that each image has, such as the precision of its map, as a metric."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pandas as pd

from clinicadl_trust.exceptions import StatisticsError, did_you_mean
from clinicadl_trust.prediction_checks import CARRIED, COLUMNS
from clinicadl_trust.stats.influence import mean_value
from clinicadl_trust.stats.metric import Metric, Scale
from clinicadl_trust.stats.metrics import get_metrics, metric_names
from clinicadl_trust.stats.prepared import CLUSTER, IMAGE, Prepared

__all__ = ["metrics_of", "value_columns"]

_NOT_VALUES = {*COLUMNS, *CARRIED, "score", CLUSTER, IMAGE}


def value_columns(table: pd.DataFrame) -> list[str]:
    """List the columns of a predictions table that hold a value of each image.

    Parameters
    ----------
    table : pandas.DataFrame
        A checked predictions table.
    """
    return [
        str(name)
        for name, values in table.items()
        if name not in _NOT_VALUES
        and not str(name).startswith("score_")
        and pd.api.types.is_numeric_dtype(values)
    ]


def metrics_of(
    prepared: Prepared, names: Iterable[str] | str | None = None
) -> list[Metric]:
    """Return metrics by name: those of the task, and means of columns.

    Parameters
    ----------
    prepared : Prepared
        The table.
    names : iterable of str, optional
        By default all metrics of the task.

    Raises
    ------
    StatisticsError
        If a name is neither a metric of the task nor a column of numbers.
    """
    columns = value_columns(prepared.table)
    if isinstance(names, str):
        names = [names]
    if names is None or not isinstance(names, Iterable):
        return get_metrics(names, prepared.task)
    known, asked = metric_names(prepared.task), list(dict.fromkeys(names))
    if not asked:
        return get_metrics(asked, prepared.task)
    found = []
    for name in asked:
        if name in columns and name not in known:
            found.append(_mean_of(name, prepared))
            continue
        try:
            found += get_metrics([name], prepared.task)
        except StatisticsError as error:
            if not columns or not isinstance(name, str):
                raise
            raise StatisticsError(
                f"{str(error).partition('.')[0]}.{did_you_mean(name, known + columns)}"
            ) from error
    return found


def _mean_of(name: str, prepared: Prepared) -> Metric:
    """Return the mean of a column over images, on the scale that its values allow.

    With two sessions of 20 or 60 participants the intervals of shares and of normal
    values cover .95, and paired differences reject .04 to .06 at 5 % (2000 draws each,
    ``tests/long/test_value_column_coverage.py``).
    """
    values = prepared.table[name].to_numpy(float)
    values = values[~np.isnan(values)]
    if np.isinf(values).any():
        raise StatisticsError(
            f"Column '{name}' has {int(np.isinf(values).sum())} infinite values. Write "
            "n/a where an image has no value."
        )
    scale, bounds = _scale(values)
    return Metric(
        name=name,
        title=f"Mean {name}",
        task=prepared.task,
        influence=mean_value,
        scale=scale,
        bounds=bounds,
        column=name,
        # Skewed positive values cover .92 with 20 participants and .94 with 60.
        interval="approximate" if scale == "log" else "calibrated",
    )


def _scale(values: np.ndarray) -> tuple[Scale, tuple[float, float]]:
    """Keep an interval of shares, of positive values and of others where they lie."""
    if not values.size or values.min() < 0:
        return "identity", (-math.inf, math.inf)
    return ("logit", (0.0, 1.0)) if values.max() <= 1 else ("log", (0.0, math.inf))
