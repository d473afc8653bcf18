"""Who is healthy in a regression: from the label's own unit to the network's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from clinicadl_trust.exceptions import ConfigError
from clinicadl_trust.models.scale import Scale

__all__ = ["check_healthy_below", "in_network_unit"]

_KEY = "healthy_below"


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
