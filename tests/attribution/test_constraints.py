import math

import pytest
import torch
from torch import nn

from clinicadl_trust.attribution.constraints import (
    Explained,
    GraphSmoothness,
    HealthyGradient,
    MonotoneSign,
    RegionShare,
    RightReasons,
    Sparsity,
    TotalVariation,
)
from clinicadl_trust.attribution.methods import Points
from clinicadl_trust.attribution.second_order import (
    Evaluated,
    by_difference,
    by_difference_apart,
    exactly,
)
from clinicadl_trust.exceptions import AttributionError


def explained(attributions, **others):
    return Explained(torch.as_tensor(attributions, dtype=torch.float64), **others)


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(4, 1, 5, 6, 7, generator=generator, dtype=torch.float64)


def test_healthy_voxels_may_not_speak_for_disease(batch):
    healthy = torch.tensor([True, False, True, False])
    constraint = HealthyGradient(scale="none")
    wanted = nn.functional.softplus(batch[healthy]).mean()
    assert constraint(explained(batch, healthy=healthy)) == pytest.approx(wanted.item())
    patients = explained(batch, healthy=torch.zeros(4, dtype=torch.bool))
    assert constraint(patients) == 0
    negative = explained(-1e3 * batch.abs() - 1, healthy=healthy)
    assert constraint(negative) < 0.3


def test_lesions_of_patients_may(batch):
    healthy = torch.tensor([True, False, True, False])
    mask = (torch.rand(4, 1, 5, 6, 7) > 0.7).float()
    target = mask.double() * (~healthy).double().view(-1, 1, 1, 1, 1)
    wanted = (nn.functional.softplus(batch) - target * batch).mean()
    constraint = HealthyGradient("supervised", scale="none", balanced=False)
    found = constraint(explained(batch, healthy=healthy, mask=mask))
    assert found == pytest.approx(wanted.item())


def test_small_lesions_count_as_much_as_the_rest(batch):
    healthy = torch.tensor([True, False])
    mask = torch.zeros(2, 1, 5, 6, 7)
    mask[:, :, 0, 0, :2] = 1
    maps = batch[:2]
    inside, outside = maps[1][mask[1] > 0], maps[1][mask[1] == 0]
    softplus = nn.functional.softplus
    patient = (softplus(-inside).mean() + softplus(outside).mean()) / 2
    wanted = (softplus(maps[0]).mean() + patient) / 2
    constraint = HealthyGradient("supervised", scale="none")
    found = constraint(explained(maps, healthy=healthy, mask=mask))
    assert found == pytest.approx(wanted.item())
    for full in (0, 1):  # no lesion, or nothing else: the plain mean
        given = explained(maps, healthy=healthy, mask=torch.full_like(mask, full))
        plain = HealthyGradient("supervised", scale="none", balanced=False)
        assert constraint(given) == pytest.approx(plain(given).item())


def test_the_scale_of_the_gradient_does_not_matter_after_rms(batch):
    healthy = torch.ones(4, dtype=torch.bool)
    small = HealthyGradient()(explained(1e-6 * batch, healthy=healthy))
    assert small == pytest.approx(
        HealthyGradient()(explained(batch, healthy=healthy)).item()
    )
    unscaled = HealthyGradient(scale="none")(explained(1e-6 * batch, healthy=healthy))
    assert unscaled == pytest.approx(math.log(2), abs=1e-6)


def test_attributions_outside_the_mask_are_squared(batch):
    mask = torch.zeros(4, 1, 5, 6, 7)
    mask[..., :3] = 1
    found = RightReasons(scale="none")(explained(batch, mask=mask))
    assert found == pytest.approx((batch[..., 3:] ** 2).sum().item() / batch.numel())
    assert RightReasons()(explained(batch, mask=torch.ones_like(mask))) == 0
    healthy = torch.tensor([True, True, False, True])
    found = RightReasons(patients_only=True, scale="none")(
        explained(batch, mask=mask, healthy=healthy)
    )
    wanted = (batch[2, ..., 3:] ** 2).sum().item() / batch[2].numel()
    assert found == pytest.approx(wanted)


