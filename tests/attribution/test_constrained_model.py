import numpy as np
import pytest
import torch
import torchio as tio
from clinicadl.data.dataloader import Batch
from clinicadl.data.structures import DataPoint
from clinicadl.losses.config import MSELossConfig
from clinicadl.models import Model
from clinicadl.models.factory import get_model_from_json
from clinicadl.networks.config import CNNConfig, UNetConfig
from pydantic import ValidationError

from clinicadl_trust.attribution import AttributionConstrainedModel, attributions
from clinicadl_trust.attribution.balancing import gradient_of
from clinicadl_trust.exceptions import AttributionError, ConfigError
from clinicadl_trust.models.classification import ClassificationModel
from clinicadl_trust.testing import check_model, example_parts

SHAPE = (1, 16, 16, 16)


def batch(mask=True, shift=0.0):
    generator = torch.Generator().manual_seed(0)
    points = []
    for number in range(4):
        image = tio.ScalarImage(tensor=torch.rand(SHAPE, generator=generator))
        box = torch.zeros(SHAPE, dtype=torch.int)
        box[:, 4:8, 4:8, 4:8] = 1
        affine = torch.eye(4).double().numpy()
        affine[0, 3] = shift
        masks = {"lesion": tio.LabelMap(tensor=box, affine=affine)} if mask else {}
        points.append(
            DataPoint(image, f"sub-{number}", "ses-M000", label=number % 2, **masks)
        )
    return Batch(points)


def model(*constraints, **options):
    torch.manual_seed(0)
    given = constraints or ({"name": "HealthyGradient"},)
    return AttributionConstrainedModel(
        **{**example_parts(), "constraints": given, "wait": 0.0, **options}
    )


def gradient(made, given):
    made.train()
    made.backward_step(made.forward_step(given))
    found = torch.cat([p.grad.flatten() for p in made.parameters()])
    made.zero_grad()
    return found


def test_it_keeps_the_contract_of_a_model():
    check_model(AttributionConstrainedModel)


def test_it_comes_back_from_json(tmp_path):
    made = model(
        {"name": "HealthyGradient", "weight": 0.5, "method": "expected_gradients"},
        {"name": "RightReasons", "scale": "none"},
        mask_key="lesion",
        warmup=10,
    )
    path = tmp_path / "model.json"
    made.to_json(path)
    again = get_model_from_json(path)
    assert isinstance(again, Model) and again.to_dict() == made.to_dict()
    assert [term.weight for term in again.terms] == [0.5, 1.0]


def test_without_weight_it_is_a_plain_classification():
    constrained = model({"name": "HealthyGradient", "weight": 0}, smooth=False)
    torch.manual_seed(0)
    plain = ClassificationModel(**example_parts())
    plain.load_state_dict(
        {
            name: value
            for name, value in constrained.state_dict().items()
            if name.startswith("network.")
        }
    )
    loss = constrained.train().forward_step(batch())
    assert set(loss) == {"loss", "HealthyGradient"} and loss["HealthyGradient"] == 0
    assert torch.equal(loss["loss"], plain.train().forward_step(batch()))


@pytest.mark.parametrize(
    "constraint",
    [
        {"name": "HealthyGradient"},
        {"name": "HealthyGradient", "mode": "supervised"},
        {"name": "RightReasons", "method": "gradient_x_input"},
        {"name": "TotalVariation", "method": "integrated_gradients", "n_samples": 3},
        {
            "name": "HealthyGradient",
            "method": "expected_gradients",
            "baselines": "healthy",
        },
    ],
    ids=lambda table: "-".join(str(value) for value in table.values()),
)
def test_the_quick_gradient_is_the_exact_one(constraint):
    found = []
    for how in ("exact", "difference"):
        made = model(constraint, mask_key="lesion", second_order=how, loss_weight=0)
        torch.manual_seed(1)
        found.append(gradient(made, batch()))
    assert found[0].norm() > 0
    assert (found[0] - found[1]).norm() < 0.02 * found[0].norm()


def test_weights_rise_and_steps_are_skipped():
    made = model(warmup=3, every=2).train()
    sizes = []
    for _ in range(5):
        loss = made.forward_step(batch())
        made.backward_step(loss)
        sizes.append(float(loss["HealthyGradient"]))
    assert sizes[1] == sizes[3] == 0
    assert sizes[2] == pytest.approx(3 * sizes[0])
    assert sizes[4] == pytest.approx(4 * sizes[0])  # risen whole
    again = model(warmup=3, every=2)
    again.load_state_dict(made.state_dict())
    assert int(again.constraint_step) == 5
    again.reset()
    assert int(again.constraint_step) == 0


