"""One person under two ids, found by the voxels."""

from __future__ import annotations

import gzip
import json
import shutil
from dataclasses import asdict

import nibabel
import numpy as np
import pandas as pd
import pytest
from strategy_builder import build

from clinicadl_trust.caps import ImageType
from clinicadl_trust.cohort import read_cohort
from clinicadl_trust.exceptions import CapsError, SplitError
from clinicadl_trust.generate import GeneratorOptions, generate_caps
from clinicadl_trust.split import write_splits
from clinicadl_trust.split.audit import audit, images
from clinicadl_trust.split.audit.images import Contents, alike, read_contents
from clinicadl_trust.split.audit.material import _images


@pytest.fixture(scope="module")
def duplicated(tmp_path_factory):
    """28 ids of 24 people in families: each of 4 has a scan under another id."""
    options = GeneratorOptions(
        participants=24, sites=3, resolution=8, families=0.5, duplicates=4, seed=3
    )
    return generate_caps(tmp_path_factory.mktemp("duplicated") / "caps", options)


@pytest.fixture(scope="module")
def noisy(duplicated, tmp_path_factory):
    """As above, with noise of 3 % of the brightest voxel on the copies."""
    caps = shutil.copytree(duplicated, tmp_path_factory.mktemp("noisy") / "caps")
    rng = np.random.default_rng(0)
    for name in sorted({name for _, name in truth(duplicated)}):
        (path,) = caps.glob(f"subjects/{name}/*/t1_linear/*_T1w.nii.gz")
        image = nibabel.load(path)
        voxels = image.get_fdata(dtype=np.float32)
        noise = 0.03 * voxels.max() * rng.normal(size=voxels.shape)
        nibabel.save(nibabel.Nifti1Image(voxels + noise, image.affine), path)
    return caps


def truth(caps):
    """Return the pairs of ids that share a scan."""
    table = pd.read_csv(caps / "truth.tsv", sep="\t", dtype=str, na_values="n/a")
    copies = table.dropna(subset=["copied_from"])
    return {
        tuple(sorted(pair))
        for pair in zip(copies["participant_id"], copies["copied_from"], strict=True)
    }


def found(caps):
    table = read_cohort(caps / "participants.tsv").table
    table = table.merge(_images(caps, None), on=["participant_id", "session_id"])
    return list(alike(read_contents(table)))


def test_equal_voxels(duplicated):
    pairs = found(duplicated)
    assert {(p.first, p.second) for p in pairs} == truth(duplicated)
    assert len(pairs) == 4
    assert all(p.exact and p.correlation == 1 for p in pairs)


def test_noise_does_not_hide_a_copy(noisy):
    pairs = found(noisy)
    assert {(p.first, p.second) for p in pairs} == truth(noisy)
    assert not any(p.exact for p in pairs)
    assert all(0.85 <= p.correlation < 1 for p in pairs)


def test_sessions_and_families_are_no_duplicates(caps_dir, duplicated):
    assert found(caps_dir) == []
    copies = {name for pair in truth(duplicated) for name in pair[1:]}
    table = read_cohort(duplicated / "participants.tsv").table
    table = table.merge(_images(duplicated, None), on=["participant_id", "session_id"])
    people = table[~table["participant_id"].isin(copies)]
    assert people["family_id"].nunique() < people["participant_id"].nunique()
    assert list(alike(read_contents(people))) == []


def test_both_sides(duplicated, tmp_path):
    cohort = read_cohort(duplicated / "participants.tsv")
    directory = tmp_path / "families"
    folds = write_splits(build("FamilyKFold", {"n_splits": 3}), cohort, directory)
    report = audit(directory, cohort=cohort, caps=duplicated)
    (leak,) = report.leaks
    assert leak.code == "same-image"
    assert {f.code for f in report.findings} == {"same-image", "duplicate-image"}
    apart = [
        {first, second}
        for fold in folds
        for first, second in truth(duplicated)
        if len({first, second} & set(fold.test["participant_id"])) == 1
    ]
    assert f"{len({tuple(sorted(pair)) for pair in apart})} pair" in leak.message
    tested = [
        fold
        for fold in folds
        if any(len(pair & set(fold.test["participant_id"])) == 1 for pair in apart)
    ]
    assert leak.where in (
        f"families ({len(tested)} of 3 folds)",
        f"families/repeat-0/split-{tested[0].split}",
    )


