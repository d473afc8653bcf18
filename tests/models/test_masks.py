import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from clinicadl.transforms.config import CropConfig, RandomAffineConfig

from clinicadl_trust.caps import with_images
from clinicadl_trust.exceptions import CapsError, ConfigError
from clinicadl_trust.generate import mask_type
from clinicadl_trust.models.data import open_images, targets
from clinicadl_trust.models.file_type import file_type
from clinicadl_trust.models.masks import MaskSource
from clinicadl_trust.models.scale import Scale
from clinicadl_trust.models.tensors import Conversion
from clinicadl_trust.task import Task

TASK = Task("classification", "diagnosis", ("CN", "AD"))


@pytest.fixture
def caps(caps_dir, tmp_path):
    """A CAPS that may be spoilt."""
    return Path(shutil.copytree(caps_dir, tmp_path / "caps"))


@pytest.fixture
def rows(caps, cohort, image):
    joined, _ = with_images(cohort, caps, image)
    return joined.table.head(6).copy()


@pytest.fixture
def masked(caps, rows, image, tmp_path, caps_options):
    """Open the rows with the generator's masks, or another source."""
    source = mask_type(caps_options)

    def open_them(table=None, transforms=(), **options):
        given = table or {
            "data_type": source.data_type,
            "suffix": source.suffix,
            "with_entities": dict(source.with_entities),
        }
        conversion = Conversion(
            caps,
            file_type(image),
            list(transforms),
            tmp_path / "cache",
            (MaskSource.parse("truth", given, "models.m.masks.truth"),),
        )
        table = targets(rows, TASK, Scale(), as_float=False)
        return open_images(conversion, rows, table, **options)

    return open_them


def spoil(path, change):
    image = nib.load(path)
    data, affine = change(image.get_fdata(dtype=np.float32).copy(), image.affine.copy())
    nib.save(nib.Nifti1Image(data, affine), path)


def test_masks_go_with_their_images(masked, rows):
    dataset, _ = masked()
    path = Path(rows["path"].iloc[0])
    (mask,) = path.parent.glob("*_desc-atrophy_mask.nii.gz")
    expected = nib.load(mask).get_fdata() > 0
    sample = dataset[0]
    assert np.array_equal(sample["truth"].numpy()[0] > 0, expected)
    assert {*sample.get_masks_dict()} == {"truth"}
    assert np.allclose(sample["truth"].affine, sample.image.affine)
    told = []
    masked(progress=lambda *counts: told.append(counts))
    assert told == []


def test_transforms_and_augmentations_move_both(masked, rows):
    def box(data, affine):
        data[:] = 0
        data[5:12, 4:14, 6:10] = 100
        return data, affine

    spoil(rows["path"].iloc[0], box)
    itself = {"path": rows["path"].iloc[0]}  # the image is its own mask
    crop = CropConfig(cropping=(2, 1, 3, 0, 1, 2))
    shift = RandomAffineConfig(scales=0, degrees=0, translation=(16, 16, 16, 16, 0, 0))
    still, geometry = masked(itself, transforms=[crop])
    moved, _ = masked(itself, transforms=[crop], augmentations=[shift])
    assert moved[0]["truth"].shape[1:] == geometry.shape
    for dataset in (still, moved):
        mask, image = (dataset[0][key].numpy()[0] for key in ("truth", "image"))
        assert np.corrcoef(mask.ravel(), (image > 50).ravel())[0, 1] > 0.9
    first, second = (d[0]["truth"].numpy() for d in (still, moved))
    assert (first != second).any()


def test_a_session_without_a_mask(masked, rows):
    gone = {"data_type": "t1_linear", "suffix": "mask", "with_entities": {"desc": "x"}}
    with pytest.raises(CapsError, match="No image in"):
        masked(gone)
    path = Path(rows["path"].iloc[2])
    (mask,) = path.parent.glob("*_desc-atrophy_mask.nii.gz")
    mask.unlink()
    there = {**gone, "with_entities": {"desc": "atrophy"}}
    with pytest.raises(CapsError, match=r"1 images have no mask 'truth'.*missing"):
        masked(there)
    dataset, _ = masked({**there, "missing": "empty"})
    assert dataset[2]["truth"].numpy().sum() == 0
    assert dataset[0]["truth"].numpy().shape == dataset[2]["truth"].numpy().shape


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data, affine: (data[1:], affine), "has the shape"),
        (lambda data, affine: (data, affine + 4 * np.eye(4)[:, [3, 0, 1, 2]].T), "mm"),
        (lambda data, affine: (data * np.nan, affine), "NaN"),
    ],
)
def test_a_mask_off_its_image_is_refused(masked, rows, tmp_path, change, said):
    path = Path(rows["path"].iloc[0])
    (mask,) = path.parent.glob("*_desc-atrophy_mask.nii.gz")
    copy = Path(shutil.copy(mask, tmp_path))
    spoil(copy, change)
    with pytest.raises(CapsError, match=said):
        masked({"path": str(copy)})


def test_one_mask_for_all(masked, rows):
    (mask,) = Path(rows["path"].iloc[0]).parent.glob("*_desc-atrophy_mask.nii.gz")
    dataset, _ = masked({"path": str(mask)})
    first, last = dataset[0]["truth"].numpy(), dataset[5]["truth"].numpy()
    assert first.sum() > 0 and np.array_equal(first, last)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"path": "a.nii", "suffix": "mask"}, "Keep one"),
        ({"suffix": "mask"}, "needs 'data_type'"),
        ({"path": "a.nii", "missing": "skip"}, "neither 'error' nor 'empty'"),
    ],
)
def test_a_wrong_source_of_masks(table, said):
    with pytest.raises(ConfigError, match=said):
        MaskSource.parse("truth", table, "models.m.masks.truth")
