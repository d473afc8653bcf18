"""Labels redrawn by participant: what could have been, had they meant nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import gammaln

from clinicadl_trust.exceptions import StatisticsError

__all__ = ["Redrawing"]

_FEW = 1e-9


@dataclass(frozen=True)
class Redrawing:
    """Deals the labels of participants anew among those of a block.

    All images of a participant get the label of one other participant. Where labels
    change between visits, participants exchange the whole series of labels, among those
    with as many images. Labels stay within a block: a test fold then keeps as many of
    each class, as the folds had that were stratified by the labels observed.

    Attributes
    ----------
    labels : numpy.ndarray of shape (n_images,)
        As observed; a participant's in the order of the visits.
    participants : numpy.ndarray of shape (n_images,)
        Whose image each is.
    blocks : numpy.ndarray of shape (n_images,)
        Where labels may go, the same for all images of a participant.

    Raises
    ------
    StatisticsError
        If a participant is in two blocks, or no label could go anywhere else.
    """

    labels: npt.NDArray[np.generic]
    participants: npt.NDArray[np.generic]
    blocks: npt.NDArray[np.generic]

    def __post_init__(self) -> None:
        by_person = pd.Series(self.blocks).groupby(self._member)
        if (by_person.nunique() > 1).any():
            name = self.participants[self._member == int(by_person.nunique().argmax())]
            raise StatisticsError(
                f"Participant {name[0]} is tested in two folds of one repeat, so their "
                "labels cannot be redrawn within a fold. Give one repeat, with all "
                "images of a participant in one fold."
            )
        if self.log_distinct < _FEW:
            raise StatisticsError(
                "No participant can be given another's label: in each test fold all "
                "have the same label"
                + (
                    ", or no two have as many images. Labels change between visits, "
                    "and a whole series of labels needs somebody with as many visits."
                    if self.is_changing
                    else ". Give fewer folds, with both classes in each."
                )
            )

    @cached_property
    def _member(self) -> npt.NDArray[np.intp]:
        return pd.factorize(self.participants)[0]

    @cached_property
    def _rows(self) -> list[npt.NDArray[np.intp]]:
        """The images of each participant."""
        order = np.argsort(self._member, kind="stable")
        return np.split(order, np.cumsum(np.bincount(self._member))[:-1])

    @cached_property
    def is_changing(self) -> bool:
        """Whether a participant has more than one label."""
        return bool((pd.Series(self.labels).groupby(self._member).nunique() > 1).any())

    @cached_property
    def _strata(self) -> list[npt.NDArray[np.intp]]:
        """Who may exchange labels with whom."""
        first = pd.DataFrame({"block": self.blocks[[rows[0] for rows in self._rows]]})
        if self.is_changing:
            first["n_images"] = [rows.size for rows in self._rows]
        groups = first.groupby(list(first)).indices
        return [np.asarray(group) for group in groups.values()]

    @cached_property
    def log_distinct(self) -> float:
        """Logarithm of the number of different ways to give out the labels."""
        series = pd.Series([tuple(self._series(rows)) for rows in self._rows])
        total = 0.0
        for people in self._strata:
            same = series.iloc[people].value_counts().to_numpy()
            total += float(gammaln(people.size + 1) - gammaln(same + 1).sum())
        return total

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know of these draws."""
        alone = sum(people.size == 1 for people in self._strata)
        if not (self.is_changing and alone):
            return ()
        return (
            f"{alone} of {len(self._rows)} participants keep their labels: they change "
            "between visits, and nobody else of their fold has as many.",
        )

    def smallest_p_value(self, n_permutations: int) -> float:
        """Return the least p-value that so many draws can give."""
        return max(1.0 / (1 + n_permutations), math.exp(-min(self.log_distinct, 700)))

    def draw(self, seed: int, number: int) -> npt.NDArray[np.generic]:
        """Return labels of shape (n_images,), the same for a seed and a number."""
        rng = np.random.default_rng([seed, number])
        drawn = self.labels.copy()
        for people in self._strata:
            for taker, giver in zip(people, rng.permutation(people), strict=True):
                drawn[self._rows[taker]] = self._series(self._rows[giver])
        return drawn

    def _series(self, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.generic]:
        """Return a participant's labels, one where they never change."""
        return self.labels[rows] if self.is_changing else self.labels[rows[:1]]