def test_the_share_outside_does_not_depend_on_size(batch):
    mask = torch.zeros(4, 1, 5, 6, 7)
    mask[..., :3] = 1
    squares = batch.square()
    share = (squares[..., 3:].flatten(1).sum(1) / squares.flatten(1).sum(1)).mean()
    constraint = RightReasons(scale="image")
    for size in (1.0, 1e-6):
        given = (size * batch).requires_grad_()
        found = constraint(explained(given, mask=mask))
        assert found.item() == pytest.approx(share.item())
        (slope,) = torch.autograd.grad(found, given)
        # No gain in being smaller: the derivative has no part along the attributions.
        along = (slope * given).flatten(1).sum(1)
        assert (along.abs() < 1e-12 * slope.norm() * given.norm()).all()
    nothing = torch.zeros_like(batch).requires_grad_()
    found = constraint(explained(nothing, mask=mask))
    assert found.item() == 0
    assert torch.autograd.grad(found, nothing)[0].isfinite().all()


@pytest.mark.parametrize(("sign", "s"), [("positive", 1.0), ("negative", -1.0)])
@pytest.mark.parametrize("form", ["hinge", "softplus"])
def test_the_wrong_sign_inside_the_mask_is_penalised(batch, sign, s, form):
    mask = torch.zeros(4, 1, 5, 6, 7)
    mask[0, ..., :3] = 1
    mask[2, :, 1] = 1
    curve = {"hinge": nn.functional.relu, "softplus": nn.functional.softplus}[form]
    wanted = curve(-s * batch[0, ..., :3]).mean() + curve(-s * batch[2, 0, 1]).mean()
    found = MonotoneSign(sign, form, scale="none")(explained(batch, mask=mask))
    assert found == pytest.approx(wanted.item() / 2)  # empty masks do not count
    right = explained(s * batch.abs(), mask=mask)
    assert MonotoneSign(sign)(right) == 0


def test_a_sign_or_form_that_does_not_exist():
    with pytest.raises(AttributionError, match="sign='up' is neither"):
        MonotoneSign("up")
    with pytest.raises(AttributionError, match="form='square' is neither"):
        MonotoneSign(form="square")


def test_total_variation_and_sparsity_order_images():
    ramp = torch.linspace(0, 1, 20).view(1, 1, 20, 1)
    noise = ramp[:, :, torch.randperm(20)]
    assert TotalVariation()(Explained(ramp)) < TotalVariation()(Explained(noise))
    peak = torch.zeros(1, 1, 50)
    peak[..., 7] = 3.0
    assert Sparsity()(Explained(peak)) == pytest.approx(-49 / 50)
    assert Sparsity()(Explained(torch.ones(1, 1, 50))) == pytest.approx(0, abs=1e-6)


def halves():
    labels = torch.zeros(4, 6, dtype=torch.long)
    labels[:, 1:3], labels[:, 3:5] = 1, 2
    return labels, ("left", "right")


def test_regions_that_touch_should_be_alike():
    attributions = torch.zeros(2, 1, 4, 6)
    attributions[0, ..., 1:5] = 2.0
    attributions[1, ..., 1:3], attributions[1, ..., 3:5] = 1.0, -1.0
    one, two = (
        GraphSmoothness()(Explained(a[None], regions=halves)) for a in attributions
    )
    assert one == 0
    assert two == pytest.approx(2.0)  # (1 - -1) ** 2 / (1 + 1)


def test_regions_may_have_their_share_only():
    attributions = torch.zeros(1, 1, 4, 6)
    attributions[..., 1:3], attributions[..., 3:5], attributions[..., 0] = (
        1.0,
        -2.0,
        2.0,
    )
    seen = Explained(attributions, regions=halves)  # 8, 16 and 8 of 32
    found = RegionShare({"left": 0.25, "right": 0.4}, outside=0.2)(seen)
    assert found == pytest.approx(0.1 + 0.05)
    with pytest.raises(AttributionError, match="Did you mean 'left'"):
        RegionShare({"lefft": 0.5})(seen)
    with pytest.raises(AttributionError, match="from 0 to 1"):
        RegionShare({"left": 3})


