import pytest
import torch

from clinicadl_trust.attribution.balancing import GradientBalance
from clinicadl_trust.attribution.schedule import Schedule


def test_weights_rise_stay_and_fall():
    schedule = Schedule(warmup=3, anneal=4, final=0.2)
    factors = [schedule.factor(step) for step in range(10)]
    assert factors[:3] == [0.25, 0.5, 0.75]
    assert factors[3] == 1 and factors[5] == pytest.approx(0.6)
    assert factors[7:] == pytest.approx([0.2, 0.2, 0.2])
    assert Schedule(warmup=3).factor(1000) == 1


def test_skipped_steps_are_made_up_for():
    plain, rare = Schedule(warmup=10), Schedule(warmup=10, every=4)
    assert [rare.factor(step) > 0 for step in range(5)] == [True, *[False] * 3, True]
    assert rare.factor(8) == 4 * plain.factor(8)


def terms(weight, size):
    return (weight**2).sum(), [size * weight.sum()]


def test_norms_are_averaged_and_kept():
    weight = torch.ones(4, requires_grad=True)
    balance = GradientBalance(1, every=2)
    (factor,) = balance(*terms(weight, 10.0), [weight])
    assert float(factor) == pytest.approx(4 / 20)
    (factor,) = balance(*terms(weight, 1000.0), [weight])  # not measured
    assert float(factor) == pytest.approx(4 / 20)
    (factor,) = balance(*terms(weight, 20.0), [weight])
    assert float(factor) == pytest.approx(4 / (20 + 0.3 * 20))


def test_what_has_no_gradient_yet_is_waited_for():
    weight = torch.ones(4, requires_grad=True)
    balance = GradientBalance(1, every=100)
    loss = (weight**2).sum()
    assert balance(loss, [torch.zeros(())], [weight])[0] == 1
    (factor,) = balance(*terms(weight, 10.0), [weight])
    assert float(factor) == pytest.approx(4 / 20)
