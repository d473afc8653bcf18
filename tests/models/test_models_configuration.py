"""Tables of models: what is built from them, and what is said of a mistake."""

import json

import pytest
import torch
from clinicadl.losses.config import (
    BCEWithLogitsLossConfig,
    CrossEntropyLossConfig,
    KLDivLossConfig,
    MultiMarginLossConfig,
    NLLLossConfig,
)
from clinicadl.metrics import MetricsHandler
from clinicadl.metrics.config import LossMetricConfig
from clinicadl.models import SupervisedModel
from clinicadl.models.factory import get_model_from_json
from clinicadl.networks.config import CNNConfig
from clinicadl.optim.optimizers.config import AdamConfig

from clinicadl_trust.exceptions import ConfigError
from clinicadl_trust.models.classification import ClassificationModel
from clinicadl_trust.models.components import Blueprint
from clinicadl_trust.models.configuration import build, known_names
from clinicadl_trust.models.options import read_options
from clinicadl_trust.models.run import check_model
from clinicadl_trust.task import Task

BINARY = Task("classification", "diagnosis", ("CN", "AD"))
MANY = Task("classification", "diagnosis", ("CN", "MCI", "AD"))
AGE = Task("regression", "age")
SHAPE = (1, 22, 26, 23)


def blueprint(task=BINARY, **config):
    return Blueprint("cnn", read_options("cnn", {"type": "trainer", **config}), task)


# ----------------------------------------------------------------------- what is right


def test_a_table_with_its_type_alone_is_enough():
    check_model("cnn", {"type": "trainer"}, BINARY)
    check_model("cnn", {"type": "trainer"}, MANY)
    check_model("cnn", {"type": "trainer"}, AGE)
    check_model("cnn", {"type": "trainer", "loss": {"name": "L1Loss"}})


@pytest.mark.parametrize(
    ("task", "loss", "model", "outputs"),
    [
        (BINARY, "BCEWithLogitsLoss", ClassificationModel, 1),
        (MANY, "CrossEntropyLoss", ClassificationModel, 3),
        (AGE, "MSELoss", SupervisedModel, 1),
    ],
)
def test_the_defaults_suit_the_task(task, loss, model, outputs):
    built = blueprint(task).model(SHAPE)
    assert type(built) is model
    assert built.config.loss.value.name_ == loss
    assert built.network.eval()(torch.zeros(2, *SHAPE)).shape == (2, outputs)


