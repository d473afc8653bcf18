import numpy as np
import pytest
from sklearn.ensemble import IsolationForest

from clinicadl_trust.testing import ContractError, check_detector


class Upside(IsolationForest):
    """Scores the wrong way."""

    def score_samples(self, X):
        return -super().score_samples(X)


class Unsure(IsolationForest):
    """Predicts past its decision."""

    def predict(self, X):
        return np.ones(len(X))


class Unfit(IsolationForest):
    """Cannot be fitted."""

    def fit(self, X, y=None, sample_weight=None):
        raise ValueError("too few")


def test_a_detector_that_keeps_its_contract_passes():
    check_detector(IsolationForest)


@pytest.mark.parametrize(
    ("cls", "message"),
    [
        (dict, "dict has no fit"),
        (Upside, "lower for what is abnormal"),
        (Unsure, "must be -1 where decision_function is negative"),
        (Unfit, "cannot be cloned, fitted and scored: ValueError: too few"),
    ],
)
def test_a_detector_that_breaks_its_contract_is_told_how(cls, message):
    with pytest.raises(ContractError, match=message):
        check_detector(cls)
