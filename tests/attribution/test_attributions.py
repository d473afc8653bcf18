import numpy as np
import pytest
import torch
from torch import nn

from clinicadl_trust.attribution import attributions, disease_logit
from clinicadl_trust.exceptions import AttributionError


def smooth_cnn(outputs=1, dims=3, seed=0):
    torch.manual_seed(seed)
    convolution = {2: nn.Conv2d, 3: nn.Conv3d}[dims]
    pooling = {2: nn.AdaptiveAvgPool2d, 3: nn.AdaptiveAvgPool3d}[dims]
    return nn.Sequential(
        convolution(1, 4, 3, padding=1),
        nn.GELU(),
        convolution(4, 6, 3, stride=2),
        nn.GELU(),
        pooling(2),
        nn.Flatten(),
        nn.Linear(6 * 2**dims, outputs),
    )


@pytest.fixture
def images():
    return torch.randn(3, 1, 9, 8, 10, generator=torch.Generator().manual_seed(1))


def test_a_linear_model_has_its_closed_form(images):
    network = nn.Sequential(nn.Flatten(), nn.Linear(720, 2))
    baseline = torch.randn(1, 1, 9, 8, 10)
    weights = network[1].weight[1].view(1, 1, 9, 8, 10)
    for method in ("integrated_gradients", "expected_gradients"):
        found = attributions(network, images, method, baselines=baseline, target=1)
        assert torch.allclose(found, (images - baseline) * weights, atol=1e-6)
    assert torch.allclose(
        attributions(network, images, target=1), weights.expand_as(images)
    )
    found = attributions(network, images, "gradient_x_input", target=1)
    assert torch.allclose(found, images * weights)


def test_integrated_gradients_are_complete_and_agree_with_captum(images):
    from captum.attr import IntegratedGradients

    network, baseline = smooth_cnn(2), torch.full((1, 1, 9, 8, 10), 0.3)
    found = attributions(
        network, images, "integrated_gradients", baselines=baseline, target=1
    )
    gap = (network(images) - network(baseline))[:, 1]
    missing = found.sum(dim=(1, 2, 3, 4)) - gap
    assert (missing.abs() < 0.01 * gap.abs()).all()
    theirs = IntegratedGradients(network).attribute(
        images, baselines=baseline, target=1, n_steps=64
    )
    assert torch.allclose(found, theirs.float(), atol=1e-4 * theirs.abs().max().item())


def test_expected_gradients_average_over_a_reference_set(images):
    network = smooth_cnn()
    references = torch.randn(5, 1, 9, 8, 10)
    generator = torch.Generator().manual_seed(0)
    found = attributions(
        network,
        images,
        "expected_gradients",
        baselines=references,
        n_samples=400,
        generator=generator,
    )
    each = [
        attributions(network, images, "integrated_gradients", baselines=one[None])
        for one in references
    ]
    wanted = torch.stack(each).mean(dim=0)
    assert (found - wanted).norm() < 0.1 * wanted.norm()


@pytest.mark.parametrize("method", ["gradient", "expected_gradients"])
def test_what_create_graph_gives_agrees_with_finite_differences(images, method):
    network, images = smooth_cnn().double(), images.double()
    weight = network[0].weight

    def penalty(create_graph):
        generator = torch.Generator().manual_seed(3)
        found = attributions(
            network,
            images,
            method,
            baselines="rolled",
            create_graph=create_graph,
            n_samples=1,
            generator=generator,
        )
        return found.square().sum()

    (gradient,) = torch.autograd.grad(penalty(True), weight)
    direction = torch.randn_like(weight)
    moved = []
    for side in (1e-5, -1e-5):
        with torch.no_grad():
            weight += side * direction
        moved.append(penalty(False).item())
        with torch.no_grad():
            weight -= side * direction
    difference = (moved[0] - moved[1]) / 2e-5
    assert (gradient * direction).sum().item() == pytest.approx(difference, rel=1e-6)


def test_every_output_at_once_and_each_alone(images):
    network = smooth_cnn(3)
    for method in ("gradient", "integrated_gradients"):
        together = attributions(network, images, method, target="all", n_samples=4)
        assert together.shape == (3, 3, 1, 9, 8, 10)
        for output in range(3):
            alone = attributions(network, images, method, target=output, n_samples=4)
            assert torch.allclose(together[:, output], alone, atol=1e-7)
    own = torch.tensor([2, 0, 1])
    found = attributions(network, images, target=own)
    together = attributions(network, images, target="all")
    assert torch.equal(found, together[torch.arange(3), own])


def test_spatial_outputs_are_averaged_or_chosen_by_a_function(images):
    network = nn.Conv3d(1, 2, 3, padding=1)
    found = attributions(network, images, target=1)
    assert found.shape == images.shape

    def corner(outputs):
        return outputs[:, 0, 0, 0, 0]

    found = attributions(network, images, target=corner)
    assert torch.equal(found[:, :, 2:], torch.zeros(3, 1, 7, 8, 10))
    assert found[:, :, :2].abs().sum() > 0


