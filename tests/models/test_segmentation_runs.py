"""Segmentation through the Trainer: masks, predictions, resuming, few annotations."""

import shutil
from collections import Counter
from dataclasses import replace

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import torch
from click.testing import CliRunner
from clinicadl.train import Trainer
from killed_runs import killed_and_resumed, same_as
from trainer_runs import change, ids, records, table

from clinicadl_trust.attribution import interpret, interpretations
from clinicadl_trust.benchmark.truth import with_volumes
from clinicadl_trust.caps import with_images
from clinicadl_trust.cli.main import cli
from clinicadl_trust.cohort import read_cohort
from clinicadl_trust.exceptions import CapsError, CohortError, ConfigError, RunError
from clinicadl_trust.generate import (
    GeneratorOptions,
    generate_caps,
    image_type,
    mask_type,
)
from clinicadl_trust.models import RunSpec
from clinicadl_trust.models.components import Blueprint
from clinicadl_trust.models.fold_images import make_split, open_fold
from clinicadl_trust.models.mask_values import mask_values
from clinicadl_trust.models.masks import MaskSource
from clinicadl_trust.models.options import read_options
from clinicadl_trust.models.run import run
from clinicadl_trust.models.segmentation import SegmentationModel
from clinicadl_trust.models.volumes import Geometry
from clinicadl_trust.split import Fold

OPTIONS = GeneratorOptions(
    participants=14,
    sites=1,
    sessions=1,
    resolution=8,
    modality="FLAIR",
    disease="lesions",
    effect=4,
    prevalence=0.7,
    seed=5,
)
CONFIG = {
    "type": "trainer",
    "network": {"name": "UNet", "channels": [4, 8, 8], "dropout": 0.1},
    # Lesions are few: with this weight a little training draws something.
    "loss": {"name": "BCEWithLogitsLoss", "pos_weight": [100.0]},
    "optimizer": {"name": "Adam", "lr": 0.01},
    "metrics": {"dice": {"name": "DiceMetric"}},
    "training": {"epochs": 4, "batch_size": 4, "monitor": "dice", "patience": 0},
}


@pytest.fixture(scope="module")
def caps(tmp_path_factory):
    return generate_caps(tmp_path_factory.mktemp("lesions") / "caps", OPTIONS)


@pytest.fixture(scope="module")
def truth():
    return MaskSource("lesion", mask_type(OPTIONS))


@pytest.fixture(scope="module")
def cohort(caps, truth):
    joined, _ = with_images(
        read_cohort(caps / "participants.tsv"), caps, image_type(OPTIONS)
    )
    return with_volumes(joined, caps, truth)


@pytest.fixture(scope="module")
def spec(caps, cohort, truth, tmp_path_factory):
    folder = tmp_path_factory.mktemp("segmentation")
    ordered = cohort.table.sort_values("lesion")["participant_id"]
    fold = Fold(
        repeat=0,
        split=1,
        name="fold",
        train=ids(cohort.table, pd.concat([ordered.iloc[0::4], ordered.iloc[1::4]])),
        validation=ids(cohort.table, ordered.iloc[2::4]),
        test=ids(cohort.table, ordered.iloc[3::4]),
    )
    return RunSpec(
        model="unet",
        config=CONFIG,
        task=cohort.task("lesion", "segmentation"),
        cohort=cohort,
        fold=fold,
        split_strategy="participants",
        caps=caps,
        image=image_type(OPTIONS),
        seed=3,
        output=folder / "maps",
        cache=folder / "cache",
        threads=1,
        truth=truth,
    )


@pytest.fixture(scope="module")
def finished(spec):
    return run(spec)


def test_the_label_is_the_volume_of_the_mask(cohort, caps, truth):
    files = truth.locate(caps, cohort.table)
    voxels = [np.asarray(nib.load(file).dataobj).sum() for file in files]
    assert (cohort.table["lesion"] == 512 * np.array(voxels)).all()
    healthy = cohort.table["diagnosis"] == "CN"
    assert ((cohort.table["lesion"] == 0) == healthy).all()


