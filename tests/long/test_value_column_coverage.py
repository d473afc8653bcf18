"""How often the interval of a column's mean holds the truth, two sessions each."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats

from clinicadl_trust.stats.columns import metrics_of
from clinicadl_trust.stats.held_out import clustered_comparison, clustered_estimate
from clinicadl_trust.stats.prepared import prepare
from clinicadl_trust.stats.sample import Sample

pytestmark = pytest.mark.long

REPLICATES = 2000
#: From a normal value to a share, a skewed positive one, and one of either sign.
SCALES = {
    "logit": lambda z: 1 / (1 + np.exp(1.2 - 0.8 * z)),
    "log": lambda z: np.exp(0.8 * z),
    "identity": lambda z: z,
}


def draw(rng, n, common=None):
    """Two values each, correlated .64 within a person, and with ``common``."""
    person, noise = rng.normal(size=n), rng.normal(size=2 * n)
    return 0.8 * np.repeat(person, 2) + 0.6 * noise if common is None else (
        0.8 * common + 0.6 * (0.8 * np.repeat(person, 2) + 0.6 * noise)
    )  # fmt: skip


def metric_of(scale):
    rng = np.random.default_rng(0)
    value = SCALES[scale](rng.normal(size=200))
    table = {"participant_id": np.arange(200).astype(str), "value": value}
    labels = {"label": np.arange(200) % 2, "score": rng.random(200)}
    (metric,) = metrics_of(prepare(pd.DataFrame(table | labels)), "value")
    assert metric.scale == scale
    return metric


@pytest.mark.parametrize("n", [20, 60])
@pytest.mark.parametrize("scale", SCALES)
def test_the_mean_of_a_column(scale, n):
    rng, made = np.random.default_rng(1), SCALES[scale]
    metric, truth = metric_of(scale), made(draw(rng, 1_000_000)).mean()
    sample = Sample.make(np.zeros(2 * n), np.repeat(np.arange(n), 2))
    covered = rejected = 0
    for _ in range(REPLICATES):
        common = draw(rng, n)
        first, second = (made(draw(rng, n, common)) for _ in range(2))
        estimate = clustered_estimate(metric, sample, [first])
        covered += estimate.low <= truth <= estimate.high
        found = clustered_comparison(metric, sample, [first], [second])
        rejected += found.p_value < 0.05
    print(f"\n{scale} {n}: {covered / REPLICATES:.3f}, {rejected / REPLICATES:.3f}")
    least = 0.91 if scale == "log" and n == 20 else 0.93
    assert scipy_stats.binomtest(covered, REPLICATES, least, "less").pvalue > 0.001
    assert scipy_stats.binomtest(rejected, REPLICATES, 0.07, "greater").pvalue > 0.001
