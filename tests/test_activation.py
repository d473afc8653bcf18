import numpy as np
import pytest

from clinicadl_trust.activation import activate
from clinicadl_trust.exceptions import PredictionsError

OUTPUTS = np.array([[0.0], [1.0], [-800.0], [800.0]])


def test_a_logit_becomes_a_probability():
    expected = [[0.5], [np.e / (1 + np.e)], [0], [1]]
    np.testing.assert_allclose(activate(OUTPUTS, "BCEWithLogitsLoss"), expected)
    np.testing.assert_allclose(activate(OUTPUTS, "sigmoid"), expected)


@pytest.mark.parametrize("loss", ["CrossEntropyLoss", "MultiMarginLoss", "softmax"])
def test_many_outputs_become_probabilities_that_sum_to_one(loss):
    outputs = np.array([[1.0, 2.0, 3.0], [900.0, 0.0, -900.0]])
    powers = np.exp([1, 2, 3])
    expected = [powers / powers.sum(), [1, 0, 0]]
    np.testing.assert_allclose(activate(outputs, loss), expected)


def test_log_probabilities_are_exponentiated():
    logs = np.log([[0.2, 0.8]])
    np.testing.assert_allclose(activate(logs, "NLLLoss"), [[0.2, 0.8]])


@pytest.mark.parametrize("loss", ["BCELoss", "MSELoss", "L1Loss", "HuberLoss"])
def test_values_and_probabilities_pass_through(loss):
    np.testing.assert_array_equal(activate([[0.25]], loss), [[0.25]])


@pytest.mark.parametrize("loss", ["BCEWithLogitsLoss", "MSELoss"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_diverged_model_is_told(loss, bad):
    with pytest.raises(PredictionsError, match=r"1 of 2 predictions.*diverged"):
        activate([[bad], [0.5]], loss)


def test_an_unknown_loss_is_answered_with_the_nearest():
    with pytest.raises(PredictionsError, match="Did you mean 'CrossEntropyLoss'"):
        activate(OUTPUTS, "CrossEntropy")
