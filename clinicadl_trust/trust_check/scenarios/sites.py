"""Participants of a few hospitals that differ, taken for a sample of all patients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clinicadl_trust.stats import heterogeneity, proportion, unit_interval
from clinicadl_trust.trust_check.scenario import Answer, Procedure, Scenario, Setting

__all__ = ["SCENARIO"]

Array = npt.NDArray[np.float64]

_ACCURACY = 0.8


@dataclass(frozen=True)
class _Sites:
    """Sites whose accuracy is drawn from a beta distribution."""

    sites: int
    spread: float
    is_uneven: bool = False

    def __call__(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """Return right answers and participants of each site."""
        scale = _ACCURACY * (1 - _ACCURACY) / self.spread**2 - 1
        chance = rng.beta(_ACCURACY * scale, (1 - _ACCURACY) * scale, self.sites)
        size = np.full(self.sites, 25)
        if self.is_uneven:  # from 10 to 100, the same for every number of sites
            size = np.geomspace(10, 100, self.sites).round().astype(int)
        return rng.binomial(size, chance).astype(float), size.astype(float)


def _pooled(data: tuple[Array, Array]) -> Array:
    """Right answers of all participants."""
    right, size = (each.astype(int) for each in data)
    wrong = size - right
    return np.repeat(np.tile([1.0, 0.0], right.size), np.ravel([right, wrong], "F"))


def _mean_over_sites(data: tuple[Array, Array]) -> Answer:
    right, size = data
    share = (right + 0.5) / (size + 1)  # so that no standard error is 0
    made = heterogeneity(right / size, np.sqrt(share * (1 - share) / size))
    return Answer(made.low, made.high, calibration=made.calibration)


_PROCEDURES = (
    Procedure(
        "Wilson interval of all participants", lambda d: proportion(_pooled(d)), True
    ),
    Procedure("unit_interval: t over sites", lambda d: unit_interval(d[0] / d[1])),
    Procedure("heterogeneity: Hartung and Knapp, raw shares", _mean_over_sites),
    Procedure(
        "proportion(cluster=site)",
        lambda d: proportion(
            _pooled(d), cluster=np.repeat(np.arange(d[1].size), d[1].astype(int))
        ),
    ),
)

SCENARIO = Scenario(
    name="sites",
    title="A few hospitals that differ",
    naive=(
        "All participants are put together as if they came from one hospital. What "
        "differs from hospital to hospital is not in the interval, though the claim is "
        "about hospitals like these."
    ),
    ours=(
        "Hospitals are counted: Student's t over their values, a random-effects mean, "
        "or hospitals as clusters. The first two are called approximate since they "
        "cover less where each hospital is left out of training in turn (see "
        "left-out-sites)."
    ),
    settings=tuple(
        Setting(
            f"{sites} sites, standard deviation {spread:g}"
            f"{', 10 to 100 participants' if uneven else ' x 25 participants'}",
            _Sites(sites, spread, uneven),
            _PROCEDURES,
            truth=_ACCURACY,
        )
        for sites, spread, uneven in (
            (8, 0.03, False),
            (8, 0.05, False),
            (8, 0.10, False),
            (4, 0.10, False),
            (5, 0.10, False),
            (20, 0.10, False),
            (50, 0.10, False),
            (8, 0.10, True),
            (20, 0.10, True),
        )
    ),
)
