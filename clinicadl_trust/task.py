"""What is predicted: a class among several, a quantity, or a mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from clinicadl_trust.exceptions import CohortError
from clinicadl_trust.tables import as_text
from clinicadl_trust.task_checks import (
    check_quantity,
    check_volumes,
    is_control,
    ordered,
)

__all__ = ["Kind", "Task"]

Kind = Literal["classification", "regression", "segmentation"]

#: A numeric column with more values than this is a quantity, unless told otherwise.
_MANY_VALUES = 10
_MANY_CLASSES = 50


@dataclass(frozen=True)
class Task:
    """What is predicted.

    Attributes
    ----------
    kind : {"classification", "regression", "segmentation"}
        The kind of label.
    label : str
        The column of the cohort that holds it; for a segmentation the mask's name,
        and the column of its volume in mm3; for several quantities what they are
        called together.
    classes : tuple of str
        The class names; for two classes the second is the positive one. Empty
        for a regression and for a segmentation.
    outputs : tuple of str
        The columns of a regression that predicts several at once, in the order of
        the network's outputs; empty for one label.
    deviations : tuple of float
        Their standard deviations in the cohort: the units in which errors of several
        outputs are averaged.
    """

    kind: Kind
    label: str
    classes: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    deviations: tuple[float, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a cohort that hold what is predicted."""
        return self.outputs or (self.label,)

    @property
    def is_binary(self) -> bool:
        """Whether there are exactly two classes."""
        return len(self.classes) == 2

    @property
    def healthy(self) -> int | None:
        """The class of the healthy, where names tell: among many, the only control."""
        if self.is_binary:
            return 0
        controls = [k for k, name in enumerate(self.classes) if is_control(name)]
        return controls[0] if len(controls) == 1 else None

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
        kind : {"classification", "regression", "segmentation"}, optional
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
        if kind == "segmentation":
            check_volumes(values, label, source)
            return cls("segmentation", label)
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
            check_quantity(values, label, source)
            return cls("regression", label)
        classes = sorted(names.unique())
        if len(classes) > _MANY_CLASSES:
            raise CohortError(
                f"Label '{label}' has {len(classes)} classes in {source}. If it is a "
                "quantity, ask for a regression and write n/a for what is missing."
            )
        return cls("classification", label, ordered(classes, positive, label))

    @classmethod
    def several(
        cls,
        table: pd.DataFrame,
        labels: Sequence[str],
        kind: Kind | None = None,
        source: str = "table",
    ) -> Task:
        """Say what predicting several columns at once means: a regression.

        Parameters
        ----------
        table : pandas.DataFrame
            The cohort's rows whose labels are known.
        labels : sequence of str
            Two columns or more.
        kind : {"regression"}, optional
            What they are taken for.
        source : str
            Where they come from, for messages.

        Raises
        ------
        CohortError
            If a column is named twice, constant or no quantity, or another kind is
            asked for.
        """
        outputs = tuple(labels)
        if kind not in (None, "regression"):
            raise CohortError(
                f"Several labels ({', '.join(outputs)}) are predicted at once by a "
                f"regression, not by a {kind}. Name one label."
            )
        if len(set(outputs)) < len(outputs):
            raise CohortError(
                f"The labels {', '.join(outputs)} name a column twice. Keep one."
            )
        for name in outputs:
            cls.infer(table[name], "regression", source=source)
        shown = outputs if len(outputs) < 5 else (*outputs[:2], "...", outputs[-1])
        deviations = tuple(float(table[name].std(ddof=0)) for name in outputs)
        return cls("regression", ", ".join(shown), (), outputs, deviations)

    def known(self, rows: pd.DataFrame) -> np.ndarray:
        """Say of which rows everything that is predicted is known.

        Parameters
        ----------
        rows : pandas.DataFrame
            Of a cohort, which may lack the columns.

        Returns
        -------
        numpy.ndarray of bool, shape (n_images,)
        """
        table = rows.reindex(columns=list(self.columns))
        return table.notna().all(axis=1).to_numpy()

    def targets(self, rows: pd.DataFrame) -> np.ndarray:
        """Return what is to be predicted of rows of a cohort.

        Parameters
        ----------
        rows : pandas.DataFrame
            With the ``columns``.

        Returns
        -------
        numpy.ndarray of shape (n_images,) or (n_images, n_outputs)
            As ``encode`` gives each column; two dimensions for several outputs.

        Raises
        ------
        CohortError
            As ``encode``.
        """
        if not self.outputs:
            return self.encode(rows[self.label])
        return np.stack([self.encode(rows[name]) for name in self.outputs], axis=1)

    def encode(self, values: pd.Series) -> np.ndarray:
        """Return labels as class indices (int), or as floats where there are none.

        Parameters
        ----------
        values : pandas.Series of length n_images
            The labels.

        Returns
        -------
        numpy.ndarray of shape (n_images,)
            ``int``; or ``float``, nan where missing: quantities, or volumes in mm3.

        Raises
        ------
        CohortError
            If a value is not one of the classes, or not a number.
        """
        if self.kind != "classification":
            try:
                numbers = pd.to_numeric(values)
            except (ValueError, TypeError) as error:
                raise CohortError(
                    f"Label '{values.name or self.label}' is not a number: {error}."
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