def test_predictions_are_those_of_the_saved_masks(finished, spec, truth):
    rows = table(finished, "test").set_index("participant_id")
    assert {*rows.index} == {*spec.fold.test["participant_id"]}
    cohort = spec.cohort.table.set_index("participant_id")
    files = truth.locate(spec.caps, spec.rows("test"))
    for row, file in zip(spec.rows("test").itertuples(), files, strict=True):
        mask = nib.load(
            records(finished)
            / "masks"
            / f"{row.participant_id}_{row.session_id}_label-lesion_mask.nii.gz"
        )
        image = nib.load(row.path)
        assert mask.shape == image.shape
        assert np.array_equal(mask.affine, image.affine)
        expected = mask_values(
            np.asarray(nib.load(file).dataobj),
            np.asarray(mask.dataobj),
            Geometry.of(row.path),
        )
        said = rows.loc[row.participant_id, list(expected)].astype(float)
        assert np.allclose(said, [*expected.values()], equal_nan=True)
        assert said["label"] == cohort.loc[row.participant_id, "lesion"]
    assert rows["score"].gt(0).any()  # something is drawn


def test_dice_is_watched_in_training(finished):
    folder = finished / "training" / "split-1"
    values = pd.read_csv(folder / "validation_metrics" / "aggregated.tsv", sep="\t")
    assert values["dice"].between(0, 1).all() and (values["dice"] > 0).any()
    assert [*folder.glob("models/best_models/*dice*")]


def test_it_reopens(finished):
    trainer = Trainer.from_maps(finished)
    assert isinstance(trainer.model, SegmentationModel)
    assert trainer.model.label_key == "lesion"


def test_killed_and_resumed_it_ends_the_same(monkeypatch, spec, finished, tmp_path):
    again = killed_and_resumed(monkeypatch, spec, tmp_path / "maps")
    assert same_as(again, finished)


def test_predict_writes_the_same_masks(finished, spec, tmp_path):
    people = tmp_path / "people.tsv"
    spec.fold.test.to_csv(people, sep="\t", index=False)
    out = tmp_path / "out.tsv"
    given = ["predict", finished, spec.caps, people, "--output", out]
    result = CliRunner().invoke(cli, [*map(str, given)])
    assert result.exit_code == 0, result.output
    ours = pd.read_csv(out, sep="\t")
    theirs = table(finished, "test")
    for name in ("label", "score", "dice", "surface_distance"):
        assert np.allclose(ours[name], theirs[name], equal_nan=True)
    masks = sorted((tmp_path / "out-masks").iterdir())
    assert [m.name for m in masks] == sorted(
        m.name for m in (records(finished) / "masks").iterdir()
    )
    for mask in masks:
        saved = nib.load(records(finished) / "masks" / mask.name)
        assert np.array_equal(nib.load(mask).dataobj, saved.dataobj)


def test_few_annotations_go_for_the_validation_too(spec, tmp_path):
    config = change(CONFIG, annotated=1, training={"epochs": 1, "monitor": "loss"})
    few = replace(spec, config=config, output=tmp_path / "maps")
    maps = run(few)
    assert run(few) == maps  # finished: nothing is done
    seen = table(maps, "validation")
    patients = spec.rows("validation")["lesion"].gt(0).sum()
    assert patients > 1 and (seen["label"] > 0).sum() == 1
    assert len(table(maps, "test")) == len(spec.fold.test)
    too_many = change(CONFIG, annotated=99)
    with pytest.raises(ConfigError, match=r"annotated = 99, and \d training"):
        run(replace(spec, config=too_many, output=tmp_path / "other"))


def test_annotated_patients_are_drawn_as_often_as_was_asked(spec):
    """Of the patients; the healthy, whose masks are known, as often as they are."""
    config = change(CONFIG, annotated=1, annotated_share=0.6)
    blueprint = Blueprint("few", read_options("few", config), spec.task)
    images = open_fold(replace(spec, config=config), blueprint)
    split = make_split(spec, blueprint.options.training, images.seen)
    epochs, seen = 60, Counter()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for _ in range(epochs):
            for batch in split.train_loader:
                seen.update((x["label"], x["annotated"]) for x in batch)
    lesions = spec.rows("train")["lesion"]
    healthy, there = int(lesions.eq(0).sum()), len(lesions)
    assert healthy and there - healthy > 2
    assert seen.total() == epochs * there
    # Three standard errors.
    patients = seen[1, 1] + seen[1, 0]
    assert seen[1, 1] / patients == pytest.approx(0.6, abs=3 * (0.24 / patients) ** 0.5)
    part = healthy / there
    error = (part * (1 - part) / seen.total()) ** 0.5
    assert seen[0, 1] / seen.total() == pytest.approx(part, abs=3 * error)


