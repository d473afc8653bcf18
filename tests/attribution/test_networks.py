import pytest
import torch
from clinicadl.networks.config import CNNConfig, ResNetConfig, UNetConfig
from torch import nn

from clinicadl_trust.attribution import (
    AttributionConstrainedModel,
    check_twice_differentiable,
    smooth_network,
)
from clinicadl_trust.attribution.networks import kinks
from clinicadl_trust.exceptions import AttributionError
from clinicadl_trust.testing import example_parts

IMAGES = torch.randn(2, 1, 16, 16, 16, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    "config",
    [
        CNNConfig(
            in_shape=(1, 16, 16, 16),
            num_outputs=1,
            conv_args={
                "channels": [4, 8],
                "norm": "batch",
                "pooling": ("max", {"kernel_size": 2}),
            },
        ),
        ResNetConfig(spatial_dims=3, in_channels=1, num_outputs=2),
        UNetConfig(spatial_dims=3, in_channels=1, out_channels=1, channels=(4, 8)),
    ],
    ids=lambda config: type(config).__name__,
)
def test_a_network_of_the_host_becomes_smooth(config):
    network = config.get_object()
    assert kinks(network)
    made = smooth_network(network)
    assert kinks(made) == [] and kinks(network)
    assert made(IMAGES).shape == network(IMAGES).shape
    check_twice_differentiable(made, IMAGES[:1])
    made.train()
    together = made(IMAGES)
    alone = torch.cat([made(image[None]) for image in IMAGES])
    assert torch.allclose(together, alone, atol=1e-5)


def test_weights_of_convolutions_are_kept():
    network = nn.Sequential(
        nn.Conv3d(1, 4, 3), nn.BatchNorm3d(4), nn.ReLU(inplace=True)
    )
    made = smooth_network(network)
    assert torch.equal(made[0].weight, network[0].weight)
    assert isinstance(made[1], nn.GroupNorm) and isinstance(made[2], nn.GELU)
    assert isinstance(smooth_network(nn.ReLU()), nn.GELU)


def groups(network):
    norms = [m for m in network.modules() if isinstance(m, nn.GroupNorm)]
    return {(m.num_groups, m.num_channels) for m in norms}


def unet(*channels):
    config = UNetConfig(
        spatial_dims=3, in_channels=1, out_channels=1, channels=channels
    )
    return config.get_object()


def test_channels_are_normalised_alone_where_a_voxel_has_a_value_of_its_own():
    """Else one channel's mean and spread hide the others', and a U-Net learns late."""
    assert groups(smooth_network(unet(4, 8), dense=True)) == {(4, 4), (8, 8)}


def test_a_classifier_keeps_groups_of_four_whatever_it_is_made_of():
    layers = [nn.Upsample(scale_factor=2), nn.Conv3d(1, 8, 3), nn.BatchNorm3d(8)]
    assert groups(smooth_network(nn.Sequential(*layers))) == {(2, 8)}


def test_the_model_says_what_its_network_is_for():
    parts = example_parts()
    for task, found in [
        ("segmentation", {(4, 4), (8, 8)}),
        ("classification", {(1, 4), (2, 8)}),
    ]:
        network = UNetConfig(
            spatial_dims=3, in_channels=1, out_channels=1, channels=(4, 8)
        )
        made = AttributionConstrainedModel(
            **{**parts, "network": network, "task": task}
        )
        assert groups(made.network) == found


@pytest.mark.parametrize("images", [1, 3])
def test_what_is_normalised_alone_must_have_more_than_one_voxel(images):
    """One image raises PyTorch's own error; several would all become 0, silently."""
    made = smooth_network(unet(4, 8, 16, 32), dense=True)
    with pytest.raises(
        AttributionError, match=r"\(1, 1, 1\) voxels.*fewer levels.*smooth = false"
    ):
        check_twice_differentiable(made, torch.randn(images, 1, 8, 8, 8))
    check_twice_differentiable(made, torch.randn(1, 1, 16, 8, 8))


def test_dropout_is_a_kink_while_it_is_on():
    network = nn.Sequential(nn.Conv3d(1, 2, 3), nn.Dropout3d(0.5))
    assert kinks(network) == ["Dropout3d"]
    assert kinks(network.eval()) == []


class Once(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight):
        ctx.save_for_backward(x, weight)
        return x * weight

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, gradient):
        x, weight = ctx.saved_tensors
        return gradient * weight, (gradient * x).sum()


def test_a_network_that_cannot_be_differentiated_twice():
    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Conv3d(1, 1, 3)
            self.weight = nn.Parameter(torch.tensor(2.0))

        def forward(self, images):
            found = Once.apply(self.first(images), self.weight)
            return found.square().flatten(1).mean(dim=1)

    with pytest.raises(AttributionError, match="cannot be differentiated twice"):
        check_twice_differentiable(Network(), IMAGES)


def test_a_gradient_that_no_weight_changes():
    network = nn.Sequential(nn.Flatten(), nn.Linear(16**3, 1))
    check_twice_differentiable(network, IMAGES)
    for weight in network.parameters():
        weight.requires_grad_(weight.ndim == 1)
    with pytest.raises(AttributionError, match="would train nothing"):
        check_twice_differentiable(network, IMAGES)
