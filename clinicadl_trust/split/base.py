"""The contract of a split strategy."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd

from clinicadl_trust.cohort import IDS, Cohort
from clinicadl_trust.exceptions import CohortError, ConfigError, SplitError
from clinicadl_trust.split.apart import (
    note_dominant,
    refuse_constant,
    refuse_empty,
    refuse_missing_class,
    refuse_unknown,
    take_apart,
)
from clinicadl_trust.split.dealing import draw
from clinicadl_trust.split.fold import Fold, HeldOut
from clinicadl_trust.split.strata import count, describe_participants

__all__ = ["SplitStrategy"]

logger = logging.getLogger(__name__)

#: What every library takes as a seed.
_LARGEST_SEED = 2**32 - 1


@dataclass(frozen=True, kw_only=True)
class SplitStrategy(ABC):
    """Who is trained on, who chooses, who is tested.

    Subclasses are frozen dataclasses whose fields are the options; they name
    themselves in ``title`` and ``unit`` and implement ``_hold_out``. A test fold,
    its validation set and the inner folds are stratified by label, and by site
    where it can be, at the level of participants.

    Parameters
    ----------
    seed : int, default=0
        Seeds every draw. The order of the participants table does not matter.
    n_repeats : int, default=1
        How often the whole is drawn again.
    inner_splits : int, default=0
        Folds of the nested form, made of each training and validation set put
        together by the same kind of strategy; 0 for none.
    validation_fraction : float, default=0.15
        Part of the participants outside the test fold, in each class, that goes to
        the validation set.
    allow_missing_class : bool, default=False
        Accept a fold without one of the classes, where it is refused by default.
    """

    title: ClassVar[str]
    unit: ClassVar[str] = "participant"
    leaky: ClassVar[bool] = False
    #: Columns that the participants table must have, filled in every row unless
    #: ``accepts_unknown``.
    requires: ClassVar[tuple[str, ...]] = ()
    accepts_unknown: ClassVar[bool] = False
    #: Whether relatives of the test fold are kept out of training.
    separates_families: ClassVar[bool] = True

    seed: int = 0
    n_repeats: int = 1
    inner_splits: int = 0
    validation_fraction: float = 0.15
    allow_missing_class: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.seed <= _LARGEST_SEED:
            raise ConfigError(
                f"seed must be 0 or more, up to {_LARGEST_SEED}; got {self.seed}."
            )
        if self.n_repeats < 1:
            raise ConfigError(f"n-repeats must be 1 or more; got {self.n_repeats}.")
        if self.inner_splits < 0 or self.inner_splits == 1:
            raise ConfigError(
                f"inner-splits must be 0 (none) or at least 2; got {self.inner_splits}."
            )
        if not 0 < self.validation_fraction <= 0.5:
            raise ConfigError(
                "validation-fraction must lie above 0 and not above 0.5; got "
                f"{self.validation_fraction}."
            )

    def split(self, cohort: Cohort, label: str | None = None) -> list[Fold]:
        """Split a cohort.

        Parameters
        ----------
        cohort : Cohort
            The participants table.
        label : str, optional
            The column to stratify by; rows where it is n/a are left out. A
            participant's stratum is the label of the first session that has one; a
            quantity is cut at its quartiles.

        Returns
        -------
        list of Fold
            By repeat, then by split.

        Raises
        ------
        SplitError
            If a column is missing, the label is constant, there are too few
            participants or groups, or a set would be empty or without one of the
            classes.
        """
        if label is not None:
            refuse_constant(cohort, label)
        return list(self._folds(cohort, label, ()))

    @abstractmethod
    def _hold_out(
        self,
        images: pd.DataFrame,
        participants: pd.DataFrame,
        rng: np.random.Generator,
    ) -> Iterator[HeldOut]:
        """Yield the test folds of one repetition.

        Parameters
        ----------
        images : pandas.DataFrame
            The cohort's rows to split, sorted by ids, index 0..n-1.
        participants : pandas.DataFrame
            One row per participant, sorted by label and site: ``participant_id``,
            ``label`` (stratum), ``site`` and ``family`` (the participant's own id
            without a known family), all text.
        rng : numpy.random.Generator
            The only source of chance.
        """

    def _validation(
        self,
        development: pd.DataFrame,
        participants: pd.DataFrame,
        rng: np.random.Generator,
    ) -> pd.Series:
        """Say which development images validate (boolean, same index).

        Families are drawn whole.
        """
        chosen = draw(participants, self.validation_fraction, rng)
        return development["participant_id"].isin(chosen)

    def _inner(self, columns: Collection[str]) -> SplitStrategy:
        """Return the strategy of the nested folds; ``columns`` are the cohort's.

        By default participants in k folds, families together where they are known.
        """
        from clinicadl_trust.split.participants import FamilyKFold, ParticipantKFold

        together = self.separates_families and "family_id" in columns
        kind = FamilyKFold if together else ParticipantKFold
        return self._as(kind, n_splits=self.inner_splits)

    def _as(self, kind: type[SplitStrategy], **options: object) -> SplitStrategy:
        """Return another strategy with the same common options, not nested."""
        return kind(
            seed=self.seed,
            validation_fraction=self.validation_fraction,
            allow_missing_class=self.allow_missing_class,
            **options,  # type: ignore[arg-type]
        )

    def _folds(
        self, cohort: Cohort, label: str | None, place: tuple[int, ...]
    ) -> Iterator[Fold]:
        images, notes = self._images(cohort, label)
        participants = describe_participants(images, label)
        for repeat in range(self.n_repeats):
            rng = np.random.default_rng([self.seed, repeat, *place])
            held_out = list(self._hold_out(images, participants, rng))
            for split, held in enumerate(held_out):
                fold = self._fold(images, participants, held, rng)
                fold = replace(fold, repeat=repeat, split=split)
                fold = replace(fold, notes=(*notes, *fold.notes, *note_dominant(fold)))
                refuse_empty(fold, self.title)
                if label is not None and not self.allow_missing_class:
                    refuse_missing_class(fold, images, label, self.title)
                for note in fold.notes:
                    logger.info("%s, %s: %s", self.title, fold.where, note)
                yield self._with_inner(fold, cohort, label)

    def _images(
        self, cohort: Cohort, label: str | None
    ) -> tuple[pd.DataFrame, tuple[str, ...]]:
        try:
            cohort.require(self.requires, f"The strategy '{self.title}'")
            kept = cohort if label is None else cohort.labelled(label)
        except CohortError as error:
            raise SplitError(str(error)) from error
        if not self.accepts_unknown:
            refuse_unknown(kept, self.requires, f"The strategy '{self.title}'")
        lost = len(cohort) - len(kept)
        note = f"Left out: {count(lost, 'image')} whose {label} is n/a."
        notes = (note,) if lost else ()
        return kept.table.sort_values(list(IDS)).reset_index(drop=True), notes

    def _fold(
        self,
        images: pd.DataFrame,
        participants: pd.DataFrame,
        held: HeldOut,
        rng: np.random.Generator,
    ) -> Fold:
        test = np.asarray(held.test, dtype=bool)
        rest = ~test if held.development is None else np.asarray(held.development)
        rest = rest & ~test
        notes = list(held.notes)
        if not self.leaky:
            rest, dropped = take_apart(
                images, participants, test, rest, families=self.separates_families
            )
            notes += dropped
        development = images[rest]
        known = participants["participant_id"].isin(development["participant_id"])
        validation = self._validation(development, participants[known], rng)
        return Fold(
            repeat=0,
            split=0,
            name=held.name,
            train=_ids(development[~validation]),
            validation=_ids(development[validation]),
            test=_ids(images[test]),
            notes=tuple(notes),
        )

    def _with_inner(self, fold: Fold, cohort: Cohort, label: str | None) -> Fold:
        if not self.inner_splits:
            return fold
        development = pd.concat([fold.train, fold.validation])
        rows = cohort.table.merge(development, on=list(IDS))
        inner = self._inner(cohort.columns)
        place = fold.repeat, fold.split
        try:
            folds = tuple(inner._folds(replace(cohort, table=rows), label, place))
        except SplitError as error:
            raise SplitError(f"In the nested folds of {fold.where}: {error}") from error
        return replace(fold, inner=folds)


def _ids(images: pd.DataFrame) -> pd.DataFrame:
    return images[list(IDS)].reset_index(drop=True)
