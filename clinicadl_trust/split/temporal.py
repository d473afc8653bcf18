"""The past trains, the future tests."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import ClassVar, Literal

import numpy as np
import pandas as pd

from clinicadl_trust.cohort import IDS
from clinicadl_trust.exceptions import ConfigError, SplitError
from clinicadl_trust.split.base import SplitStrategy
from clinicadl_trust.split.fold import HeldOut
from clinicadl_trust.split.strata import count

__all__ = ["TemporalSplit"]

DATE = "acquisition_date"


@dataclass(frozen=True, kw_only=True)
class TemporalSplit(SplitStrategy):
    """Earlier acquisitions train, later ones test, by calendar date.

    A participant scanned on both sides of the date is on one side only: by default
    the later scans are left out, so that the test fold holds newly met participants,
    as in use. The validation set is the latest part of the training participants in
    each class. The fold is named after its dates.

    Parameters
    ----------
    fraction : float, default=0.25
        Part of the participants, by first acquisition, that comes after the date.
        Not used when ``cutoff`` is given.
    cutoff : str, optional
        The first date of the test period, ``2021-09-01``.
    crossing : {"train", "test"}, default="train"
        The side on which participants who cross the date keep their images.
    n_splits : int, default=1
        Successive test periods, each predicted from all that came before it; together
        they hold ``fraction``.
    **options
        See ``SplitStrategy``. The dates leave nothing to draw again, so ``n_repeats``
        is 1; the nested form has successive periods too.
    """

    title: ClassVar[str] = "earlier scans train, later ones test"
    unit: ClassVar[str] = "time"
    requires: ClassVar[tuple[str, ...]] = (DATE,)

    fraction: float = 0.25
    cutoff: str | None = None
    crossing: Literal["train", "test"] = "train"
    n_splits: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.fraction < 1:
            raise ConfigError(f"fraction must lie in (0, 1); got {self.fraction}.")
        if self.crossing not in ("train", "test"):
            raise ConfigError(
                f"crossing must be 'train' or 'test'; got '{self.crossing}'."
            )
        if self.n_splits < 1:
            raise ConfigError(f"n-splits must be 1 or more; got {self.n_splits}.")
        if self.n_repeats > 1:
            raise ConfigError(
                f"n-repeats must be 1 for a temporal split, got {self.n_repeats}: the "
                "dates leave nothing to draw again."
            )
        if self.cutoff is not None:
            if self.n_splits > 1:
                raise ConfigError(
                    f"A cutoff ('{self.cutoff}') makes one test period; got n-splits = "
                    f"{self.n_splits}. Leave one of the two out."
                )
            try:
                # Python 3.11 reads more spellings than 3.10, and than pandas.
                if date.fromisoformat(self.cutoff).isoformat() != self.cutoff:
                    raise ValueError
            except ValueError as error:
                raise ConfigError(
                    f"cutoff must be a date like 2021-09-01; got '{self.cutoff}'."
                ) from error

    def _hold_out(
        self,
        images: pd.DataFrame,
        participants: pd.DataFrame,
        rng: np.random.Generator,
    ) -> Iterator[HeldOut]:
        dates = _dates(images)
        bounds = self._bounds(dates.groupby(images["participant_id"]).min())
        for start, end in pairwise(bounds):
            early, late = dates < start, (dates >= start) & (dates < end)
            if not early.any() or not late.any():
                side = "before" if late.any() else "from"
                raise SplitError(
                    f"No image was made {side} {start.date()}: the dates in '{DATE}' "
                    f"go from {dates.min().date()} to {dates.max().date()}. Choose "
                    "another cutoff or fraction."
                )
            yield self._period(images["participant_id"], early, late, start)

    def _period(
        self, ids: pd.Series, early: pd.Series, late: pd.Series, start: pd.Timestamp
    ) -> HeldOut:
        crossers = set(ids[early]) & set(ids[late])
        crosses = ids.isin(crossers)
        if self.crossing == "train":
            gone, kept, when = late & crosses, "in training", "later"
            late = late & ~crosses
        else:
            gone, kept, when = early & crosses, "in the test fold", "earlier"
            early = early & ~crosses
        note = (
            f"{count(len(crossers), 'participant')} on both sides of {start.date()}: "
            f"kept {kept}, without {count(int(gone.sum()), f'{when} image')}."
        )
        return HeldOut(
            test=late.to_numpy(),
            name=f"from {start.date()}",
            development=early.to_numpy(),
            notes=(note,) if crossers else (),
        )

    def _bounds(self, first: pd.Series) -> list[pd.Timestamp]:
        """Return the first day of each test period, and a day after the last."""
        never = pd.Timestamp.max
        if self.cutoff is not None:
            return [pd.Timestamp(self.cutoff), never]
        steps = np.arange(self.n_splits) / self.n_splits
        quantiles = 1 - self.fraction * (1 - steps)
        starts = first.quantile(quantiles, interpolation="higher")
        return [*starts, never]

    def _validation(
        self,
        development: pd.DataFrame,
        participants: pd.DataFrame,
        rng: np.random.Generator,
    ) -> pd.Series:
        last = _dates(development).groupby(development["participant_id"]).max()
        families = (
            participants.assign(last=participants["participant_id"].map(last))
            .groupby(["label", "family"], as_index=False)["last"]
            .max()
        )
        families = families.drop_duplicates("family")
        chosen: set[str] = set()
        for _, stratum in families.groupby("label", sort=True):
            n = max(1, round(self.validation_fraction * len(stratum)))
            n = min(n, len(stratum) - 1)
            latest = (
                stratum.sort_values(["last", "family"]).tail(n) if n else stratum[:0]
            )
            chosen |= set(latest["family"])
        people = participants.loc[participants["family"].isin(chosen), "participant_id"]
        return development["participant_id"].isin(people)

    def _inner(self, columns: Collection[str]) -> SplitStrategy:
        n = self.inner_splits
        return self._as(
            TemporalSplit,
            n_splits=n,
            fraction=n / (n + 1),
            crossing=self.crossing,
        )


def _dates(images: pd.DataFrame) -> pd.Series:
    """Read the acquisition dates, which must be calendar dates."""
    dates = pd.to_datetime(images[DATE], format="ISO8601", errors="coerce", utc=True)
    if dates.isna().any():
        row = images.loc[dates.isna(), [*IDS, DATE]].iloc[0]
        raise SplitError(
            f"'{row[DATE]}' ({row.iloc[0]} {row.iloc[1]}) in '{DATE}' is not a date. "
            "Write calendar dates as 2021-09-01."
        )
    return dates.dt.tz_localize(None)
