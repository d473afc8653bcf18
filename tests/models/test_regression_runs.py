"""Quantities through the Trainer: constraints, several at once, their own unit."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from clinicadl.train import Trainer
from killed_runs import killed_and_resumed, same_as
from trainer_runs import CONFIG, change, make_spec, table

from clinicadl_trust.attribution import AttributionConstrainedModel, interpret
from clinicadl_trust.cohort import Cohort
from clinicadl_trust.exceptions import AttributionError, CohortError, ConfigError
from clinicadl_trust.generate import mask_type
from clinicadl_trust.models.predict import predict
from clinicadl_trust.models.run import run

OUTPUTS = ["age", "score"]


@pytest.fixture(scope="module")
def config(caps_options):
    source = mask_type(caps_options)
    entities = dict(source.with_entities)
    return change(
        CONFIG,
        masks={
            "truth": {
                "data_type": source.data_type,
                "suffix": source.suffix,
                "with_entities": entities,
            }
        },
        training={"epochs": 2},
    )


def constrained(config, *constraints, **explain):
    model = {
        "name": "AttributionConstrainedModel",
        "mask_key": "truth",
        "constraints": [*constraints],
        "explain": explain,
    }
    return change(config, model=model)


@pytest.fixture(scope="module")
def score(caps_dir, cohort, image, config, tmp_path_factory):
    """A run that predicts the score, who has less than 1 being healthy."""
    healthy, monotone = {"name": "HealthyGradient"}, {"name": "MonotoneSign"}
    return make_spec(
        caps_dir,
        cohort,
        image,
        tmp_path_factory.mktemp("score"),
        task=cohort.task("score", "regression"),
        config=constrained(config, healthy, monotone, healthy_below=1.0),
    )


@pytest.fixture(scope="module")
def scored(score):
    return run(score)


@pytest.fixture(scope="module")
def several(score, config, tmp_path_factory):
    """A run that predicts two quantities."""
    reasons = {"name": "RightReasons", "scale": "none", "weight": 0.1}
    return replace(
        score,
        task=score.cohort.task(OUTPUTS),
        config=constrained(config, reasons),
        output=tmp_path_factory.mktemp("several") / "maps",
    )


@pytest.fixture(scope="module")
def together(several):
    return run(several)


def train_labels(spec):
    return spec.task.targets(spec.rows("train"))


def test_predictions_are_in_the_labels_own_unit(score, scored):
    found = table(scored, "test")
    truth = score.rows("test")["score"]
    np.testing.assert_array_equal(found["label"], truth)
    middle = train_labels(score).mean()
    assert abs(found["score"].mean() - middle) < 2 * train_labels(score).std()


def test_who_is_healthy_is_in_the_networks_unit_in_the_json(score, scored):
    explain = json.loads((scored / "model.json").read_text())["explain"]
    labels = train_labels(score)
    expected = (1.0 - labels.mean()) / labels.std()
    assert explain["healthy_below"] == pytest.approx(expected)
    (log,) = scored.glob("training/split-1/logs/training_loss.tsv")
    terms = pd.read_csv(log, sep="\t")
    assert (terms["HealthyGradient"] > 0).any()
    assert "MonotoneSign" in terms


def test_it_reopens_and_predicts_the_same(score, scored, caps_dir):
    trainer = Trainer.from_maps(scored)
    assert isinstance(trainer.model, AttributionConstrainedModel)
    people = Cohort.from_frame(score.rows("test").drop(columns="path"))
    again = predict(scored, people, caps_dir)
    np.testing.assert_allclose(again["score"], table(scored, "test")["score"], 1e-6)


def test_killed_and_resumed_it_ends_the_same(monkeypatch, score, scored, tmp_path):
    again = killed_and_resumed(monkeypatch, score, tmp_path / "maps")
    assert same_as(again, scored)


def test_several_outputs_have_each_their_scale(several, together):
    found = table(together, "test")
    truth = several.rows("test")
    for name in OUTPUTS:
        np.testing.assert_array_equal(found[f"label_{name}"], truth[name])
    means = found[[f"predicted_{name}" for name in OUTPUTS]].mean().to_numpy()
    labels = train_labels(several)
    assert (np.abs(means - labels.mean(axis=0)) < 2 * labels.std(axis=0)).all()
    scaled = [
        (found[f"predicted_{name}"] - found[f"label_{name}"]) / deviation
        for name, deviation in zip(OUTPUTS, several.task.deviations, strict=True)
    ]
    np.testing.assert_allclose(found["error"], np.sqrt(np.mean(np.square(scaled), 0)))


def test_several_outputs_reopen_and_predict_the_same(several, together, caps_dir):
    assert len(Trainer.from_maps(together).model.network(_image(several))[0]) == 2
    people = several.rows("test").drop(columns=["path", "age"])
    again = predict(together, Cohort.from_frame(people), caps_dir)
    assert again[["label_age", "error"]].isna().all(axis=None)
    before = table(together, "test")
    for name in OUTPUTS:
        key = f"predicted_{name}"
        np.testing.assert_allclose(again[key], before[key], 1e-5)


def _image(spec):
    import nibabel as nib
    import torch

    volume = nib.load(spec.cohort.table["path"].iloc[0]).get_fdata()
    return torch.from_numpy(volume).float()[None, None]


def test_without_a_constraint_the_hosts_model_predicts_several(several, tmp_path):
    config = {key: value for key, value in several.config.items() if key != "model"}
    plain = change(config, training={"epochs": 1})
    maps = run(replace(several, config=plain, output=tmp_path / "maps"))
    assert {f"predicted_{name}" for name in OUTPUTS} <= {*table(maps, "test")}
    assert json.loads((maps / "model.json").read_text())["name_"] == "SupervisedModel"


@pytest.mark.parametrize(
    ("explain", "said"),
    [
        ({"healthy_below": 50}, r"explain\.healthy_below = 50 takes everybody"),
        ({"healthy_below": -1}, "takes nobody for healthy: the training labels go"),
        ({"healthy_below": "1"}, "is no number"),
    ],
)
def test_who_cannot_be_healthy(score, config, tmp_path, explain, said):
    wrong = constrained(config, {"name": "HealthyGradient"}, **explain)
    with pytest.raises(ConfigError, match=said):
        run(replace(score, config=wrong, output=tmp_path / "maps"))


def test_a_label_that_is_missing_in_the_fold(several, tmp_path):
    rows = several.cohort.table.copy()
    rows.loc[0, "age"] = np.nan
    spoilt = replace(several, cohort=Cohort(rows), output=tmp_path / "maps")
    with pytest.raises(CohortError, match="Label 'age, score' is n/a for 1 images"):
        run(spoilt)


def test_one_of_several_outputs_is_interpreted(together, tmp_path):
    maps = shutil.copytree(together, tmp_path / "maps")
    with pytest.raises(AttributionError, match="one of age, score"):
        interpret(maps)
    for group in ("test", "train"):
        (made,) = interpret(
            maps, group=group, target="score", n_steps=2, randomise=False
        )
        assert made.about["mask"]["name"] == "truth"
        rows, curves = made.metrics(), made.curves()
        start = curves.query("curve == 'deletion' and fraction == 0")["score"]
        np.testing.assert_allclose(start, rows["predicted_score"], rtol=1e-4)
