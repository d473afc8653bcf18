import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from clinicadl_trust.caps import find_images
from clinicadl_trust.exceptions import ConfigError
from clinicadl_trust.generate import (
    GeneratorOptions,
    brain_mask_type,
    confounder_mask_type,
    generate_caps,
    image_type,
    mask_type,
    unconfounded_type,
)
from clinicadl_trust.generate.people import plan_cohort

BASE = {
    "participants": 6,
    "sites": 1,
    "sessions": 1,
    "resolution": 8,
    "disease": "lesions",
    "modality": "FLAIR",
    "seed": 2,
}


@pytest.fixture(scope="module", params=["mark", "pattern"])
def confounded(request, tmp_path_factory):
    options = GeneratorOptions(**BASE, confounder=request.param)
    return generate_caps(tmp_path_factory.mktemp("c") / "caps", options), options


def volumes(caps, kind):
    paths = find_images(caps, kind)["path"]
    return np.stack([np.asarray(nib.load(path).dataobj, dtype=float) for path in paths])


def plan(**options):
    table = plan_cohort(GeneratorOptions(participants=1000, sessions=1, **options))
    return table, table["diagnosis"] != "CN"


@pytest.mark.parametrize("association", [0.0, 0.5, 1.0])
def test_the_association_is_the_one_asked(association):
    table, patient = plan(confounder="mark", confounder_association=association)
    for is_patient, share in ((True, (1 + association) / 2), (False, None)):
        wanted = share if is_patient else (1 - association) / 2
        found = table.loc[patient == is_patient, "confounder"].mean()
        assert found == pytest.approx(wanted, abs=0.06)
        fair = table.loc[patient == is_patient, "unconfounded"].mean()
        assert fair == pytest.approx(0.5, abs=0.06)


def test_a_confounder_moves_no_other_number():
    plain, _ = plan()
    marked, _ = plan(confounder="pattern")
    pd.testing.assert_frame_equal(plain, marked[plain.columns])


def test_two_images_differ_by_the_confounder_alone(confounded):
    caps, options = confounded
    truth = pd.read_csv(caps / "truth.tsv", sep="\t")
    with_it = volumes(caps, image_type(options))
    fair = volumes(caps, unconfounded_type(options))
    region = volumes(caps, confounder_mask_type(options)).astype(bool)
    same = truth["confounder"] == truth["unconfounded"]
    assert 0 < same.sum() < len(truth)
    for alike, one, two, where in zip(same, with_it, fair, region, strict=True):
        assert where.any()
        if alike:
            assert np.array_equal(one, two)
        else:
            change = np.abs(one - two)
            assert change[where].sum() > 0.9 * change.sum() > 0
    patients = pd.read_csv(caps / "participants.tsv", sep="\t")["diagnosis"] == "MS"
    assert (truth["confounder"] == patients).all()


def test_it_lies_where_it_should_and_never_on_a_lesion(confounded):
    caps, options = confounded
    region = volumes(caps, confounder_mask_type(options)).astype(bool)
    brain = volumes(caps, brain_mask_type(options)).astype(bool)
    lesion = volumes(caps, mask_type(options)).astype(bool)
    assert not (lesion & region).any()
    assert lesion.any() and not (lesion & ~brain).any()
    if options.confounder == "mark":
        assert not (region & brain).any()
    else:
        assert not (region & ~brain).any()


def test_it_is_bright_enough_to_be_seen(confounded):
    caps, options = confounded
    truth = pd.read_csv(caps / "truth.tsv", sep="\t")
    region = volumes(caps, confounder_mask_type(options)).astype(bool)
    images = volumes(caps, image_type(options))
    seen = np.array([i[r].mean() for i, r in zip(images, region, strict=True)])
    shown = truth["confounder"] == 1
    assert seen[shown].min() > seen[~shown].max()


def test_without_strength_it_is_not_there(tmp_path):
    hidden = GeneratorOptions(**BASE, confounder="mark", confounder_strength=0)
    plain = GeneratorOptions(**BASE)
    one = volumes(generate_caps(tmp_path / "hidden", hidden), image_type(hidden))
    two = volumes(generate_caps(tmp_path / "plain", plain), image_type(plain))
    assert np.array_equal(one, two)


def test_a_copy_of_a_scan_brings_all_of_its_files(tmp_path):
    options = GeneratorOptions(
        **{**BASE, "resolution": 16}, confounder="pattern", duplicates=1
    )
    caps = generate_caps(tmp_path / "caps", options)
    for kind in (unconfounded_type(options), confounder_mask_type(options)):
        assert len(find_images(caps, kind)) == 7


def test_no_unconfounded_image_without_a_confounder():
    with pytest.raises(ConfigError, match="confounder = 'none'"):
        unconfounded_type(GeneratorOptions())


def test_without_strength_the_masks_still_tell_the_place(tmp_path):
    options = GeneratorOptions(**BASE, confounder="mark", confounder_strength=0)
    caps = generate_caps(tmp_path / "caps", options)
    shown = volumes(caps, confounder_mask_type(options)).reshape(6, -1).any(axis=1)
    assert shown.all()
