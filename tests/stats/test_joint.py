"""Several numbers of the same participants: covariance and max-T."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.joint import clustered_means, max_t
from clinicadl_trust.stats.sample import Sample


def test_means_of_one_image_each_have_the_usual_covariance():
    each = np.random.default_rng(0).normal(size=(30, 3))
    made = clustered_means(each, Sample.make(np.zeros(30)))
    assert_allclose(made.values, each.mean(axis=0))
    assert_allclose(made.covariance, np.cov(each.T) / 30)
    each[:29, 0] = 0
    assert clustered_means(each, Sample.make(np.zeros(30))).n_contributing[0] == 1


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
def test_max_t_is_the_bivariate_normal(correlation):
    covariance = np.array([[1, correlation], [correlation, 1]])
    p_values = np.array([0.01, 0.2])
    z = stats.norm.isf(p_values / 2)
    joint = stats.multivariate_normal(cov=covariance)
    inside = [joint.cdf([x, x], lower_limit=[-x, -x]) for x in z]
    scale = np.diag([2.0, 30.0])
    made = max_t(p_values, scale @ covariance @ scale, seed=0)
    assert_allclose(made, 1 - np.array(inside), atol=0.004)


def test_max_t_lies_between_the_p_value_and_bonferronis():
    p_values = [1e-12, 0.03, np.nan, 1.0]
    made = max_t(p_values, np.eye(4), seed=0)
    assert_allclose(made[0], 3e-12)
    assert 0.03 < made[1] < 0.09 and np.isnan(made[2]) and made[3] == 1
    assert_allclose(max_t([0.04, 0.04], np.ones((2, 2)), seed=0), 0.04, atol=0.003)
    assert_allclose(max_t([np.nan], np.eye(1), seed=0), np.nan)
    without = max_t([0.02, 0.02, 0.02], np.diag([1.0, 0.0, 4.0]), seed=0)
    assert_allclose(without, 1 - 0.98**3, atol=0.003)
    with pytest.raises(StatisticsError, match="2 p-values need"):
        max_t([0.1, 0.2], np.eye(3), seed=0)
