"""Whether training rows hold the classes that a model is to tell apart."""

from __future__ import annotations

import logging

import numpy as np

from clinicadl_trust.exceptions import RunError
from clinicadl_trust.task import Task

__all__ = ["check_classes"]

logger = logging.getLogger(__name__)


def check_classes(codes: np.ndarray, task: Task) -> None:
    """Check that there are two classes at least; tell of others that are missing.

    Parameters
    ----------
    codes : numpy.ndarray of int, shape (n_images,)
        Class indices of the training rows; volumes of masks. In a regression nothing
        is checked.
    task : Task
        What is predicted.

    Raises
    ------
    RunError
        If fewer than two classes are there, or every mask is empty.
    """
    if task.kind == "segmentation" and not (codes > 0).any():
        raise RunError(
            f"All {len(codes)} training masks '{task.label}' are empty: there is "
            "nothing to learn. Use fewer folds, or another split."
        )
    if task.kind != "classification":
        return
    present = set(np.unique(codes))
    missing = [name for code, name in enumerate(task.classes) if code not in present]
    if len(present) < 2:
        raise RunError(
            f"No training image has {task.label} = {' nor '.join(missing)}: a model "
            "cannot learn to tell classes apart. Use fewer folds, or another split."
        )
    if missing:
        logger.warning(
            "no training image has %s = %s: the model will never say so",
            task.label,
            " nor ".join(missing),
        )