SHAPES = [
    *[(1, side, side + 2, side + 1) for side in (1, 2, 4, 6, 11, 22, 32, 45, 100)],
    (1, 169, 208, 179),  # Clinica's crop at 1 mm
    (1, 64, 80, 1),  # a slice
    (2, 30, 30, 30),
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_default_network_suits_any_image_and_comes_back_from_json(shape, tmp_path):
    model = blueprint().model(shape)
    model.to_json(tmp_path / "model.json")
    again = get_model_from_json(tmp_path / "model.json")
    assert repr(again.network) == repr(model.network)
    again.load_state_dict(model.state_dict())
    image = torch.randn(2, *shape)
    assert again.network.train()(image).shape == (2, 1)
    assert torch.equal(again.network.eval()(image), model.network.eval()(image))
    # Small enough to learn from some hundred images, whatever their size.
    assert sum(p.numel() for p in model.parameters()) < 100_000


def test_every_network_of_clinicadl_can_be_named():
    tables = {
        "ResNet18": {},
        "DenseNet121": {},
        "SEResNet50": {},
        "ViTB16": {},
        "MLP": {"num_inputs": 10, "hidden_dims": [4]},
    }
    for name, options in tables.items():
        config = blueprint(network={"name": name, **options}).network((1, 96, 96, 96))
        assert config.name_ == name


def test_layers_may_be_written_as_lists():
    conv = {"channels": [2, 4], "act": ["elu", {"alpha": 0.5}], "norm": None}
    conv |= {"pooling": ["avg", {"kernel_size": 2}], "pooling_indices": [0]}
    network = {"name": "CNN", "conv_args": conv}
    built = blueprint(network=network).network(SHAPE).get_object()
    assert "ELU(alpha=0.5)" in repr(built)
    assert "AvgPool3d(kernel_size=2" in repr(built)


def test_the_hosts_model_is_given_the_labels_it_wants():
    assert blueprint(model={"name": "SupervisedModel"}).float_labels
    assert not blueprint().float_labels


def test_options_of_the_model_reach_it():
    model = {"name": "ClassificationModel", "inferer": {"name": "SimpleInferer"}}
    assert blueprint(model=model).model(SHAPE).label_key == "label"


# ----------------------------------------------------------------------- what is wrong

WRONG = {
    "type": ({"type": "trianer"}, "models.cnn.type = 'trianer'.*'trainer'"),
    "key": ({"netwrok": {}}, "'netwrok' in models.cnn.*'network'"),
    "training key": (
        {"training": {"epoch": 3}},
        "'epoch' in models.cnn.training.*'epochs'",
    ),
    "training value": (
        {"training": {"epochs": 0}},
        r"models\.cnn\.training\.epochs = 0: .* greater than 0",
    ),
    "metric name": ({"metrics": {"a-b": {"name": "MAEMetric"}}}, "'a-b' is no name"),
    "monitor": ({"training": {"monitor": "auc"}}, "monitor = 'auc' is no metric"),
    "network name": (
        {"network": {"name": "ResNet19"}},
        "Unknown network 'ResNet19'.*'ResNet1",
    ),
    "network without name": ({"network": {"depth": 3}}, "network has no 'name'"),
    "network key": (
        {"network": {"name": "CNN", "conv_arg": {}}},
        "'conv_arg' in models.cnn.network.*'conv_args'",
    ),
    "nested key": (
        {"network": {"name": "CNN", "conv_args": {"channel": [2]}}},
        "'channel' in models.cnn.network.conv_args.*'channels'",
    ),
    "nested value": (
        {"network": {"name": "CNN", "conv_args": {"channels": [-1]}}},
        r"network\.conv_args\.channels\.0 = -1: .*greater than 0",
    ),
    "missing option": ({"network": {"name": "CNN"}}, r"network\.conv_args is missing"),
    "number of outputs": (
        {"network": {"name": "ResNet18", "num_outputs": 2}},
        "num_outputs = 2, but this task and loss need 1",
    ),
    "loss name": ({"loss": {"name": "BCELogits"}}, "Unknown loss 'BCELogits'"),
    "loss of another task": ({"loss": {"name": "MSELoss"}}, "does not suit a class"),
    "optimizer name": ({"optimizer": {"name": "AdamX"}}, "'AdamX'.*'Adam"),
    "optimizer key": (
        {"optimizer": {"name": "Adam", "learning_rate": 1.0}},
        "'learning_rate' in models.cnn.optimizer",
    ),
    "optimizer value": (
        {"optimizer": {"name": "Adam", "lr": "fast"}},
        "optimizer.lr = 'fast'",
    ),
    "transform": ({"transforms": [{"name": "ZNorm"}]}, r"'ZNorm' in .*transforms\[0\]"),
    "random transform": (
        {"transforms": [{"name": "RandomFlip"}]},
        "Random ones go to 'augmentations'",
    ),
    "augmentation": ({"augmentations": [{"name": "Flip"}]}, r"augmentations\[0\]"),
    "metric": ({"metrics": {"auc": {"name": "AUC"}}}, "Unknown metric 'AUC'"),
    "callback": ({"callbacks": [{"name": "Stop"}]}, "Unknown callback 'Stop'"),
    "scheduler": ({"lr_scheduler": {"name": "StepLr"}}, "lr scheduler.*'StepLR'"),
    "model name": ({"model": {"name": "Classifier"}}, "Unknown model 'Classifier'"),
    "model key": (
        {"model": {"name": "ClassificationModel", "label": "x"}},
        "'label' in models.cnn.model.*'label_key'",
    ),
    "model of images": ({"model": {"name": "ReconstructionModel"}}, "predicts images"),
    "output under another name": (
        {
            "model": {
                "name": "ClassificationModel",
                "inferer": {"name": "SimpleInferer", "output_name": "said"},
            }
        },
        "output_name = 'said'.* Leave it out",
    ),
    "network in the model": (
        {"model": {"name": "ClassificationModel", "network": {}}},
        "goes one level up: models.cnn.network",
    ),
    "interval": (
        {"training": {"epochs": 2, "evaluation_interval": 3}},
        "no checkpoint would be chosen",
    ),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_a_mistake_is_named_with_the_nearest_right_name(mistake):
    config, message = WRONG[mistake]
    with pytest.raises(ConfigError, match=message) as error:
        check_model("cnn", {"type": "trainer", **config}, BINARY)
    assert "pydantic" not in str(error.value)
    assert "\n" not in str(error.value)


def test_losses_and_models_must_suit_the_task():
    with pytest.raises(ConfigError, match=r"of 3 classes.*CrossEntropyLoss"):
        blueprint(MANY, loss={"name": "BCEWithLogitsLoss"})
    with pytest.raises(ConfigError, match=r"for a regression use .SupervisedModel"):
        blueprint(AGE, model={"name": "ClassificationModel"}).check()


def test_a_loss_that_implies_no_activation_must_say_so(monkeypatch):
    class Odd(torch.nn.L1Loss):
        pass

    plan = blueprint()
    monkeypatch.setattr(
        BCEWithLogitsLossConfig, "_get_class", classmethod(lambda cls: Odd)
    )
    monkeypatch.setattr(BCEWithLogitsLossConfig, "to_raw_dict", lambda self, **k: {})
    with pytest.raises(ConfigError, match="attribute 'activation'"):
        _ = plan.activation
    Odd.activation = "sigmoid"
    assert plan.activation == "sigmoid"


def test_the_names_known_are_the_hosts_and_the_plugins():
    assert {"Adam", "AdamW"} <= set(known_names("optimizers"))
    assert {"SupervisedModel", "ClassificationModel"} <= set(known_names("models"))
    assert build("optimizers", {"name": "AdamW"}, "here").weight_decay == 0.01


# ------------------------------------------------------------ the classification model


def classifier(loss, outputs):
    network = CNNConfig(
        in_shape=(1, 4, 4, 4), num_outputs=outputs, conv_args={"channels": [2]}
    )
    return ClassificationModel(network, loss, AdamConfig())


LOSSES = [
    (BCEWithLogitsLossConfig(pos_weight=[2.0]), 1),
    (CrossEntropyLossConfig(weight=[1.0, 2.0, 3.0], label_smoothing=0.1), 3),
    (NLLLossConfig(), 3),
    (MultiMarginLossConfig(), 3),
    (KLDivLossConfig(), 3),
]


@pytest.mark.parametrize(("loss", "outputs"), LOSSES)
def test_the_classification_model_comes_back_from_json(loss, outputs, tmp_path):
    model = classifier(loss, outputs)
    model.to_json(tmp_path / "model.json")
    assert json.loads((tmp_path / "model.json").read_text())["name_"] == (
        "ClassificationModel"
    )
    again = get_model_from_json(tmp_path / "model.json")
    assert type(again) is ClassificationModel
    assert again.config.to_dict() == model.config.to_dict()
    again.load_state_dict(model.state_dict())


@pytest.mark.parametrize(("loss", "outputs"), LOSSES)
def test_outputs_in_half_precision_are_measured_in_single(loss, outputs):
    said = torch.linspace(0.1, 0.9, 4 * outputs).reshape(4, outputs)
    labels = torch.tensor([0, 1, 0, 1])
    measure = classifier(loss, outputs).loss
    half = said.half()
    assert measure(half, labels).dtype == torch.float32
    assert torch.equal(measure(half, labels), measure(half.float(), labels))


@pytest.mark.parametrize(("loss", "outputs"), LOSSES)
def test_each_loss_trains_and_is_measured_image_by_image(loss, outputs):
    import torchio as tio
    from clinicadl.data.dataloader import Batch
    from clinicadl.data.structures import DataPoint

    labels = [index % max(2, outputs) for index in range(4)]
    batch = Batch(
        [
            DataPoint(
                image=tio.ScalarImage(tensor=torch.randn(1, 4, 4, 4)),
                participant_id=f"sub-{index}",
                session_id="ses-M000",
                label=label,
            )
            for index, label in enumerate(labels)
        ]
    )
    model = classifier(loss, outputs)
    value = model.forward_step(batch)
    assert value.ndim == 0
    value.backward()
    metrics = MetricsHandler(loss=LossMetricConfig())
    metrics.init_metrics(model)
    with torch.no_grad():
        detailed = metrics(model.evaluation_step(batch))
    assert len(detailed) == 4
    assert detailed["loss"].nunique() == 4
    assert model.loss.reduction == "mean"


# ---------------------------------------------------------------------- who is healthy

EXPLAINING = {"name": "AttributionConstrainedModel"}
EXPLAINING |= {"constraints": [{"name": "HealthyGradient", "mode": "unsupervised"}]}
SORTED = Task("classification", "diagnosis", ("AD", "CN", "MCI"))
TUMOURS = Task("classification", "tumour", ("glioma", "lymphoma", "metastasis"))


@pytest.mark.parametrize(
    ("task", "explain", "expected"),
    [
        (SORTED, {}, {"healthy": 1}),
        (SORTED, {"healthy": "MCI"}, {"healthy": 2}),
        (SORTED, {"healthy": 0}, {"healthy": 0}),
        (BINARY, {}, {}),
        (TUMOURS, {"healthy": "lymphoma"}, {"healthy": 1}),
    ],
)
def test_a_constrained_model_knows_the_healthy_class(task, explain, expected):
    made = blueprint(task, model=EXPLAINING | {"explain": explain}).model(SHAPE)
    assert made.config.explain == expected


@pytest.mark.parametrize(
    ("task", "explain", "message"),
    [
        (TUMOURS, {}, r"glioma, lymphoma.*explain\.healthy = 'glioma'"),
        (
            SORTED,
            {"healthy": "NC"},
            r"explain\.healthy = 'NC' is no class.*AD, CN, MCI",
        ),
        (SORTED, {"healthy": 3}, r"explain\.healthy = 3 is no class"),
    ],
)
def test_a_healthy_class_that_is_not_known_is_told(task, explain, message):
    with pytest.raises(ConfigError, match=message):
        blueprint(task, model=EXPLAINING | {"explain": explain}).check()
