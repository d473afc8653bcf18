"""Interpreting finished runs: what lies in the MAPS then, and what is refused."""

import json
import shutil
from dataclasses import replace

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from clinicadl.infer import SimpleInferer
from clinicadl.train import Trainer
from filelock import FileLock
from trainer_runs import CONFIG, change, ids

from clinicadl_trust.attribution.interpretation import explaining, interpret, opening
from clinicadl_trust.cohort import Cohort
from clinicadl_trust.exceptions import (
    AttributionError,
    CapsError,
    LeakageError,
    OutputError,
    RunError,
)
from clinicadl_trust.generate import mask_type
from clinicadl_trust.interpretations import METRICS, interpretations
from clinicadl_trust.models.run import run
from clinicadl_trust.predictions import read_predictions

QUICK = {"n_samples": 2, "n_steps": 2, "batch_size": 8}


@pytest.fixture(scope="session")
def mask(caps_options):
    source = mask_type(caps_options)
    return {
        "data_type": source.data_type,
        "suffix": source.suffix,
        "with_entities": dict(source.with_entities),
    }


@pytest.fixture
def maps(finished, tmp_path):
    """A copy of a finished MAPS, to write into."""
    return shutil.copytree(finished, tmp_path / "maps")


@pytest.fixture(scope="session")
def interpreted(finished, mask, tmp_path_factory):
    """Three methods on the test group of a finished MAPS."""
    maps = shutil.copytree(finished, tmp_path_factory.mktemp("interpreted") / "maps")
    methods = ["gradient", "integrated_gradients", "expected_gradients"]
    return maps, interpret(maps, method=methods, mask=mask, **QUICK)


def test_every_image_has_a_map_on_its_grid(interpreted, spec):
    _, (gradient, *_) = interpreted
    for ids_ in spec.fold.test.itertuples(index=False):
        made = nib.load(gradient.map_of(*ids_))
        image = nib.load(gradient.image_of(*ids_))
        assert made.get_data_dtype() == np.float32
        # The network saw the image in canonical orientation, and so is the map.
        canonical = nib.as_closest_canonical(image)
        assert made.shape == canonical.shape
        np.testing.assert_allclose(made.affine, canonical.affine)
        assert np.any(made.get_fdata())


def test_the_tables_are_predictions_with_metrics(interpreted, spec):
    maps, (gradient, integrated, _) = interpreted
    table = gradient.metrics()
    own = read_predictions(
        maps / "training" / "split-1" / "trust" / "predictions_test.tsv"
    )
    pd.testing.assert_frame_equal(
        read_predictions(gradient.metrics_path)[own.columns], own
    )
    assert set(METRICS) <= set(table)
    patients = table["label"] == 1
    for name in METRICS:
        values = table[name]
        if name.startswith("lesion"):
            assert values[patients].between(0, 1).all()
            assert values[~patients].isna().all()
        elif name != "completeness_error":
            assert values.notna().all()
    assert table["completeness_error"].isna().all()
    assert integrated.metrics()["completeness_error"].notna().all()
    said = gradient.about["not_computed"]
    assert "the mask of 6 of 12 images is empty" in said["lesion_*"]
    assert "gradient" in said["completeness_error"]


def test_regions_and_curves(interpreted):
    _, (gradient, *_) = interpreted
    regions = gradient.regions()
    assert regions.groupby("participant_id")["share"].sum().between(0, 2).all()
    assert {"Precentral_L", "Hippocampus_R"} <= set(regions["region"])
    curves = gradient.curves()
    assert len(curves) == 12 * 4 * 3
    first = curves[(curves["curve"] == "deletion") & (curves["fraction"] == 0)]
    np.testing.assert_allclose(first["score"], gradient.metrics()["score"], atol=1e-5)


def test_means_are_those_of_the_classes(interpreted):
    _, (gradient, *_) = interpreted
    means = {
        name: nib.load(path).get_fdata() for name, path in gradient.means().items()
    }
    assert list(means) == ["CN", "AD", "difference"]
    table = gradient.metrics()
    maps = [
        nib.load(gradient.map_of(*pair)).get_fdata()
        for pair in table[["participant_id", "session_id"]].itertuples(index=False)
    ]
    patients = (table["label"] == 1).to_numpy()
    expected = np.mean(np.array(maps)[patients], axis=0)
    np.testing.assert_allclose(means["AD"], expected, atol=1e-7)
    difference = means["AD"] - means["CN"]
    np.testing.assert_allclose(means["difference"], difference, atol=1e-7)


