"""Whether a column holds what a task needs, and which class is the positive one."""

from __future__ import annotations

import numpy as np
import pandas as pd

from clinicadl_trust.exceptions import CohortError, did_you_mean
from clinicadl_trust.tables import as_text

__all__ = ["check_quantity", "check_volumes", "is_control", "ordered"]

_CONTROL_NAMES = frozenset(
    (
        "0",
        "absent",
        "cn",
        "con",
        "control",
        "controls",
        "ctl",
        "ctrl",
        "cu",
        "false",
        "hc",
        "healthy",
        "hv",
        "nc",
        "neg",
        "negative",
        "no",
        "normal",
        "smci",
        "stable",
        "unaffected",
    )
)


def check_quantity(values: pd.Series, label: str, source: str) -> None:
    """Check that values can be predicted by a regression.

    Raises
    ------
    CohortError
        If one is no number, or infinite.
    """
    numeric = pd.api.types.is_numeric_dtype(values)
    if not numeric:
        raise CohortError(
            f"A regression needs a numeric label; '{label}' in {source} holds "
            f"{values.iloc[0]!r}. Write numbers with a point, and n/a when missing."
        )
    if not np.isfinite(values.astype(float)).all():
        raise CohortError(
            f"Label '{label}' in {source} holds an infinite value. Write n/a instead."
        )


def check_volumes(values: pd.Series, label: str, source: str) -> None:
    """Check that values are volumes of masks, not all of them empty.

    Raises
    ------
    CohortError
        If one is no volume, or all are 0.
    """
    numeric = pd.api.types.is_numeric_dtype(values)
    if not numeric or (values < 0).any() or not np.isfinite(values.astype(float)).all():
        raise CohortError(
            f"A segmentation needs the volume of each mask; '{label}' in {source} "
            f"holds {values.iloc[0]!r}. Name the masks' files: [cohort.mask]."
        )
    if not (values > 0).any():
        raise CohortError(
            f"All {len(values)} masks '{label}' of {source} are empty: there is "
            "nothing to segment. Look at [cohort.mask]."
        )


def is_control(name: str) -> bool:
    """Whether a class is named like one of controls.

    Parameters
    ----------
    name : str
        For example ``CN``, or ``control``.
    """
    return name.casefold() in _CONTROL_NAMES


def ordered(names: list[str], positive: object, label: str) -> tuple[str, ...]:
    """Return class names, of two the positive one last.

    Parameters
    ----------
    names : list of str
        Sorted.
    positive : object
        The positive one; None for one that is not named like a control.
    label : str
        Their column, for messages.

    Raises
    ------
    CohortError
        If the positive class is none of them.
    """
    if positive is not None:
        wanted = as_text(pd.Series([positive])).iloc[0]
        folded = [name for name in names if name.casefold() == wanted.casefold()]
        if wanted not in names and len(folded) != 1:
            raise CohortError(
                f"Positive class '{wanted}' is not a value of '{label}'."
                f"{did_you_mean(wanted, names)}"
            )
        last = wanted if wanted in names else folded[0]
    else:
        patients = [name for name in names if not is_control(name)]
        last = patients[0] if len(names) == 2 and len(patients) == 1 else names[-1]
    return (*(name for name in names if name != last), last)
