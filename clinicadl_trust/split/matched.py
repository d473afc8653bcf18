"""One test set whose classes have the same age and sex."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from clinicadl_trust.exceptions import ConfigError, SplitError
from clinicadl_trust.split.base import SplitStrategy
from clinicadl_trust.split.dealing import deal
from clinicadl_trust.split.fold import HeldOut
from clinicadl_trust.split.strata import are_quartiles, count

__all__ = ["MatchedTestSet"]

#: Stands for a pair that may not be matched, far above any age difference.
_FORBIDDEN = 1e6

#: Bins of age, and parts of which some are drawn, when there are no classes to match.
_N_AGES, _N_PARTS = 4, 20


@dataclass(frozen=True, kw_only=True)
class MatchedTestSet(SplitStrategy):
    """A single test set, stratified by label, its classes matched for age and sex.

    In such a test set neither age nor sex tells the classes apart. Each class gives
    the same part of its participants, so the prevalence is that of the cohort.
    Members of the smallest class are drawn among those who have partners of the same
    sex and like age in every other class, and of these partners those with the least
    total age difference are taken (optimal assignment, Rosenbaum 1989). Age and sex
    are those of the first session; who has none is never tested.

    With a quantity as label, or none, there are no classes to match: the test set is
    then drawn by label, sex and age, so that it is like the rest.

    Parameters
    ----------
    fraction : float, default=0.2
        Part of each class to hold out.
    caliper : float, default=5
        Largest age difference between partners, in years.
    **options
        See ``SplitStrategy``.

    References
    ----------
    Rosenbaum (1989). Optimal matching for observational studies. Journal of the
    American Statistical Association 84, 1024-1032.
    """

    title: ClassVar[str] = "one test set matched for age and sex"
    requires: ClassVar[tuple[str, ...]] = ("age", "sex")
    accepts_unknown: ClassVar[bool] = True

    fraction: float = 0.2
    caliper: float = 5.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.fraction < 1:
            raise ConfigError(f"fraction must lie in (0, 1); got {self.fraction}.")
        if not self.caliper > 0:
            raise ConfigError(f"caliper must be above 0 years; got {self.caliper}.")

    def _hold_out(
        self,
        images: pd.DataFrame,
        participants: pd.DataFrame,
        rng: np.random.Generator,
    ) -> Iterator[HeldOut]:
        first = images.groupby("participant_id")[["age", "sex"]].first()
        people = participants.merge(first, left_on="participant_id", right_index=True)
        known = people.dropna(subset=["age", "sex"])
        notes = []
        if lost := len(people) - len(known):
            people_lost = count(lost, "participant")
            notes = [f"Never tested, for want of age or sex: {people_lost}."]
        if are_quartiles(people["label"]) or people["label"].nunique() < 2:
            chosen = self._alike(known, rng)
        else:
            sizes = people.groupby("label").size()
            wanted = (self.fraction * sizes).round().clip(lower=1).astype(int)
            chosen, note = self._matched(known, wanted, rng)
            notes.append(note)
        test = images["participant_id"].isin(chosen).to_numpy()
        yield HeldOut(test, notes=tuple(notes))

    def _alike(self, people: pd.DataFrame, rng: np.random.Generator) -> set[str]:
        """Draw evenly in label, and evenly in sex and age: not in both together."""
        ranks = people["age"].rank(method="first")
        quartile = pd.qcut(ranks, min(_N_AGES, len(people)), labels=False)
        alike = people.assign(site=people["sex"] + quartile.astype(str))
        n_parts = min(_N_PARTS, people["family"].nunique())
        parts = list(deal(alike, n_parts, rng, together="family"))
        n_drawn = min(max(1, round(self.fraction * n_parts)), n_parts - 1)
        # Neighbouring parts are short of the same label.
        return set().union(*(parts[i * n_parts // n_drawn] for i in range(n_drawn)))

    def _matched(
        self, people: pd.DataFrame, wanted: pd.Series, rng: np.random.Generator
    ) -> tuple[set[str], str]:
        """Draw the smallest class and find partners in each of the others."""
        smallest = min(wanted.index, key=lambda name: (wanted[name], name))
        anchors = people[people["label"] == smallest]
        anchors = anchors.iloc[rng.permutation(len(anchors))]
        costs = {
            name: self._cost(anchors, people[people["label"] == name])
            for name in wanted.index.drop(smallest)
        }
        usable = np.ones(len(anchors), dtype=bool)
        most = 0
        while usable.sum() >= wanted[smallest]:
            rows = np.flatnonzero(usable)[: wanted[smallest]]
            partners, alone = {}, set()
            for name, cost in costs.items():
                # The larger class gives each anchor its share of partners.
                slots = rows[np.arange(wanted[name]) % len(rows)]
                partners[name], unmatched = _assign(cost, slots)
                alone |= unmatched
            if not alone:
                return self._result(people, anchors.iloc[rows], partners)
            most = max(most, len(rows) - len(alone))
            usable[sorted(alone)] = False
        raise SplitError(
            f"A matched test set with fraction {self.fraction} needs "
            f"{wanted[smallest]} participants of class '{smallest}' who each have "
            f"partners of the same sex within {self.caliper:g} years in every other "
            f"class; at best {most} were found. Lower the fraction, or widen the "
            "caliper."
        )

    def _cost(self, anchors: pd.DataFrame, others: pd.DataFrame) -> np.ndarray:
        gap = np.abs(np.subtract.outer(anchors["age"].values, others["age"].values))
        same = np.equal.outer(anchors["sex"].values, others["sex"].values)
        return np.where(same & (gap <= self.caliper), gap, _FORBIDDEN)

    def _result(
        self,
        people: pd.DataFrame,
        anchors: pd.DataFrame,
        partners: dict[str, list[int]],
    ) -> tuple[set[str], str]:
        groups = [anchors]
        for name, columns in partners.items():
            groups.append(people[people["label"] == name].iloc[columns])
        means = [group["age"].mean() for group in groups]
        note = (
            f"Classes matched for sex, and for age within {self.caliper:g} years (mean "
            f"ages differ by {max(means) - min(means):.1f})."
        )
        return set(pd.concat(groups)["participant_id"]), note


def _assign(cost: np.ndarray, slots: np.ndarray) -> tuple[list[int], set[int]]:
    """Give each slot a partner; return partners and the anchors left without one."""
    from scipy.optimize import linear_sum_assignment

    matrix = cost[slots]
    rows, columns = linear_sum_assignment(matrix)
    bad = set(slots[rows[matrix[rows, columns] >= _FORBIDDEN]].tolist())
    missing = np.setdiff1d(np.arange(len(slots)), rows)
    return columns.tolist(), bad | set(slots[missing].tolist())
