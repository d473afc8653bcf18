"""How the data were split, read from the predictions table alone."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import pandas as pd

from clinicadl_trust.cohort import IDS
from clinicadl_trust.exceptions import StatisticsError, did_you_mean
from clinicadl_trust.stats import estimands
from clinicadl_trust.stats.leaks import (
    SEEN,
    are_periods,
    find_leak,
    parted_participants,
)

__all__ = ["FOLD", "Design", "choose_primary", "infer_designs"]

Kind = Literal["held-out", "cross-validation", "sites-left-out", "sites-tested"]

#: Groups that may be left out as a whole, in the order they are looked for.
_UNITS = ("site", "dataset", "scanner")

#: Columns that name a fold.
FOLD = ["repeat", "split"]
_MODEL_FOLD = ["model", *FOLD]


@dataclass(frozen=True)
class Design:
    """What a split strategy amounts to.

    Attributes
    ----------
    strategy : str
        Its name in the table.
    kind : {"held-out", "cross-validation", "sites-left-out", "sites-tested"}
        A single test group; several folds; folds that never share a site; a test
        group whose sites are counted once each.
    unit : str
        What is left out: participant, site, scanner or dataset.
    leak : str
        Why its numbers are no result, ``""`` for an honest strategy.
    is_test : bool
        False for training and validation images, which helped to make the model.
    folds : pandas.DataFrame
        Index ``repeat`` and ``split``; ``n_train`` and ``n_test`` participants
        (images in a leaky strategy, as whoever makes that mistake would count).
    n_travellers : int
        Participants tested in several folds, at another site or date in each.
    is_partition : bool
        Whether each repeat tests everyone of the table once. If not, others may have
        trained who are never tested, and are not counted in ``folds``.
    """

    strategy: str
    kind: Kind
    unit: str = "participant"
    leak: str = ""
    is_test: bool = True
    folds: pd.DataFrame = field(default_factory=pd.DataFrame)
    n_travellers: int = 0
    is_partition: bool = True

    @property
    def estimand(self) -> str:
        """What its estimates are about."""
        if self.leak:
            return estimands.LEAKY
        if not self.is_test:
            return estimands.VALIDATION
        if self.kind == "held-out":
            return estimands.PATIENT
        if self.kind == "cross-validation":
            return estimands.RETRAINED
        if self.kind == "sites-tested":
            return estimands.HOSPITAL
        return estimands.new_unit(self.unit)

    @property
    def is_result(self) -> bool:
        """Whether its numbers may be reported as a result."""
        return self.is_test and not self.leak

    def by_site(self) -> Design:
        """Count each site of a test group once: what tells of another hospital."""
        return replace(self, kind="sites-tested", unit="site")

    def sizes(self, folds: Iterable[Hashable]) -> tuple[float, float]:
        """Return the mean number who train and who are tested in some folds."""
        # Many times faster than .loc on both levels, for each estimate of a table.
        place = {fold: number for number, fold in enumerate(self.folds.index)}
        counts = self.folds[["n_train", "n_test"]].to_numpy(float)
        n_train, n_test = counts[[place[fold] for fold in folds]].mean(axis=0)
        return float(n_train), float(n_test)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What holds for all of its numbers."""
        if self.leak:
            return (f"leaky: {self.leak}.",)
        if not self.is_test:
            return ("These images helped to choose the model: optimistic.",)
        if self.n_travellers:
            what = "period" if self.kind == "cross-validation" else self.unit
            return (
                f"Participants tested at more than one {what}: "
                f"{self.n_travellers}. These numbers hold if their other images were "
                "kept out of training, which this table cannot tell.",
            )
        if self.kind == "sites-tested":
            return (
                "Sites that trained the models, too, make these numbers rather too "
                "good for a hospital not seen.",
            )
        if self.kind == "cross-validation" and not self.is_partition:
            return (
                "Not everyone is tested once in each repeat: those who trained are "
                "counted among the tested, so the interval is rather too wide.",
            )
        return ()


def infer_designs(table: pd.DataFrame, group: str = "test") -> dict[str, Design]:
    """Say what each split strategy of a predictions table amounts to.

    One fold is a held-out test group, several are a cross-validation. Sites (or
    datasets, or scanners) whose participants are always tested together were left out
    as a whole. A participant whose images lie in different test folds of one repeat was
    trained on and tested, unless the folds are sites, or dates, and the images come
    from two of them; one in the test and the validation group of a fold helped to
    choose the model. Both are leaks.

    Parameters
    ----------
    table : pandas.DataFrame
        A checked predictions table with all its groups.
    group : str
        The group that is evaluated.

    Returns
    -------
    dict of str to Design
        In the order of the table.
    """
    return {
        str(name): _infer(str(name), rows, group)
        for name, rows in table.groupby("split_strategy", sort=False)
        if (rows["group"] == group).any()
    }