@pytest.mark.parametrize(
    ("constraint", "options", "said"),
    [
        (HealthyGradient(), {}, "which images are healthy"),
        (RightReasons(), {}, "needs a mask"),
        (MonotoneSign(), {}, "MonotoneSign needs a mask"),
        (
            MonotoneSign(),
            {"mask": torch.ones(4, 1, 5, 6, 7), "signed": False},
            "Choose one: explain.output",
        ),
        (RightReasons(), {"mask": torch.ones(4, 1, 5, 6, 6)}, "onto the images' grid"),
        (GraphSmoothness(), {}, "atlas regions"),
        (GraphSmoothness(), {"regions": halves}, "whole volumes"),
    ],
)
def test_what_is_missing_is_said(batch, constraint, options, said):
    with pytest.raises(AttributionError, match=said):
        constraint(explained(batch, **options))


def test_attributions_that_are_not_finite(batch):
    batch[0, 0, 0, 0, 0] = torch.nan
    with pytest.raises(AttributionError, match="NaN or infinite"):
        TotalVariation()(explained(batch))
    with pytest.raises(AttributionError, match="neither"):
        HealthyGradient("semi")
    with pytest.raises(AttributionError, match="none of 'rms'"):
        HealthyGradient(scale="max")(
            explained(torch.ones(4, 1, 3), healthy=torch.ones(4, dtype=torch.bool))
        )


@pytest.mark.parametrize("factor", ["one", "image"])
@pytest.mark.parametrize(
    "constraint",
    [HealthyGradient(), TotalVariation(), Sparsity()],
    ids=lambda c: type(c).__name__,
)
def test_the_difference_gives_the_exact_gradient(constraint, factor):
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.GroupNorm(2, 4),
        nn.GELU(),
        nn.AvgPool2d(2),
        nn.Conv2d(4, 6, 3),
        nn.GELU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(6, 1),
    ).double()
    images = torch.randn(3, 1, 12, 12, dtype=torch.float64)
    healthy = torch.tensor([True, False, True])

    def gradient(how):
        points = images.clone().requires_grad_()
        factors = images if factor == "image" else 1.0
        here = Points(points, factors)
        weights = list(network.parameters())
        value = how(
            Evaluated(here, network(points)[:, 0]),
            lambda found: constraint(Explained(found, healthy=healthy)),
            lambda found, part: network(found)[:, 0],
            weights,
        )
        found = torch.autograd.grad(value, weights, materialize_grads=True)
        return value.item(), torch.cat([each.flatten() for each in found])

    def shared(step):
        return lambda *given: by_difference(*given, step)

    def apart(step):
        return lambda here, penalty, scores, weights: by_difference_apart(
            [here.points], penalty, scores, weights, step
        )

    value, exact = gradient(lambda here, penalty, *_: exactly([here], penalty))
    for how in (shared, apart):
        same, quick = gradient(how(1e-6))
        assert same == pytest.approx(value)
        assert (quick - exact).norm() < 1e-4 * exact.norm()
        _, coarse = gradient(how(1e-3))
        assert (coarse - exact).norm() < 0.01 * exact.norm()


def test_right_reasons_say_where_and_not_how_much():
    attributions = torch.rand(2, 1, 4, 4, dtype=torch.float64)
    mask = torch.zeros(2, 1, 4, 4)
    mask[..., :2] = 1
    outside = attributions[..., 2:].square().sum(dim=(1, 2, 3))
    share = (outside / attributions.square().sum(dim=(1, 2, 3))).mean()
    for size in (1.0, 1e-6, 1e6):
        found = RightReasons()(Explained(size * attributions, mask=mask))
        assert float(found) == pytest.approx(float(share))