def test_an_attention_network_is_constrained(monkeypatch, spec, tmp_path):
    """Every image is, annotated or not; those that are, are drawn more often."""
    config = change(
        CONFIG,
        annotated=1,
        annotated_share=0.5,
        network={"name": "AttentionUNet", "channels": [4, 8]},
        loss={"name": "DiceCELoss"},
        training={"epochs": 2, "monitor": "loss"},
        model={
            "name": "AttributionConstrainedModel",
            "explain": {"region": 3, "margin": 1},
            "constraints": [{"name": "RightReasons", "weight": 0.1}],
            "wait": 0.0,
        },
    )
    constrained = replace(spec, config=config, output=tmp_path / "maps")
    maps = run(constrained)
    terms = pd.read_csv(maps / "training/split-1/logs/training_loss.tsv", sep="\t")
    assert terms["RightReasons"].between(0, 0.1, inclusive="neither").all()
    assert len(table(maps, "test")) == len(spec.fold.test)
    again = killed_and_resumed(monkeypatch, constrained, tmp_path / "again", epoch=2)
    assert same_as(again, maps)


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        (
            {
                "transforms": [{"name": "ZNormalization"}],
                "network": {"channels": [2] * 5},
            },
            r"EnsureShapeMultiple.*pads the masks",
        ),
        (
            {"network": {"name": "CNN", "conv_args": {"channels": [2]}}},
            r"num_outputs|one logit|cannot segment",
        ),
        ({"loss": {"name": "MSELoss"}}, r"MSELoss.*segmentation.*DiceCELoss"),
        ({"model": {"name": "SupervisedModel"}}, r"use 'SegmentationModel'"),
        ({"masks": {"lesion": {"path": "x"}}}, r"name of the truth"),
    ],
)
def test_what_cannot_segment_is_told(spec, tmp_path, tables, said):
    with pytest.raises(ConfigError, match=said):
        run(replace(spec, config=change(CONFIG, **tables), output=tmp_path / "maps"))


def test_training_masks_that_are_all_empty_are_told(spec, tmp_path):
    fold = spec.fold
    healthy = fold.train.merge(spec.cohort.table[spec.cohort.table["lesion"] == 0])
    empty = replace(fold, train=healthy[["participant_id", "session_id"]])
    with pytest.raises(RunError, match=r"All \d training masks 'lesion' are empty"):
        run(replace(spec, fold=empty, output=tmp_path / "maps"))


def test_a_cohort_of_empty_masks_is_refused(cohort):
    none = cohort.table.assign(lesion=0.0)
    with pytest.raises(CohortError, match=r"All 14 masks 'lesion'.*empty"):
        type(cohort).from_frame(none).task("lesion", "segmentation")


def test_a_participant_without_a_mask_is_named(caps, truth, cohort, tmp_path):
    rows = cohort.table.drop(columns="lesion")
    more = rows.iloc[[0]].assign(participant_id="sub-999")
    both = type(cohort).from_frame(pd.concat([rows, more]))
    with pytest.raises(CapsError, match=r"no mask 'lesion'.*sub-999 ses-M000"):
        with_volumes(both, caps, truth)
    twice = type(cohort).from_frame(cohort.table)
    with pytest.raises(CohortError, match="column 'lesion' already"):
        with_volumes(twice, caps, truth)


def test_a_mask_off_its_image_is_refused(caps, cohort, tmp_path):
    rows = cohort.table.drop(columns="lesion").head(1)
    image = nib.load(rows["path"].iloc[0])
    affine = image.affine.copy()
    affine[0, 3] += 4
    nib.save(
        nib.Nifti1Image(np.ones(image.shape, np.uint8), affine), tmp_path / "m.nii"
    )
    moved = MaskSource("lesion", path=tmp_path / "m.nii")
    with pytest.raises(CapsError, match=r"lies up to 4 mm"):
        with_volumes(type(cohort).from_frame(rows), caps, moved)


def test_it_is_interpreted(finished, tmp_path):
    """What is explained is the region that it draws, measured against the truth."""
    maps = shutil.copytree(finished, tmp_path / "maps")
    for group in ("test", "train"):
        (made,) = interpret(maps, group=group, n_steps=2, randomise=False)
        assert made.about["mask"]["name"] == "lesion"
        assert "summed logit of the region" in made.about["target"]
        rows = made.metrics()
        assert rows["lesion_auprc"].notna().equals(rows["lesion_prevalence"].notna())
        assert rows["lesion_auprc"].notna().any()
        assert np.isfinite(rows["score"]).all()
    assert (
        table(finished, "test").columns.isin(interpretations(maps)[0].metrics()).all()
    )
