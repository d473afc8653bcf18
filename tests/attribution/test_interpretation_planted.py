"""A network whose truth is known: it looks at one cube, and at nothing else."""

import math

import numpy as np
import pytest
import torch
import torchio as tio
from clinicadl.data.structures import DataPoint
from torch import nn

from clinicadl_trust.attribution.interpretation.explaining import Explainer
from clinicadl_trust.attribution.interpretation.question import Question
from clinicadl_trust.attribution.interpretation.reference import Reference
from clinicadl_trust.attribution.interpretation.request import METHODS, Request
from clinicadl_trust.exceptions import AttributionError
from clinicadl_trust.models.data import Scale
from clinicadl_trust.task import Task

SHAPE = (8, 9, 10)
CUBE = (slice(2, 5), slice(3, 6), slice(4, 7))
TASK = Task("classification", "diagnosis", ("CN", "AD"))
AFFINE = np.diag([2.0, 2.0, 3.0, 1.0])


class Cube(nn.Module):
    """The mean of the voxels of the cube."""

    def __init__(self, weight=1.0):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))

    def forward(self, images):
        return self.weight * images[(slice(None), slice(None), *CUBE)].mean((2, 3, 4))


class Data(list):
    """Samples, as a dataset gives them."""


@pytest.fixture
def data():
    generator = torch.Generator().manual_seed(0)
    mask = torch.zeros(1, *SHAPE)
    mask[(0, *CUBE)] = 1
    empty = torch.zeros_like(mask)
    return Data(
        DataPoint(
            image=tio.ScalarImage(
                tensor=1 + torch.rand(1, *SHAPE, generator=generator), affine=AFFINE
            ),
            participant_id=f"sub-{number}",
            session_id="ses-1",
            lesion=tio.LabelMap(tensor=mask if number else empty, affine=AFFINE),
        )
        for number in range(3)
    )


def explainer(network=None, method="integrated_gradients", **changes):
    question = changes.pop("question", Question(TASK, "sigmoid", Scale()))
    name = changes.pop("reference", Reference("zeros"))
    cascaded = changes.pop("cascaded", frozenset())
    options = {"batch_size": 2, "n_steps": 5} | changes
    request = Request(method, **options)
    return Explainer(network or Cube(), question, request, name, "lesion", cascaded)


def explained(data, **options):
    made = explainer(**options)
    batches = made.batches(data)
    return [f for n, b in enumerate(batches) for f in made.explain(data, b, n)]


@pytest.mark.parametrize("method", ["integrated_gradients", "gradient_x_input"])
def test_what_a_network_looks_at_is_found(data, method):
    healthy, *patients = explained(data, method=method)
    for found in patients:
        assert found.metrics["lesion_auprc"] == pytest.approx(1)
        assert found.metrics["lesion_dice"] == pytest.approx(1)
        assert found.metrics["lesion_share"] == pytest.approx(1)
        assert found.metrics["lesion_pointing"] == 1
        assert found.geometry.shape == SHAPE
        np.testing.assert_allclose(found.geometry.matrix, AFFINE)
        image = data[int(found.participant_id[-1])].image.tensor[0].numpy()
        np.testing.assert_allclose(
            found.map[CUBE], image[CUBE] / 27, rtol=1e-5, atol=1e-7
        )
        assert found.readout == pytest.approx(1 / (1 + math.exp(-image[CUBE].mean())))
    assert all(np.isnan(v) for k, v in healthy.metrics.items() if "lesion" in k)


def test_linear_attributions_are_complete(data):
    for name, drawn in (
        ("zeros", None),
        ("blurred", None),
        ("healthy", torch.ones(4, 1, *SHAPE)),
    ):
        method = "expected_gradients" if drawn is not None else "integrated_gradients"
        reference = Reference(name, drawn)
        for found in explained(data, method=method, n_samples=3, reference=reference):
            assert found.metrics["completeness_error"] < 1e-4
    (first, *_) = explained(data, method="gradient")
    assert np.isnan(first.metrics["completeness_error"])


def test_deleting_what_it_looks_at_changes_its_mind(data):
    data[1].image.tensor[(0, *CUBE)] += 9  # a lesion that the blur takes away
    found = explained(data, n_steps=20)[1]
    area = {name: found.metrics[name] for name in found.metrics if "auc" in name}
    assert area["deletion_auc"] < area["deletion_auc_random"]
    assert area["insertion_auc"] > area["insertion_auc_random"]
    assert found.curves["deletion"].score[0] == pytest.approx(found.readout)
    assert found.curves["insertion"].score[-1] == pytest.approx(found.readout)
    assert len(found.curves["deletion_random"].fraction) == 21


