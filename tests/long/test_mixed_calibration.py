"""Mixed models keep their level on dependent data; the naive analysis does not."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats as distributions
from scipy.special import expit

from clinicadl_trust.stats import mixed_model

pytestmark = pytest.mark.long


def coverage(draws, fit):
    """Share of intervals that hold the truth."""
    return np.mean([fit(np.random.default_rng(seed)) for seed in range(draws)], axis=0)


@pytest.mark.parametrize("icc", [0.2, 0.5, 0.8])
def test_a_mean_over_repeated_images(icc):
    who = np.repeat(np.arange(60), 5)

    def fit(rng):
        y = np.sqrt(icc) * rng.normal(size=60)[who]
        y += np.sqrt(1 - icc) * rng.normal(size=300)
        model = mixed_model("y ~ 1 + (1 | who)", pd.DataFrame({"y": y, "who": who}))
        low, high = model.fixed_effects.loc["Intercept", ["low", "high"]]
        naive = distributions.ttest_1samp(y, 0).confidence_interval()
        return low < 0 < high, naive.low < 0 < naive.high

    ours, naive = coverage(2000, fit)
    assert 0.93 < ours < 0.97
    assert naive < 0.88


@pytest.mark.parametrize("sites", [3, 4, 5, 8, 20])
@pytest.mark.parametrize("df", ["satterthwaite", "kenward-roger"])
def test_a_difference_over_few_sites(sites, df):
    site = np.repeat(np.arange(sites), 12)

    def fit(rng):
        d = 0.5 * rng.normal(size=sites)[site] + rng.normal(size=site.size)
        table = pd.DataFrame({"d": d, "site": site})
        model = mixed_model("d ~ 1 + (1 | site)", table, df=df)
        low, high = model.fixed_effects.loc["Intercept", ["low", "high"]]
        return low < 0 < high

    assert 0.925 < coverage(2000, fit) < 0.975


def test_a_slope_between_people_of_crossed_scanners():
    who, scanner = np.divmod(np.arange(200), 5)

    def fit(rng):
        age = rng.normal(size=40)[who]
        y = rng.normal(size=40)[who] + 0.7 * rng.normal(size=5)[scanner]
        y += rng.normal(size=200)
        table = pd.DataFrame({"y": y, "age": age, "who": who, "scanner": scanner})
        model = mixed_model("y ~ age + (1 | who) + (1 | scanner)", table)
        return model.fixed_effects.loc["age", "p_value"] < 0.05

    assert 0.03 < coverage(1000, fit) < 0.07


def test_a_logistic_slope_of_two_visits():
    who, x = np.repeat(np.arange(150), 2), np.tile([0.0, 1.0], 150)

    def fit(rng):
        y = rng.uniform(size=300) < expit(x + 2 * rng.normal(size=150)[who])
        table = pd.DataFrame({"y": y.astype(int), "x": x, "who": who})
        model = mixed_model("y ~ x + (1 | who)", table, family="binomial")
        low, high = model.fixed_effects.loc["x", ["low", "high"]]
        return low < 1 < high

    assert 0.93 < coverage(300, fit) < 0.975
