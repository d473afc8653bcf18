"""Image-by-image comparison of equal models rejects as often as it says."""

import sys
from pathlib import Path

import pytest

from clinicadl_trust.stats import compare_models

sys.path.append(str(Path(__file__).parents[1] / "stats"))
from test_image_comparison import dice


@pytest.mark.long
@pytest.mark.parametrize("sites", [5, 8, 20])
def test_equal_models_are_rejected_at_the_nominal_rate(sites):
    single = joint = 0
    draws = 400
    for seed in range(draws):
        table = dice(n=60, visits=2, sites=sites, site_sd=0.02, seed=seed)
        made = compare_models(table, "dice", seed=seed).comparisons
        single += int((made["p_value"] < 0.05).sum())
        joint += bool((made["p_adjusted"] < 0.05).any())
    assert 0.025 < single / (3 * draws) < 0.075
    assert joint / draws < 0.08
