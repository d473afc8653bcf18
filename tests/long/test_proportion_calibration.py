"""Shares of clustered answers, and two models' compared, keep their level."""

import numpy as np
import pytest
from scipy.special import ndtri

from clinicadl_trust.stats import mcnemar, proportion

pytestmark = pytest.mark.long

DRAWS = 2000


@pytest.mark.parametrize(("participants", "icc"), [(30, 0.5), (60, 0.2), (60, 0.8)])
def test_clustered_shares_and_differences(participants, icc):
    who = np.repeat(np.arange(participants), 3)
    covered = rejected = naive = 0
    for seed in range(DRAWS):
        rng = np.random.default_rng(seed)
        person, image = (rng.normal(size=(2, n)) for n in (participants, who.size))
        latent = np.sqrt(icc) * person[:, who] + np.sqrt(1 - icc) * image
        a, b = (latent < ndtri(0.8)).astype(float)
        made, plain = proportion(a, cluster=who), proportion(a)
        covered += made.low < 0.8 < made.high
        naive += plain.low < 0.8 < plain.high
        rejected += mcnemar(a, b, who).p_value < 0.05
    assert 0.93 < covered / DRAWS < 0.97
    assert 0.03 < rejected / DRAWS < 0.07
    assert naive < covered


def test_independent_answers():
    rejected = sum(
        mcnemar(*(np.random.default_rng(seed).uniform(size=(2, 200)) < 0.75)).p_value
        < 0.05
        for seed in range(DRAWS)
    )
    assert 0.03 < rejected / DRAWS < 0.07
