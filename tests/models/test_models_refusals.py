"""What cannot work is told before an hour is spent on it, or as soon as it is known."""

from dataclasses import replace

import pandas as pd
import pytest
from trainer_runs import CONFIG, change, ids

from clinicadl_trust.exceptions import ConfigError, RunError
from clinicadl_trust.models.components import Blueprint
from clinicadl_trust.models.options import read_options
from clinicadl_trust.models.plan import check_plan, make_callbacks, make_metrics
from clinicadl_trust.models.run import run
from clinicadl_trust.models.starting_model import make_model
from clinicadl_trust.task import Task

BINARY = Task("classification", "diagnosis", ("CN", "AD"))
MANY = Task("classification", "diagnosis", ("CN", "MCI", "AD"))
SHAPE = (1, 9, 10, 11)
AUC = {"auc": {"name": "ROCAUCMetric"}}


def blueprint(task=BINARY, **config):
    return Blueprint("cnn", read_options("cnn", {"type": "trainer", **config}), task)


def ending(activation):
    conv = {"channels": [2]}
    mlp = {"hidden_dims": [], "output_act": activation}
    return {"name": "CNN", "conv_args": conv, "mlp_args": mlp}


@pytest.fixture
def make(spec):
    return lambda plan: make_model(spec, plan, SHAPE)


# ------------------------------------------------------------------ before the training


@pytest.mark.parametrize("loss", ["BCELoss", "NLLLoss", "KLDivLoss"])
def test_a_loss_of_probabilities_needs_a_network_that_gives_them(make, loss):
    task = BINARY if loss == "BCELoss" else MANY
    with pytest.raises(ConfigError, match=rf"the loss {loss} takes .*output_act"):
        make(blueprint(task, loss={"name": loss}))
    activation = "sigmoid" if loss == "BCELoss" else "logsoftmax"
    assert make(blueprint(task, loss={"name": loss}, network=ending(activation)))


def test_an_activation_that_the_loss_applies_too_is_told(make, caplog):
    make(blueprint(network=ending("relu")))
    assert not caplog.records
    for loss, activation in (
        ("BCEWithLogitsLoss", "sigmoid"),
        ("CrossEntropyLoss", ["softmax", {"dim": 1}]),
    ):
        caplog.clear()
        make(blueprint(loss={"name": loss}, network=ending(activation)))
        assert f"the loss {loss} applies itself" in caplog.text


def test_a_metric_that_cannot_measure_the_outputs_is_named(make):
    assert make(blueprint(metrics=AUC))
    with pytest.raises(ConfigError, match=r"cnn\.metrics\.auc .* 3 an image") as error:
        make(blueprint(MANY, metrics=AUC))
    assert "\n" not in str(error.value)


def test_a_loss_that_cannot_be_computed_is_named(make):
    loss = {"name": "CrossEntropyLoss", "weight": [1.0, 2.0]}
    with pytest.raises(ConfigError, match=r"models\.cnn\.loss .*all 3 classes"):
        make(blueprint(MANY, loss=loss))


def test_callbacks_that_are_there_already_are_refused():
    twice = blueprint(callbacks=[{"name": "TrainingCheckpointCallback"}])
    with pytest.raises(ConfigError, match=r"callbacks: .* one TrainingCheckpoint.*out"):
        check_plan(twice)


def test_a_network_that_suits_other_shapes_than_the_usual_is_not_refused():
    check_plan(blueprint(network={"name": "ViT", "patch_size": 20}))
    with pytest.raises(ConfigError, match="patch_size"):
        check_plan(blueprint(network={"name": "ViT", "patch_size": "x"}))


def test_a_scheduler_knows_whether_the_metric_is_better_high():
    scheduler = {"name": "ReduceLROnPlateau"}
    for monitor, mode in (("loss", "min"), ("auc", "max")):
        training = {"monitor": monitor}
        plan = blueprint(metrics=AUC, training=training, lr_scheduler=scheduler)
        *_, last = make_callbacks(plan, make_metrics(plan), steps=1)
        assert last.config.scheduler.value.mode == mode


def test_a_training_that_would_make_no_step_is_refused(spec, tmp_path):
    config = change(CONFIG, training={"accumulation_steps": 4})
    with pytest.raises(ConfigError, match="4, but an epoch has 3 batches of 8 images"):
        run(replace(spec, config=config, output=tmp_path / "maps"))


def of_one_class(spec, group):
    """Return a run of which one group holds controls only."""
    table = spec.cohort.table
    controls = set(table.loc[table["diagnosis"] == "CN", "participant_id"])
    people = controls & set(getattr(spec.fold, group)["participant_id"])
    fold = replace(spec.fold, **{group: ids(table, people)})
    return replace(spec, fold=fold)


def test_training_images_of_one_class_are_refused(spec, tmp_path):
    other = replace(of_one_class(spec, "train"), output=tmp_path / "maps")
    with pytest.raises(RunError, match="No training image has diagnosis = AD"):
        run(other)


def test_a_class_without_training_image_is_told(spec, caplog):
    from clinicadl_trust.models.classes import check_classes

    check_classes(pd.Series([0, 2, 2]).to_numpy(), MANY)
    assert "no training image has diagnosis = MCI" in caplog.text


# ----------------------------------------------------------------- while it is training


def test_a_metric_that_is_not_defined_is_not_taken_for_divergence(spec, tmp_path):
    config = change(CONFIG, metrics=AUC, training={"monitor": "auc"})
    other = of_one_class(spec, "validation")
    with pytest.raises(RunError, match=r"'auc'.* is nan .*monitor = 'loss'") as error:
        run(replace(other, config=config, output=tmp_path / "maps"))
    assert "diverged" not in str(error.value)


def test_a_metric_may_choose_the_checkpoint(spec, tmp_path):
    config = change(CONFIG, metrics=AUC, training={"monitor": "auc", "epochs": 1})
    maps = run(replace(spec, config=config, output=tmp_path / "maps"))
    assert list(maps.glob("training/split-1/models/best_models/best-auc/model.pt"))
