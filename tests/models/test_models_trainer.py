"""A run with ClinicaDL's Trainer, and the MAPS that it leaves."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from clinicadl.data.datasets import TensorDataset
from clinicadl.models import SupervisedModel
from clinicadl.train import Trainer
from trainer_runs import CONFIG, change, records, table

from clinicadl_trust.exceptions import (
    CohortError,
    ConfigError,
    LeakageError,
    OutputError,
    RunError,
    SplitError,
)
from clinicadl_trust.models.classification import ClassificationModel
from clinicadl_trust.models.run import run
from clinicadl_trust.predictions import read_predictions
from clinicadl_trust.records import find_records, read_lineage


def pairs(frame: pd.DataFrame) -> set:
    return set(frame[["participant_id", "session_id"]].itertuples(index=False))


# ------------------------------------------------------------------------- what it is


def test_predictions_are_of_the_validation_and_the_test_set(finished, spec):
    for group in ("validation", "test"):
        found = table(finished, group)
        assert pairs(found) == pairs(getattr(spec.fold, group))
        assert found["score"].between(0, 1).all()
        assert (found["group"] == group).all()
        assert (found["split_strategy"] == "participants").all()
        truth = found.merge(spec.cohort.table, on=["participant_id", "session_id"])
        assert ((truth["diagnosis"] == "AD") == (truth["label"] == 1)).all()
    read_predictions(records(finished) / "predictions_test.tsv")


def test_the_record_says_what_was_run(finished, spec):
    assert list(find_records(finished)) == [records(finished)]
    record = json.loads((records(finished) / "run.json").read_text())
    assert (record["model"], record["seed"], record["split"]) == ("cnn", 3, 1)
    assert record["config"] == spec.config
    assert record["versions"]["clinicadl"].startswith("2.0")
    assert record["hardware"]["threads"] == 1
    assert set(record["durations"]) == {"images", "training", "test"}
    assert all(seconds > 0 for seconds in record["durations"].values())
    lineage = read_lineage(finished)
    assert lineage.seen == set(spec.fold.train["participant_id"]) | set(
        spec.fold.validation["participant_id"]
    )


def test_nothing_is_left_of_the_building(finished):
    names = {path.name for path in finished.parent.iterdir()}
    assert names <= {"maps", "age", "cache"}
    assert not list(finished.glob("training/split-1/tmp/epoch-*"))


def test_the_validation_predictions_are_the_best_checkpoints(finished, spec):
    metrics = finished / "training" / "split-1" / "validation_metrics"
    losses = pd.read_csv(metrics / "aggregated.tsv", sep="\t")
    trainer = Trainer.from_maps(finished)
    weights = "training/split-1/models/best_models/best-loss/model.pt"
    trainer.model.load_state_dict(torch.load(finished / weights, weights_only=True))
    split = trainer._get_split(1)
    trainer.model.eval()
    split.val_dataset.eval()
    found = table(finished, "validation").set_index(["participant_id", "session_id"])
    loss = 0.0
    with torch.no_grad():
        for index in range(len(split.val_dataset)):
            sample = split.val_dataset[index]
            output = trainer.model.network(sample.image.tensor[None]).item()
            row = found.loc[(sample.participant_id, sample.session_id)]
            assert 1 / (1 + np.exp(-output)) == pytest.approx(row["score"], abs=1e-5)
            chance = row["score"] if row["label"] == 1 else 1 - row["score"]
            loss -= np.log(chance) / len(split.val_dataset)
    assert loss == pytest.approx(losses["loss"].min(), abs=1e-4)


def test_the_trainer_reopens_the_maps_and_its_data(finished):
    trainer = Trainer.from_maps(finished)
    assert isinstance(trainer.model, ClassificationModel)
    split = trainer._get_split(1)
    assert type(split.train_dataset) is TensorDataset
    assert split.train_dataset[0]["label"] in (0, 1)


def test_a_maps_of_the_default_network_is_reopened(spec, tmp_path):
    config = {"type": "trainer", "training": {"epochs": 1}}
    maps = run(replace(spec, config=config, output=tmp_path / "maps"))
    trainer = Trainer.from_maps(maps)
    weights = maps / "training/split-1/models/best_models/best-loss/model.pt"
    trainer.model.load_state_dict(torch.load(weights, weights_only=True))
    assert "AvgPool" not in repr(trainer.model.network), "at 8 mm nothing is averaged"
    assert "MaxPool3d" in repr(trainer.model.network)


def test_services_are_not_written_in_the_maps(finished):
    text = (finished / "callbacks.json").read_text()
    for name in ("RandomStates", "Outputs", "Divergence", "Begun", "Progress"):
        assert name not in text


def test_a_finished_run_is_not_done_again(finished, spec):
    before = (records(finished) / "run.json").stat().st_mtime_ns
    assert run(spec) == finished
    assert (records(finished) / "run.json").stat().st_mtime_ns == before


def test_another_run_is_not_taken_for_it(finished, spec):
    with pytest.raises(OutputError, match="another seed"):
        run(replace(spec, seed=4))
    other = change(CONFIG, training={"epochs": 2})
    with pytest.raises(OutputError, match="another config"):
        run(replace(spec, config=other))


def test_something_else_in_its_place_is_refused(spec, tmp_path):
    (tmp_path / "maps").mkdir()
    with pytest.raises(OutputError, match="is not the finished MAPS"):
        run(replace(spec, output=tmp_path / "maps"))


def test_seeds_give_other_weights_and_threads_are_put_back(finished, spec, tmp_path):
    before = torch.get_num_threads()
    told = []
    other = run(
        replace(spec, seed=4, output=tmp_path / "other"),
        progress=lambda fraction, phrase: told.append((fraction, phrase)),
    )
    assert torch.get_num_threads() == before
    assert not np.allclose(
        table(other, "test")["score"], table(finished, "test")["score"]
    )
    assert (1.0, "epoch 3 of at most 3") in told


# ---------------------------------------------------------------------- other tasks


def test_a_regression_uses_the_hosts_model_in_the_labels_own_unit(regression, spec):
    found = table(regression, "test")
    assert type(Trainer.from_maps(regression).model) is SupervisedModel
    truth = found.merge(spec.cohort.table, on=["participant_id", "session_id"])
    assert np.allclose(truth["label"], truth["age"])
    # Untrained, it is near the training set's mean, not near 0.
    assert abs(found["score"].mean() - truth["age"].mean()) < 20


def test_three_classes_have_three_scores(spec, tmp_path):
    task = spec.cohort.task("site")
    assert len(task.classes) == 3
    config = change(CONFIG, training={"epochs": 1})
    found = table(
        run(replace(spec, task=task, config=config, output=tmp_path / "site")), "test"
    )
    scores = found[[f"score_{name}" for name in task.classes]]
    assert np.allclose(scores.sum(axis=1), 1)
    assert set(found["label"]) <= set(task.classes)


def test_two_classes_with_cross_entropy_give_the_positive_ones_score(spec, tmp_path):
    config = change(
        CONFIG,
        loss={"name": "CrossEntropyLoss"},
        optimizer={"name": "AdamW", "lr": 1e-3},
        lr_scheduler={"name": "OneCycleLR", "max_lr": 1e-2},
        augmentations=[{"name": "RandomNoise"}],
        training={"epochs": 2, "patience": 1},
    )
    found = table(run(replace(spec, config=config, output=tmp_path / "ce")), "test")
    assert "score" in found
    assert found["score"].between(0, 1).all()


# -------------------------------------------------------------------------- refusals


def test_a_leaky_fold_is_refused_before_anything(spec, tmp_path):
    leaky = replace(
        spec.fold, test=pd.concat([spec.fold.test, spec.fold.train.head(1)])
    )
    with pytest.raises(LeakageError, match="train and the test set"):
        run(replace(spec, fold=leaky, output=tmp_path / "maps"))
    assert not list(tmp_path.iterdir())


def test_an_empty_set_and_an_unknown_label_are_refused(spec, tmp_path):
    empty = replace(spec.fold, validation=spec.fold.validation.head(0))
    with pytest.raises(SplitError, match=r"validation set .* is empty"):
        run(replace(spec, fold=empty, output=tmp_path / "maps"))
    rows = spec.cohort.table.copy()
    rows.loc[
        rows["participant_id"] == spec.fold.test["participant_id"][0], "diagnosis"
    ] = None
    cohort = replace(spec.cohort, table=rows)
    with pytest.raises(CohortError, match="n/a for 2 images"):
        run(replace(spec, cohort=cohort, output=tmp_path / "maps"))


def test_a_model_that_diverges_says_so(spec, tmp_path):
    config = change(CONFIG, optimizer={"name": "Adam", "lr": 1e30})
    with pytest.raises(RunError, match=r"diverged: its .* is (nan|inf).*Lower"):
        run(replace(spec, config=config, output=tmp_path / "maps"))


def test_a_network_that_does_not_fit_the_images_is_named(spec, tmp_path):
    network = {"name": "CNN", "conv_args": {"channels": [4] * 9, "stride": 2}}
    config = change(CONFIG, network=network)
    with pytest.raises(ConfigError, match=r"not work on images of shape .* size 0"):
        run(replace(spec, config=config, output=tmp_path / "maps"))


def test_a_run_under_way_is_left_to_its_process(spec, tmp_path):
    from clinicadl_trust.models.building import building

    other = replace(spec, output=tmp_path / "maps")
    with (
        building(other) as partial,
        pytest.raises(OutputError, match="Another process"),
    ):
        partial.mkdir()
        run(other)


# -------------------------------------------------------------------------- transfer


def test_weights_and_lineage_are_taken_from_an_ancestor(finished, spec, tmp_path):
    # A fold whose test participants the ancestor has not seen: its own.
    config = change(CONFIG, init_from=str(finished), training={"epochs": 1})
    config["optimizer"] = {"name": "Adam", "lr": 1e-12}
    maps = run(replace(spec, config=config, output=tmp_path / "child"))
    assert np.allclose(
        table(maps, "test")["score"], table(finished, "test")["score"], atol=1e-4
    )
    assert read_lineage(maps).ancestors[0].name == "cnn"


def test_an_ancestor_that_saw_who_is_tested_is_refused(finished, spec, tmp_path):
    fold = replace(spec.fold, train=spec.fold.test, test=spec.fold.train)
    config = change(CONFIG, init_from=str(finished), training={"epochs": 1})
    child = replace(spec, fold=fold, config=config, output=tmp_path / "maps")
    with pytest.raises(LeakageError, match="biased transfer"):
        run(child)
    allowed = {**config, "allow_seen": True}
    assert run(replace(child, config=allowed)).is_dir()


def test_weights_that_do_not_fit_are_refused(finished, spec, tmp_path):
    network = {
        "name": "CNN",
        "conv_args": {"channels": [5, 5], "stride": 2, "act": "relu"},
        "mlp_args": {"hidden_dims": [7], "act": "relu", "norm": None},
    }
    config = change(CONFIG, init_from=str(finished), network=network)
    config["loss"] = {"name": "CrossEntropyLoss"}
    with pytest.raises(ConfigError, match=r"none of the .* weights"):
        run(replace(spec, config=config, output=tmp_path / "maps"))
