"""Who is healthy: from what a user says to what the model goes by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from clinicadl_trust.exceptions import ConfigError, did_you_mean
from clinicadl_trust.models.scale import Scale
from clinicadl_trust.task import Task

__all__ = ["check_healthy_below", "in_network_unit", "with_healthy"]

_KEY = "healthy_below"


def with_healthy(table: Mapping[str, Any], task: Task, where: str) -> dict[str, Any]:
    """Return the table of a model that explains with the number of the healthy class.

    Parameters
    ----------
    table : mapping
        ``[models.NAME.model]``; ``explain.healthy`` is a class, by name or number, by
        default the one named like a control.
    task : Task
        What is predicted.
    where : str
        The table's key, for messages.

    Raises
    ------
    ConfigError
        If there is no such class, or names do not tell which of several is healthy.
    """
    explain = table.get("explain") or {}
    if task.kind != "classification" or not isinstance(explain, Mapping):
        return dict(table)
    key, classes, given = f"{where}.explain.healthy", task.classes, "healthy" in explain
    if not given and task.healthy is None:
        raise ConfigError(
            f"Which of the classes {', '.join(classes)} is healthy is not told by "
            f"their names. Say it: {key} = '{classes[0]}', for example."
        )
    healthy = explain["healthy"] if given else task.healthy
    if isinstance(healthy, str) and healthy in classes:
        healthy = classes.index(healthy)
    if healthy is None or healthy not in range(len(classes)):
        raise ConfigError(
            f"{key} = {healthy!r} is no class.{did_you_mean(str(healthy), classes)}"
        )
    if healthy == 0 and not given:
        return dict(table)  # as models have it by default
    return {**table, "explain": {**explain, "healthy": int(healthy)}}


def in_network_unit(table: Mapping[str, Any], scale: Scale) -> dict[str, Any]:
    """Return the table of a model whose ``explain.healthy_below`` is in its own unit.

    The model's JSON then holds what the model itself goes by, and it reopens without
    the labels that it was trained on.

    Parameters
    ----------
    table : mapping
        ``[models.NAME.model]``, in the label's unit.
    scale : Scale
        Of the training labels.
    """
    explain = table.get("explain")
    if not isinstance(explain, Mapping) or explain.get(_KEY) is None:
        return dict(table)
    value = scale.threshold(explain[_KEY], _output(explain))
    return {**table, "explain": {**explain, _KEY: value}}


def check_healthy_below(
    table: Mapping[str, Any], labels: np.ndarray, where: str
) -> None:
    """Check that ``explain.healthy_below`` divides the training participants.

    Parameters
    ----------
    table : mapping
        ``[models.NAME.model]``.
    labels : numpy.ndarray of shape (n_images,) or (n_images, n_outputs)
        Of the training set, in their own unit.
    where : str
        The table's key, for messages.

    Raises
    ------
    ConfigError
        If it is no number, or nobody, or everybody, is below it.
    """
    explain = table.get("explain")
    if not isinstance(explain, Mapping) or explain.get(_KEY) is None:
        return
    value, key = explain[_KEY], f"{where}.explain.{_KEY}"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigError(f"{key} = {value!r} is no number.")
    columns = labels.reshape(len(labels), -1)
    column = columns[:, min(_output(explain), columns.shape[1] - 1)]
    if not column.min() < value <= column.max():
        who = "nobody" if value <= column.min() else "everybody"
        raise ConfigError(
            f"{key} = {value:g} takes {who} for healthy: the training labels go from "
            f"{column.min():g} to {column.max():g}. Give a value between."
        )


def _output(explain: Mapping[str, Any]) -> int:
    output = explain.get("output", 0)
    return output if isinstance(output, int) and output >= 0 else 0
