"""From the name of a task to its supervision."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from typing import Any

from clinicadl.losses.types import Loss

from clinicadl_trust.attribution.supervision.base import Supervision
from clinicadl_trust.attribution.supervision.classification import Classification
from clinicadl_trust.attribution.supervision.regression import Regression
from clinicadl_trust.attribution.supervision.segmentation import Segmentation
from clinicadl_trust.exceptions import ConfigError, did_you_mean

__all__ = ["SUPERVISIONS", "supervise"]

#: Task to what is learned.
SUPERVISIONS: dict[str, type[Supervision]] = {
    "classification": Classification,
    "regression": Regression,
    "segmentation": Segmentation,
}


def supervise(
    task: str, loss: Loss, label_key: str, options: Mapping[str, Any]
) -> Supervision:
    """Build the supervision of a task.

    Parameters
    ----------
    task : str
        A key of ``SUPERVISIONS``.
    loss : callable
        The supervised loss.
    label_key : str
        Where the label is in a sample.
    options : mapping
        The options of that supervision, such as ``healthy`` of a classification.

    Raises
    ------
    ConfigError
        If the task or an option is unknown.
    """
    if task not in SUPERVISIONS:
        raise ConfigError(
            f"task = '{task}' is unknown.{did_you_mean(task, SUPERVISIONS)}"
        )
    cls = SUPERVISIONS[task]
    known = [name for name in signature(cls).parameters if name not in _FILLED]
    for key in options:
        if key not in known:
            raise ConfigError(
                f"explain.{key} is no option of a {task}.{did_you_mean(key, known)}"
            )
    return cls(loss, label_key, **options)  # type: ignore[call-arg]


_FILLED = ("loss", "label_key")
