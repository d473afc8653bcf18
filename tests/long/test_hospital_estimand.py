"""A test group of several hospitals: what a comparison says of the next hospital."""

import numpy as np
import pandas as pd
import pytest

from clinicadl_trust import stats

pytestmark = pytest.mark.long

REPLICATES = 1000


def group(rng, n_sites, n=30, spread=0.5):
    """Two models that are alike on average, and differ by hospital."""
    site = np.repeat(np.arange(n_sites), n)
    label = np.tile(np.arange(n) % 2, n_sites).astype(float)
    shared = rng.normal(size=site.size)
    tables = []
    for model in ("a", "b"):
        effect = 1.2 + spread * rng.normal(size=n_sites)
        own = rng.normal(size=site.size)
        score = effect[site] * label + 0.7 * (shared + own)
        tables.append(
            pd.DataFrame(
                {
                    "participant_id": np.arange(site.size).astype(str),
                    "site": site.astype(str),
                    "label": label,
                    "model": model,
                    "score": score,
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


@pytest.mark.parametrize("n_sites", [6, 10, 20])
def test_hospitals_are_counted_where_the_question_is_about_hospitals(n_sites):
    rng = np.random.default_rng(n_sites)
    rejected = {"hospital": 0, "patient": 0}
    for _ in range(REPLICATES):
        table = group(rng, n_sites)
        for estimand in rejected:
            row = stats.compare(table, "roc_auc", estimand=estimand).iloc[0]
            rejected[estimand] += row["p_value"] < 0.05
    share = {name: count / REPLICATES for name, count in rejected.items()}
    print(n_sites, share)
    assert 0.02 <= share["hospital"] <= 0.07
    assert share["patient"] > 0.2  # it answers another question
