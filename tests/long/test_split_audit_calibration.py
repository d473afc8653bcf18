"""How often the audit accuses the innocent, and misses the guilty."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from clinicadl_trust.caps import find_images
from clinicadl_trust.cohort import read_cohort
from clinicadl_trust.generate import GeneratorOptions, generate_caps, image_type
from clinicadl_trust.generate.people import plan_cohort
from clinicadl_trust.split.audit.confounding import estimate_confounding
from clinicadl_trust.split.audit.images import THRESHOLD, alike, read_contents

pytestmark = pytest.mark.long

COHORTS = {
    "T1w 4 mm": {"resolution": 4},
    "T1w 8 mm": {"resolution": 8},
    "few people": {"resolution": 8, "participants": 16, "sites": 2},
    "many scanners": {"resolution": 4, "scanners_per_site": 2, "site_effect": 2.0},
    "FLAIR lesions": {"resolution": 8, "modality": "FLAIR", "disease": "lesions"},
    "strong disease": {"resolution": 8, "effect": 4.0},
}


def pairs_of(caps, options):
    table = read_cohort(caps / "participants.tsv").table
    images = find_images(caps, image_type(options))
    found = alike(
        read_contents(table.merge(images, on=["participant_id", "session_id"]))
    )
    return {(pair.first, pair.second): pair for pair in found}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", COHORTS)
def test_near_duplicates(name, seed, tmp_path):
    """Families and repeated sessions are not accused, copies with noise are found."""
    base = {"participants": 48, "sites": 3, "sessions": 3, "families": 0.5}
    noise = 0.05 if COHORTS[name]["resolution"] == 4 else 0.02
    options = GeneratorOptions(
        **{**base, "duplicates": 5, "duplicate_noise": noise, **COHORTS[name]},
        seed=100 + seed,
    )
    caps = generate_caps(tmp_path / "caps", options, n_jobs=2)
    truth = pd.read_csv(caps / "truth.tsv", sep="\t", dtype=str, na_values="n/a")
    copies = truth.dropna(subset=["copied_from"])
    expected = set(zip(copies["copied_from"], copies["participant_id"], strict=True))
    found = pairs_of(caps, options)
    assert set(found) == expected
    assert all(pair.correlation >= THRESHOLD for pair in found.values())


@pytest.mark.parametrize(
    "options",
    [{}, {"participants": 60, "sites": 3}, {"participants": 24, "sites": 3}],
)
def test_clean_cohorts_are_not_called_confounded(options):
    """At most 2 % of clean cohorts: a 95 % interval alone would accuse 3 to 5 %."""
    guilty = [
        estimate_confounding(
            plan_cohort(GeneratorOptions(**options, seed=seed)), "diagnosis"
        )
        for seed in range(300)
    ]
    assert np.mean([g is not None and g.is_confounded for g in guilty]) <= 0.02


def test_confounded_cohorts_are_found():
    """Four sites with prevalence .1 to .9, and 120 participants."""
    options = {"prevalence_spread": 0.4}
    guilty = [
        estimate_confounding(
            plan_cohort(GeneratorOptions(**options, seed=seed)), "diagnosis"
        )
        for seed in range(100)
    ]
    assert np.mean([g is not None and g.is_confounded for g in guilty]) >= 0.95
