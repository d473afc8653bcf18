"""What is predicted: a class among several, or a quantity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from clinicadl_trust.exceptions import CohortError, did_you_mean
from clinicadl_trust.tables import as_text

__all__ = ["Kind", "Task"]

Kind = Literal["classification", "regression"]

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

#: A numeric column with more values than this is a quantity, unless told otherwise.
_MANY_VALUES = 10
_MANY_CLASSES = 50


@dataclass(frozen=True)
class Task:
    """What is predicted.

    Attributes
    ----------
    kind : {"classification", "regression"}
        The kind of label.
    label : str
        The column of the cohort that holds it.
    classes : tuple of str
        The class names; for two classes the second is the positive one. Empty
        for a regression.
    """

    kind: Kind
    label: str
    classes: tuple[str, ...] = ()

    @property
    def is_binary(self) -> bool:
        """Whether there are exactly two classes."""
        return len(self.classes) == 2

    @classmethod
    def infer(
        cls,
        values: pd.Series,
        kind: Kind | None = None,
        positive: object = None,
        source: str = "table",
    ) -> Task:
        """Say what predicting these values means.

        Parameters
        ----------
        values : pandas.Series
            The labels, named as their column; n/a is left out.
        kind : {"classification", "regression"}, optional
            By default a regression when they are numbers, more than ten different
            ones, else a classification.
        positive : object, optional
            The positive one of two classes. By default the one that is not named
            like a control (``CN``, ``control``, ``0`` ...), else the last by name.
        source : str
            Where the values come from, for messages.

        Raises
        ------
        CohortError
            If the values are constant, not what ``kind`` needs, or ``positive`` is
            not one of them.
        """
        label, values = str(values.name), values.dropna()
        names = as_text(values)
        if names.nunique() < 2:
            held = f"every row is {names.iloc[0]!r}" if len(names) else "no row has one"
            raise CohortError(
                f"Label '{label}' is constant in {source}: {held}. There is nothing "
                "to predict."
            )
        numeric = pd.api.types.is_numeric_dtype(values)
        if kind is None:
            many = numeric and names.nunique() > _MANY_VALUES
            kind = "regression" if many else "classification"
        if kind == "regression":
            _check_quantity(values, numeric, label, source)
            return cls("regression", label)
        classes = sorted(names.unique())
        if len(classes) > _MANY_CLASSES:
            raise CohortError(
                f"Label '{label}' has {len(classes)} classes in {source}. If it is a "
                "quantity, ask for a regression and write n/a for what is missing."
            )
        return cls("classification", label, _ordered(classes, positive, label))

    def encode(self, values: pd.Series) -> np.ndarray:
        """Return labels as class indices (int) or as floats for a regression.

        Parameters
        ----------
        values : pandas.Series of length n_images
            The labels.

        Returns
        -------
        numpy.ndarray of shape (n_images,)
            ``int``, or ``float`` (nan where missing) for a regression.

        Raises
        ------
        CohortError
            If a value is not one of the classes, or not a number.
        """
        if self.kind == "regression":
            try:
                numbers = pd.to_numeric(values)
            except (ValueError, TypeError) as error:
                raise CohortError(
                    f"Label '{self.label}' is not a number: {error}."
                ) from error
            return numbers.astype("Float64").to_numpy(dtype=float, na_value=np.nan)
        if missing := int(values.isna().sum()):
            raise CohortError(
                f"Label '{self.label}' is n/a in {missing} of {len(values)} rows. Drop "
                "these rows first."
            )
        codes = {name: code for code, name in enumerate(self.classes)}
        text = as_text(values)
        unknown = sorted(set(text) - set(codes))
        if unknown:
            raise CohortError(
                f"Label '{self.label}' holds {unknown}, not among the classes "
                f"{list(self.classes)}."
            )
        return text.map(codes).to_numpy(dtype=int)


def _check_quantity(values: pd.Series, numeric: bool, label: str, source: str) -> None:
    if not numeric:
        raise CohortError(
            f"A regression needs a numeric label; '{label}' in {source} holds "
            f"{values.iloc[0]!r}. Write numbers with a point, and n/a when missing."
        )
    if not np.isfinite(values.astype(float)).all():
        raise CohortError(
            f"Label '{label}' in {source} holds an infinite value. Write n/a instead."
        )


def _ordered(names: list[str], positive: object, label: str) -> tuple[str, ...]:
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
        patients = [name for name in names if name.casefold() not in _CONTROL_NAMES]
        last = patients[0] if len(names) == 2 and len(patients) == 1 else names[-1]
    return (*(name for name in names if name != last), last)
