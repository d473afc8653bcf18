"""Constraints wait until the network knows something of its task."""

import pytest
import torch
from pydantic import ValidationError
from test_constrained_model import batch, example_parts, model
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from clinicadl_trust.attribution import AttributionConstrainedModel
from clinicadl_trust.attribution.constrained_step import ConstrainedStep
from clinicadl_trust.attribution.readiness import Readiness
from clinicadl_trust.exceptions import AttributionError


def told(loss, exchanged, wait=0.5, times=1):
    made = Readiness(wait)
    for _ in range(times):
        made.update(torch.tensor(loss), torch.tensor(exchanged))
    return made


@pytest.mark.parametrize("times", [1, 50])
@pytest.mark.parametrize(
    ("loss", "exchanged", "factor"),
    [
        (0.7, 0.7, 0.0),  # knows nothing
        (0.7, 0.6, 0.0),  # less than nothing
        (0.75, 1.0, 0.25),  # half of what is waited for, squared
        (0.5, 1.0, 1.0),
        (0.0, 1.0, 1.0),  # everything
        (0.0, 0.0, 0.0),  # nothing to know
        (-1.0, -1.0, 1.0),  # no ratio: nothing waits
        (-2.0, 0.5, 1.0),
    ],
)
def test_the_factor_is_what_is_known(loss, exchanged, factor, times):
    assert told(loss, exchanged, times=times).factor() == pytest.approx(factor)


def test_it_falls_again_where_the_network_forgets():
    made = told(0.0, 1.0)
    for _ in range(100):
        made.update(torch.tensor(1.0), torch.tensor(1.0))
    assert made.factor() == pytest.approx(0, abs=1e-6)


def test_it_does_not_take_a_rare_class_for_knowledge():
    generator = torch.Generator().manual_seed(0)
    rare, known = Readiness(0.5), Readiness(0.5)
    for _ in range(300):
        labels = (torch.rand(64, generator=generator) < 0.1).double()
        noise = torch.randn(64, generator=generator, dtype=torch.double) / 10
        prior, found = noise - 2.2, 3 * (2 * labels - 1) + noise
        for made, scores in ((rare, prior), (known, found)):
            made.update(bce(scores, labels), bce(scores, labels.roll(1)))
    # Against log(2), the rate of the class alone would count as half of it known.
    assert rare.factor() < 0.001
    assert known.factor() == 1


@pytest.mark.parametrize(
    ("distance", "least", "most"), [(0.74, 0.15, 0.21), (1.53, 0.5, 0.6)]
)
def test_a_calibrated_classifier_knows_what_the_docs_say(distance, least, most):
    """AUCs of .70 and .86."""
    generator = torch.Generator().manual_seed(0)
    labels = (torch.rand(100_000, generator=generator) < 0.5).double()
    noise = torch.randn(100_000, generator=generator, dtype=torch.double)
    logits = distance * (distance * (labels - 0.5) + noise)
    made = told(float(bce(logits, labels)), float(bce(logits, labels.roll(1))))
    assert least < made.known < most


def test_a_loss_that_is_not_finite_is_not_counted():
    made = told(0.5, 1.0)
    made.update(torch.tensor(torch.nan), torch.tensor(1.0))
    assert made.factor() == 1 and int(made.steps) == 1


def test_the_state_goes_into_the_checkpoint_and_a_reset_forgets_it():
    made = model(wait=0.5).train()
    for _ in range(3):
        made.backward_step(made.forward_step(batch()))
    again = model(wait=0.5)
    again.load_state_dict(made.state_dict())
    assert torch.equal(again.readiness.averages, made.readiness.averages)
    assert int(again.readiness.steps) == 3
    again.reset()
    assert not again.readiness.averages.any() and not again.readiness.steps


def test_by_default_the_first_step_has_no_constraint_and_a_learnt_task_has():
    made = model(wait=0.5).train()
    terms = made.forward_step(batch())
    assert terms["HealthyGradient"] == 0
    made.readiness.averages[:] = torch.tensor([0.1, 1.0])
    made.constraint_step += 1
    assert made.forward_step(batch())["HealthyGradient"] > 0


def test_what_is_left_waiting_at_the_end_is_told():
    made = model(wait=0.5).train()
    assert made.remarks() == []  # nothing was trained
    made.forward_step(batch())
    made.readiness.averages[:] = torch.tensor([0.75, 1.0])
    (remark,) = made.remarks()
    assert "0.25 of their weight" in remark and "knew 0.25" in remark
    made.readiness.averages[:] = torch.tensor([0.1, 1.0])
    assert made.remarks() == []


def test_it_is_on_by_default():
    parts = {**example_parts(), "constraints": ({"name": "HealthyGradient"},)}
    assert AttributionConstrainedModel(**parts).readiness.wait == 0.6


@pytest.mark.parametrize("half", [False, True])
def test_it_goes_with_the_other_options(half):
    made = model(wait=0.5, delay=1, warmup=2, every=2, balance=True).train()
    made.readiness.averages[:] = torch.tensor([0.1, 1.0])
    sizes = []
    for _ in range(6):
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            terms = made.forward_step(batch())
        made.backward_step(terms)
        sizes.append(float(terms["HealthyGradient"]))
    assert [size > 0 for size in sizes] == [False, True, False, True, False, True]
    assert all(torch.isfinite(weight.grad).all() for weight in made.parameters())


def test_evaluation_does_not_count():
    made = model(wait=0.5).eval()
    made.forward_step(batch())
    assert not made.readiness.steps


@pytest.mark.parametrize("options", [{"wait": 0.0}, {"loss_weight": 0.0, "wait": 0.5}])
def test_without_waiting_or_a_task_there_are_constraints_from_the_first_step(options):
    made = model(**options).train()
    assert made.forward_step(batch())["HealthyGradient"] > 0
    assert not made.readiness.steps


def test_batches_of_one_image_do_not_wait():
    assert Readiness(0.5).factor(n_images=1) == 1
    assert told(1.0, 1.0).factor(n_images=1) == 0  # a last, incomplete batch


@pytest.mark.parametrize("wait", [-0.1, 1.5])
def test_a_part_is_from_0_to_1(wait):
    with pytest.raises(ValidationError, match="wait"):
        model(wait=wait)


def test_a_wrong_mask_is_told_while_it_waits():
    made = model({"name": "RightReasons"}, mask_key="nothing", wait=0.5).train()
    with pytest.raises(AttributionError, match="nothing"):
        made.forward_step(batch())


def test_constraints_are_tried_once_at_the_first_step_and_draw_nothing(monkeypatch):
    made = model(
        {"name": "HealthyGradient", "method": "expected_gradients"}, wait=1.0
    ).train()
    calls, penalty = [], ConstrainedStep.penalty
    monkeypatch.setattr(
        ConstrainedStep, "penalty", lambda *a: calls.append(1) or penalty(*a)
    )
    given = batch()
    for _ in range(2):
        state = torch.get_rng_state()
        made.backward_step(made.forward_step(given))
        assert torch.equal(torch.get_rng_state(), state)
        made.readiness.averages[:] = 1.0
    assert len(calls) == 1
