"""Metrics of attribution maps, against closed forms and reference implementations."""

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score, f1_score
from torch import nn

from clinicadl_trust.attribution.interpretation.completeness import completeness_error
from clinicadl_trust.attribution.interpretation.localisation import (
    auprc,
    best_dice,
    localisation,
    pointing,
    share_inside,
)
from clinicadl_trust.attribution.interpretation.perturbation import deletion, insertion
from clinicadl_trust.attribution.interpretation.randomisation import (
    cascade,
    random_network,
)
from clinicadl_trust.attribution.interpretation.similarity import (
    spearman,
    structural_similarity,
    top_dice,
)
from clinicadl_trust.exceptions import AttributionError

SHAPE = (6, 7, 8)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def mask():
    mask = np.zeros(SHAPE, dtype=np.uint8)
    mask[1:3, 2:5, 3:5] = 1
    return mask


def test_a_map_that_is_the_mask_scores_best(mask):
    found = localisation(mask.astype(float), mask, np.eye(4))
    prevalence = 12 / mask.size
    expected = dict.fromkeys(found, 1.0) | {"lesion_prevalence": prevalence}
    assert found == pytest.approx(expected)


def test_a_map_that_is_constant_scores_as_chance(mask):
    found = localisation(np.ones(SHAPE), mask, np.eye(4))
    p = mask.mean()
    for name in ("auprc", "auprc_absolute", "share", "share_positive", "pointing"):
        assert found[f"lesion_{name}"] == pytest.approx(p)
    assert found["lesion_dice"] == pytest.approx(2 * p / (1 + p))


def test_negative_attribution_counts_in_the_absolute_metrics_only(mask):
    found = localisation(-mask.astype(float), mask, np.eye(4))
    assert found["lesion_auprc_absolute"] == found["lesion_share"] == 1
    assert found["lesion_auprc"] == pytest.approx(mask.mean())
    assert found["lesion_dice"] == 0
    assert np.isnan(found["lesion_share_positive"])


def test_they_agree_with_scikit_learn(rng, mask):
    values = np.round(np.abs(rng.normal(size=SHAPE) + mask), 1)  # with ties
    inside = mask.ravel() > 0
    expected = average_precision_score(inside, values.ravel())
    assert auprc(values, mask) == pytest.approx(expected)
    dice = [f1_score(inside, values.ravel() >= t) for t in np.unique(values)[1:]]
    assert best_dice(values, mask) == pytest.approx(max(dice))
    shares = values[mask > 0].sum() / values.sum()
    assert share_inside(values, mask) == pytest.approx(shares)


def test_an_empty_mask_has_no_value():
    found = localisation(np.ones(SHAPE), np.zeros(SHAPE), np.eye(4))
    assert len(found) == 8
    assert all(np.isnan(value) for value in found.values())


def test_pointing_has_a_tolerance_in_millimetres(mask):
    values = np.zeros(SHAPE)
    values[4, 3, 4] = 1  # two voxels from the mask along x
    affine = np.diag([-3.0, 2.0, 2.0, 1.0])
    hits = [pointing(values, mask, affine, mm) for mm in (0, 5.9, 6)]
    assert hits == [0, 0, 1]
    values[1, 2, 3] = 1  # an equal maximum inside
    assert pointing(values, mask, affine) == 0.5


@pytest.mark.parametrize("call", [localisation, pointing])
def test_a_map_that_cannot_be_measured_is_refused(mask, call):
    with pytest.raises(AttributionError, match=r"\(2, 2, 2\) and the mask \(6, 7, 8\)"):
        call(np.ones((2, 2, 2)), mask, np.eye(4))
    values = np.ones(SHAPE)
    values[0, 0, :2] = np.nan, np.inf
    with pytest.raises(AttributionError, match="2 voxels that are NaN or infinite"):
        call(values, mask, np.eye(4))


def test_completeness_is_relative():
    assert completeness_error(3.0, 5.0, 2.0) == 0
    assert completeness_error(2.0, 5.0, 1.0) == 0.5
    assert np.isnan(completeness_error(1.0, 2.0, 2.0))


@pytest.fixture
def image(rng):
    return torch.from_numpy(rng.random((1, *SHAPE)))


def test_curves_of_a_sum_are_known(image):
    """What a sum loses is what was deleted: a partial sum of sorted voxels."""
    flat = np.sort(image.numpy().ravel())[::-1]
    kept = flat.sum() - np.concatenate([[0], np.cumsum(flat)])
    counts = np.round(np.linspace(0, flat.size, 6)).astype(int)

    def score(images):
        return images.flatten(1).sum(dim=1)

    zeros = torch.zeros_like(image)
    for size in (1, 4, 100):
        made = deletion(
            score, image, zeros, image[0].numpy(), n_steps=5, batch_size=size
        )
        np.testing.assert_allclose(made.score, kept[counts], atol=1e-9)
        np.testing.assert_allclose(made.fraction, counts / flat.size)
    put_in = insertion(score, image, zeros, image[0].numpy(), n_steps=5)
    np.testing.assert_allclose(put_in.score, flat.sum() - kept[counts])
    assert made.area < flat.sum() / 2 < put_in.area


def test_a_curve_without_steps_is_refused(image):
    with pytest.raises(AttributionError, match="0 steps"):
        deletion(lambda x: x, image, image, image[0].numpy(), n_steps=0)


