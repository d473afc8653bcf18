"""Bad input: each a clear error, or nothing amiss; never a silent NaN."""

import pytest
import torch
import torchio as tio
from clinicadl.data.dataloader import Batch
from clinicadl.data.structures import DataPoint

from clinicadl_trust.attribution import AttributionConstrainedModel, Explained
from clinicadl_trust.attribution.constraints import HealthyGradient, RightReasons
from clinicadl_trust.exceptions import AttributionError
from clinicadl_trust.plugins import available, load
from clinicadl_trust.testing import example_parts

SHAPE = (3, 1, 4, 5, 6)


def examples():
    for name in available("attribution_constraints"):
        cls = load("attribution_constraints", name)
        yield cls.example() if hasattr(cls, "example") else cls()
    yield HealthyGradient("supervised")
    yield RightReasons(patients_only=True)


def batch(attributions, mask=0.0, healthy=(True, False, True)):
    labels = torch.zeros(SHAPE[2:], dtype=torch.long)
    labels[..., :2], labels[..., 2:4] = 1, 2
    return Explained(
        attributions=attributions.requires_grad_(),
        healthy=torch.tensor(healthy),
        mask=torch.full(SHAPE, mask),
        regions=lambda: (labels, ("Hippocampus_L", "Hippocampus_R")),
        signed=True,
    )


def images_and_labels(labels=(0, 1, 0, 1), mask=1):
    generator = torch.Generator().manual_seed(0)
    shape = (1, 16, 16, 16)
    return Batch(
        [
            DataPoint(
                tio.ScalarImage(tensor=torch.rand(shape, generator=generator)),
                f"sub-{number}",
                "ses-M000",
                label=label,
                lesion=tio.LabelMap(tensor=torch.full(shape, mask, dtype=torch.int)),
            )
            for number, label in enumerate(labels)
        ]
    )


def model(*constraints, **options):
    torch.manual_seed(0)
    return AttributionConstrainedModel(
        **example_parts(), constraints=constraints, **options
    )


def train(made, optimizer, given, n_steps=10):
    for _ in range(n_steps):
        loss = made.forward_step(given)
        made.backward_step(loss)
        optimizer.step()
        optimizer.zero_grad()
    return loss


def check_finite(constraint, explained):
    penalty = constraint(explained)
    assert torch.isfinite(penalty)
    (gradient,) = torch.autograd.grad(
        penalty, explained.attributions, allow_unused=True, materialize_grads=True
    )
    assert torch.isfinite(gradient).all()


@pytest.mark.parametrize("constraint", examples(), ids=lambda c: type(c).__name__)
@pytest.mark.parametrize("healthy", [(True, False, True), (True,) * 3, (False,) * 3])
@pytest.mark.parametrize("mask", [0.0, 1.0], ids=["empty mask", "full mask"])
@pytest.mark.parametrize("size", [0.0, 1e-20, 1.0, 1e15])
def test_empty_masks_and_dead_networks_give_no_nan(constraint, healthy, mask, size):
    generator = torch.Generator().manual_seed(0)
    attributions = size * torch.randn(SHAPE, generator=generator)
    check_finite(constraint, batch(attributions, mask, healthy))


def test_a_huge_weight_stops_with_its_name_or_trains():
    given = images_and_labels()
    made = model({"name": "HealthyGradient", "scale": "voxels", "weight": 1e6}).train()
    optimizer = torch.optim.SGD(made.parameters(), lr=0.1)
    with pytest.raises(AttributionError, match=r"HealthyGradient, of weight 1e\+06: "):
        train(made, optimizer, given)
    made = model({"name": "HealthyGradient", "scale": "voxels", "weight": 1e6}).train()
    optimizer = torch.optim.Adam(made.parameters(), lr=1e-3)
    loss = train(made, optimizer, given)
    assert all(torch.isfinite(value) for value in loss.values())
    assert all(torch.isfinite(weight).all() for weight in made.parameters())


def test_weight_zero_needs_no_mask_and_no_healthy_image():
    made = model({"name": "RightReasons", "weight": 0}).train()
    loss = made.forward_step(images_and_labels(labels=(1, 1, 1, 1)))
    assert loss["RightReasons"] == 0 and loss["loss"] > 0


def test_empty_masks_of_patients_train():
    made = model(
        {"name": "HealthyGradient", "mode": "supervised"},
        {"name": "RightReasons"},
        mask_key="lesion",
    )
    optimizer = torch.optim.Adam(made.parameters(), lr=1e-3)
    loss = train(made.train(), optimizer, images_and_labels(mask=0), n_steps=3)
    assert all(torch.isfinite(value) and value > 0 for value in loss.values())


def test_a_network_that_cannot_be_differentiated_twice_is_told():
    class Once(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return 2 * x

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx, gradient):
            return 2 * gradient

    made = model({"name": "HealthyGradient"}).train()
    made.network.register_forward_pre_hook(lambda module, given: Once.apply(*given))
    with pytest.raises(AttributionError, match="cannot be differentiated twice"):
        made.forward_step(images_and_labels())


def test_a_mask_key_that_does_not_exist_is_told():
    made = model({"name": "RightReasons"}, mask_key="tumour").train()
    with pytest.raises(AttributionError, match=r"mask_key = 'tumour'.*it has lesion"):
        made.forward_step(images_and_labels())
