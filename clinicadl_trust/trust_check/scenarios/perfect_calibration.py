"""Probabilities that mean what they say, accused of being wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, ndtr

from clinicadl_trust.stats import (
    calibration_intercept,
    calibration_slope,
    expected_calibration_error,
)
from clinicadl_trust.trust_check.scenario import Answer, Procedure, Scenario, Setting

__all__ = ["SCENARIO"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Perfect:
    """Labels drawn from the probabilities, correlated within participants.

    Attributes
    ----------
    participants, images : int
        How many, and images of each.
    icc : float
        Correlation of the chances of two images of one participant.
    logit : float
        Mean of the log-odds.
    """

    participants: int
    images: int
    icc: float
    logit: float = 0.0

    def draw(self, rng: np.random.Generator) -> tuple[Array, Array, Array]:
        """Return labels, scores and participants."""
        who = np.repeat(np.arange(self.participants), self.images)
        shared = rng.normal(size=(2, self.participants))[:, who]
        own = rng.normal(size=(2, who.size))
        logit = self.logit + 1.5 * (0.7**0.5 * shared[0] + 0.3**0.5 * own[0])
        noise = self.icc**0.5 * shared[1] + (1 - self.icc) ** 0.5 * own[1]
        return (ndtr(noise) < expit(logit)).astype(float), expit(logit), who


def _percentile(data: tuple[Array, Array, Array]) -> Answer:
    """Return the percentile bootstrap interval of the ECE over images."""
    label, score, _ = data
    rng = np.random.default_rng(0)
    values = []
    for _ in range(200):
        rows = rng.integers(0, label.size, label.size)
        gaps = np.bincount((score[rows] * 10).astype(int), (score - label)[rows])
        values.append(np.abs(gaps).sum() / label.size)
    low, high = np.quantile(values, [0.025, 0.975])
    return Answer(float(low), float(high))


def _chance(data: tuple[Array, Array, Array]) -> Answer:
    made = expected_calibration_error(*data, n_simulations=199)
    return Answer(p_value=made.p_value, calibration=made.calibration)


_SLOPE = (
    Procedure(
        "logistic regression of all images",
        lambda d: calibration_slope(d[0], d[1]),
        True,
    ),
    Procedure(
        "calibration_slope(cluster=participant)", lambda d: calibration_slope(*d)
    ),
)
_INTERCEPT = (
    Procedure(
        "logistic regression of all images",
        lambda d: calibration_intercept(d[0], d[1]),
        True,
    ),
    Procedure(
        "calibration_intercept(cluster=participant)",
        lambda d: calibration_intercept(*d),
    ),
)
_ECE = (Procedure("percentile bootstrap interval of the ECE", _percentile, True),)
_CHANCE = (Procedure("expected_calibration_error: against chance", _chance),)

_DESIGNS = {
    "200 participants": Perfect(200, 1, 0.0),
    "60 participants x 5 images, ICC .2": Perfect(60, 5, 0.2),
    "60 participants x 5 images, ICC .8": Perfect(60, 5, 0.8),
    "120 participants x 2 images, ICC .5": Perfect(120, 2, 0.5, -1.2),
    "400 participants x 2 images, few patients": Perfect(400, 2, 0.5, -2.0),
    "20 participants x 3 images": Perfect(20, 3, 0.5),
}

SCENARIO = Scenario(
    name="perfect-calibration",
    title="Probabilities that are right",
    naive=(
        "Probabilities that are right are found wrong: since several images of a "
        "person are counted as several people, or since an expected calibration "
        "error (ECE) is an average of distances, which chance alone keeps above 0, so "
        "that its bootstrap interval never holds the truth."
    ),
    ours=(
        "Slope and intercept with clustered intervals; the ECE is set beside what "
        "chance alone makes of right probabilities."
    ),
    settings=(
        *(
            Setting(f"slope, {title}", design.draw, _SLOPE, truth=1.0)
            for title, design in _DESIGNS.items()
        ),
        *(
            Setting(f"intercept, {title}", design.draw, _INTERCEPT, truth=0.0)
            for title, design in _DESIGNS.items()
        ),
        Setting("ECE, 500 participants", Perfect(500, 1, 0.0).draw, _ECE, truth=0.0),
        *(
            Setting(
                f"ECE, 150 participants x {images} images",
                Perfect(150, images, 0.99).draw,
                _CHANCE,
                "rejection",
            )
            for images in (1, 3)
        ),
    ),
)
