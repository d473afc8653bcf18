"""What an image model must beat: a model of the participants table alone.

A model that predicts the label from age, sex and site needs no image; an image model
that does no better has shown nothing about the brain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from clinicadl_trust.cohort import GROUPS, IDS
from clinicadl_trust.exceptions import ConfigError, did_you_mean

__all__ = ["DEFAULT_COLUMNS", "Columns", "choose_columns"]

#: What the baseline sees, where the participants table has it.
DEFAULT_COLUMNS = ("age", "sex", "site")

_MISSING = "missing"


@dataclass(frozen=True)
class Columns:
    """Columns of the participants table as inputs of a model.

    Attributes
    ----------
    quantities : tuple of str
        Read as numbers; a missing one is the training rows' median, and that it was
        missing is an input too.
    categories : tuple of str
        One input per value among the training rows, "missing" being a value; one that
        is not among them, as the site that is left out, is all zeros.
    """

    quantities: tuple[str, ...]
    categories: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.quantities, *self.categories)

    def read(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Take the columns out of a table, in the types that the pipeline needs.

        Parameters
        ----------
        rows : pandas.DataFrame
            Rows of a cohort.

        Returns
        -------
        pandas.DataFrame of shape (n_images, n_columns)
            Numbers, ``nan`` where one is missing, and text.

        Raises
        ------
        ConfigError
            If a column is missing, or is not numeric where it was.
        """
        table = pd.DataFrame(index=rows.index)
        for name in self.names:
            if name not in rows:
                raise ConfigError(
                    f"The model needs the column '{name}', which the participants "
                    f"table does not have.{did_you_mean(name, map(str, rows.columns))}"
                )
            values = rows[name]
            if name in self.quantities:
                table[name] = _numbers(values)
            else:
                known = values.astype(object).where(values.notna(), _MISSING)
                table[name] = known.map(str)
        return table

    def steps(self) -> list[tuple[str, Any]]:
        """Return the first step of the pipeline: imputation, scaling, one-hot."""
        from sklearn.compose import ColumnTransformer
        from sklearn.impute import SimpleImputer
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import OneHotEncoder, StandardScaler

        numbers = make_pipeline(
            # A column that is empty in the training rows stays, as a constant.
            SimpleImputer(
                strategy="median", add_indicator=True, keep_empty_features=True
            ),
            StandardScaler(),
        )
        parts = [
            ("quantities", numbers, list(self.quantities)),
            (
                "categories",
                OneHotEncoder(handle_unknown="ignore"),
                list(self.categories),
            ),
        ]
        return [("columns", ColumnTransformer([part for part in parts if part[2]]))]


def choose_columns(
    table: pd.DataFrame,
    labels: Sequence[str],
    wanted: Sequence[str] | None,
    where: str,
) -> Columns:
    """Say which columns a metadata model sees.

    Parameters
    ----------
    table : pandas.DataFrame
        The cohort.
    labels : sequence of str
        What is predicted; never an input.
    wanted : sequence of str, optional
        The columns asked for; by default those of ``DEFAULT_COLUMNS`` that there are
        and that are known for some row.
    where : str
        The model's key, for messages.

    Returns
    -------
    Columns
        Perhaps none, when none were asked for and none of the default are there.

    Raises
    ------
    ConfigError
        If a column that was asked for is missing, the label or an id.
    """
    if wanted is None:
        names = [
            name
            for name in DEFAULT_COLUMNS
            if name not in labels and name in table and table[name].notna().any()
        ]
    else:
        names = list(dict.fromkeys(wanted))
        _check_wanted(names, table, labels, where)
    numeric = [
        name
        for name in names
        if name not in GROUPS and pd.api.types.is_numeric_dtype(table[name])
    ]
    return Columns(tuple(numeric), tuple(name for name in names if name not in numeric))


def _check_wanted(
    names: Sequence[str], table: pd.DataFrame, labels: Sequence[str], where: str
) -> None:
    if not names:
        raise ConfigError(
            f"{where}.columns is empty. Name columns, or use the type 'majority'."
        )
    for name in names:
        if name in labels:
            raise ConfigError(
                f"{where}.columns names '{name}', the label itself. Leave it out."
            )
        if name in IDS or name == "path":
            raise ConfigError(
                f"{where}.columns names '{name}', which says whose image it is and "
                "nothing about participants who are new. Leave it out."
            )
        if name not in table:
            raise ConfigError(
                f"{where}.columns names '{name}', which the participants table does "
                f"not have.{did_you_mean(name, map(str, table.columns))}"
            )


def _numbers(values: pd.Series) -> pd.Series:
    try:
        return pd.to_numeric(values).astype(float)
    except (ValueError, TypeError) as error:
        raise ConfigError(
            f"The model needs numbers in the column '{values.name}': {error}."
        ) from error