def test_the_host_still_reads_the_maps(interpreted):
    maps, made = interpreted
    assert Trainer.from_maps(maps).model is not None
    assert interpretations(maps) == sorted(made, key=lambda each: each.method)


def test_what_is_done_is_not_done_again(interpreted, mask, monkeypatch):
    maps, (first, *_) = interpreted
    monkeypatch.setattr(explaining.Explainer, "explain", None)
    assert interpret(maps, mask=mask, **QUICK) == [first]


def test_interrupted_it_ends_the_same(maps, interpreted, mask, monkeypatch):
    _, (_, _, expected) = interpreted
    whole, calls = explaining.Explainer.explain, []

    def dying(self, data, batch, number):
        calls.append(number)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return whole(self, data, batch, number)

    options = {"method": "expected_gradients", "mask": mask, **QUICK}
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(explaining.Explainer, "explain", dying)
        interpret(maps, **options)
    (begun,) = interpretations(maps)
    assert not begun.is_finished
    monkeypatch.setattr(explaining.Explainer, "explain", dying)
    (made,) = interpret(maps, **options)
    assert calls == [0, 1, 1]
    assert made.is_finished
    assert made.metrics_path.read_bytes() == expected.metrics_path.read_bytes()


def test_progress_is_that_of_all_methods(maps):
    told = []
    interpret(
        maps,
        method=["gradient", "gradient_x_input"],
        n_steps=0,
        randomise=False,
        progress=lambda done, of: told.append((done, of)),
    )
    assert [done for done, _ in told] == [8, 12, 20, 24]
    assert {of for _, of in told} == {24}


def test_another_way_of_asking_must_be_meant(maps, mask):
    interpret(maps, mask=mask, randomise=False, **QUICK)
    with pytest.raises(OutputError, match=r"another n_steps\. Ask for the same"):
        interpret(maps, mask=mask, randomise=False, **(QUICK | {"n_steps": 0}))
    (made,) = interpret(maps, overwrite=True, n_steps=0, randomise=False)
    assert not {*made.metrics()} & {"lesion_auprc", "deletion_auc"}
    assert "the model has no mask" in made.about["not_computed"]["lesion_*"]


def test_the_training_group_without_the_converted_images(maps, spec):
    """Labels come from the MAPS, and images from a CAPS that has moved."""
    path = maps / "training" / "data" / "train" / "split-1" / "dataset.json"
    content = json.loads(path.read_text())
    content["description_json"] = "/gone.json"
    path.write_text(json.dumps(content))
    options = {"n_steps": 0, "randomise": False}
    with pytest.raises(CapsError, match="Give it"):
        interpret(maps, group="train", **options)
    (made,) = interpret(
        maps, group="train", method="expected_gradients", n_samples=1, caps=spec.caps,
        **options,
    )  # fmt: skip
    pair = ["participant_id", "session_id"]
    known = spec.cohort.table[[*pair, "diagnosis"]]
    table = made.metrics().merge(known, on=pair)
    assert len(table) == len(spec.fold.train)
    assert ((table["label"] == 1) == (table["diagnosis"] == "AD")).all()
    assert table["score"].between(0, 1).all()
    assert made.about["baselines"] == "healthy"


def test_layer_after_layer_is_made_random(maps):
    (made,) = interpret(maps, n_cascade=2, n_steps=0, randomise=False)
    table = made.cascade()
    assert table.groupby(["participant_id", "session_id"]).ngroups == 2
    first = table[table["step"] == 1]
    assert first["layer"].nunique() == 1
    assert table["step"].max() == table["layer"].nunique() >= 4
    assert table["spearman"].between(-1, 1).all()
    path = maps / "first.tsv"
    first.to_csv(path, sep="\t", index=False)
    assert "spearman" in read_predictions(path)
    interpret(maps, n_steps=0, randomise=False, overwrite=True)
    with pytest.raises(AttributionError, match="table of an interpretation"):
        made.cascade()


