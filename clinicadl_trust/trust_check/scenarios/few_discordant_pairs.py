"""Two models that are seldom of another opinion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats as distributions

from clinicadl_trust.stats import mcnemar
from clinicadl_trust.trust_check.scenario import Answer, Procedure, Scenario, Setting

__all__ = ["SCENARIO"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Models:
    """Two models of accuracy .85 on average that disagree on a share of the images."""

    images: int
    discordant: float
    difference: float = 0.0

    def __call__(self, rng: np.random.Generator) -> tuple[Array, Array]:
        only_first = (self.discordant + self.difference) / 2
        only_second = (self.discordant - self.difference) / 2
        both = 0.85 - self.discordant / 2
        cells = [both, only_first, only_second, 1 - both - self.discordant]
        cell = rng.choice(4, self.images, p=cells)
        return (cell < 2).astype(float), (cell % 2 == 0).astype(float)


def _unpaired(data: tuple[Array, Array]) -> Answer:
    """Compare two shares as if they were of two groups of people."""
    a, b = data
    share, n = (a.mean() + b.mean()) / 2, a.size
    error = np.sqrt(2 * share * (1 - share) / n)
    z = abs(a.mean() - b.mean()) / error if error else 0.0
    return Answer(p_value=float(2 * distributions.norm.sf(z)))


def _wald(data: tuple[Array, Array]) -> Answer:
    d = data[0] - data[1]
    return Answer.around(float(d.mean()), float(1.96 * d.std() / d.size**0.5))


_TEST = (
    Procedure("z-test of two independent shares", _unpaired, True),
    Procedure("mcnemar", lambda d: mcnemar(*d)),
)
_INTERVAL = (
    Procedure("difference +- 1.96 standard errors", _wald, True),
    Procedure("mcnemar: Agresti and Min's interval", lambda d: mcnemar(*d)),
)
_DESIGNS = ((50, 0.1), (100, 0.1), (100, 0.2), (200, 0.25))

SCENARIO = Scenario(
    name="few-discordant-pairs",
    title="Models that are seldom of another opinion",
    naive=(
        "Two models' accuracies are compared as if they were measured on different "
        "people, which finds next to nothing; or their difference is given plus and "
        "minus 1.96 standard errors, which is too short where few images tell the "
        "models apart."
    ),
    ours=(
        "Only images on which one model alone is right count; below 25 of them "
        "McNemar's test is exact, and conservative."
    ),
    settings=(
        *(
            Setting(
                f"two equal models, {n} images, {n * share:g} discordant on average",
                _Models(n, share),
                _TEST,
                "rejection",
            )
            for n, share in _DESIGNS
        ),
        *(
            Setting(
                f"a difference of {difference:g}, {n} images, {n * share:g} discordant",
                _Models(n, share, difference),
                _INTERVAL,
                truth=difference,
            )
            for n, share in _DESIGNS
            for difference in (0.0, 0.08)
        ),
    ),
)
