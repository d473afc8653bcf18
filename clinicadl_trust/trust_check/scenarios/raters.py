"""Agreement of a few raters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats as distributions

from clinicadl_trust.stats import cohen_kappa, icc
from clinicadl_trust.trust_check.scenario import Answer, Procedure, Scenario, Setting

__all__ = ["SCENARIO"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Ratings:
    """Measurements of targets by raters drawn from many, each with a bias.

    ``icc`` is the absolute agreement; raters have ``bias`` of what is left.
    """

    targets: int
    raters: int
    icc: float
    bias: float = 0.3

    def __call__(self, rng: np.random.Generator) -> Array:
        target = self.icc**0.5 * rng.normal(size=(self.targets, 1))
        bias = ((1 - self.icc) * self.bias) ** 0.5 * rng.normal(size=self.raters)
        rest = ((1 - self.icc) * (1 - self.bias)) ** 0.5
        return target + bias + rest * rng.normal(size=(self.targets, self.raters))


@dataclass(frozen=True)
class _Classes:
    """Two raters' classes: one share of the targets is copied, the rest is chance."""

    targets: int
    kappa: float
    prevalence: float

    def __call__(self, rng: np.random.Generator) -> tuple[Array, Array]:
        chance = rng.random((2, self.targets)) < self.prevalence
        copied = rng.random(self.targets) < self.kappa
        first, second = chance.astype(float)
        return first, np.where(copied, first, second)


def _fisher(ratings: Array) -> Answer:
    """Return Fisher's interval of the correlation of the first two raters."""
    made = distributions.pearsonr(ratings[:, 0], ratings[:, 1]).confidence_interval()
    return Answer(made.low, made.high)


_ABSOLUTE = (
    Procedure("Pearson's correlation of two raters", _fisher, True),
    Procedure("icc(form='2')", lambda x: icc(x, "2")),
)
_ALONE = (
    Procedure("Pearson's correlation of two raters", _fisher, True),
    Procedure("icc(form='1')", lambda x: icc(x, "1")),
    Procedure("icc(form='3')", lambda x: icc(x, "3")),
)
_MEAN = (Procedure("icc(form='2k')", lambda x: icc(x, "2k")),)
_KAPPA = (Procedure("cohen_kappa", lambda d: cohen_kappa(*d)),)

_SHAPES = ((30, 3, 0.5), (30, 3, 0.8), (10, 3, 0.8), (100, 2, 0.8), (50, 5, 0.6))

SCENARIO = Scenario(
    name="raters",
    title="Agreement of a few raters",
    naive=(
        "The correlation of two raters is given for their agreement. It does not see "
        "that one of them always measures more than the other."
    ),
    ours=(
        "Intraclass correlations, in whose interval raters count as a sample of all "
        "raters; Cohen's kappa for classes."
    ),
    settings=(
        *(
            Setting(
                f"absolute agreement {value:g}, {n} targets x {k} raters",
                _Ratings(n, k, value),
                _ABSOLUTE,
                truth=value,
            )
            for n, k, value in _SHAPES
        ),
        Setting(
            "absolute agreement of a mean of 3 raters, 30 targets",
            _Ratings(30, 3, 0.6),
            _MEAN,
            truth=3 * 0.6 / (1 + 2 * 0.6),
        ),
        *(
            Setting(
                f"agreement {value:g}, raters without bias, {n} targets x {k} raters",
                _Ratings(n, k, value, 0.0),
                _ALONE,
                truth=value,
            )
            for n, k, value in _SHAPES[1:4]
        ),
        *(
            Setting(
                f"kappa {kappa:g}, {n} targets, prevalence {prevalence:g}",
                _Classes(n, kappa, prevalence),
                _KAPPA,
                truth=kappa,
            )
            for n, kappa, prevalence in (
                (30, 0.6, 0.5),
                (50, 0.4, 0.5),
                (50, 0.8, 0.5),
                (100, 0.6, 0.2),
                (200, 0.8, 0.1),
            )
        ),
    ),
)
