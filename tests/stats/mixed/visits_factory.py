"""A table of participants of several sites, seen several times."""

import numpy as np
import pandas as pd
from scipy.special import expit

CROSSED = "score ~ age + (1 | participant_id) + (1 | site) + (1 | scanner)"


def visits(n_participants=60, n_visits=4, n_sites=6, seed=0, slope=1.0):
    """Draw participants of several sites seen several times."""
    rng = np.random.default_rng(seed)
    site = rng.integers(0, n_sites, n_participants)
    rows = pd.DataFrame(
        {
            "participant_id": np.repeat(np.arange(n_participants), n_visits),
            "site": np.repeat(site, n_visits),
            "scanner": rng.integers(0, 5, n_participants * n_visits),
            "age": rng.normal(size=n_participants * n_visits),
        }
    )
    rows["eta"] = (
        slope * rows["age"]
        + rng.normal(size=n_participants)[rows["participant_id"]]
        + 0.5 * rng.normal(size=n_sites)[rows["site"]]
        + 0.5 * rng.normal(size=5)[rows["scanner"]]
    )
    rows["score"] = rows["eta"] + 0.5 * rng.normal(size=len(rows))
    rows["ill"] = (rng.uniform(size=len(rows)) < expit(rows["eta"])).astype(int)
    return rows
