"""Networks that see an image in parts: closed forms in the whole volume."""

import pytest
import torch
from clinicadl.infer import Inferer, PatchesToImageInferer, SlicesToImageInferer
from clinicadl.transforms.config import ActivationsConfig
from clinicadl.transforms.extraction import Image, Patch, Slice
from torch import nn

from clinicadl_trust.attribution import attributions
from clinicadl_trust.attribution.interpretation.inferer import check_inferer
from clinicadl_trust.attribution.interpretation.randomisation import random_network
from clinicadl_trust.exceptions import AttributionError
from clinicadl_trust.host.inference import Extracted, Inferred

SHAPE = (6, 7, 8)


class Weighted(nn.Module):
    """A linear network: each voxel of its field of view by its own weight."""

    def __init__(self, shape):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.weight = nn.Parameter(torch.randn(shape, generator=generator))

    def forward(self, images):
        return images * self.weight


@pytest.fixture
def images():
    return torch.rand(2, 1, *SHAPE, generator=torch.Generator().manual_seed(1))


def total(outputs):
    return outputs.flatten(1).sum(dim=1)


def of_patches(weight, starts):
    """What a voxel counts: the mean weight over the patches that cover it."""
    summed, covering = torch.zeros(2, *SHAPE)
    for x in starts[0]:
        for y in starts[1]:
            for z in starts[2]:
                place = (slice(x, x + 4), slice(y, y + 4), slice(z, z + 4))
                summed[place] += weight
                covering[place] += 1
    return summed / covering


def check_linear(network, images, expected):
    by_gradient = attributions(network, images, "gradient", target=total)
    torch.testing.assert_close(by_gradient[:, 0], expected.expand(2, *SHAPE))
    for method in ("gradient_x_input", "integrated_gradients", "expected_gradients"):
        found = attributions(network, images, method, target=total, n_samples=3)
        torch.testing.assert_close(found[:, 0], expected * images[:, 0])


def test_overlapping_patches_share_a_voxel(images):
    part = Weighted((4, 4, 4))
    network = Inferred(part, PatchesToImageInferer(4, overlap=0.5, batch_size=3))
    # Steps of 2, and a last patch that ends with the image.
    expected = of_patches(part.weight.detach(), ([0, 2], [0, 2, 3], [0, 2, 4]))
    check_linear(network, images, expected)


@pytest.mark.parametrize("direction", [0, 1, 2])
def test_a_slice_is_explained_in_its_place(images, direction):
    sides = [side for axis, side in enumerate(SHAPE) if axis != direction]
    part = Weighted(sides)
    network = Inferred(part, SlicesToImageInferer(direction, batch_size=3))
    expected = part.weight.detach().unsqueeze(direction).expand(SHAPE)
    check_linear(network, images, expected)


def test_postprocessing_is_not_explained(images):
    sigmoid = ActivationsConfig(sigmoid=True, include=["output"])
    part = Weighted((7, 8))
    plain, with_sigmoid = (
        Inferred(part, SlicesToImageInferer(0, postprocessing=steps))
        for steps in ([], [sigmoid])
    )
    torch.testing.assert_close(plain(images), with_sigmoid(images))


class Flipped(Inferer):
    """An inferer of a laboratory: the mean over an image and its mirror image."""

    def __call__(self, x, network, input_dtype=None, **kwargs):
        tensor = self._get_input_tensor(x, input_dtype)
        said = (network(tensor) + network(tensor.flip(2))) / 2
        for point, output in zip(x, said, strict=True):
            point["output"] = output
        return x

    @classmethod
    def from_json(cls, json_path):
        return cls()

    def to_dict(self):
        return {}


class Summed(Weighted):
    def forward(self, images):
        return total(images * self.weight)[:, None]


def test_any_inferer_can_be_differentiated(images):
    part = Summed(SHAPE)
    weight = part.weight.detach()
    check_linear(Inferred(part, Flipped()), images, (weight + weight.flip(0)) / 2)


@pytest.mark.parametrize("direction", [0, 1, 2])
@pytest.mark.parametrize("squeeze", [True, False])
def test_slices_of_a_training_are_explained_in_their_places(images, direction, squeeze):
    sides = [side for axis, side in enumerate(SHAPE) if axis != direction]
    part = Summed(sides)
    weight = part.weight.detach().unsqueeze(direction)
    if not squeeze:
        part.weight.data = weight
    extraction = Slice(slices=[1, 4], slice_direction=direction, squeeze=squeeze)
    expected = torch.zeros(SHAPE)
    expected.index_add_(
        direction, torch.tensor([1, 4]), weight.repeat_interleave(2, direction) / 2
    )
    check_linear(Extracted(part, extraction), images, expected)


def test_patches_of_a_training_are_explained_in_their_places(images):
    part = Summed((4, 4, 4))
    weight, expected = part.weight.detach(), torch.zeros(8, 8, 8)
    for x in (0, 4):  # padded to whole patches
        for y in (0, 4):
            for z in (0, 4):
                expected[x : x + 4, y : y + 4, z : z + 4] = weight / 8
    network = Extracted(part, Patch(patch_size=4))
    check_linear(network, images, expected[:6, :7, :8])


def test_what_is_not_extracted_is_the_network_itself(images):
    part = Summed(SHAPE)
    torch.testing.assert_close(Extracted(part, Image())(images), part(images))


def test_its_network_can_be_made_random(images):
    network = Inferred(Weighted((7, 8)), SlicesToImageInferer(0))
    other = random_network(network, 0)
    assert not torch.equal(other(images), network(images))
    assert isinstance(other.inferer, SlicesToImageInferer)


def test_a_network_that_its_inferer_cannot_assemble_is_refused():
    network = Inferred(Summed((4, 4, 4)), PatchesToImageInferer(4))
    with pytest.raises(AttributionError, match=r"PatchesToImageInferer.*one value a v"):
        check_inferer(network, (1, *SHAPE), ["gradient"])
    whole = Inferred(Weighted((4, 4, 4)), PatchesToImageInferer(4))
    check_inferer(whole, (1, *SHAPE), ["gradient", "occlusion"])
    for method in ("grad_cam", "lrp", "guided_backprop"):
        with pytest.raises(AttributionError, match=f"'{method}'.*in parts.*gradient"):
            check_inferer(whole, (1, *SHAPE), ["gradient", method])


class WithoutGradient(Flipped):
    def __call__(self, x, network, input_dtype=None, **kwargs):
        with torch.no_grad():
            return super().__call__(x, network, input_dtype, **kwargs)


class Detached(Flipped):
    """Outputs depend on weights, and no more on the image."""

    @classmethod
    def _get_input_tensor(cls, x, input_dtype=None):
        return super()._get_input_tensor(x, input_dtype).detach()


@pytest.mark.parametrize("inferer", [WithoutGradient(), Detached()])
def test_an_inferer_that_cuts_the_graph_is_refused_for_gradients(inferer):
    network = Inferred(Summed(SHAPE), inferer)
    with pytest.raises(AttributionError, match=r"no gradient.*occlusion"):
        check_inferer(network, (1, *SHAPE), ["gradient"])
    check_inferer(network, (1, *SHAPE), ["occlusion"])
