import hashlib
import json
import re
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from clinicadl_trust.caps import find_images, with_images
from clinicadl_trust.exceptions import ConfigError, OutputError
from clinicadl_trust.generate import (
    GeneratorOptions,
    brain_mask_type,
    dataset,
    generate_caps,
    image_type,
    mask_type,
)
from clinicadl_trust.generate.files import write_bytes
from clinicadl_trust.generate.grid import crop_grid

#: Small and quick: two visits of a few participants at 16 mm.
TINY = {"participants": 4, "sites": 2, "resolution": 16, "attrition": 0.0, "seed": 3}

#: Order of the entities in BIDS names, as far as they occur here.
BIDS_NAME = re.compile(
    r"sub-[0-9a-zA-Z]+_ses-[0-9a-zA-Z]+_space-[0-9a-zA-Z]+(_desc-Crop)?"
    r"_res-[0-9a-zA-Z]+(_desc-[0-9a-zA-Z]+)?_(T1w|FLAIR|mask)\.(nii\.gz|json)"
)


def digests(caps):
    """Every file by its path in the CAPS and the hash of its bytes."""
    return {
        str(path.relative_to(caps)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(caps.rglob("*"))
        if path.is_file()
    }


def images(caps, options):
    paths = find_images(caps, image_type(options))["path"]
    return np.stack([np.asarray(nib.load(path).dataobj) for path in paths])


def masks(caps, options):
    paths = find_images(caps, mask_type(options))["path"]
    return np.stack([np.asarray(nib.load(path).dataobj) for path in paths])


def test_every_row_has_an_image_and_a_mask(caps_dir, caps_options, cohort):
    joined, extra = with_images(cohort, caps_dir, image_type(caps_options))
    assert len(joined) == 48
    assert not extra
    with_images(cohort, caps_dir, mask_type(caps_options))
    with_images(cohort, caps_dir, brain_mask_type(caps_options))
    assert cohort.participants.size == 24
    assert cohort.table["site"].nunique() == 3
    assert set(cohort.table["diagnosis"]) == {"CN", "AD"}
    assert cohort.task("diagnosis").classes == ("CN", "AD")


def test_names_are_valid_in_bids(caps_dir):
    files = [path for path in (caps_dir / "subjects").rglob("*") if path.is_file()]
    assert len(files) == 4 * 48
    for path in files:
        assert BIDS_NAME.fullmatch(path.name), path.name
        assert path.name.startswith(f"{path.parents[2].name}_{path.parents[1].name}_")
        assert path.parent.name == "t1_linear"


def test_images_lie_in_clinicas_field_of_view(caps_dir, caps_options):
    for path in find_images(caps_dir, image_type(caps_options))["path"]:
        image = nib.load(path)
        assert image.shape == crop_grid(8).shape
        assert np.array_equal(image.affine, crop_grid(8).affine)
        assert image.header.get_data_dtype() == np.int16
        assert image.header.get_xyzt_units()[0] == "mm"


def test_clinica_reads_the_description(caps_dir):
    from clinica.dataset import CAPSDatasetDescription, DatasetType

    description = CAPSDatasetDescription.from_file(
        caps_dir / "dataset_description.json"
    )
    assert description.dataset_type == DatasetType.DERIVATIVE


def test_the_truth_is_told_for_every_image(caps_dir, caps_options, cohort):
    truth = pd.read_csv(caps_dir / "truth.tsv", sep="\t", na_values="n/a")
    table = cohort.table.merge(truth, on=["participant_id", "session_id"])
    patient = table["diagnosis"] == "AD"
    assert len(table) == len(truth) == 48
    assert (table["severity"] > 0).equals(patient)
    assert (table["changed_mm3"] > 0).equals(patient)
    shown = masks(caps_dir, caps_options).reshape(48, -1).any(axis=1)
    assert np.array_equal(shown, patient)
    visits = table[patient].groupby("participant_id")
    assert (visits["severity"].last() > visits["severity"].first()).all()
    assert visits["changed_mm3"].last().mean() > visits["changed_mm3"].first().mean()
    record = json.loads((caps_dir / "generate.json").read_text())
    assert GeneratorOptions(**record["Options"]) == caps_options


def test_the_effect_is_seen_where_it_was_planted(caps_dir, caps_options, cohort):
    from sklearn.metrics import roc_auc_score

    where = masks(caps_dir, caps_options).mean(axis=0)
    volumes = images(caps_dir, caps_options).astype(float)
    volumes /= volumes.mean(axis=(1, 2, 3), keepdims=True)
    darkness = -volumes[:, where > 0.2].mean(axis=1)
    assert roc_auc_score(cohort.table["diagnosis"] == "AD", darkness) > 0.9


def test_a_person_resembles_himself_more_than_others(caps_dir, caps_options):
    volumes = images(caps_dir, caps_options).reshape(48, -1)
    correlation = np.corrcoef(volumes - volumes.mean(axis=0))
    same = np.kron(np.eye(24), np.ones((2, 2))) > 0
    np.fill_diagonal(correlation, np.nan)
    assert np.nanmean(correlation[same]) > 0.5
    assert abs(np.nanmean(correlation[~same])) < 0.1


def test_the_files_do_not_depend_on_the_number_of_processes(tmp_path):
    options = GeneratorOptions(**TINY, duplicates=1, families=0.5)
    one = digests(generate_caps(tmp_path / "one", options))
    two = digests(generate_caps(tmp_path / "two", options, n_jobs=2))
    assert one == two
    other = GeneratorOptions(**{**TINY, "seed": 4}, duplicates=1, families=0.5)
    assert one != digests(generate_caps(tmp_path / "other", other))


@pytest.mark.parametrize("disease", ["atrophy", "lesions", "epilepsy"])
def test_without_effect_images_know_nothing_of_the_label(tmp_path, disease):
    caps = []
    for prevalence in (0.0, 1.0):
        options = GeneratorOptions(
            **TINY, effect=0, prevalence=prevalence, disease=disease
        )
        caps.append(generate_caps(tmp_path / str(prevalence), options) / "subjects")
    assert digests(caps[0]) == digests(caps[1])


def test_an_effect_changes_patients_and_nobody_else(tmp_path):
    kept = {"noise": 0, "disease": "lesions", "modality": "FLAIR"}
    off = GeneratorOptions(**TINY, effect=0, **kept)
    on = GeneratorOptions(**TINY, effect=5, **kept)
    before = images(generate_caps(tmp_path / "off", off), off)
    caps = generate_caps(tmp_path / "on", on)
    after, truth = images(caps, on), masks(caps, on).astype(bool)
    patient = pd.read_csv(caps / "participants.tsv", sep="\t")["diagnosis"] == "MS"
    assert 0 < patient.sum() < len(patient)
    assert np.array_equal(before[~patient], after[~patient])
    assert (after[truth] > before[truth]).all()
    assert np.abs(after[~truth] - before[~truth]).max() < np.median(
        (after - before)[truth]
    )


@pytest.mark.parametrize("disease", ["atrophy", "lesions", "epilepsy"])
@pytest.mark.parametrize(
    ("resolution", "effect"), [(4, 0.3), (4, 1), (8, 0.3), (8, 1), (16, 0.3)]
)
def test_the_mask_holds_most_of_the_change(tmp_path, resolution, effect, disease):
    base = {"participants": 2, "sites": 1, "sessions": 1, "seed": 3, "prevalence": 1}
    base |= {"disease": disease, "resolution": resolution, "noise": 0}
    off = GeneratorOptions(**base, effect=0)
    on = GeneratorOptions(**base, effect=effect)
    before = images(generate_caps(tmp_path / "off", off), off).astype(float)
    caps = generate_caps(tmp_path / "on", on)
    change = np.abs(images(caps, on) - before)
    truth = masks(caps, on).astype(bool)
    for here, mask in zip(change, truth, strict=True):
        assert here[mask].sum() > 0.7 * here.sum() > 0
        assert mask.mean() < 0.02


def test_duplicates_are_copies_with_another_name(tmp_path):
    options = GeneratorOptions(**TINY, duplicates=2)
    caps = generate_caps(tmp_path / "exact", options)
    truth = pd.read_csv(caps / "truth.tsv", sep="\t", keep_default_na=False)
    paths = find_images(caps, image_type(options)).set_index("participant_id")["path"]
    copies = truth[truth["copied_from"] != "n/a"]
    assert len(copies) == 2
    for copy in copies.itertuples():
        original = Path(paths[copy.copied_from].iloc[0])
        assert Path(paths[copy.participant_id]).read_bytes() == original.read_bytes()


def test_near_duplicates_differ_by_noise_alone(tmp_path):
    options = GeneratorOptions(**TINY, duplicates=1, duplicate_noise=0.02)
    caps = generate_caps(tmp_path / "near", options)
    copy = pd.read_csv(caps / "truth.tsv", sep="\t").dropna().iloc[0]
    paths = find_images(caps, image_type(options)).set_index("participant_id")["path"]
    ours, theirs = (
        np.asarray(nib.load(path).dataobj).astype(float)
        for path in (paths[copy["participant_id"]], paths[copy["copied_from"]].iloc[0])
    )
    assert 0 < (ours - theirs).std() < 25
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.99


def test_relatives_resemble_each_other(tmp_path):
    options = GeneratorOptions(
        participants=30,
        sites=1,
        sessions=1,
        resolution=8,
        families=1.0,
        noise=0,
        effect=0,
    )
    caps = generate_caps(tmp_path / "families", options)
    family = pd.read_csv(caps / "participants.tsv", sep="\t")["family_id"].to_numpy()
    volumes = images(caps, options).reshape(30, -1).astype(float)
    correlation = np.corrcoef(volumes - volumes.mean(axis=0))
    kin = (family[:, None] == family) & ~np.eye(30, dtype=bool)
    strangers = family[:, None] != family
    assert correlation[kin].mean() > correlation[strangers].mean() + 0.15


def test_an_interrupted_cohort_is_completed(tmp_path, monkeypatch):
    options = GeneratorOptions(**TINY, duplicates=1)
    whole = digests(generate_caps(tmp_path / "whole", options))
    make, calls = dataset.make_participant, []

    def interrupted(*args):
        calls.append(args)
        if len(calls) == 3:
            raise KeyboardInterrupt
        make(*args)

    broken = tmp_path / "broken"
    monkeypatch.setattr(dataset, "make_participant", interrupted)
    with pytest.raises(KeyboardInterrupt):
        generate_caps(broken, options)
    assert not (broken / "participants.tsv").exists()
    done = len(list(broken.rglob("*_T1w.nii.gz")))
    assert done == 4
    left = broken / "subjects" / "sub-001" / ".sub-001_T1w.nii.gz.1.partial"
    left.write_bytes(b"what a killed process leaves")
    generate_caps(broken, options)  # the counter is past 3: nobody interrupts
    assert len(calls) == 3 + 2  # the two participants that were missing
    assert digests(broken) == whole


def test_a_complete_cohort_is_left_alone_and_a_lost_image_made_again(tmp_path):
    options = GeneratorOptions(**TINY)
    caps = generate_caps(tmp_path / "caps", options)
    before = digests(caps)
    kept, lost = find_images(caps, image_type(options))["path"].iloc[:2]
    stamp = Path(kept).stat().st_mtime_ns
    Path(lost).unlink()
    generate_caps(caps, options)
    assert digests(caps) == before
    assert Path(kept).stat().st_mtime_ns == stamp


def test_a_cohort_of_before_an_option_was_there_is_completed(tmp_path):
    options = GeneratorOptions(**TINY)
    caps = generate_caps(tmp_path / "caps", options)
    before = digests(caps)
    record = json.loads((caps / "generate.json").read_text())
    del record["Options"]["confounder"]
    (caps / "generate.json").write_text(json.dumps(record))
    generate_caps(caps, options)
    assert digests(caps) == before
    other = GeneratorOptions(**TINY, confounder="mark")
    with pytest.raises(OutputError, match=r"confounder = 'none' there, 'mark' asked"):
        generate_caps(caps, other)


def test_a_failed_write_leaves_no_half_file(tmp_path, monkeypatch):
    def full(self, target):
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_bytes(tmp_path / "file.bin", b"content")
    assert not list(tmp_path.iterdir())


def test_other_options_are_refused_by_name(tmp_path):
    caps = generate_caps(tmp_path / "caps", GeneratorOptions(**TINY))
    other = GeneratorOptions(**{**TINY, "effect": 0.5})
    with pytest.raises(OutputError, match=r"effect = 1\.0 there, 0\.5 asked"):
        generate_caps(caps, other)


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(OutputError, match="not empty and was not made by"):
        generate_caps(tmp_path, GeneratorOptions(**TINY))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
    with pytest.raises(OutputError, match="is a file"):
        generate_caps(tmp_path / "thesis.tex", GeneratorOptions(**TINY))


@pytest.mark.parametrize("content", ["{", "[]", '"x"', '{"Options": 3}'])
def test_a_broken_record_is_refused(tmp_path, content):
    (tmp_path / "generate.json").write_text(content)
    with pytest.raises(OutputError, match=r"generate\.json' cannot be read"):
        generate_caps(tmp_path, GeneratorOptions(**TINY))


def test_fewer_families_than_sites_are_refused_before_anything_is_written(tmp_path):
    options = GeneratorOptions(participants=4, sites=4, families=1.0, resolution=16)
    with pytest.raises(ConfigError, match=r"2 families.* 4 sites"):
        generate_caps(tmp_path / "caps", options)
    assert not (tmp_path / "caps").exists()
