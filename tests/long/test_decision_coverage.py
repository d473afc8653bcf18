"""How often intervals of net benefits, and of their differences, hold the truth."""

import numpy as np
import pytest
from scipy.special import expit, logit, ndtri
from test_coverage import REPLICATES, within

from clinicadl_trust.stats import compare_net_benefit, joint, net_benefit

pytestmark = pytest.mark.long

#: Participants, images, ICC, prevalence, AUC, thresholds.
DESIGNS = [
    (200, 1, 0.0, 0.25, 0.75, (0.1, 0.3)),
    (60, 5, 0.5, 0.5, 0.75, (0.2, 0.5)),
    (60, 5, 0.8, 0.5, 0.95, (0.2, 0.5, 0.8)),
    (120, 2, 0.5, 0.25, 0.95, (0.1, 0.3, 0.6)),
    (300, 2, 0.5, 0.1, 0.80, (0.05, 0.1, 0.3)),
]


def draw(rng, participants, images, icc, prevalence, auc):
    """Return labels, the scores of two models as good as another, and participants."""
    who = np.repeat(np.arange(participants), images)
    label = (rng.random(participants) < prevalence).astype(float)[who]
    distance = 2**0.5 * ndtri(auc)
    shared, own = (
        rng.normal(size=(3, participants))[:, who],
        rng.normal(size=(3, who.size)),
    )
    noise = icc**0.5 * shared + (1 - icc) ** 0.5 * own
    signals = (distance * label + (noise[0] + each) / 2**0.5 for each in noise[1:])
    scores = [expit(logit(prevalence) + distance * (x - distance / 2)) for x in signals]
    return label, *scores, who


@pytest.mark.parametrize("design", DESIGNS, ids=str)
def test_net_benefits_and_differences_are_calibrated(design, monkeypatch):
    monkeypatch.setattr(joint, "N_SIMULATIONS", 100)
    *shape, cuts = design
    rng, cuts = np.random.default_rng(5), np.array(cuts)
    label, score, _, _ = draw(rng, 2_000_000, 1, 0.0, *shape[3:])
    worth = np.where(label[:, None] == 1, 1.0, -cuts / (1 - cuts))
    truth = np.mean((score[:, None] >= cuts) * worth, axis=0)
    covered, rejected, labels = np.zeros(cuts.size), np.zeros(cuts.size), []
    for _ in range(REPLICATES):
        label, first, second, who = draw(rng, *shape)
        points = net_benefit(label, first, cuts, who).points
        points = points[points["strategy"] == "model"]
        low, high = points["low"].to_numpy(), points["high"].to_numpy()
        covered += (low <= truth) & (truth <= high)
        labels.extend(points["calibration"])
        points = compare_net_benefit(label, first, second, cuts, who).points
        rejected += points["p_value"].to_numpy() < 0.05
    print(
        f"\n{design}: net benefit covers {covered / REPLICATES}, differences reject "
        f"{rejected / REPLICATES}, {labels.count('calibrated') / len(labels):.2f} are "
        "called calibrated",
        end="",
    )
    assert all(within(each, 0.93, 0.97) for each in covered)
    assert all(within(each, 0.03, 0.07) for each in rejected)
    assert labels.count("calibrated") > 0.6 * len(labels)


@pytest.mark.parametrize("participants", [40, 60, 100])
@pytest.mark.parametrize("auc", [0.75, 0.95])
@pytest.mark.parametrize("images", [1, 3])
def test_what_is_called_calibrated_near_the_limit_is(participants, auc, images):
    # At a threshold of .8 a false alarm weighs as four cases found, and is rare.
    cuts = np.array([0.1, 0.2, 0.5, 0.8])
    rng = np.random.default_rng(participants)
    label, score, _, _ = draw(rng, 1_000_000, 1, 0.0, 0.5, auc)
    worth = np.where(label[:, None] == 1, 1.0, -cuts / (1 - cuts))
    truth = np.mean((score[:, None] >= cuts) * worth, axis=0)
    held, called = [], []
    for _ in range(REPLICATES):
        label, score, _, who = draw(rng, participants, images, 0.5, 0.5, auc)
        points = net_benefit(label, score, cuts, who).points
        points = points[points["strategy"] == "model"]
        held.append((points["low"] <= truth) & (truth <= points["high"]))
        called.append(points["calibration"] == "calibrated")
    held, called = np.array(held), np.array(called)
    for cut, hit, label in zip(cuts, held.T, called.T, strict=True):
        print(
            f"\n{participants} x {images}, AUC {auc}, {cut}: {hit.mean():.3f}", end=""
        )
        if label.mean() > 0.5:
            assert within(hit.sum(), 0.93, 0.97)