def choose_primary(
    designs: Mapping[str, Design], primary: str | None = None
) -> str | None:
    """Choose the strategy whose answer counts, before any number is seen.

    Parameters
    ----------
    designs : mapping of str to Design
        From ``infer_designs``.
    primary : str, optional
        The strategy to take. By default the first held-out group, else the first
        cross-validation, else the first with left-out sites.

    Returns
    -------
    str or None
        Its name; None when no strategy gives a result.

    Raises
    ------
    StatisticsError
        If ``primary`` is unknown, leaky, or no test group.
    """
    results = [name for name, design in designs.items() if design.is_result]
    if primary is not None:
        if primary not in designs:
            raise StatisticsError(
                f"No split strategy is called '{primary}'."
                f"{did_you_mean(primary, designs)}"
            )
        if primary not in results:
            raise StatisticsError(
                f"'{primary}' cannot be primary: {designs[primary].estimand}. Choose "
                f"from {', '.join(results) or 'a strategy without a leak'}."
            )
        return primary
    order: list[Kind] = ["held-out", "cross-validation", "sites-left-out"]
    return min(results, key=lambda n: order.index(designs[n].kind), default=None)


def _infer(name: str, table: pd.DataFrame, group: str) -> Design:
    is_test = group not in SEEN
    images = table.drop_duplicates([*_MODEL_FOLD, "group", *IDS])
    rows = images[images["group"] == group]
    n_folds = len(rows.drop_duplicates(FOLD))
    unit = _left_out_unit(rows) if is_test and n_folds > 1 else "participant"
    within = [] if unit == "participant" else [unit]
    if not within and are_periods(rows):
        within = ["split"]
    leak = find_leak(images, group, within, fold=FOLD) if is_test else ""
    travel = parted_participants(rows, fold=FOLD) if within and not leak else 0
    kind: Kind = "cross-validation"
    if n_folds == 1:
        kind = "held-out"
    elif unit != "participant":
        kind = "sites-left-out"
    folds = _sizes(images, group, ["participant_id"] if not leak else list(IDS))
    once = _is_partition(images, group)
    return Design(name, kind, unit, leak, is_test, folds, travel, once)


def _is_partition(images: pd.DataFrame, group: str) -> bool:
    """Whether each repeat tests everyone once, or the table tells who trains."""
    if (images["group"] == "train").any():
        return True
    person = ["model", "repeat", "participant_id"]
    tested = images.loc[images["group"] == group, [*person, "split"]].drop_duplicates()
    n_tested = tested.groupby(["model", "repeat"])["participant_id"].nunique()
    everyone = images["participant_id"].nunique()
    return not tested.duplicated(person).any() and bool((n_tested == everyone).all())


def _left_out_unit(rows: pd.DataFrame) -> str:
    """Name the coarsest group of participants that is always tested as a whole."""
    found: dict[str, int] = {}
    n_participants = rows["participant_id"].nunique()
    for unit in _UNITS:
        if unit not in rows or rows[unit].isna().any():
            continue
        n_units = rows[unit].nunique()
        # Were every participant a site of one's own, any split would leave out sites.
        if n_participants >= 2 * n_units and _is_left_out(rows, unit, n_units):
            found[unit] = n_units
    return min(found, key=found.__getitem__) if found else "participant"


def _is_left_out(rows: pd.DataFrame, unit: str, n_units: int) -> bool:
    """Whether a fold tests all participants of its sites, and not all sites."""
    members = rows.drop_duplicates(["model", unit, "participant_id"])
    in_all = members.groupby(["model", unit]).size()
    tested = rows.drop_duplicates([*_MODEL_FOLD, unit, "participant_id"])
    in_fold = tested.groupby([*_MODEL_FOLD, unit]).size()
    whole = in_fold == in_all.reindex(in_fold.index.droplevel(FOLD)).to_numpy()
    return bool(whole.all() and in_fold.groupby(_MODEL_FOLD).size().max() < n_units)


def _sizes(images: pd.DataFrame, group: str, ids: list[str]) -> pd.DataFrame:
    """Count who trains and who is tested in each fold.

    Without a group ``train``, those train who are labelled and not in the fold.
    """
    labelled = images["label"].notna()
    # Values such as Dice need no label: then everyone counts.
    images = images[labelled] if labelled.any() else images
    n_all = len(images.drop_duplicates(ids))
    sizes = []
    for fold, rows in images.groupby(FOLD):
        n_test = len(rows[rows["group"] == group].drop_duplicates(ids))
        n_train = len(rows[rows["group"] == "train"].drop_duplicates(ids))
        n_train = n_train or n_all - len(rows.drop_duplicates(ids))
        sizes.append((*fold, n_train, n_test))
    frame = pd.DataFrame(sizes, columns=[*FOLD, "n_train", "n_test"])
    return frame.set_index(FOLD)