@pytest.mark.parametrize(
    "method", ["gradient", "integrated_gradients", "gradient_shap", "occlusion"]
)
def test_chunks_change_nothing(images, method):
    network = smooth_cnn(2)
    target = torch.tensor([0, 1, 1])

    def found(chunk_size):
        torch.manual_seed(0)
        return attributions(
            network, images, method, target=target, chunk_size=chunk_size, n_samples=9
        )

    if method == "gradient_shap":
        assert found(2).shape == images.shape
    else:
        assert torch.allclose(found(None), found(2), atol=1e-6)


@pytest.mark.parametrize("dims", [2, 3])
def test_grad_cam_lies_on_the_image(dims):
    images = torch.randn(2, 1, *[12] * dims)
    found = attributions(smooth_cnn(dims=dims), images, "grad_cam")
    assert found.shape == images.shape and found.abs().sum() > 0


def test_captum_methods_on_a_network_of_rectifiers():
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(300, 2)
    )
    images = torch.randn(2, 1, 12, 12)
    for method in ("guided_backprop", "lrp"):
        found = attributions(network, images, method, target=1)
        assert found.shape == images.shape and torch.isfinite(found).all()
        assert not found.requires_grad
    with pytest.raises(AttributionError, match="has none"):
        attributions(smooth_cnn(dims=2), images, "guided_backprop")


def test_relevance_is_conserved_in_three_dimensions():
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv3d(1, 3, 3, bias=False),
        nn.ReLU(),
        nn.AvgPool3d(2),
        nn.Flatten(),
        nn.Linear(81, 2, bias=False),
    )
    images = torch.randn(2, 1, 8, 8, 8)
    found = attributions(network, images, "lrp", target=1)
    relevance = found.sum(dim=(1, 2, 3, 4))
    assert torch.allclose(relevance, network(images)[:, 1], rtol=1e-2)


def test_images_do_not_mix_in_batch_normalisation(images):
    network = nn.Sequential(nn.Conv3d(1, 3, 3), nn.BatchNorm3d(3), smooth_head())
    network.train()
    alone = torch.cat([attributions(network, one[None]) for one in images])
    assert torch.allclose(attributions(network, images), alone, atol=1e-7)
    assert network[1].training


def smooth_head():
    return nn.Sequential(
        nn.GELU(), nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(3, 1)
    )


def test_autocast_is_kept_out(images):
    network = smooth_cnn()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = attributions(network, images)
    assert found.dtype == torch.float32
    assert torch.equal(found, attributions(network, images))


def test_the_logit_of_disease():
    outputs = torch.randn(4, 3)
    p = outputs.softmax(dim=1)
    wanted = torch.log((p[:, 1] + p[:, 2]) / p[:, 0])
    assert torch.allclose(disease_logit(outputs), wanted, atol=1e-6)
    assert torch.equal(disease_logit(outputs[:, :1]), outputs[:, 0])
    two = disease_logit(outputs[:, :2], healthy=1)
    assert torch.allclose(two, outputs[:, 0] - outputs[:, 1])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"method": "gradients"}, "Did you mean 'gradient'"),
        ({"target": None}, "has 2 outputs and no target"),
        ({"target": 2}, "0 to 1"),
        ({"target": torch.tensor([0, 1])}, "2 indices for 3 images"),
        ({"target": lambda outputs: outputs}, "one number an image"),
        ({"target": 0, "n_samples": 0}, "n_samples=0"),
        ({"target": 0, "chunk_size": -1}, "chunk_size=-1"),
        ({"target": 0, "method": "occlusion", "create_graph": True}, "constrain"),
        (
            {"target": 0, "method": "integrated_gradients", "baselines": "mean"},
            "baselines='mean' is unknown",
        ),
        (
            {
                "target": 0,
                "method": "expected_gradients",
                "baselines": torch.zeros(1, 1, 3, 3, 3),
            },
            r"shape \(1, 1, 3, 3, 3\)",
        ),
        ({"target": "all", "method": "occlusion"}, "one output at a time"),
    ],
)
def test_what_makes_no_sense_is_refused(images, options, said):
    with pytest.raises(AttributionError, match=said):
        attributions(smooth_cnn(2), images, **options)


def test_one_image_cannot_be_rolled(images):
    with pytest.raises(AttributionError, match="this batch has one"):
        attributions(smooth_cnn(), images[:1], "expected_gradients", baselines="rolled")


def test_an_output_that_ignores_the_image(images):
    class Constant(nn.Module):
        def forward(self, images):
            return torch.zeros(len(images), 1, requires_grad=True)

    with pytest.raises(AttributionError, match="depend on its image"):
        attributions(Constant(), images)


def test_a_generator_decides_what_captum_draws():
    """GradientShap draws from NumPy's global state, and torch's."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(27, 4), nn.ReLU(), nn.Linear(4, 1))
    images, references = torch.rand(2, 1, 3, 3, 3), torch.rand(5, 1, 3, 3, 3)

    def found(seed):
        generator = torch.Generator().manual_seed(seed)
        return attributions(
            network, images, "gradient_shap", baselines=references, n_samples=3,
            generator=generator,
        )  # fmt: skip

    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    assert torch.equal(found(0), found(0))
    assert not torch.equal(found(0), found(1))
    assert np.array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), torch_state)
