"""What a plan is for, how its images depend, and the least number that does."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import special

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.intervals import scaled_interval
from clinicadl_trust.stats.planning.spread import NAMES, PlannedMetric, Spread

__all__ = ["Design", "Goal", "smallest"]

_MOST = 10_000_000

#: Sites below which a plan rests on the t distribution's far tail.
_FEW_SITES = 8


@dataclass(frozen=True)
class Design:
    """Images of a participant, participants of a site, and their correlations."""

    images: float
    icc: float
    per_site: float | None
    site_icc: float

    @classmethod
    def make(
        cls,
        spread: Spread,
        images: float | None,
        icc: float | None,
        per_site: float | None,
        site_icc: float | None,
    ) -> Design:
        """Check a design, and complete it from a pilot.

        Raises
        ------
        StatisticsError
            If a number is absent or impossible.
        """
        images = max(round(spread.images), 1) if images is None else images
        if not 1 <= images < math.inf:
            raise StatisticsError(
                f"images_per_participant={images:g} must be 1 or more."
            )
        if icc is None:
            if images > 1 and "pilot" not in spread.source:
                raise StatisticsError(
                    f"icc is needed with {images:g} images per participant: how alike "
                    "they are, 0 to 1. Taking them for independent is wrong."
                )
            if images > 1 and spread.images == 1:
                raise StatisticsError(
                    "icc is needed: the pilot has one image per participant, so it "
                    "does not tell how alike two would be."
                )
            icc = spread.icc
        if (per_site is None) != (site_icc is None):
            raise StatisticsError("participants_per_site and site_icc go together.")
        site_icc = site_icc or 0.0
        for name, number in (("icc", icc), ("site_icc", site_icc)):
            if not 0 <= number <= 1:
                raise StatisticsError(f"{name}={number:g} must lie between 0 and 1.")
        if per_site is not None and not 1 <= per_site < math.inf:
            raise StatisticsError(
                f"participants_per_site={per_site:g} must be 1 or more."
            )
        return cls(images, icc, per_site, site_icc)

    @property
    def effect(self) -> float:
        """By how much the variance is larger than that of independent images."""
        others = (self.per_site or 1.0) - 1.0
        return (
            1.0 + (self.images - 1.0) * self.icc + others * self.images * self.site_icc
        )

    def sites(self, n: float) -> float:
        """Return how many sites n participants are from; inf where it is no matter."""
        return math.ceil(n / self.per_site) if self.per_site else math.inf

    def told(self, n: int) -> tuple[str, ...]:
        """Return the assumptions in words."""
        said: tuple[str, ...] = ()
        if self.images > 1:
            said = (f"{self.images:g} images each, of correlation {self.icc:.2g}",)
        if self.per_site:
            said += (
                f"{self.sites(n)} sites of {self.per_site:g} participants, of "
                f"correlation {self.site_icc:.2g}",
            )
        return (*said, f"design effect {self.effect:.3g}") if said else ()

    def warnings(self, n: int) -> tuple[str, ...]:
        """Say when the sites are few."""
        if self.sites(n) >= _FEW_SITES:
            return ()
        return (
            f"{self.sites(n)} sites are few: what one of them does decides. More sites "
            "with fewer participants each say more.",
        )


@dataclass(frozen=True)
class Goal:
    """A width, or a power for a difference."""

    metric: PlannedMetric
    width: float | None
    power: float | None
    difference: float | None
    level: float

    def __str__(self) -> str:
        name = NAMES[self.metric]
        if self.width is not None:
            level = f"{100 * self.level:g}%"
            return f"a {level} interval of the {name} of width {self.width:g}"
        return (
            f"a power of {self.power:g} to find a difference of {self.difference:g} in "
            f"the {name} of two models on the same images, two-sided at "
            f"{1 - self.level:.2g}"
        )

    def is_met(self, n: int, spread: Spread, design: Design) -> bool:
        """Whether so many participants do."""
        images = n * design.images / design.effect
        df = min(self._df(n, spread), design.sites(n) - 1.0)
        if df < 1:
            return False
        error = math.sqrt(spread.variance(images))
        if self.width is not None:
            return self._width(n, error, df, spread, design) <= self.width
        return self._power(images, error, df, spread) >= (self.power or 0.0)

    def _df(self, n: int, spread: Spread) -> float:
        if self.metric != "roc_auc":
            return n - 1.0
        return math.floor(min(spread.prevalence, 1 - spread.prevalence) * n) - 1.0

    def _width(
        self, n: int, error: float, df: float, spread: Spread, design: Design
    ) -> float:
        n_images = n * design.images
        t = float(special.stdtrit(df, (1 + self.level) / 2))
        if self.metric == "mean":
            return 2 * t * error
        if self.metric == "proportion" and design.effect == 1:  # Wilson
            z = float(special.ndtri((1 + self.level) / 2))
            return (
                2
                * z
                * math.sqrt(error**2 + z**2 / (4 * n_images**2))
                / (1 + z**2 / n_images)
            )
        interval = scaled_interval(
            spread.value,
            error,
            df,
            self.level,
            scale="logit",
            bounds=(0.0, 1.0),
            n_answers=(1.5 if self.metric == "roc_auc" else 1.0) * n_images,
            n_clusters=n,
        )
        return interval.high - interval.low

    def _power(self, images: float, error: float, df: float, spread: Spread) -> float:
        effect = abs(self.difference or 0.0)
        level = (1 + self.level) / 2
        if self.metric == "proportion":  # McNemar: the null variance is another
            null = math.sqrt(spread.discordant / images)
            reach = float(special.ndtri(level)) * null
            return float(special.ndtr((effect - reach) / error))
        t = float(special.stdtrit(df, level))
        found = 1.0 - float(special.nctdtr(df, effect / error, t))
        return (
            found if math.isfinite(found) else float(special.ndtr(effect / error - t))
        )


def smallest(goal: Goal, spread: Spread, design: Design) -> int:
    """Return the least number of participants that meets a goal.

    Raises
    ------
    StatisticsError
        If ten million do not.
    """
    _check_discordant(goal, spread)
    low, high = 3, 4
    while not goal.is_met(high, spread, design):
        low, high = high, 2 * high
        if high > _MOST:
            raise StatisticsError(
                f"Even {_MOST} participants are too few for {goal}. Ask for less."
            )
    while high - low > 1:
        middle = (low + high) // 2
        if goal.is_met(middle, spread, design):
            high = middle
        else:
            low = middle
    return high


def _check_discordant(goal: Goal, spread: Spread) -> None:
    difference = goal.difference or 0.0
    if spread.discordant <= abs(difference):  # false where it is nan
        raise StatisticsError(
            f"Only {spread.discordant:.3g} of the images are right for one model only: "
            f"a difference of {difference:g} is impossible, or certain."
        )
