"""Bad input of a constrained training, as ``train`` and ``benchmark`` tell it."""

import re
import shutil

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from clinicadl_trust.cli.main import cli

MODEL = """
type = "trainer"
training = {{ epochs = 2, batch_size = 8, patience = 0 }}
optimizer = {{ name = "SGD", lr = {lr} }}
[network]
name = "CNN"
conv_args = {{ channels = [2], stride = 2 }}
mlp_args = {{ hidden_dims = [] }}
[masks.lesion]
data_type = "t1_linear"
suffix = "mask"
with_entities = {{ desc = "atrophy" }}
missing = "{missing}"
[model]
name = "AttributionConstrainedModel"
wait = 0
mask_key = "{key}"
[[model.constraints]]
name = "HealthyGradient"
mode = "supervised"
scale = "voxels"
weight = {weight}
"""

IMAGE = '{data_type = "t1_linear", suffix = "T1w"}'


@pytest.fixture(scope="module")
def split(caps_dir, tmp_path_factory):
    folder = tmp_path_factory.mktemp("split")
    made = ["split", "make", caps_dir / "participants.tsv", folder / "splits"]
    made += ["--strategy", "ParticipantKFold", "--option", "n-splits=3"]
    result = CliRunner().invoke(cli, [*map(str, made), "--label", "diagnosis"])
    assert result.exit_code == 0, result.output
    return folder / "splits" / "ParticipantKFold"


@pytest.fixture
def caps(caps_dir, tmp_path):
    """A copy, to be spoiled."""
    return shutil.copytree(caps_dir, tmp_path / "caps")


def masks(caps, label):
    people = pd.read_csv(caps / "participants.tsv", sep="\t")
    for who in people.loc[people["diagnosis"] == label, "participant_id"].unique():
        yield from sorted((caps / "subjects" / who).glob("*/*/*_mask.nii.gz"))


def train(caps, split, **options):
    given = {"key": "lesion", "weight": 0.1, "missing": "error", "lr": 0.01}
    config = caps.parent / "model.toml"
    config.write_text(MODEL.format(**given | options))
    command = ["train", caps, caps / "participants.tsv", split, caps.parent / "maps"]
    command += ["--config", config, "--label", "diagnosis", "--image", IMAGE]
    return CliRunner().invoke(cli, [*map(str, command), "--threads", "1"])


def test_masks_that_some_participants_lack(caps, split):
    gone = [next(masks(caps, label)) for label in ("AD", "CN")]
    for mask in gone:
        mask.unlink()
    result = train(caps, split)
    assert result.exit_code == 1
    assert "2 images have no mask 'lesion'" in result.output
    for mask in gone:
        assert mask.name.split("_")[0] in result.output
    assert "missing = 'empty'" in result.output


def test_healthy_people_without_masks_train(caps, split):
    for mask in masks(caps, "CN"):
        mask.unlink()
    result = train(caps, split, missing="empty")
    assert result.exit_code == 0, result.output
    (log,) = caps.parent.glob("maps/training/*/logs/training_loss.tsv")
    losses = pd.read_csv(log, sep="\t")["HealthyGradient"]
    assert np.isfinite(losses).all() and (losses > 0).all()


def test_a_mask_half_a_voxel_off(caps, split):
    path = next(masks(caps, "AD"))
    mask = nib.load(path)
    affine = mask.affine.copy()
    affine[0, 3] += 0.5 * affine[0, 0]
    nib.save(nib.Nifti1Image(np.asarray(mask.dataobj), affine), path)
    result = train(caps, split)
    assert result.exit_code == 1
    assert path.name in result.output and "their affines differ" in result.output


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"key": "leson"}, "mask_key = 'leson' is none of"),
        ({"weight": -1}, "weight = -1 must be finite and at least 0"),
        ({"weight": "nan"}, "must be finite"),
    ],
)
def test_a_wrong_table(caps_dir, split, tmp_path, options, said):
    (tmp_path / "caps").symlink_to(caps_dir)
    result = train(tmp_path / "caps", split, **options)
    assert result.exit_code == 1
    assert said in " ".join(result.output.split())


@pytest.mark.parametrize("weight", [0, 1e6])
def test_the_least_and_a_huge_weight(caps_dir, split, tmp_path, weight):
    (tmp_path / "caps").symlink_to(caps_dir)
    result = train(tmp_path / "caps", split, weight=weight, lr=0.1)
    if weight:
        assert result.exit_code == 1
        assert "HealthyGradient, of weight 1e+06" in " ".join(result.output.split())
    else:
        assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("given", "wrong", "said"),
    [
        (
            'mask_key = "lesion"',
            'mask_key = "leson"',
            r"models\.cnn\.model\.mask_key = 'leson'.*Did you mean 'lesion'\?",
        ),
        (
            'mask_key = "lesion"',
            "",
            r"models\.cnn\.model: constraints\[0\]: HealthyGradient needs a mask of "
            r"every image\. Give the model a mask_key",
        ),
        (
            '"HealthyGradient"',
            '"HealthyGradint"',
            r"models\.cnn\.model: constraints\[0\].*Did you mean 'HealthyGradient'\?",
        ),
        (
            '"supervised"',
            '"supervise"',
            r"models\.cnn\.model: mode='supervise' is neither",
        ),
    ],
)
def test_an_experiment_file_is_told_before_anything_is_run(
    caps_dir, tmp_path, given, wrong, said
):
    model = MODEL.format(key="lesion", weight=0.1, missing="error", lr=0.01)
    assert given in model
    model = model.replace(given, wrong)
    text = re.sub(r"^(\[+)", r"\1models.cnn.", model, flags=re.MULTILINE)
    path = tmp_path / "experiment.toml"
    path.write_text(
        f'name = "x"\nquestion = "x?"\n[cohort]\ncaps = "{caps_dir}"\n'
        f'participants = "{caps_dir / "participants.tsv"}"\nlabel = "diagnosis"\n'
        f'positive = "AD"\nimage = {IMAGE}\n[splits.participants]\n'
        f'strategy = "ParticipantKFold"\nn_splits = 3\n[models.cnn]{text}'
    )
    result = CliRunner().invoke(cli, ["benchmark", str(path), "--check"])
    assert result.exit_code == 1
    assert re.search(said, " ".join(result.output.split()))
