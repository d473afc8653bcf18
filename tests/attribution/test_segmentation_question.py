"""What is asked of a segmentation: one region an image, where the network may look."""

import pytest
import torch
import torchio as tio
from clinicadl.data.dataloader import Batch
from clinicadl.data.structures import DataPoint
from clinicadl.networks.nn.unet import UNetConfig
from torch import nn

from clinicadl_trust.attribution import AttributionConstrainedModel
from clinicadl_trust.attribution.supervision import Segmentation
from clinicadl_trust.exceptions import AttributionError
from clinicadl_trust.models.masked_loss import DiceCELossConfig
from clinicadl_trust.models.optimizers import AdamWConfig

SHAPE = (1, 12, 12, 12)


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def masks():
    """A patient with two lesions, a healthy image, and a hidden one."""
    made = torch.zeros(3, *SHAPE)
    made[0, 0, 1:4, 1:4, 1:4] = 1
    made[0, 0, 8:10, 8:10, 8:10] = 1
    made[2] = torch.nan
    return made


def images():
    """A bright half: the tissue."""
    made = torch.zeros(3, *SHAPE)
    made[:, :, :6] = 1 + 0.1 * torch.rand(3, 1, 6, 12, 12)
    return made


def asked(**options):
    made = Segmentation(nn.BCEWithLogitsLoss(), "lesion", **options)
    return made.question(masks(), images())


def region_of(question):
    """The voxels whose logits are summed, by asking one after the other."""
    outputs = torch.zeros(3, *SHAPE, requires_grad=True)
    question.score(outputs, torch.arange(3)).sum().backward()
    return outputs.grad


def test_a_linear_convolution_looks_as_far_as_its_kernel():
    network = nn.Conv3d(1, 1, 5, padding=2, bias=False)
    given = images().requires_grad_()
    question = asked(region=3, margin=2)
    scores = question.score(network(given), torch.arange(3))
    (gradient,) = torch.autograd.grad(scores.sum(), given)
    seen = gradient != 0
    assert torch.equal(seen, question.mask)  # the region, two voxels wider
    assert not (gradient * ~question.mask).any()
    # ... and the gradient is the kernel, moved over the region and summed.
    region = region_of(question)
    expected = nn.functional.conv_transpose3d(region, network.weight, padding=2)
    assert torch.allclose(gradient, expected, atol=1e-6)


def test_a_smaller_margin_catches_it_looking_elsewhere():
    network = nn.Conv3d(1, 1, 5, padding=2, bias=False)
    given = images().requires_grad_()
    question = asked(region=3, margin=1)
    scores = question.score(network(given), torch.arange(3))
    (gradient,) = torch.autograd.grad(scores.sum(), given)
    assert (gradient * ~question.mask).any()


def test_a_known_lesion_is_asked_for_whole_half_of_the_time():
    small, large = torch.zeros(SHAPE), torch.zeros(SHAPE)
    large[0, 1:4, 1:4, 1:4] = 1
    small[0, 8:10, 8:10, 8:10] = 1
    drawn = [region_of(asked(region=1))[0] for _ in range(300)]
    n_large = sum(torch.equal(each, large) for each in drawn)
    n_small = sum(torch.equal(each, small) for each in drawn)
    cubes = [each for each in drawn if each.sum() == 1]
    assert n_large + n_small + len(cubes) == 300
    assert 120 < n_large + n_small < 180
    assert n_large > n_small > 0  # a voxel is drawn, then its component
    tissue = images()[0] > images()[0].mean()
    assert all((each > 0)[~tissue].sum() == 0 for each in cubes)


def test_of_others_a_cube_of_tissue_is_asked_for():
    for _ in range(50):
        region = region_of(asked(region=3))[1:]
        sizes = region.flatten(1).sum(dim=1).tolist()
        assert all(8 <= size <= 27 for size in sizes)  # less at the border


def test_only_a_known_empty_mask_is_healthy():
    assert asked().healthy.tolist() == [False, True, False]


def test_the_region_is_fixed_within_a_step():
    question = asked()
    assert torch.equal(region_of(question), region_of(question))
    rows = torch.tensor([2, 0])
    outputs = torch.randn(3, *SHAPE)
    assert torch.equal(
        question.score(outputs[rows], rows),
        question.score(outputs, torch.arange(3))[rows],
    )


def test_a_blank_image_is_asked_about_too():
    made = Segmentation(nn.BCEWithLogitsLoss())
    question = made.question(torch.zeros(1, *SHAPE), torch.zeros(1, *SHAPE))
    assert question.mask.any() and question.healthy.all()


def test_outputs_without_a_logit_a_voxel_are_refused():
    with pytest.raises(AttributionError, match="one logit a voxel"):
        asked().score(torch.zeros(3, 1), torch.arange(3))


@pytest.mark.parametrize("options", [{"region": 0}, {"margin": -1}, {"region": 2.5}])
def test_what_is_no_number_of_voxels_is_refused(options):
    with pytest.raises(AttributionError, match=r"explain\.\w+ = .* voxels"):
        Segmentation(nn.BCEWithLogitsLoss(), **options)


@pytest.mark.parametrize("side", [6, 12])
def test_a_step_passes_the_network_twice_however_many_voxels(side):
    made = AttributionConstrainedModel(
        network=UNetConfig(
            spatial_dims=3, in_channels=1, out_channels=1, channels=[2, 4]
        ),
        loss=DiceCELossConfig(),
        optimizer=AdamWConfig(),
        task="segmentation",
        label_key="lesion",
        constraints=[{"name": "RightReasons"}],
        wait=0.0,
        explain={"region": 1, "margin": 1},
    ).train()
    shape = (1, side, side, side)
    mask = torch.zeros(shape, dtype=torch.uint8)
    mask[:, 1:3, 1:3, 1:3] = 1
    points = [
        DataPoint(
            image=tio.ScalarImage(tensor=torch.randn(shape)),
            participant_id=f"sub-{number}",
            session_id="ses-1",
            lesion=tio.LabelMap(tensor=mask * (number != 2)),
            annotated=int(number != 1),
        )
        for number in range(3)
    ]
    made.forward_step(Batch(points))  # the first one checks the network, too
    passed = []
    made.network.register_forward_hook(
        lambda _, given, __: passed.append(len(given[0]))
    )
    loss = made.forward_step(Batch(points))
    made.backward_step(loss)
    assert sum(passed) == 2 * 3  # at the images, and a step beside them
    assert loss["loss"] > 0 and loss["RightReasons"] > 0
