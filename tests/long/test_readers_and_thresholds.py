"""Size and coverage of reader studies, thresholds and plans, over many samples."""

import numpy as np
import pytest
from scipy import special

from clinicadl_trust.stats import (
    compare_roc_auc,
    mcnemar,
    mrmc,
    proportion,
    required_sample_size,
    sensitivity_at_specificity,
)

pytestmark = pytest.mark.long

REPLICATES = 2000

STUDIES = [
    # treatments, readers, cases of a class, AUC, variance of readers
    (2, 5, 25, 0.85, 0.0055),
    (2, 5, 50, 0.85, 0.03),
    (2, 3, 50, 0.85, 0.0055),
    (2, 10, 50, 0.7, 0.0055),
    (3, 5, 50, 0.85, 0.0055),
    (2, 3, 25, 0.96, 0.01),
]


@pytest.mark.parametrize("study", STUDIES, ids=str)
def test_reader_studies_keep_their_size(study):
    t, r, n, auc, between = study
    rng = np.random.default_rng(1)
    shape = (t, r, 2 * n)
    treatment, reader, case = (axis.ravel() for axis in np.indices(shape))
    truth = np.repeat([1, 0], n)
    rejected, covered = [], []
    for _ in range(REPLICATES):  # Roe and Metz (1997)
        shift = 2**0.5 * special.ndtri(auc) + (2 * between) ** 0.5 * (
            rng.normal(size=r) + rng.normal(size=(t, r))
        )
        score = shift[:, :, None] * truth
        for share, size in ((0.3, shape[2:]), (0.3, (t, 1, 2 * n)), (0.2, shape[1:])):
            score = score + share**0.5 * rng.normal(size=size)
        score = score + 0.2**0.5 * rng.normal(size=shape)
        made = mrmc(score.ravel(), truth[case], reader, case, treatment)
        first = next(iter(made.differences.values()))
        rejected.append(made.p_value < 0.05)
        covered.append(first.low <= 0 <= first.high)
    print(study, "rejects", np.mean(rejected), "covers", np.mean(covered))
    assert 0.03 <= np.mean(rejected) <= 0.07 and 0.93 <= np.mean(covered) <= 0.97


GROUPS = [
    # positive and negative participants, images each, ICC, AUC, specificity
    (30, 30, 1, 0.0, 0.85, 0.8),
    (50, 50, 1, 0.0, 0.95, 0.9),
    (40, 160, 1, 0.0, 0.9, 0.95),
    (50, 50, 4, 0.5, 0.85, 0.9),
    (100, 100, 3, 0.8, 0.85, 0.9),
    (200, 200, 1, 0.0, 0.75, 0.8),
]


@pytest.mark.parametrize("group", GROUPS, ids=str)
def test_a_threshold_that_is_estimated_widens_the_interval(group):
    n1, n0, images, icc, auc, specificity = group
    rng = np.random.default_rng(3)
    shift = 2**0.5 * special.ndtri(auc)
    truth = special.ndtr(shift - special.ndtri(specificity))
    who = np.repeat(np.arange(n1 + n0), images)
    label = (who < n1).astype(float)
    ours, naive = [], []
    for _ in range(REPLICATES):
        score = shift * label + icc**0.5 * rng.normal(size=n1 + n0)[who]
        score += (1 - icc) ** 0.5 * rng.normal(size=who.size)
        made = sensitivity_at_specificity(label, score, specificity, who)
        above = score[label == 1] > np.quantile(score[label == 0], specificity)
        fixed = proportion(above, cluster=who[label == 1])
        ours.append(made.low <= truth <= made.high)
        naive.append(fixed.low <= truth <= fixed.high)
    print(group, "covers", np.mean(ours), "threshold taken for fixed", np.mean(naive))
    assert np.mean(ours) >= 0.93 and np.mean(naive) < np.mean(ours)


@pytest.mark.parametrize("sizes", [((30, 30), (60, 20)), ((100, 100), (20, 20))])
def test_independent_groups_keep_their_size(sizes):
    rng = np.random.default_rng(0)
    labels = tuple(np.repeat([0, 1], each) for each in sizes)
    rejected = []
    for _ in range(REPLICATES):
        scores = [1.4 * y + rng.normal(size=y.size) for y in labels]
        rejected.append(compare_roc_auc(labels, *scores, paired=False).p_value < 0.05)
    print(sizes, "rejects", np.mean(rejected))
    assert 0.025 <= np.mean(rejected) <= 0.07


@pytest.mark.parametrize("correlation", [0.3, 0.6])
def test_a_planned_mcnemar_test_has_its_power(correlation):
    a, b = 0.85, 0.78
    plan = required_sample_size(
        "proportion", power=0.8, value=a, difference=a - b, correlation=correlation
    )
    both = a * b + correlation * (a * (1 - a) * b * (1 - b)) ** 0.5
    cells = [both, a - both, b - both, 1 - a - b + both]
    rng = np.random.default_rng(0)
    found = []
    for _ in range(REPLICATES):
        cell = rng.choice(4, plan.n_participants, p=cells)
        found.append(mcnemar(cell < 2, cell % 2 == 0).p_value < 0.05)
    print(plan.n_participants, "power", np.mean(found))
    assert 0.76 < np.mean(found) < 0.85
