"""The deliberately wrong one: scans in k folds, whoever they belong to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from clinicadl_trust.split.dealing import deal, draw
from clinicadl_trust.split.fold import HeldOut
from clinicadl_trust.split.participants import KFoldStrategy
from clinicadl_trust.split.strata import check_number

__all__ = ["ScanKFold"]


@dataclass(frozen=True, kw_only=True)
class ScanKFold(KFoldStrategy):
    """Scans in k folds, sessions of one participant on both sides. A leak.

    It exists to show the damage that the first leak of Wen et al. (2020) does; a
    training through ClinicaDL's ``Trainer`` refuses it.

    Parameters
    ----------
    n_splits : int, default=5
        The number of folds.
    **options
        See ``SplitStrategy``.

    References
    ----------
    Wen et al. (2020). Convolutional neural networks for classification of
    Alzheimer's disease: overview and reproducible evaluation. Medical Image
    Analysis 63, 101694.
    """

    title: ClassVar[str] = "scans in k folds (leaky)"
    unit: ClassVar[str] = "scan"
    leaky: ClassVar[bool] = True
    separates_families: ClassVar[bool] = False

    def _hold_out(
        self,
        images: pd.DataFrame,
        participants: pd.DataFrame,
        rng: np.random.Generator,
    ) -> Iterator[HeldOut]:
        scans = _as_participants(images, participants)
        check_number(scans["participant_id"], self.n_splits, "scan")
        for chosen in deal(scans, self.n_splits, rng):
            yield HeldOut(scans["participant_id"].isin(chosen).to_numpy())

    def _validation(
        self,
        development: pd.DataFrame,
        participants: pd.DataFrame,
        rng: np.random.Generator,
    ) -> pd.Series:
        scans = _as_participants(development, participants)
        chosen = draw(scans, self.validation_fraction, rng)
        return scans["participant_id"].isin(chosen)


def _as_participants(images: pd.DataFrame, participants: pd.DataFrame) -> pd.DataFrame:
    """Describe each scan as if it were a participant of its own."""
    scans = images[["participant_id"]].merge(participants, on="participant_id")
    scans.index = images.index
    names = "scan " + images.index.astype(str)
    return scans.assign(participant_id=names, family=names)