def test_the_task_is_learnt_first():
    made = model(delay=2, warmup=1, every=2).train()
    plain = ClassificationModel(**example_parts())
    plain.network = made.network
    sizes = []
    for _ in range(5):
        loss = made.forward_step(batch())
        if not sizes:
            assert float(loss["loss"]) == pytest.approx(
                float(plain.forward_step(batch()))
            )
        made.backward_step(loss)
        sizes.append(float(loss["HealthyGradient"]))
    assert sizes[0] == sizes[1] == sizes[3] == 0
    assert sizes[4] == pytest.approx(2 * sizes[2])  # risen whole
    with pytest.raises(ValidationError, match="delay"):
        model(delay=-1)


def test_training_quietens_healthy_images():
    made = model({"name": "HealthyGradient", "weight": 1.0}, loss_weight=0).train()
    optimizer = torch.optim.Adam(made.parameters(), lr=0.01)
    first = None
    for _ in range(30):
        loss = made.forward_step(batch())
        first = first or float(loss["HealthyGradient"])
        made.backward_step(loss)
        optimizer.step()
        optimizer.zero_grad()
    assert float(loss["HealthyGradient"]) < 0.7 * first


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"mask_key": "tumour"}, "it has lesion"),
        ({}, "Give the model a mask_key"),
    ],
)
def test_masks_that_are_not_there(options, said):
    made = model({"name": "RightReasons"}, **options).train()
    with pytest.raises(AttributionError, match=said):
        made.forward_step(batch())


def test_a_mask_half_a_voxel_off_is_caught():
    made = model({"name": "RightReasons"}, mask_key="lesion").train()
    with pytest.raises(AttributionError, match=r"'lesion' of sub-0, ses-M000 lies 0.5"):
        made.forward_step(batch(shift=0.5))


@pytest.mark.parametrize(
    ("constraints", "said"),
    [
        ([], "constraints is empty"),
        ([{"weight": 1}], "has no name"),
        ([{"name": "HealthyGradients"}], "Did you mean 'HealthyGradient'"),
        ([{"name": "Sparsity", "modes": 1}], r"constraints\[0\].modes is no option"),
        ([{"name": "Sparsity", "weight": -1}], "at least 0"),
        ([{"name": "Sparsity", "weight": "a"}], "is no number"),
        ([{"name": "Sparsity", "method": "lrp"}], "method = 'lrp' is unknown"),
        ([{"name": "Sparsity", "baselines": "mean"}], "baselines = 'mean'"),
        ([{"name": "Sparsity"}, {"name": "Sparsity"}], "more than once"),
    ],
)
def test_a_wrong_table_is_told(constraints, said):
    with pytest.raises((ConfigError, ValidationError), match=said):
        AttributionConstrainedModel(**example_parts(), constraints=constraints)


def test_a_network_of_rectifiers_is_told(caplog):
    network = CNNConfig(
        in_shape=SHAPE, num_outputs=1, conv_args={"channels": [2, 2], "act": "relu"}
    )
    made = model(smooth=False, network=network).train()
    made.forward_step(batch())
    assert "which is slower" in caplog.text
    made = model(smooth=False, second_order="difference", network=network).train()
    with pytest.raises(AttributionError, match="needs a smooth network"):
        made.forward_step(batch())


def test_a_huge_weight_and_a_constraint_as_metric():
    made = model({"name": "HealthyGradient", "weight": 1e6}).train()
    loss = made.forward_step(batch())
    assert all(torch.isfinite(value) for value in loss.values())
    with pytest.raises(NotImplementedError, match="cannot be a metric"):
        made.get_loss_functions()["HealthyGradient"](torch.zeros(1), torch.zeros(1))


def test_every_output_of_a_regression_is_explained():
    made = model(
        {"name": "RightReasons", "scale": "none"},
        mask_key="lesion",
        task="regression",
        loss=MSELossConfig(),
        network=CNNConfig(
            in_shape=SHAPE,
            num_outputs=3,
            conv_args={"channels": [2]},
        ),
        second_order="exact",
    )
    given = batch()
    for number, point in enumerate(given):
        point["label"] = torch.tensor([number, 1.0, -number])
    loss = made.train().forward_step(given)
    assert loss["loss"] > 0 and loss["RightReasons"] > 0
    images = given.get_field("image", dtype=torch.float32)
    each = attributions(made.network, images, target="all")
    outside = 1 - given.get_field("lesion").float()[:, None]
    expected = (outside * each.square()).mean(dim=(0, 2, 3, 4, 5)).sum()
    torch.manual_seed(0)
    drawn = [float(made.forward_step(given)["RightReasons"]) for _ in range(200)]
    assert np.mean(drawn) == pytest.approx(float(expected), rel=0.05)