@pytest.mark.parametrize("method", METHODS)
def test_every_method_explains(data, method):
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv3d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(2 * 6 * 7 * 8, 2)
    )
    question = Question(TASK, "softmax", Scale())
    options = {"n_samples": 2, "n_steps": 1, "question": question}
    options["reference"] = Reference("healthy", torch.rand(5, 1, *SHAPE))
    first, again = (
        explained(Data(data[1:2]), network=network, method=method, **options)
        for _ in range(2)
    )
    for one, other in zip(first, again, strict=True):
        assert one.map.shape == SHAPE and one.map.any()
        np.testing.assert_array_equal(one.map, other.map)
        assert one.metrics == pytest.approx(other.metrics, nan_ok=True)
        assert -1 <= one.metrics["randomisation_spearman"] < 0.99


def test_a_batch_alone_is_explained_as_after_the_others(data):
    network = nn.Sequential(nn.Flatten(), nn.Linear(720, 8), nn.GELU(), nn.Linear(8, 1))
    made = explainer(
        network, "expected_gradients", n_samples=2,
        reference=Reference("training", torch.rand(5, 1, *SHAPE)),
    )  # fmt: skip
    every = [
        f for n, b in enumerate(made.batches(data)) for f in made.explain(data, b, n)
    ]
    (last,) = made.explain(data, made.batches(data)[1], 1)
    np.testing.assert_array_equal(last.map, every[-1].map)


def test_layers_made_random_tell_what_a_map_explains(data):
    """A map of edges would not change; that of a trained network does."""
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv3d(1, 2, 3), nn.Tanh(), nn.Flatten(), nn.Linear(2 * 6 * 7 * 8, 1)
    )
    options = {"method": "gradient", "n_steps": 0, "randomise": False}
    made = explained(data, network=network, cascaded=frozenset({1}), **options)
    assert [len(found.cascade) for found in made] == [0, 2, 0]
    steps = made[1].cascade
    assert [(step["step"], step["layer"]) for step in steps] == [(1, "3"), (2, "0")]
    assert all(-1 <= step["spearman"] < 0.5 for step in steps)
    assert all(step["ssim"] < 0.9 for step in steps)
    # What does not depend on the weights is what the check is to find.
    edges = explained(data, network=Cube(), cascaded=frozenset({0}), **options)
    assert edges[0].cascade[0]["spearman"] == pytest.approx(1)


def test_images_of_the_cascade_are_drawn():
    request = Request("gradient", n_cascade=3)
    drawn = request.cascaded(50)
    assert len(drawn) == 3 and drawn == request.cascaded(50) <= {*range(50)}
    assert request.cascaded(2) == {0, 1}
    assert not Request("gradient").cascaded(50)


def test_nan_is_refused_by_name(data):
    with pytest.raises(AttributionError, match="of sub-0 ses-1 by 'gradient'"):
        explained(data, network=Cube(math.nan), method="gradient")


class Spatial(nn.Module):
    """A segmentation: each voxel's logit is its intensity less a half."""

    def __init__(self, less=0.5):
        super().__init__()
        self.less = nn.Parameter(torch.tensor(less))

    def forward(self, images):
        return images - self.less


def test_a_segmentation_is_asked_of_what_it_predicts(data):
    question = Question(Task("segmentation", "lesion"), "", Scale())
    for sample in data:
        sample.image.tensor[:] = 0
        sample.image.tensor[(0, *CUBE)] = 1
    for found in explained(data, network=Spatial(), method="gradient",
                           question=question, randomise=False):  # fmt: skip
        assert found.map.sum() == pytest.approx(27)
        assert found.map[CUBE].min() == 1
        assert found.readout == pytest.approx(1 / (1 + math.exp(-0.5)))
    nothing = explained(data, network=Spatial(2.0), method="gradient",
                        question=question, randomise=False)  # fmt: skip
    np.testing.assert_allclose(nothing[0].map, 1 / math.prod(SHAPE), rtol=1e-5)