def test_near_duplicates_are_leaks_too(noisy, tmp_path):
    cohort = read_cohort(noisy / "participants.tsv")
    directory = tmp_path / "sites"
    write_splits(build("FamilyKFold", {"n_splits": 7}), cohort, directory)
    report = audit(directory, cohort=cohort, caps=noisy)
    assert [f.code for f in report.leaks] == ["near-image"]
    assert "correlation 0.9" in report.leaks[0].message


def test_clean_images_have_no_finding(caps_dir, cohort, tmp_path):
    strategy = build("ParticipantKFold", {"n_splits": 3})
    write_splits(strategy, cohort, tmp_path / "s", "diagnosis")
    assert audit(tmp_path / "s", cohort=cohort, caps=caps_dir).findings == ()


def test_benchmark_knows_its_caps(duplicated, tmp_path):
    cohort = read_cohort(duplicated / "participants.tsv")
    write_splits(build("FamilyKFold"), cohort, tmp_path / "splits/families")
    shutil.copy(duplicated / "participants.tsv", tmp_path / "cohort.tsv")
    (tmp_path / "benchmark.json").write_text(
        f'{{"cohort": {{"caps": "{duplicated}"}}}}'
    )
    assert [f.code for f in audit(tmp_path).leaks] == ["same-image"]


def test_benchmark_knows_its_image_type(duplicated, tmp_path):
    cohort = read_cohort(duplicated / "participants.tsv")
    write_splits(build("FamilyKFold"), cohort, tmp_path / "splits/families")
    image = asdict(ImageType("flair_linear", "FLAIR"))
    record = {"cohort": {"caps": str(duplicated), "image": image}}
    (tmp_path / "benchmark.json").write_text(json.dumps(record))
    with pytest.raises(CapsError, match="flair_linear"):
        audit(tmp_path)
    (tmp_path / "benchmark.json").write_text("{")
    with pytest.raises(SplitError, match="is not valid JSON"):
        audit(tmp_path)


