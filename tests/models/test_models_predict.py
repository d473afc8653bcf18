"""A trained model on new tables, and the two commands."""

import json
import pickle
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from trainer_runs import CONFIG, records, table

from clinicadl_trust.cli.main import cli
from clinicadl_trust.cohort import Cohort
from clinicadl_trust.exceptions import CapsError, ConfigError, LeakageError, RunError
from clinicadl_trust.models.predict import predict
from clinicadl_trust.predictions import check_predictions
from clinicadl_trust.split import from_options, write_splits

KEYS = ["participant_id", "session_id"]


def part(cohort, ids) -> Cohort:
    """Return the rows of a cohort that are in a table of ids."""
    return Cohort.from_frame(ids.merge(cohort.table, on=KEYS))


@pytest.fixture(scope="module")
def tested(cohort, spec):
    """The participants of the run's test fold."""
    return part(cohort, spec.fold.test)


def test_the_test_fold_is_predicted_as_the_run_did(finished, tested, caps_dir):
    found = predict(finished, tested, caps_dir)
    known = table(finished, "test").merge(found, on=KEYS, suffixes=("", "_new"))
    assert len(known) == len(found)
    assert np.allclose(known["score"], known["score_new"], atol=1e-5)
    assert (known["label"] == known["label_new"]).all()
    assert set(found["group"]) == {"test"}
    assert set(found["model"]) == {"cnn"}


def test_labels_may_be_missing_or_foreign(finished, tested, caps_dir, caplog):
    rows = tested.table.drop(columns="diagnosis")
    found = predict(finished, Cohort.from_frame(rows), caps_dir)
    assert found["label"].isna().all()
    check_predictions(found.assign(label=0))
    rows = tested.table.assign(diagnosis=["MCI", *tested.table["diagnosis"][1:]])
    found = predict(finished, Cohort.from_frame(rows), caps_dir)
    assert found["label"].isna().sum() == 1
    assert "does not know (MCI)" in caplog.text


def test_participants_seen_are_refused_unless_allowed(
    finished, cohort, spec, caps_dir, caplog
):
    seen = part(cohort, spec.fold.validation.head(4))
    with pytest.raises(LeakageError, match="has seen 2 of the 2 participants"):
        predict(finished, seen, caps_dir)
    assert len(predict(finished, seen, caps_dir, allow_seen=True)) == 4
    assert "say nothing of new patients" in caplog.text


def test_a_regression_is_predicted_in_its_own_unit(regression, tested, caps_dir):
    found = predict(regression, tested, caps_dir)
    known = table(regression, "test").merge(found, on=KEYS, suffixes=("", "_new"))
    assert np.allclose(known["score"], known["score_new"], atol=1e-3)


def test_images_of_another_grid_are_refused(finished, spec, tested, tmp_path, image):
    import nibabel as nib

    from clinicadl_trust.caps import with_images

    joined, _ = with_images(tested, spec.caps, image)
    for change, message in (
        (lambda data, affine: (data[1:], affine), "was trained on"),
        (lambda data, affine: (data, affine + np.eye(4)), "in another space"),
    ):
        rows = joined.table.head(1).copy()
        source = nib.load(rows["path"].iloc[0])
        data, affine = change(source.get_fdata(dtype=np.float32), source.affine)
        rows["path"] = str(tmp_path / "image.nii.gz")
        nib.save(nib.Nifti1Image(data, affine), rows["path"].iloc[0])
        with pytest.raises(CapsError, match=message):
            predict(finished, Cohort.from_frame(rows), cache=tmp_path / "cache")


def test_what_is_no_run_or_has_no_image_is_refused(finished, tested, tmp_path):
    with pytest.raises(RunError, match="holds 0 finished runs"):
        predict(tmp_path, tested)
    with pytest.raises(ConfigError, match="give the CAPS"):
        predict(finished, tested)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("model.json", '{"name_": "Gone"}', "'Gone' .* install the package"),
        ("training/split-1/trust/state.json", "{", "state.json' cannot be read"),
        (
            "training/split-1/models/best_models/best-loss/model.pt",
            "no weights",
            "weights in .* cannot be read",
        ),
    ],
)
def test_a_damaged_run_is_named(
    finished, tested, caps_dir, tmp_path, name, content, message
):
    maps = shutil.copytree(finished, tmp_path / "maps")
    (maps / name).write_text(content)
    with pytest.raises(RunError, match=message) as error:
        predict(maps, tested, caps_dir)
    assert str(maps) in str(error.value)


def test_a_scikit_learn_run_is_predicted_alike(spec, tested, tmp_path):
    from clinicadl_trust.models.run import run

    config = {"type": "majority"}
    maps = run(replace(spec, model="majority", config=config, output=tmp_path / "m"))
    found = predict(maps, tested)
    assert found["score"].nunique() == 1


# --------------------------------------------------------------------------- commands


@pytest.fixture(scope="module")
def split_dir(cohort, tmp_path_factory):
    folder = tmp_path_factory.mktemp("splits") / "folds"
    strategy = from_options("ParticipantKFold", {"n_splits": 2})
    write_splits(strategy, cohort, folder, label="diagnosis", name="folds")
    return folder


