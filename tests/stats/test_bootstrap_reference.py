"""Intervals from given replicates: those of R's boot (Davison and Hinkley 1997)."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from clinicadl_trust.stats import bootstrap
from clinicadl_trust.stats.resampling.quantiles import Distribution

R = json.loads((Path(__file__).parent / "reference" / "bootstrap.json").read_text())
MADE = Distribution(
    R["value"],
    np.array(R["replicates"]),
    np.array(R["jackknife"]),
    np.sqrt(R["variances"]),
)


def ratio(table):
    return table["x"].sum() / table["u"].sum()


def test_the_acceleration_is_that_of_boot():
    assert_allclose(MADE.acceleration, R["acceleration"], rtol=1e-9)


@pytest.mark.parametrize("method", ["basic", "percentile", "studentized"])
@pytest.mark.parametrize(
    "expected", R["intervals"], ids=lambda each: str(each["level"])
)
def test_intervals_are_those_of_boot(method, expected):
    made = MADE.interval(method, expected["level"])
    assert_allclose(made, expected[method], rtol=1e-9)


@pytest.mark.parametrize(
    "expected", R["intervals"], ids=lambda each: str(each["level"])
)
def test_bca_intervals_are_those_of_boot(expected):
    made = MADE.interval("bca", expected["level"])
    # boot interpolates between two neighbours on a normal scale, and does not count a
    # replicate equal to the value, of which there is one, as half below it.
    ordered = np.sort(MADE.resampled)
    for end, limit, rank in zip(
        made, expected["bca"], expected["bca_ranks"], strict=True
    ):
        below = int(rank) - 1
        assert ordered[below] <= limit <= ordered[below + 1]
        assert ordered[below] <= end <= ordered[below + 2]


def test_the_jackknife_is_that_of_leaving_out_each_row():
    table = pd.DataFrame({"u": R["u"], "x": R["x"]})
    made = bootstrap(ratio, table, cluster=None, n_resamples=999)
    assert_allclose(made.value, R["value"])
    assert_allclose(made.standard_error, MADE.standard_error, rtol=0.15)
    bca = R["intervals"][2]["bca"]
    assert_allclose([made.low, made.high], bca, atol=0.25)
