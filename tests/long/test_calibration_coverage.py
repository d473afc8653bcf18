"""How often intervals of the calibration slope and intercept hold the truth.

``pytest -m long -s tests/long`` prints what is measured, and shows that a percentile
bootstrap interval of the ECE never holds the 0 of perfect probabilities.
"""

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import norm
from test_coverage import REPLICATES, within

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats import (
    calibration_intercept,
    calibration_slope,
    expected_calibration_error,
)

pytestmark = pytest.mark.long


@dataclass(frozen=True)
class Perfect:
    """Labels drawn from the probabilities, correlated within participants."""

    participants: int
    images: int
    icc: float
    logit: float = 0.0

    def draw(self, rng):
        who = np.repeat(np.arange(self.participants), self.images)
        shared = rng.normal(size=(2, self.participants))[:, who]
        own = rng.normal(size=(2, who.size))
        logit = self.logit + 1.5 * (0.7**0.5 * shared[0] + 0.3**0.5 * own[0])
        noise = self.icc**0.5 * shared[1] + (1 - self.icc) ** 0.5 * own[1]
        return (norm.cdf(noise) < expit(logit)).astype(float), logit, who


ENOUGH = [
    Perfect(200, 1, 0.0),
    Perfect(60, 5, 0.2),
    Perfect(60, 5, 0.8),
    Perfect(120, 2, 0.5, -1.2),
    Perfect(400, 2, 0.5, -2.0),
]


@pytest.mark.parametrize("design", ENOUGH, ids=str)
def test_slope_and_intercept_are_calibrated(design):
    rng = np.random.default_rng(1)
    covered, naive = np.zeros(2), np.zeros(2)
    truths = (1.0, calibration_slope), (0.0, calibration_intercept)
    for _ in range(REPLICATES):
        label, logit, who = design.draw(rng)
        score = expit(logit)
        for k, (truth, function) in enumerate(truths):
            made, alone = function(label, score, who), function(label, score)
            covered[k] += made.low <= truth <= made.high
            naive[k] += alone.low <= truth <= alone.high
    for name, ours, theirs in zip(("slope", "intercept"), covered, naive, strict=True):
        print(
            f"\n{design}: {name} covers {ours / REPLICATES:.3f}, without clusters "
            f"{theirs / REPLICATES:.3f}",
            end="",
        )
        assert within(ours, 0.93, 0.97), name
    if design.icc == 0.8:
        assert (naive < 0.85 * REPLICATES).all()


def test_few_participants_are_called_approximate():
    rng, design = np.random.default_rng(2), Perfect(20, 3, 0.5)
    covered = made_at_all = 0
    for _ in range(REPLICATES):
        label, logit, who = design.draw(rng)
        try:
            made = calibration_slope(label, expit(logit), who)
        except StatisticsError:  # one class, or separated
            continue
        assert made.calibration == "approximate"
        covered += made.low <= 1 <= made.high
        made_at_all += 1
    print(f"\n{design}: slope covers {covered / made_at_all:.3f}", end="")
    assert within(covered, 0.90, 0.99, made_at_all)


@pytest.mark.parametrize("images", [1, 3])
def test_the_ece_of_perfect_probabilities_is_not_called_wrong(images):
    rng, design = np.random.default_rng(3), Perfect(150, images, 0.999)
    rejected = 0
    for _ in range(REPLICATES):
        label, logit, who = design.draw(rng)
        made = expected_calibration_error(label, expit(logit), who, n_simulations=199)
        rejected += made.p_value <= 0.05
    print(f"\n{design}: rejects {rejected / REPLICATES:.3f}", end="")
    assert within(rejected, 0.03, 0.07)


def test_a_percentile_interval_of_the_ece_never_holds_the_truth():
    rng, design = np.random.default_rng(4), Perfect(500, 1, 0.0)
    covered = 0
    for _ in range(100):
        label, logit, _ = design.draw(rng)
        score, values = expit(logit), []
        for _ in range(200):
            rows = rng.integers(0, 500, 500)
            gaps = np.bincount((score[rows] * 10).astype(int), (score - label)[rows])
            values.append(np.abs(gaps).sum() / 500)
        covered += np.quantile(values, 0.025) <= 0
    assert covered == 0
