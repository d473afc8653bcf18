"""Readings of the same cases by several readers with several treatments."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.arrays import as_ids, as_numbers
from clinicadl_trust.stats.influence import placements

__all__ = ["Readings"]

#: What seeds, folds and such are called where they are taken for readers.
_NOT_HUMAN = re.compile(r"^(seed|fold|split|run|repeat|replicate|checkpoint)s?\b", re.I)

NOT_READERS = (
    "Readers must be people, and '{name}' is none. Models of other seeds or folds "
    "share training data, so their errors go together; taken for readers, five of them "
    "reject .29 at 5 %. Use compare_roc_auc on the mean of their scores."
)


@dataclass(frozen=True)
class Readings:
    """Fully crossed readings.

    Attributes
    ----------
    score : numpy.ndarray of shape (n_treatments, n_readers, n_cases)
        Ratings.
    label : numpy.ndarray of shape (n_cases,)
        1 for diseased, 0 for healthy.
    treatments, readers : list
        Their names, sorted.
    """

    score: np.ndarray
    label: np.ndarray
    treatments: list[object]
    readers: list[object]

    @classmethod
    def make(
        cls,
        scores: npt.ArrayLike,
        label: npt.ArrayLike,
        reader: npt.ArrayLike,
        case: npt.ArrayLike,
        treatment: npt.ArrayLike,
    ) -> Readings:
        """Arrange a long table, one row per reading.

        Raises
        ------
        StatisticsError
            If a reading is missing or repeated, a value is missing, a case has two
            labels, a class or a level is short, or a reader is a seed or a fold.
        """
        table = _table(scores, label, reader, case, treatment)
        levels = {k: _levels(table[k]) for k in ("treatment", "reader", "case")}
        for name in ("treatment", "reader"):
            if len(levels[name]) < 2:
                raise StatisticsError(
                    f"There is one {name}, {levels[name][0]}: two at least are needed."
                    + (" Use compare_roc_auc for one reader." * (name == "reader"))
                )
        _check_crossed(table, levels)
        of_case = table.groupby("case")["label"].agg(["min", "max"])
        mixed = of_case.index[of_case["min"] != of_case["max"]]
        if len(mixed):
            raise StatisticsError(f"Case {mixed[0]} is labelled both 0 and 1.")
        truth = of_case["min"].to_numpy()
        for code, word in ((0, "negative"), (1, "positive")):
            if (truth == code).sum() < 2:
                raise StatisticsError(
                    f"There are {(truth == code).sum()} {word} cases: two at least are "
                    "needed for a variance."
                )
        ordered = table.sort_values(["treatment", "reader", "case"])
        shape = tuple(map(len, levels.values()))
        score = ordered["score"].to_numpy().reshape(shape)
        return cls(score, truth, levels["treatment"], levels["reader"])

    def auc(self) -> tuple[np.ndarray, np.ndarray]:
        """Return each curve's AUC and their covariances (DeLong et al. 1988).

        Returns
        -------
        tuple of numpy.ndarray
            Of shape (n_treatments, n_readers), and (n_treatments, n_readers,
            n_treatments, n_readers).
        """
        t, r, _ = self.score.shape
        positive = self.label == 1
        curves = self.score.reshape(t * r, -1)
        parts = [placements(c[positive], c[~positive]) for c in curves]
        covariance = sum(
            np.cov(np.array(each)) / len(each[0]) for each in zip(*parts, strict=True)
        )
        value = np.array([of_positive.mean() for of_positive, _ in parts])
        return value.reshape(t, r), np.asarray(covariance).reshape(t, r, t, r)


def _levels(column: pd.Series) -> list[object]:
    try:
        return sorted(column.unique())
    except TypeError as error:
        raise StatisticsError(
            f"Some names of a {column.name} are text and some are numbers: {error}. "
            "Write them alike."
        ) from error


def _refuse_seeds(column: object, readers: np.ndarray) -> None:
    for name in [column, *dict.fromkeys(readers.tolist())]:
        if isinstance(name, str) and _NOT_HUMAN.match(name.replace("_", " ")):
            raise StatisticsError(NOT_READERS.format(name=name))


def _table(
    scores: npt.ArrayLike,
    label: npt.ArrayLike,
    reader: npt.ArrayLike,
    case: npt.ArrayLike,
    treatment: npt.ArrayLike,
) -> pd.DataFrame:
    readers = as_ids(reader, "Readers")
    _refuse_seeds(getattr(reader, "name", None), readers)
    columns = {
        "score": as_numbers(scores, "Scores"),
        "label": as_numbers(label, "Labels"),
        "reader": readers,
        "case": as_ids(case, "Cases"),
        "treatment": as_ids(treatment, "Treatments"),
    }
    sizes = {name: values.shape for name, values in columns.items()}
    if len(set(sizes.values())) > 1:
        told = ", ".join(f"{name} {shape}" for name, shape in sizes.items())
        raise StatisticsError(f"All five need one value per reading, not {told}.")
    table = pd.DataFrame(columns)
    if table.empty:
        raise StatisticsError("There is no reading.")
    wrong = table.isna() | table.isin([np.inf, -np.inf])
    if wrong.to_numpy().any():
        told = ", ".join(f"{n} of {name}" for name, n in wrong.sum().items() if n)
        raise StatisticsError(f"Values are missing or infinite: {told}.")
    other = table["label"][~table["label"].isin([0, 1])]
    if len(other):
        raise StatisticsError(f"Labels must be 0 or 1, and one is {other.iloc[0]:g}.")
    return table


def _check_crossed(table: pd.DataFrame, levels: dict[str, list[object]]) -> None:
    keys = ["treatment", "reader", "case"]
    repeated = table[table.duplicated(keys)]
    if len(repeated):
        place = ", ".join(f"{k} {repeated.iloc[0][k]}" for k in keys)
        raise StatisticsError(f"{place} is there more than once. Keep one reading.")
    wanted = int(np.prod([len(values) for values in levels.values()]))
    if len(table) < wanted:
        every = pd.MultiIndex.from_product(levels.values(), names=keys)
        absent = every.difference(pd.MultiIndex.from_frame(table[keys]))
        place = ", ".join(f"{k} {v}" for k, v in zip(keys, absent[0], strict=True))
        raise StatisticsError(
            f"{len(absent)} of {wanted} readings are missing, such as {place}. Every "
            "reader must read every case with every treatment: leave out the case, or "
            "the reader."
        )