def test_cascades_are_added_to_what_is_done(maps, monkeypatch):
    whole, calls = explaining.Explainer.explain, []

    def counted(self, data, batch, number):
        calls.append(number)
        return whole(self, data, batch, number)

    options = {"n_steps": 0, "randomise": False, "batch_size": 2}
    monkeypatch.setattr(explaining.Explainer, "explain", counted)
    (before,) = interpret(maps, **options)
    values = before.metrics_path.read_bytes()
    calls.clear()
    (made,) = interpret(maps, n_cascade=1, **options)
    assert made.is_finished and len(calls) == 1
    assert made.metrics_path.read_bytes() == values
    assert made.cascade().groupby("participant_id").ngroups == 1
    added = made.cascade()
    (anew,) = interpret(maps, n_cascade=2, **options)
    assert anew.cascade().groupby("participant_id").ngroups == 2
    assert set(added["participant_id"]) <= set(anew.cascade()["participant_id"])
    with pytest.raises(OutputError, match="another n_cascade"):
        interpret(maps, **options)


@pytest.fixture(scope="module")
def of_three(spec, tmp_path_factory):
    """A run of three classes, the healthy one second by name."""
    table = spec.cohort.table.copy()
    worse = table["diagnosis"] == "AD"
    mild = worse & (table["participant_id"].rank(method="dense") % 2 == 0)
    table.loc[mild, "diagnosis"] = "MCI"
    cohort = Cohort.from_frame(table)
    folder = tmp_path_factory.mktemp("three")
    config = change(CONFIG, training={"epochs": 1})
    task = cohort.task("diagnosis")
    assert task.classes == ("AD", "CN", "MCI")
    return run(
        replace(spec, cohort=cohort, task=task, config=config, output=folder / "maps")
    )


def test_among_three_classes_any_can_be_healthy_or_explained(of_three):
    options = {"n_steps": 0, "randomise": False, "overwrite": True}
    (made,) = interpret(of_three, **options)
    assert made.about["target"] == "the log-odds of any class but 'CN'"
    assert made.about["healthy"] == "CN"
    assert list(made.means()) == ["AD", "CN", "MCI", "difference"]
    means = {name: nib.load(p).get_fdata() for name, p in made.means().items()}
    n = made.metrics()["label"].astype(str).value_counts()
    patients = (n["AD"] * means["AD"] + n["MCI"] * means["MCI"]) / (n["AD"] + n["MCI"])
    np.testing.assert_allclose(means["difference"], patients - means["CN"], atol=1e-7)
    with pytest.raises(OutputError, match="another target and healthy"):
        interpret(of_three, healthy="MCI", n_steps=0, randomise=False)
    (made,) = interpret(of_three, healthy="MCI", **options)
    assert made.about["target"] == "the log-odds of any class but 'MCI'"
    (made,) = interpret(of_three, target="AD", **options)
    assert made.about["target"] == "the log-odds of 'AD'"
    with pytest.raises(AttributionError, match=r"healthy class 'NC'.*AD, CN, MCI"):
        interpret(of_three, healthy="NC")


def test_any_checkpoint_that_was_kept_is_interpreted(spec, tmp_path):
    keep = {"name": "ModelCheckpointCallback", "epochs": [1], "save_last": True}
    config = change(CONFIG, callbacks=[keep], training={"epochs": 2})
    maps = run(replace(spec, config=config, output=tmp_path / "maps"))
    options = {"n_steps": 0, "randomise": False, "overwrite": True}
    found = {}
    for name in ("epoch-1", "final"):
        (made,) = interpret(maps, checkpoint=name, **options)
        assert made.about["checkpoint"] == name
        pair = tuple(spec.fold.test.iloc[0])
        found[name] = nib.load(made.map_of(*pair)).get_fdata()
    assert not np.allclose(found["epoch-1"], found["final"])
    with pytest.raises(RunError, match="best-loss, epoch-1, final"):
        interpret(maps, checkpoint="epoch-3")


def test_other_images(maps, spec, cohort, mask):
    rows = ids(cohort.table, spec.fold.test["participant_id"].unique()[:2])
    table = rows.merge(cohort.table, on=["participant_id", "session_id"])
    others = {"caps": spec.caps, "cohort": Cohort.from_frame(table), "mask": mask}
    with pytest.raises(AttributionError, match="Call them 'external'"):
        interpret(maps, **others)
    (made,) = interpret(maps, group="external", **others, **QUICK)
    assert len(made.metrics()) == 4
    assert set(made.metrics()["group"]) == {"external"}
    with pytest.raises(LeakageError, match="has seen 18"):
        interpret(maps, group="everyone", caps=spec.caps, cohort=cohort)


