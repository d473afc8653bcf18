"""The quicker gradient in the image is the gradient in the image."""

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from clinicadl_trust.attribution import first_layer
from clinicadl_trust.attribution.first_layer import quick_image_gradient


def network(**options):
    torch.manual_seed(0)
    given = {"in_channels": 1, "out_channels": 3, "kernel_size": 3, **options}
    head = (nn.GELU(), nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(3, 1))
    return nn.Sequential(nn.Conv3d(**given), *head)


def gradients(made, images, wanted, quick):
    images = images.clone().requires_grad_()
    inputs = {"image": [images], "weights": [*made.parameters()]}
    inputs["both"] = [images, *made.parameters()]
    if quick:
        with quick_image_gradient(made):
            outputs = made(images)
    else:
        outputs = made(images)
    return outputs, torch.autograd.grad(outputs.square().sum(), inputs[wanted])


@pytest.mark.parametrize("wanted", ["image", "weights", "both"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"padding": 1},
        {"padding": (0, 1, 2), "kernel_size": (1, 2, 5)},
        {"bias": False, "padding": 2},
    ],
)
def test_gradients_are_those_of_torch(options, wanted):
    made = network(**options)
    images = torch.randn(2, 1, 7, 8, 9)
    theirs, expected = gradients(made, images, wanted, quick=False)
    ours, found = gradients(made, images, wanted, quick=True)
    assert torch.equal(ours, theirs)
    for one, other in zip(found, expected, strict=True):
        assert torch.allclose(one, other, rtol=1e-5, atol=1e-7)
    assert "forward" not in vars(made[0])  # as it was


@pytest.mark.parametrize(
    "options",
    [
        {"stride": 2},
        {"dilation": 2},
        {"padding": "same"},
        {"padding": 3},  # beyond the kernel
        {"padding": 1, "padding_mode": "circular"},
        {"in_channels": 2},
    ],
)
def test_other_convolutions_are_left_alone(options):
    made = network(**options)
    with quick_image_gradient(made):
        assert "forward" not in vars(made[0])


def test_what_is_not_wanted_is_not_computed(monkeypatch):
    calls = []
    original = first_layer.F.conv3d
    monkeypatch.setattr(
        first_layer.F, "conv3d", lambda *a, **k: calls.append(1) or original(*a, **k)
    )
    images = torch.randn(2, 1, 7, 8, 9)
    gradients(network(), images, "weights", quick=True)
    assert len(calls) == 1  # forward
    gradients(network(), images, "image", quick=True)
    assert len(calls) == 3


def test_hooks_and_double_precision_are_kept():
    made, seen = network(), []
    made[0].register_forward_hook(lambda *given: seen.append(1))
    with quick_image_gradient(made):
        made(torch.randn(1, 1, 7, 7, 7))
    assert seen == [1]
    double = made.double()
    images = torch.randn(1, 1, 7, 7, 7, dtype=torch.double, requires_grad=True)
    with quick_image_gradient(double):
        assert double(images).dtype == torch.double
        assert torch.autograd.gradcheck(double, images, atol=1e-4)


def test_it_is_left_as_it_was_after_an_error():
    made = network()
    with pytest.raises(ZeroDivisionError), quick_image_gradient(made):
        raise ZeroDivisionError
    assert "forward" not in vars(made[0])


@pytest.mark.parametrize("act", [nn.ReLU, nn.SiLU])
@pytest.mark.parametrize("frozen", [False, True])
def test_an_activation_may_work_in_place(act, frozen):
    made = network()
    made[1] = act(inplace=True)
    made[0].requires_grad_(not frozen)
    images = torch.randn(2, 1, 7, 8, 9)
    _, (theirs,) = gradients(made, images, "image", quick=False)
    _, (ours,) = gradients(made, images, "image", quick=True)
    assert torch.allclose(ours, theirs, rtol=1e-5, atol=1e-7)


def test_a_convolution_that_is_used_twice_and_a_context_within_another():
    made = network(out_channels=1, padding=1)
    twice = nn.Sequential(made[0], made[1], made[0], nn.Flatten(), nn.Linear(504, 1))
    images = torch.randn(2, 1, 7, 8, 9)
    expected = gradients(twice, images, "both", quick=False)[1]
    with quick_image_gradient(twice):
        found = gradients(twice, images, "both", quick=True)[1]
        assert "forward" in vars(made[0])  # the outer one's
    assert "forward" not in vars(made[0])
    for one, other in zip(found, expected, strict=True):
        assert torch.allclose(one, other, rtol=1e-4, atol=1e-6)


def test_a_pass_may_be_made_again():
    made = network()
    images = torch.randn(2, 1, 7, 8, 9, requires_grad=True)
    (expected,) = torch.autograd.grad(made(images).sum(), images)
    with quick_image_gradient(made):
        outputs = checkpoint(made, images, use_reentrant=False)
    (found,) = torch.autograd.grad(outputs.sum(), images)
    assert torch.allclose(found, expected, rtol=1e-5, atol=1e-7)
