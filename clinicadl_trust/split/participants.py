"""Participants, or whole families, in k folds."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from clinicadl_trust.exceptions import ConfigError
from clinicadl_trust.split.base import SplitStrategy
from clinicadl_trust.split.dealing import deal
from clinicadl_trust.split.fold import HeldOut
from clinicadl_trust.split.strata import check_number

__all__ = ["FamilyKFold", "KFoldStrategy", "ParticipantKFold"]


@dataclass(frozen=True, kw_only=True)
class KFoldStrategy(SplitStrategy):
    """Any strategy in a chosen number of folds.

    Parameters
    ----------
    n_splits : int, default=5
        The number of folds.
    **options
        See ``SplitStrategy``.
    """

    n_splits: int = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n_splits < 2:
            raise ConfigError(f"n-splits must be 2 or more; got {self.n_splits}.")

    def _inner(self, columns: Collection[str]) -> SplitStrategy:
        return self._as(type(self), n_splits=self.inner_splits)


@dataclass(frozen=True, kw_only=True)
class ParticipantKFold(KFoldStrategy):
    """Participants in k folds, stratified by label and by site.

    All sessions of a participant are in one fold. Relatives may be apart, which a
    note says; ``FamilyKFold`` keeps them together.

    Parameters
    ----------
    n_splits : int, default=5
        The number of folds.
    **options
        See ``SplitStrategy``.
    """

    title: ClassVar[str] = "participants in k folds"
    separates_families: ClassVar[bool] = False

    def _hold_out(
        self,
        images: pd.DataFrame,
        participants: pd.DataFrame,
        rng: np.random.Generator,
    ) -> Iterator[HeldOut]:
        check_number(participants["participant_id"], self.n_splits, "participant")
        for chosen in deal(participants, self.n_splits, rng):
            yield HeldOut(images["participant_id"].isin(chosen).to_numpy())


@dataclass(frozen=True, kw_only=True)
class FamilyKFold(KFoldStrategy):
    """Participants in k folds, families kept together, by label and by site.

    A participant whose ``family_id`` is n/a is a family of one.

    Parameters
    ----------
    n_splits : int, default=5
        The number of folds.
    **options
        See ``SplitStrategy``.
    """

    title: ClassVar[str] = "families in k folds"
    unit: ClassVar[str] = "family"
    requires: ClassVar[tuple[str, ...]] = ("family_id",)
    accepts_unknown: ClassVar[bool] = True

    def _hold_out(
        self,
        images: pd.DataFrame,
        participants: pd.DataFrame,
        rng: np.random.Generator,
    ) -> Iterator[HeldOut]:
        check_number(participants["family"], self.n_splits, "family")
        for chosen in deal(participants, self.n_splits, rng, together="family"):
            yield HeldOut(images["participant_id"].isin(chosen).to_numpy())