def test_a_regression(regression, tmp_path):
    maps = shutil.copytree(regression, tmp_path / "maps")
    (made,) = interpret(maps, method="expected_gradients", **QUICK)
    assert made.about["target"] == "the output 'age'"
    assert made.about["baselines"] == "training"
    assert list(made.means()) == ["all"]
    start = made.curves().query("curve == 'deletion' and fraction == 0")["score"]
    np.testing.assert_allclose(start, made.metrics()["score"], rtol=1e-4)


def test_the_masks_of_the_model_are_the_default(spec, mask, tmp_path):
    config = change(CONFIG, masks={"truth": mask}, training={"epochs": 1})
    maps = run(replace(spec, config=config, output=tmp_path / "maps"))
    (made,) = interpret(maps, n_steps=0, randomise=False)
    assert made.about["mask"]["name"] == "truth"
    assert made.metrics()["lesion_auprc"].notna().sum() == 6
    assert interpret(maps, mask="truth", n_steps=0, randomise=False) == [made]
    with pytest.raises(AttributionError, match="Did you mean 'truth'"):
        interpret(maps, mask="thruth")


def test_a_mask_off_the_grid_is_caught(maps, interpreted, tmp_path):
    _, (made, *_) = interpreted
    table = made.metrics()
    patient = table[table["label"] == 1].iloc[0]
    image = nib.load(made.image_of(patient["participant_id"], patient["session_id"]))
    affine = image.affine.copy()
    affine[0, 3] += image.header.get_zooms()[0] / 2
    path = tmp_path / "mask.nii.gz"
    nib.save(nib.Nifti1Image(np.ones(image.shape, np.uint8), affine), path)
    with pytest.raises(CapsError, match="their affines differ"):
        interpret(maps, mask=path)
    with pytest.raises(CapsError, match="No mask"):
        interpret(maps, mask=tmp_path / "none.nii.gz")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"group": "tests"}, AttributionError, "Did you mean 'test'"),
        ({"method": "gradients"}, AttributionError, "Did you mean 'gradient'"),
        ({"target": "AB"}, AttributionError, "Known names: AD, CN"),
        ({"checkpoint": "best-los"}, RunError, "Did you mean 'best-loss'"),
        ({"group": "x", "cohort": 1}, AttributionError, "need their CAPS"),
        ({"method": "guided_backprop", "mask": {"suffix": 1}}, Exception, "suffix"),
    ],
)
def test_what_is_wrong_is_told(finished, options, error, message):
    with pytest.raises(error, match=message):
        interpret(finished, **options)


def test_what_is_no_finished_network_is_told(maps, tmp_path, spec):
    with pytest.raises(RunError, match="0 finished runs"):
        interpret(tmp_path)
    majority = replace(spec, config={"type": "majority"}, output=tmp_path / "majority")
    with pytest.raises(AttributionError, match="type 'majority', not a network"):
        interpret(run(majority))
    record = maps / "training" / "split-1" / "trust"
    (record / "run.json").unlink()
    with pytest.raises(RunError, match="is not finished"):
        interpret(maps)
    shutil.rmtree(record)
    with pytest.raises(RunError, match=r"ClinicaDL's Trainer alone.*in Python"):
        interpret(maps)


def test_images_that_are_gone_are_told(maps, tmp_path, spec):
    shutil.copytree(spec.caps, tmp_path / "caps")
    participant, session = spec.fold.test.iloc[0]
    shutil.rmtree(tmp_path / "caps" / "subjects" / participant / session)
    with pytest.raises(CapsError, match=f"{participant} {session}"):
        interpret(maps, caps=tmp_path / "caps")


def test_an_inferer_that_assembles_no_classes_is_refused(maps):
    """ClinicaDL's inferers assemble one value a voxel."""
    path = maps / "model.json"
    content = json.loads(path.read_text())
    content["inferer"] |= {"name_": "PatchesToImageInferer", "patch_size": [8, 8, 8]}
    content["inferer"] |= {"overlap": [0, 0, 0], "avg_mode": "constant"}
    content["inferer"] |= {"sigma_scale": 0.125, "batch_size": 1}
    path.write_text(json.dumps(content))
    with pytest.raises(AttributionError, match=r"cannot assemble.*SimpleInferer"):
        interpret(maps)


