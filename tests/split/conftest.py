"""Cohorts without images, made to measure."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from clinicadl_trust.cohort import Cohort


@pytest.fixture(scope="session")
def make_cohort():
    """Return a function that makes a cohort of a given size."""

    def make(
        participants: int = 60, sites: int = 3, seed: int = 0, **columns
    ) -> Cohort:
        """Participants seen one to three times; ``columns`` are set row by row."""
        rng = np.random.default_rng(seed)
        start = pd.Timestamp("2018-01-01")
        rows = []
        for n in range(participants):
            person = {
                "participant_id": f"sub-{n:03d}",
                "site": f"site-{n % sites}",
                "scanner": f"scanner-{n % (2 * sites)}",
                "dataset": f"data-{n % 2}",
                "family_id": f"fam-{n // 2}" if n < participants // 3 else None,
                "age": round(rng.normal(70, 8), 1),
                "sex": str(rng.choice(["F", "M"])),
                "diagnosis": "AD" if rng.uniform() < 0.4 else "CN",
                "score": rng.normal(),
            }
            first = start + pd.Timedelta(days=int(rng.integers(0, 1500)))
            for session in range(1 + n % 3):
                day = first + pd.Timedelta(days=365 * session)
                rows.append(
                    {
                        **person,
                        "session_id": f"ses-M{12 * session:03d}",
                        "acquisition_date": str(day.date()),
                    }
                )
        table = pd.DataFrame(rows).assign(**columns)
        return Cohort.from_frame(table, "the test cohort")

    return make
