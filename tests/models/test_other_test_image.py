"""Test rows are read from another image of a session: a shift unseen in training."""

from dataclasses import replace
from functools import partial

import nibabel as nib
import numpy as np
import pytest
from trainer_runs import CONFIG, change, table

from clinicadl_trust.attribution.interpretation.group import own_rows
from clinicadl_trust.attribution.interpretation.opening import open_run
from clinicadl_trust.caps import ImageType
from clinicadl_trust.exceptions import CapsError, OutputError
from clinicadl_trust.generate import brain_mask_type
from clinicadl_trust.models.components import Blueprint
from clinicadl_trust.models.fold_images import open_fold
from clinicadl_trust.models.options import read_options
from clinicadl_trust.models.run import run
from clinicadl_trust.models.scikit import run_scikit
from clinicadl_trust.models.settings import claim, read_settings
from clinicadl_trust.records import record_dir

#: As the images are, to be compared with their files.
PLAIN = change(CONFIG, transforms=[])


@pytest.fixture(scope="module")
def other(caps_options):
    """Another image on the same grid, and unlike the first one."""
    return brain_mask_type(caps_options)


@pytest.fixture(scope="module")
def shifted(spec, other):
    return replace(spec, test_image=other, output=spec.output.with_name("shifted"))


def test_test_rows_alone_have_the_other_path(spec, shifted):
    for group in ("train", "validation"):
        assert shifted.rows(group).equals(spec.rows(group))
    ours, theirs = shifted.rows("test"), spec.rows("test")
    assert ours["path"].str.contains("desc-brain_mask").all()
    assert ours.drop(columns="path").equals(theirs.drop(columns="path"))


def test_each_group_is_converted_from_its_own_image(spec, shifted, tmp_path):
    def opened(which):
        options = read_options(which.model, which.config)
        return open_fold(which, Blueprint("cnn", options, which.task))

    def check(which, data, group):
        rows = which.rows(group)
        part = data.subset(rows[["participant_id", "session_id"]])
        for k, path in enumerate(rows["path"]):
            wanted = np.asarray(nib.load(path).dataobj, dtype=np.float32)
            assert np.array_equal(part[k].image.tensor[0].numpy(), wanted)

    # In one cache, in turn: neither takes the other's images for its own.
    plain, moved = (
        replace(each, cache=tmp_path, config=PLAIN) for each in (spec, shifted)
    )
    for which in (plain, moved, plain):
        images = opened(which)
        check(which, images.seen, "train")
        check(which, images.test, "test")


def test_training_and_choice_are_as_without_it(shifted, finished, other):
    maps = run(shifted)
    validation = partial(table, group="validation")
    assert validation(maps).equals(validation(finished))
    assert not table(maps, "test")["score"].equals(table(finished, "test")["score"])
    settings, _ = read_settings(maps)
    assert settings.test_image == settings.image_of("test") == other
    assert settings.image_of("train") == settings.image


def test_what_is_interpreted_is_what_was_tested(shifted):
    opened = open_run(run(shifted))
    for group in ("test", "validation"):
        paths = own_rows(opened, group)[0]["path"].tolist()
        assert paths == shifted.rows(group)["path"].tolist()


def test_a_run_is_not_taken_up_with_another_test_image(spec, shifted, tmp_path):
    claim(spec, record_dir(tmp_path / "maps", 1))
    with pytest.raises(OutputError, match="image type of the test set"):
        claim(shifted, record_dir(tmp_path / "maps", 1))


def test_a_missing_test_image_is_named(spec):
    lost = replace(spec, test_image=ImageType("t1_linear", "T2w"))
    with pytest.raises(CapsError, match="T2w"):
        lost.rows("test")


def test_features_of_test_rows_are_the_other_images(spec, shifted):
    config = {
        "type": "scikit-learn",
        "features": {"name": "voxels"},
        "estimator": {"name": "sklearn.linear_model.LogisticRegression"},
    }
    plain, moved = (
        run_scikit(replace(each, config=config, output=each.output.with_name(name)))
        for name, each in (("plain-lr", spec), ("shifted-lr", shifted))
    )
    assert table(plain, "validation").equals(table(moved, "validation"))
    assert not table(plain, "test")["score"].equals(table(moved, "test")["score"])