class Doubled(SimpleInferer):
    """Stands for what a plugin's inferer does more, such as test-time augmentation."""

    def _forward_pass(self, tensor, network, **kwargs):
        return 2 * super()._forward_pass(tensor, network, **kwargs)


def test_an_inferer_that_does_more_than_the_simple_one_is_explained(
    maps, interpreted, monkeypatch
):
    _, (expected, *_) = interpreted
    plain = opening.trained_model

    def with_inferer(*arguments):
        model = plain(*arguments)
        model.inferer = Doubled()
        return model

    monkeypatch.setattr(opening, "trained_model", with_inferer)
    (made,) = interpret(maps, n_steps=0, randomise=False)
    pairs = expected.metrics()[["participant_id", "session_id"]]
    for pair in pairs.itertuples(index=False):
        paths = (each.map_of(*pair) for each in (expected, made))
        one, two = (nib.load(path).get_fdata() for path in paths)
        np.testing.assert_allclose(two, 2 * one, rtol=1e-4, atol=1e-7)
        assert np.abs(one).max() > 1e-4


def test_one_process_at_a_time(maps, interpreted):
    _, (made, *_) = interpreted
    folder = maps / made.folder.relative_to(made.maps).parent
    folder.mkdir(parents=True)
    with FileLock(folder / ".gradient.lock"), pytest.raises(OutputError, match="Wait"):
        interpret(maps)


def test_a_caps_that_has_moved_holds_the_same_images(maps, interpreted, spec, tmp_path):
    options = {"n_steps": 0, "randomise": False}
    first = interpret(maps, **options)
    caps = shutil.copytree(spec.caps, tmp_path / "caps")
    assert interpret(maps, caps=caps, **options) == first


def test_attributions_that_do_not_add_up_are_told(maps, caplog):
    """A constant image is a singular point of normalisation layers."""
    options = {"method": "integrated_gradients", "n_steps": 0, "randomise": False}
    (made,) = interpret(maps, n_samples=32, **options)
    assert made.about["baselines"] == "blurred"
    assert made.metrics()["completeness_error"].median() < 0.1
    assert "do not add up" not in caplog.text
    interpret(maps, n_samples=2, baselines="zeros", overwrite=True, **options)
    assert "from zeros do not add up" in caplog.text


def test_the_map_of_a_cropped_image_lies_over_it(spec, mask, tmp_path):
    """The network saw a part of the brain; its map is there, in millimetres."""
    crop = {"name": "Crop", "cropping": [2, 3, 4, 5, 6, 7]}
    config = change(
        CONFIG,
        transforms=[{"name": "ZNormalization"}, crop],
        masks={"truth": mask},
        training={"epochs": 1},
    )
    maps = run(replace(spec, config=config, output=tmp_path / "maps"))
    (made,) = interpret(maps, n_steps=0, randomise=False)
    pair = tuple(spec.fold.test.iloc[0])
    image = nib.as_closest_canonical(nib.load(made.image_of(*pair)))
    found = nib.load(made.map_of(*pair))
    assert found.shape == tuple(np.subtract(image.shape, (5, 9, 13)))
    corner = image.affine @ (2, 4, 6, 1)
    np.testing.assert_allclose(found.affine[:, 3], corner, atol=1e-4)
    np.testing.assert_allclose(found.affine[:3, :3], image.affine[:3, :3])
    assert made.about["space"] == "MNI"
    assert list(made.means()) == ["CN", "AD", "difference"]
    truth = nib.as_closest_canonical(nib.load(made.mask_of(*pair))).get_fdata()
    inside = truth[2:-3, 4:-5, 6:-7] > 0
    row = made.metrics().set_index(["participant_id", "session_id"]).loc[pair]
    values = np.abs(found.get_fdata())
    share = values[inside].sum() / values.sum()
    assert row["lesion_share"] == pytest.approx(share, rel=1e-5)
    regions = set(made.regions()["region"])
    assert "Hippocampus_L" in regions and len(regions) < 120