def test_the_region_of_a_segmentation_is_explained():
    torch.manual_seed(0)
    made = model(
        {"name": "RightReasons", "scale": "none"},
        task="segmentation",
        label_key="lesion",
        network=UNetConfig(
            spatial_dims=3, in_channels=1, out_channels=1, channels=[2, 4], strides=[2]
        ),
        explain={"region": 3, "margin": 20},
    )
    loss = made.train().forward_step(batch())
    assert loss["loss"] > 0 and loss["RightReasons"] == 0  # it may look everywhere
    made.supervision.margin = 0
    assert made.forward_step(batch())["RightReasons"] > 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"task": "regresion"}, "task = 'regresion' is unknown. Did you mean 'regress"),
        ({"explain": {"helthy": 1}}, "explain.helthy is no option.*mean 'healthy'"),
    ],
)
def test_a_wrong_task_is_refused(options, said):
    with pytest.raises(ConfigError, match=said):
        model(**options)


def test_terms_of_one_constraint_are_told_apart_by_labels():
    made = model(
        {"name": "HealthyGradient", "label": "EG", "method": "expected_gradients"},
        {"name": "HealthyGradient", "label": "IG", "method": "integrated_gradients"},
    ).train()
    loss = made.forward_step(batch())
    assert [*loss] == ["loss", "EG", "IG"] == [*made.get_loss_functions()]
    assert loss["EG"] > 0 and loss["IG"] > 0


@pytest.mark.parametrize("label", ["a-b", "loss", "", 3])
def test_a_label_that_is_no_column_is_refused(label):
    with pytest.raises(ConfigError, match="names a column of the logs"):
        model({"name": "HealthyGradient", "label": label})


def test_a_part_of_the_images_is_drawn_anew():
    constraint = {"name": "RightReasons", "scale": "none"}
    network = CNNConfig(
        in_shape=SHAPE, num_outputs=1, conv_args={"channels": [2, 2], "norm": None}
    )
    options = {"network": network, "mask_key": "lesion"}
    whole = model(constraint, **options).train().forward_step(batch())
    made = model({**constraint, "fraction": 0.5}, **options).train()
    torch.manual_seed(0)
    found = [float(made.forward_step(batch())["RightReasons"]) for _ in range(60)]
    assert len({*found}) == 6  # pairs of four images
    assert np.mean(found) == pytest.approx(float(whole["RightReasons"]), rel=0.02)
    with pytest.raises(ConfigError, match=r"fraction = 0 must be in \(0, 1\]"):
        model({**constraint, "fraction": 0})


@pytest.mark.parametrize("second_order", ["exact", "difference"])
def test_a_balanced_constraint_pulls_as_its_weight_says(second_order):
    tables = (
        {"name": "HealthyGradient", "weight": 0.5},
        {"name": "RightReasons", "weight": 2.0, "scale": "none"},
    )
    options = {"mask_key": "lesion", "second_order": second_order}
    made = model(*tables, balance=True, **options).train()
    weights = list(made.parameters())
    loss = made.forward_step(batch())
    sizes = {
        name: float(gradient_of(value, weights).norm()) for name, value in loss.items()
    }
    assert sizes["HealthyGradient"] == pytest.approx(0.5 * sizes["loss"], rel=1e-4)
    assert sizes["RightReasons"] == pytest.approx(2.0 * sizes["loss"], rel=1e-4)
    again = model(*tables, balance=True, **options)
    again.load_state_dict(made.state_dict())
    assert torch.equal(again.balance.norms, made.balance.norms)
    again.reset()
    assert bool(again.balance.norms.isnan().all())


def test_a_balance_without_supervised_loss_is_refused():
    with pytest.raises(ValidationError, match="Set balance = false, or a loss_weight"):
        model(balance=True, loss_weight=0)


@pytest.mark.parametrize("weight", [0, 1e-6, 1e6])
@pytest.mark.parametrize("balance", [True, False])
def test_no_weight_makes_nan(weight, balance):
    made = model({"name": "HealthyGradient", "weight": weight}, balance=balance).train()
    optimizer = torch.optim.Adam(made.parameters(), lr=0.01)
    for _ in range(5):
        loss = made.forward_step(batch())
        assert all(torch.isfinite(value) for value in loss.values())
        made.backward_step(loss)
        optimizer.step()
        optimizer.zero_grad()
    assert all(bool(torch.isfinite(w).all()) for w in made.parameters())
