"""The examples of Benavoli et al. (2017, JMLR 18(77)): naive Bayes against AODE."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from clinicadl_trust.stats import bayesian_correlated_ttest, bayesian_signed_rank

THEIRS = json.loads((Path(__file__).parent / "reference" / "benavoli.json").read_text())


def differences(name):
    folds = THEIRS["folds"][name]
    return (np.array(folds["nbc"]) - np.array(folds["aode"])) / 100


@pytest.mark.parametrize("name", ["anneal", "audiology"])
def test_the_correlated_ttest_is_theirs(name):
    made = bayesian_correlated_ttest(differences(name), 9, 1, 0.01)
    found = (made.p_worse, made.p_equivalent, made.p_better)
    assert_allclose(found, THEIRS["correlated"][name], atol=1e-12)


def test_the_posterior_of_a_small_dataset_is_theirs():
    made = bayesian_correlated_ttest(differences("squash-unstored"), 9, 1, 0.01)
    theirs = THEIRS["squash-unstored"]
    # Their folds are not rounded, and their prior is very wide instead of flat.
    assert_allclose(
        [made.mean, made.scale], [theirs["mean"], theirs["scale"]], atol=1e-5
    )
    assert made.df == theirs["df"] and made.n == 100


def test_the_signed_rank_over_54_datasets_is_theirs():
    datasets = THEIRS["datasets"]
    aode, nbc = (np.array(datasets[name]) / 100 for name in ("aode", "nbc"))
    made = bayesian_signed_rank(aode - nbc, 0.01, prior_strength=0.6)
    found = (made.p_worse, made.p_equivalent, made.p_better)
    # Both are simulated by 50,000 draws: four errors of the difference.
    error = np.sqrt(2 * 0.125 * 0.875 / 50_000)
    assert_allclose(found, THEIRS["signed_rank"], atol=4 * error)
    assert made.n == 54