@pytest.fixture(scope="module")
def model_toml(tmp_path_factory):
    """A file of two models, as in an experiment."""
    text = (
        "[models.tiny]\ntype = 'trainer'\nlabel = 'a tiny CNN'\nseeds = [1]\n"
        "network = {name = 'CNN', conv_args = {channels = [4], stride = 2}}\n"
        "training = {epochs = 1}\n"
        "[models.most]\ntype = 'majority'\n"
    )
    path = tmp_path_factory.mktemp("toml") / "models.toml"
    path.write_text(text)
    return path


def call(*arguments):
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def test_train_then_predict(caps_dir, split_dir, model_toml, tmp_path):
    table_path = caps_dir / "participants.tsv"
    maps = tmp_path / "runs" / "maps"
    command = ("train", caps_dir, table_path, split_dir, maps, "--label", "diagnosis")
    command += ("--config", model_toml, "--model", "tiny", "--split", 1)
    command += ("--threads", 1, "--seed", 5)
    result = call(*command)
    assert result.exit_code == 0, result.output
    assert "Done" in result.output
    folder = maps / "training" / "split-1" / "trust"
    record = json.loads((folder / "run.json").read_text())
    assert (record["split_strategy"], record["seed"]) == ("folds", 5)
    assert "label" not in record["config"]
    assert (maps.parent / "cache").is_dir()
    again = call(*command)
    assert again.exit_code == 0
    assert "Was done before" in again.output

    test = pd.read_csv(folder / "predictions_test.tsv", sep="\t")
    people = pd.read_csv(table_path, sep="\t").merge(test[KEYS], on=KEYS)
    people.to_csv(tmp_path / "new.tsv", sep="\t", index=False)
    output = tmp_path / "predictions.tsv"
    arguments = ("predict", maps, caps_dir, tmp_path / "new.tsv", "-o", output)
    assert call(*arguments).exit_code == 0
    found = pd.read_csv(output, sep="\t").merge(test, on=KEYS)
    assert np.allclose(found["score_x"], found["score_y"], atol=1e-5)
    refused = call(*arguments)
    assert refused.exit_code == 1
    assert "exists" in refused.output
    assert call(*arguments, "--overwrite").exit_code == 0
    nowhere = call(*arguments[:-1], output / "below.tsv")
    assert nowhere.exit_code == 1
    assert "cannot be written" in nowhere.output
    seen = call("predict", maps, caps_dir, table_path, "-o", tmp_path / "all.tsv")
    assert seen.exit_code == 1
    assert "--allow-seen" in seen.output


def test_train_explains_what_is_wrong(caps_dir, split_dir, model_toml, tmp_path):
    table_path = caps_dir / "participants.tsv"

    def attempt(*options, split=split_dir):
        maps = tmp_path / "maps"
        result = call(
            "train", caps_dir, table_path, split, maps, "--label", "diagnosis", *options
        )
        assert result.exit_code == 1, result.output
        assert "Traceback" not in result.output
        return result.output

    assert "holds 2 models: choose one" in attempt("--config", model_toml)
    assert "Did you mean 'tiny'" in attempt("--config", model_toml, "--model", "tin")
    most = ("--config", model_toml, "--model", "most")
    assert "--repeat 0 --split 1" in attempt(*most, "--split", 7)
    assert "no inline TOML table" in attempt(*most, "--image", "{suffix=")
    assert "Unknown image type" in attempt(*most, "--image", "T2Linear")
    assert "split.json" in attempt(*most, split=tmp_path)
    broken = tmp_path / "broken.toml"
    broken.write_text("[models")
    assert "no valid TOML" in attempt("--config", broken)
    short = tmp_path / "short.tsv"
    pd.read_csv(table_path, sep="\t").head(20).to_csv(short, sep="\t", index=False)
    table_path = short
    assert "has no labelled row for" in attempt(*most)


def test_one_fold_may_be_named_by_its_folder(caps_dir, split_dir, model_toml, tmp_path):
    fold = split_dir / "repeat-0" / "split-1"
    arguments = ("train", caps_dir, caps_dir / "participants.tsv", fold, tmp_path / "m")
    arguments += ("--label", "diagnosis", "--config", model_toml, "--model", "most")
    assert call(*arguments).exit_code == 0
    assert (tmp_path / "m" / "training" / "split-1").is_dir()


def test_a_file_may_hold_one_models_keys_alone(tmp_path):
    from clinicadl_trust.cli.train import _read_model

    path = tmp_path / "small.toml"
    path.write_text("[training]\nepochs = 2\n")
    assert _read_model(path, None) == (
        "small",
        {"type": "trainer", "training": {"epochs": 2}},
    )
    assert _read_model(None, None) == ("cnn", {"type": "trainer"})


def test_a_relative_start_begins_at_the_file(tmp_path):
    from clinicadl_trust.cli.train import _read_model

    alone, among = tmp_path / "alone.toml", tmp_path / "among.toml"
    alone.write_text("init_from = 'runs/first'\n")
    among.write_text("[models.cnn]\ninit_from = 'runs/first'\n")
    for path in (alone, among):
        _, table = _read_model(path, None)
        assert table["init_from"] == str(tmp_path / "runs" / "first")


def test_a_spec_can_be_sent_to_another_process(spec):
    again = pickle.loads(pickle.dumps(spec))
    assert again.config == CONFIG
    assert again.cohort.table.equals(spec.cohort.table)
    assert records(again.output).name == "trust"
