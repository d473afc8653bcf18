"""How often differences between subgroups hold the truth, and max-T rejects."""

import numpy as np
import pandas as pd
import pytest
from statistics_simulation import probability, truth
from test_coverage import REPLICATES, within

from clinicadl_trust.stats import joint, subgroups

pytestmark = pytest.mark.long

#: Participants of each level, their AUC, images of each, ICC.
DESIGNS = [
    ((60, 60), (0.75, 0.75), 3, 0.5),
    ((60, 200), (0.95, 0.75), 1, 0.0),
    ((80, 80, 80, 80), (0.75, 0.75, 0.75, 0.75), 2, 0.5),
]


def draw(rng, sizes, aucs, images, icc):
    """Return predictions of participants with a level each."""
    who = np.repeat(np.arange(sum(sizes)), images)
    level = np.repeat(np.arange(len(sizes)), sizes)[who]
    label = (rng.random(sum(sizes)) < 0.5).astype(float)[who]
    noise = icc**0.5 * rng.normal(size=sum(sizes))[who]
    noise += (1 - icc) ** 0.5 * rng.normal(size=who.size)
    score = np.zeros(who.size)
    for auc in set(aucs):
        inside = np.array(aucs)[level] == auc
        score[inside] = probability(label[inside], noise[inside], auc)
    columns = {
        "participant_id": who.astype(str),
        "session_id": np.tile(np.arange(images), sum(sizes)).astype(str),
        "label": label,
        "score": score,
        "site": level.astype(str),
    }
    return pd.DataFrame(columns)


@pytest.mark.parametrize("metric", ["roc_auc", "brier"])
@pytest.mark.parametrize("design", DESIGNS, ids=str)
def test_differences_are_calibrated_and_max_t_keeps_its_level(
    design, metric, monkeypatch
):
    monkeypatch.setattr(joint, "N_SIMULATIONS", 2000)
    rng, aucs = np.random.default_rng(3), design[1]
    truths = np.array([truth(metric, auc, 0.5) for auc in aucs])
    first, second = np.triu_indices(len(aucs), 1)
    effect = truths[first] - truths[second]
    covered, any_rejected = np.zeros(len(effect)), 0
    for _ in range(REPLICATES):
        pairs = subgroups(draw(rng, *design), "site", metric).differences
        low, high = pairs["low"].to_numpy(), pairs["high"].to_numpy()
        covered += (low <= effect) & (effect <= high)
        any_rejected += (pairs["p_adjusted"] < 0.05).any()
    print(
        f"\n{design}, {metric}: differences cover {covered / REPLICATES}, max-T "
        f"rejects {any_rejected / REPLICATES:.3f}",
        end="",
    )
    assert all(within(each, 0.93, 0.97) for each in covered)
    if not effect.any():
        assert within(any_rejected, 0.03, 0.07)