@pytest.mark.parametrize(
    ("target", "expected"),
    [(None, -1.0), ("AD", 2.0), ("1", 2.0), (0, -2.0), ("CN", -2.0)],
)
def test_a_class_can_be_asked_for(target, expected):
    one = torch.tensor([[2.0]])
    question = Question(TASK, "sigmoid", Scale(), target=target)
    value = float(question.of(one).target(one))
    assert value == (2.0 if target is None else expected)
    three = torch.tensor([[0.0, 1.0, 2.0]])
    task = Task("classification", "d", ("CN", "MCI", "AD"))
    asked = Question(task, "softmax", Scale(), target="MCI").of(three)
    odds = math.log(math.exp(1) / (1 + math.exp(2)))
    assert float(asked.target(three)) == pytest.approx(odds)
    assert float(asked.readout(three)) == pytest.approx(float(three.softmax(1)[0, 1]))


THREE = Task("classification", "d", ("AD", "CN", "MCI"))


@pytest.mark.parametrize(("healthy", "rest"), [(1, (0, 2)), (0, (1, 2))])
def test_disease_is_any_class_but_the_healthy_one(healthy, rest):
    logits = torch.tensor([[0.5, 1.0, 2.0]])
    question = Question(THREE, "softmax", Scale(), healthy)
    odds = math.log(sum(math.exp(logits[0, k]) for k in rest)) - logits[0, healthy]
    asked = question.of(logits)
    assert float(asked.target(logits)) == pytest.approx(float(odds))
    said = 1 - logits.softmax(1)[0, healthy]
    assert float(asked.readout(logits)) == pytest.approx(float(said))
    assert str(question).endswith(f"any class but '{THREE.classes[healthy]}'")


def test_the_healthy_class_is_told_by_its_name_or_must_be_said():
    assert THREE.healthy == 1
    assert TASK.healthy == 0
    assert Task("regression", "age").healthy is None
    tumours = Task("classification", "d", ("glioma", "lymphoma", "metastasis"))
    assert tumours.healthy is None
    with pytest.raises(AttributionError, match=r"glioma, lymphoma.*--target"):
        Question(tumours, "softmax", Scale(), None)
    assert "glioma" in str(Question(tumours, "softmax", Scale(), None, "glioma"))


def test_the_positive_of_two_classes_can_be_the_healthy_one():
    for logits in (torch.tensor([[2.0]]), torch.tensor([[0.0, 2.0]])):
        asked = Question(TASK, "sigmoid", Scale(), healthy=1).of(logits)
        assert float(asked.target(logits)) == -2


def test_a_regression_reads_out_in_its_own_unit():
    outputs = torch.tensor([[1.0]])
    task = Task("regression", "age")
    for target in (None, 0, "age"):
        asked = Question(task, "identity", Scale(70.0, 10.0), target=target).of(outputs)
        assert float(asked.target(outputs)) == 1
        assert float(asked.readout(outputs)) == 80


def test_one_of_several_quantities_is_asked_for():
    outputs = torch.tensor([[0.5, 1.0]])
    task = Task("regression", "age", outputs=("age", "score"), deviations=(10.0, 2.0))
    scale = Scale([70.0, 3.0], [10.0, 2.0])
    for target, expected in (("score", 5.0), (1, 5.0), ("age", 75.0)):
        asked = Question(task, "identity", scale, target=target).of(outputs)
        assert float(asked.readout(outputs)) == expected
    with pytest.raises(AttributionError, match="one of age, score"):
        Question(task, "identity", scale)
    with pytest.raises(AttributionError, match="Known names: age, score"):
        Question(task, "identity", scale, target=2)


def test_probabilities_are_read_as_they_are():
    outputs = torch.tensor([[0.2, 0.8]])
    for target, expected in ((None, 0.8), ("CN", 0.2)):
        asked = Question(TASK, "probability", Scale(), target=target).of(outputs)
        assert float(asked.readout(outputs)) == pytest.approx(expected)


@pytest.mark.parametrize("target", ["MCI", 2, -1])
def test_an_unknown_class_is_told(target):
    with pytest.raises(AttributionError, match=f"'{target}' is no output"):
        Question(TASK, "sigmoid", Scale(), target=target)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "gradients"}, "Did you mean 'gradient'"),
        ({"method": "occlusion", "baselines": "zero"}, "Did you mean 'zeros'"),
        ({"method": "gradient", "n_samples": 0}, "n_samples = 0 makes no sense"),
        ({"method": "gradient", "tolerance": -1.0}, "give 0 or more"),
    ],
)
def test_a_wrong_request_is_told(options, message):
    with pytest.raises(AttributionError, match=message):
        Request(**options)
