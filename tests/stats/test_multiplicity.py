"""Adjusted p-values: R's p.adjust, statsmodels, by hand, mistakes, and their cost."""

import json
import math
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from statsmodels.stats.multitest import multipletests

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats import adjust

R = json.loads((Path(__file__).parent / "reference" / "many_tests.json").read_text())
NAMES = {"holm": "holm", "bonferroni": "bonferroni", "hommel": "hommel"}
NAMES |= {"fdr_bh": "BH", "fdr_by": "BY"}


@pytest.mark.parametrize("method", NAMES)
def test_adjusted_p_values_are_those_of_r(method):
    expected = R["adjusted"][NAMES[method]]
    assert_allclose(adjust(R["p_values"], method), expected, rtol=1e-12)


@pytest.mark.parametrize("method", NAMES)
@pytest.mark.parametrize("n", [1, 2, 7, 200])
def test_adjusted_p_values_are_those_of_statsmodels(method, n):
    p_values = np.round(np.random.default_rng(n).uniform(size=n) ** 3, 2)  # with ties
    expected = multipletests(p_values, method=method)[1]
    assert_allclose(adjust(p_values, method), expected, rtol=1e-12)


def test_adjusting_costs_nothing_in_a_simulation():
    p_values = [0.01, 0.02, 0.3]
    adjust(p_values)
    began = time.perf_counter()
    for _ in range(1000):
        adjust(p_values)
    assert time.perf_counter() - began < 1  # it was 20 to 40 s


def test_nothing_to_adjust_is_nothing():
    assert adjust([]).shape == (0,)


def test_holm_by_hand():
    # sorted .01 .02 .03 .4: x4, x3, x2, x1, never decreasing
    adjusted = adjust([0.02, 0.4, 0.01, 0.03])
    assert adjusted.tolist() == pytest.approx([0.06, 0.4, 0.04, 0.06])


def test_a_test_that_was_not_made_does_not_count():
    adjusted = adjust([0.02, math.nan, 0.01])
    assert adjusted[[0, 2]].tolist() == pytest.approx([0.02, 0.02])
    assert math.isnan(adjusted[1])
    assert np.isnan(adjust([math.nan])).all()


def test_an_unknown_adjustment_is_refused():
    with pytest.raises(StatisticsError, match="Did you mean 'holm'"):
        adjust([0.1], "holmes")
    with pytest.raises(StatisticsError, match="between 0 and 1"):
        adjust([1.2])