def test_similarities(rng):
    first, second = rng.normal(size=(2, *SHAPE))
    ranks = [each.ravel().argsort().argsort() for each in (first, second)]
    n = first.size
    expected = 1 - 6 * np.sum((ranks[0] - ranks[1]) ** 2) / (n * (n**2 - 1))
    assert spearman(first, second) == pytest.approx(expected)
    tied = np.array([[0.0, 0.0], [1.0, 2.0]])  # ranks 1.5, 1.5, 3 and 4
    assert spearman(tied, np.array([[1, 2], [3, 4]])) == pytest.approx(0.9**0.5)
    assert np.isnan(spearman(first, np.ones(SHAPE)))
    assert structural_similarity(first, 3 * first) == pytest.approx(1)
    assert structural_similarity(first, second) < 0.5
    assert structural_similarity(first[:3, :4, :4], first[:3, :4, :4]) == 1
    assert top_dice(first, first) == 1
    assert top_dice(first, -first, part=0.1) == 0


class Odd(nn.Module):
    """A module whose parameter nobody knows how to initialise."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)
        self.offset = nn.Parameter(torch.arange(50.0))

    def forward(self, x):
        return self.layer(x) + self.offset.sum()


def test_a_random_network_has_learned_nothing():
    torch.manual_seed(1)
    trained = Odd()
    state = {name: value.clone() for name, value in trained.state_dict().items()}
    before = torch.random.get_rng_state()
    first, again, other = (random_network(trained, seed) for seed in (0, 0, 1))
    assert torch.equal(before, torch.random.get_rng_state())
    for name, value in trained.state_dict().items():
        assert torch.equal(value, state[name])
        made = dict(first.named_parameters())[name]
        assert not torch.equal(made, value)
        assert torch.equal(made, dict(again.named_parameters())[name])
        assert not torch.equal(made, dict(other.named_parameters())[name])
    assert torch.equal(first.offset.sort().values, trained.offset)


class Deep(nn.Module):
    """Layers that are passed in another order than they are made in."""

    def __init__(self, depth=3):
        super().__init__()
        self.output = nn.Linear(4, 1)
        self.norm = nn.LayerNorm(4)
        self.hidden = nn.ModuleList(nn.Linear(4, 4) for _ in range(depth - 1))
        self.unused = nn.Linear(2, 2)

    def forward(self, x):
        for layer in self.hidden:
            x = layer(x).tanh()
        return self.output(self.norm(x))


def test_layers_are_made_random_from_the_output_down():
    torch.manual_seed(1)
    trained, images = Deep(), torch.rand(2, 4)
    before = torch.random.get_rng_state()
    state = {name: value.clone() for name, value in trained.named_parameters()}
    order = ["output", "norm", "hidden.1", "hidden.0"]
    changed = []
    for number, (layer, made) in enumerate(cascade(trained, images, 0)):
        assert layer == order[number]
        now = dict(made.named_parameters())
        changed.append(
            {name for name in state if not torch.equal(now[name], state[name])}
        )
    # What no image passes goes first. A new normalisation is the one that training
    # began with: ones and zeros.
    first = {"output.weight", "output.bias", "unused.weight", "unused.bias"}
    assert changed[0] == first == changed[1]
    assert changed[2] == changed[1] | {"hidden.1.weight", "hidden.1.bias"}
    assert changed[3] == changed[2] | {"hidden.0.weight", "hidden.0.bias"}
    assert torch.equal(before, torch.random.get_rng_state())
    for name, value in trained.named_parameters():
        assert torch.equal(value, state[name])
    (_, one), (_, other) = ([*cascade(trained, images, s)][-1] for s in (0, 0))
    assert torch.equal(one(images), other(images))
    assert not torch.equal([*cascade(trained, images, 1)][-1][1](images), one(images))


def test_a_deep_network_loses_several_layers_at_a_time():
    steps = [layer for layer, _ in cascade(Deep(24), torch.rand(1, 4), 0)]
    assert len(steps) == 10
    assert steps[-1] == "hidden.0"


class Attentive(nn.Module):
    """Uses weights of modules that it does not call, as attention does."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Linear(4, 4)
        self.blocks = nn.ModuleList(nn.ModuleDict({"q": nn.Linear(4, 4)}) for _ in "ab")
        self.attention = nn.MultiheadAttention(4, 2, batch_first=True)
        self.scales = nn.ParameterList([nn.Parameter(torch.rand(4))])
        self.encoder = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
        self.head = nn.Linear(4, 1)

    def forward(self, x):
        x = self.embedding(x[:, None])
        for block in self.blocks:
            x = nn.functional.linear(x, block["q"].weight, block["q"].bias)
        x, _ = self.attention(x * self.scales[0], x, x)
        return self.head(self.encoder(x)[:, 0])


def test_no_trained_weight_is_left_at_the_end():
    torch.manual_seed(1)
    trained, images = Attentive().eval(), torch.rand(2, 4)
    for value in trained.parameters():  # normalisations and biases have learned too
        nn.init.normal_(value)
    state = {name: value.clone() for name, value in trained.named_parameters()}
    changed = {}
    for layer, made in cascade(trained, images, 0):
        now = dict(made.named_parameters())
        changed[layer] = {n for n in state if not torch.equal(now[n], state[n])}
    assert changed["embedding"] == {*state}
    steps = [*changed]
    assert steps[0] == "head" and steps[-2:] == ["attention", "embedding"]
    attention = changed["attention"] - changed[steps[-3]]
    assert {name.removeprefix("attention.") for name in attention} == {
        "in_proj_weight",
        "in_proj_bias",
        "out_proj.weight",
        "out_proj.bias",
    }


def test_a_layer_of_the_network_itself_has_its_name():
    assert [layer for layer, _ in cascade(Odd(), torch.rand(1, 3), 0)] == [
        "Odd",
        "layer",
    ]