class TestReading:
    @pytest.fixture
    def volume(self, tmp_path):
        def write(name, voxels, affine=None):
            path = tmp_path / f"{name}.nii.gz"
            nibabel.save(
                nibabel.Nifti1Image(voxels, np.eye(4) if affine is None else affine),
                path,
            )
            return str(path)

        return write

    def read(self, *paths):
        ids = [f"sub-{n}" for n in range(len(paths))]
        table = pd.DataFrame({"participant_id": ids, "session_id": "s", "path": paths})
        return read_contents(table)

    def test_header_and_type_do_not_matter(self, volume):
        voxels = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
        other = volume("b", voxels.astype(np.float64), np.diag([2, 2, 2, 1]))
        contents = self.read(volume("a", voxels), other, volume("c", voxels + 1))
        one, same, different = contents.hashes
        assert one == same != different

    def test_volumes_of_any_shape_compare(self, volume):
        rng = np.random.default_rng(0)
        shapes = [(4, 5, 6), (40, 30, 20), (10, 12, 10)]
        images = [volume(str(s[0]), rng.normal(size=s)) for s in shapes]
        assert self.read(*images).coarse.shape == (3, 1200)

    def test_blocks_are_averaged(self, volume):
        voxels = np.zeros((20, 24, 20), dtype=np.float32)
        voxels[:2, :2, :2] = 8
        voxels[18, 22, 18] = np.nan
        coarse = self.read(volume("a", voxels)).coarse[0]
        assert coarse[0] == 8 and np.count_nonzero(coarse) == 1

    def test_cut_short(self, volume, tmp_path):
        path = volume("whole", np.random.default_rng(0).normal(size=(20, 20, 20)))
        short = tmp_path / "short.nii.gz"
        content = (tmp_path / "whole.nii.gz").read_bytes()
        short.write_bytes(content[: len(content) // 2])
        with pytest.raises(CapsError, match=r"short\.nii\.gz' cannot be read"):
            self.read(path, str(short))

    def test_not_an_image(self, tmp_path):
        path = tmp_path / "text.nii.gz"
        path.write_bytes(gzip.compress(b"no image"))
        with pytest.raises(CapsError, match=r"text\.nii\.gz' cannot be read"):
            self.read(str(path))

    def test_no_volume(self, volume):
        path = volume("series", np.zeros((4, 4, 4, 3)))
        with pytest.raises(CapsError, match=r"its shape is \(4, 4, 4, 3\)"):
            self.read(path)

    def test_few_participants_are_compared_by_voxels_only(self, volume):
        voxels = np.random.default_rng(0).normal(size=(12, 12, 12))
        paths = [volume("a", voxels), volume("b", voxels + 1e-3), volume("c", voxels)]
        pairs = list(alike(self.read(*paths)))
        assert [(p.first, p.second) for p in pairs] == [("sub-0", "sub-2")]

    def test_likeness_of_a_scanner_is_no_likeness_of_people(self):
        rng = np.random.default_rng(0)
        number = 16
        scanner = np.arange(number) % 2
        pattern = rng.normal(size=(2, 1200))
        coarse = 10 + 3 * pattern[scanner] + 0.5 * rng.normal(size=(number, 1200))
        ids = [f"sub-{n:02d}" for n in range(number)]
        table = pd.DataFrame({"participant_id": ids, "session_id": "ses-M000"})
        hashes = [str(n) for n in range(number)]
        assert len(list(alike(Contents(table, hashes, coarse)))) > 10
        known = table.assign(scanner=scanner.astype(str))
        assert list(alike(Contents(known, hashes, coarse))) == []

    def test_a_large_cohort_does_not_hide_a_copy(self, monkeypatch):
        """As if of 2600 participants: as many components as people differ by."""
        monkeypatch.setattr(images, "PARTICIPANTS_PER_COMPONENT", 2)
        rng = np.random.default_rng(0)
        shapes = rng.normal(size=(260, 120)) @ rng.normal(size=(120, 1200)) / 11
        coarse = 10 + shapes + 0.05 * rng.normal(size=shapes.shape)
        coarse[259] = coarse[0] + 0.05 * rng.normal(size=1200)
        ids = [f"sub-{n:03d}" for n in range(260)]
        table = pd.DataFrame({"participant_id": ids, "session_id": "ses-M000"})
        pairs = list(alike(Contents(table, ids, coarse)))
        assert [(p.first, p.second) for p in pairs] == [("sub-000", "sub-259")]

    def test_uniform_images_do_not_divide_by_zero(self, volume):
        paths = [volume(str(n), np.full((12, 12, 12), float(n))) for n in range(9)]
        assert list(alike(self.read(*paths))) == []


def test_image_missing_from_the_caps(caps_dir, cohort, tmp_path):
    table = cohort.table.replace({"participant_id": {"sub-001": "sub-999"}})
    stranger = type(cohort).from_frame(table)
    write_splits(build("ParticipantKFold"), stranger, tmp_path / "s")
    with pytest.raises(CapsError, match="first sub-999"):
        audit(tmp_path / "s", caps=caps_dir)


def test_image_type_can_be_named(caps_dir, cohort, tmp_path):
    write_splits(build("ParticipantKFold"), cohort, tmp_path / "s")
    with pytest.raises(CapsError, match="flair_linear"):
        audit(tmp_path / "s", caps=caps_dir, image=ImageType.parse("FlairLinear"))
