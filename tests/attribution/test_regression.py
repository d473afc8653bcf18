"""What is explained of quantities."""

import pytest
import torch
from clinicadl.losses.config import MSELossConfig
from clinicadl.networks.config import CNNConfig
from test_constrained_model import SHAPE, batch, model

from clinicadl_trust.attribution.supervision import Regression
from clinicadl_trust.exceptions import AttributionError, ConfigError

LABELS = torch.tensor([[0.0, 5.0], [2.0, -1.0], [1.0, 3.0]])
IMAGES = torch.zeros(3, 1, 2, 2, 2)
OUTPUTS = torch.tensor([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]])


def question(labels=LABELS, **options):
    return Regression(torch.nn.MSELoss(), **options).question(labels, IMAGES)


def test_the_output_that_is_named_is_explained():
    rows = torch.tensor([0, 1, 2])
    for index in range(2):
        asked = question(output=index)
        assert asked.signed and asked.healthy is None
        assert torch.equal(asked.score(OUTPUTS, rows), OUTPUTS[:, index])


def test_all_outputs_are_weighted_by_the_signs_of_their_image():
    torch.manual_seed(0)
    found = set()
    for _ in range(20):
        asked = question()
        assert not asked.signed
        whole = asked.score(OUTPUTS, torch.arange(3))
        part = asked.score(OUTPUTS[[2, 0, 2]], torch.tensor([2, 0, 2]))
        assert torch.equal(part, whole[[2, 0, 2]])
        found |= {*(whole / torch.tensor([1.0, 2.0, 3.0])).tolist()}
    assert found == {11.0, -11.0, 9.0, -9.0}


def test_one_output_has_a_sign():
    assert question(LABELS[:, :1]).signed


def test_healthy_is_who_is_below():
    asked = question(LABELS[:, :1], healthy_below=1.0)
    assert asked.healthy.tolist() == [True, False, False]
    asked = question(output=1, healthy_below=4.0)
    assert asked.healthy.tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"output": 2}, AttributionError, "none of 2 outputs, which are 0 to 1"),
        ({"output": -1}, ConfigError, "neither 'random' nor the number"),
        ({"output": "all"}, ConfigError, "'all' is neither"),
        ({"output": True}, ConfigError, "True is neither"),
        ({"healthy_below": 1.0}, AttributionError, "which of 2 outputs"),
    ],
)
def test_what_cannot_be_explained_is_said(options, error, said):
    with pytest.raises(error, match=said):
        question(**options)


def regression(*constraints, n_outputs=1, **options):
    made = model(
        *constraints,
        task="regression",
        loss=MSELossConfig(),
        mask_key="lesion",
        network=CNNConfig(
            in_shape=SHAPE, num_outputs=n_outputs, conv_args={"channels": [2, 2]}
        ),
        **options,
    )
    return made.train()


def labelled(n_outputs=1):
    given = batch()
    for number, point in enumerate(given):
        values = torch.arange(n_outputs) + float(number)
        point["label"] = values if n_outputs > 1 else float(number)
    return given


def test_a_healthy_participant_is_one_with_a_low_score():
    constraint = {"name": "HealthyGradient"}
    terms = [
        float(
            regression(constraint, explain={"healthy_below": bound}).forward_step(
                labelled()
            )["HealthyGradient"]
        )
        for bound in (-1.0, 1.5, 9.0)
    ]
    assert terms[0] == 0 and 0 < terms[1] != terms[2] > 0
    with pytest.raises(AttributionError, match=r"with explain\.healthy_below"):
        regression(constraint).forward_step(labelled())


def test_signs_of_a_random_mixture_are_refused():
    constraint = {"name": "MonotoneSign"}
    with pytest.raises(AttributionError, match=r"Choose one: explain\.output"):
        regression(constraint, n_outputs=2).forward_step(labelled(2))
    one = regression(constraint, n_outputs=2, explain={"output": 1})
    assert one.forward_step(labelled(2))["MonotoneSign"] >= 0


def test_training_makes_the_prediction_rise_with_the_voxels_of_the_mask():
    made = regression(
        {"name": "MonotoneSign"}, loss_weight=0.0, second_order="difference"
    )
    given = labelled()
    optimizer = torch.optim.Adam(made.parameters(), lr=0.01)
    terms = []
    for _ in range(40):
        loss = made.forward_step(given)
        terms.append(float(loss["MonotoneSign"]))
        made.backward_step(loss)
        optimizer.step()
        optimizer.zero_grad()
    assert terms[-1] < 0.1 * terms[0]
    images = given.get_field("image", dtype=torch.float32)
    inside = given.get_field("lesion") > 0
    brighter = made.network(images + 0.1 * inside)
    assert (brighter > made.network(images)).all()
