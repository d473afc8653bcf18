"""Whole sites, scanners or data sets held out."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from clinicadl_trust.split.base import SplitStrategy
from clinicadl_trust.split.dealing import even_group_folds
from clinicadl_trust.split.fold import HeldOut
from clinicadl_trust.split.participants import KFoldStrategy
from clinicadl_trust.split.strata import check_number

__all__ = [
    "LeaveOneDatasetOut",
    "LeaveOneScannerOut",
    "LeaveOneSiteOut",
    "ScannerKFold",
    "SiteKFold",
]


@dataclass(frozen=True, kw_only=True)
class _LeaveOneOut(SplitStrategy):
    """One test fold per value of a column, named after it.

    A participant seen at the held-out place and elsewhere is tested with the images
    made there; those made elsewhere are left out of that fold, and a note says so.
    """

    def _hold_out(
        self,
        images: pd.DataFrame,
        participants: pd.DataFrame,
        rng: np.random.Generator,
    ) -> Iterator[HeldOut]:
        groups = images[self.unit].astype(str)
        check_number(groups, 2, self.unit)
        for name in sorted(groups.unique()):
            yield HeldOut((groups == name).to_numpy(), name)

    def _inner(self, columns: Collection[str]) -> SplitStrategy:
        return self._as(_IN_FOLDS[self.unit], n_splits=self.inner_splits)


@dataclass(frozen=True, kw_only=True)
class _GroupKFold(KFoldStrategy):
    """Values of a column in k folds, stratified by label, each named after them."""

    def _hold_out(
        self,
        images: pd.DataFrame,
        participants: pd.DataFrame,
        rng: np.random.Generator,
    ) -> Iterator[HeldOut]:
        groups = images[self.unit].astype(str)
        check_number(groups, self.n_splits, self.unit)
        # One row per participant and place: someone seen at two counts at both.
        places = images.assign(group=groups)[["participant_id", "group"]]
        places = places.drop_duplicates().merge(participants, on="participant_id")
        folds = even_group_folds(places["label"], places["group"], self.n_splits, rng)
        for fold in range(self.n_splits):
            names = sorted(places["group"][folds == fold].unique())
            yield HeldOut(groups.isin(names).to_numpy(), " + ".join(names))


@dataclass(frozen=True, kw_only=True)
class LeaveOneSiteOut(_LeaveOneOut):
    """Each site tested by a model that has never seen it.

    Parameters
    ----------
    **options
        See ``SplitStrategy``. The nested form is a ``SiteKFold``.
    """

    title: ClassVar[str] = "leave one site out"
    unit: ClassVar[str] = "site"
    requires: ClassVar[tuple[str, ...]] = ("site",)


@dataclass(frozen=True, kw_only=True)
class LeaveOneScannerOut(_LeaveOneOut):
    """Each scanner tested by a model that has never seen it.

    Parameters
    ----------
    **options
        See ``SplitStrategy``. The nested form is a ``ScannerKFold``.
    """

    title: ClassVar[str] = "leave one scanner out"
    unit: ClassVar[str] = "scanner"
    requires: ClassVar[tuple[str, ...]] = ("scanner",)


@dataclass(frozen=True, kw_only=True)
class LeaveOneDatasetOut(_LeaveOneOut):
    """Each data set tested by a model that has never seen it.

    Parameters
    ----------
    **options
        See ``SplitStrategy``. The nested form puts the other data sets in folds.
    """

    title: ClassVar[str] = "leave one data set out"
    unit: ClassVar[str] = "dataset"
    requires: ClassVar[tuple[str, ...]] = ("dataset",)


@dataclass(frozen=True, kw_only=True)
class SiteKFold(_GroupKFold):
    """Sites in k folds: for many sites, or sites too small to be tested alone.

    Parameters
    ----------
    n_splits : int, default=5
        The number of folds, at most the number of sites.
    **options
        See ``SplitStrategy``.
    """

    title: ClassVar[str] = "sites in k folds"
    unit: ClassVar[str] = "site"
    requires: ClassVar[tuple[str, ...]] = ("site",)


@dataclass(frozen=True, kw_only=True)
class ScannerKFold(_GroupKFold):
    """Scanners in k folds: for many scanners, or scanners too small to test alone.

    Parameters
    ----------
    n_splits : int, default=5
        The number of folds, at most the number of scanners.
    **options
        See ``SplitStrategy``.
    """

    title: ClassVar[str] = "scanners in k folds"
    unit: ClassVar[str] = "scanner"
    requires: ClassVar[tuple[str, ...]] = ("scanner",)


@dataclass(frozen=True, kw_only=True)
class _DatasetKFold(_GroupKFold):
    title: ClassVar[str] = "data sets in k folds"
    unit: ClassVar[str] = "dataset"
    requires: ClassVar[tuple[str, ...]] = ("dataset",)


_IN_FOLDS: dict[str, type[_GroupKFold]] = {
    "site": SiteKFold,
    "scanner": ScannerKFold,
    "dataset": _DatasetKFold,
}
