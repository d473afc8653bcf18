"""Images converted once, checked, and held in memory."""

import gzip
import json
import shutil
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import torch
from clinicadl.data.datasets import TensorDataset
from clinicadl.data.datasets.factory import get_dataset_from_json
from clinicadl.transforms.config import (
    CropConfig,
    RandomGammaConfig,
    ResizeConfig,
    ZNormalizationConfig,
)

from clinicadl_trust.caps import with_images
from clinicadl_trust.exceptions import CapsError
from clinicadl_trust.models.data import open_images, targets
from clinicadl_trust.models.file_type import file_type
from clinicadl_trust.models.scale import Scale
from clinicadl_trust.models.tensors import Conversion
from clinicadl_trust.task import Task

TASK = Task("classification", "diagnosis", ("CN", "AD"))


@pytest.fixture
def rows(caps_dir, cohort, image, tmp_path):
    """Six images of ``caps_dir``, copied so that they may be spoilt."""
    joined, _ = with_images(cohort, caps_dir, image)
    table = joined.table.head(6).copy()
    folder = tmp_path / "images"
    folder.mkdir()
    table["path"] = [shutil.copy(path, folder) for path in table["path"]]
    return table


@pytest.fixture
def opened(rows, image, tmp_path):
    """Open the rows, with options."""

    def open_them(transforms=None, rows=rows, **options):
        transforms = transforms or [ZNormalizationConfig()]
        conversion = Conversion(
            tmp_path / "images", file_type(image), transforms, tmp_path / "cache"
        )
        table = targets(rows, TASK, Scale(), as_float=False)
        return open_images(conversion, rows, table, **options)

    return open_them


def spoil(path, change):
    image = nib.load(path)
    data, affine = change(image.get_fdata(dtype=np.float32).copy(), image.affine.copy())
    nib.save(nib.Nifti1Image(data, affine), path)


# --------------------------------------------------------------------------- conversion


def test_images_are_converted_and_transformed_once(opened, rows, tmp_path):
    told = []
    dataset, geometry = opened(progress=lambda done, all_: told.append((done, all_)))
    assert told == [(n, 6) for n in range(1, 7)]
    expected = nib.load(rows["path"].iloc[2]).get_fdata(dtype=np.float32)
    expected = (expected - expected.mean()) / expected.std(ddof=1)
    assert np.allclose(dataset[2].image.numpy()[0], expected, atol=1e-4)
    assert geometry.shape == expected.shape
    files = {p: p.stat().st_mtime_ns for p in (tmp_path / "cache").rglob("*.pt")}
    assert len(files) == 6
    opened(progress=lambda *_: pytest.fail("converted again"))
    again = (tmp_path / "cache").rglob("*.pt")
    assert files == {p: p.stat().st_mtime_ns for p in again}


def test_only_what_is_new_or_changed_is_converted(opened, rows):
    opened(rows=rows.head(4))
    told = []
    opened(progress=lambda *counts: told.append(counts))
    assert told == [(1, 2), (2, 2)]
    time.sleep(0.01)
    spoil(rows["path"].iloc[1], lambda data, affine: (data * 2 + 1, affine))
    told.clear()
    opened(progress=lambda *counts: told.append(counts))
    assert told == [(1, 1)]


def test_what_was_deleted_from_the_cache_is_converted_again(opened, tmp_path):
    opened()
    sorted((tmp_path / "cache").rglob("*.pt"))[2].unlink()
    told = []
    dataset, _ = opened(progress=lambda *counts: told.append(counts))
    assert told == [(1, 1)]
    assert len([dataset[index] for index in range(6)]) == 6


def test_a_kill_loses_little_of_a_long_conversion(opened, tmp_path, monkeypatch):
    from clinicadl_trust.models import tensors

    monkeypatch.setattr(tensors, "_SAVE_EVERY", -1.0)
    listed = []

    def look(done, all_):
        (path,) = (tmp_path / "cache" / "tensors").glob("*/images.json")
        listed.append(len(json.loads(path.read_text())))

    opened(progress=look)
    assert listed == [1, 2, 3, 4, 5, 6]


def test_other_transforms_go_elsewhere(opened, tmp_path):
    opened()
    small, geometry = opened(transforms=[ResizeConfig(target_shape=(8, 8, 8))])
    assert geometry.shape == (8, 8, 8)
    assert small[0].spatial_shape == (8, 8, 8)
    assert len(list((tmp_path / "cache" / "tensors").glob("*/images.json"))) == 2


def test_a_conversion_that_failed_keeps_what_it_had(opened, rows, tmp_path):
    path = Path(rows["path"].iloc[5])
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CapsError, match="cut short"):
        opened()
    path.write_bytes(whole)
    told = []
    opened(progress=lambda *counts: told.append(counts))
    assert len(told) < 6


def test_a_list_of_images_that_is_cut_short_is_made_again(opened, tmp_path):
    opened()
    (listed,) = (tmp_path / "cache" / "tensors").glob("*/images.json")
    listed.write_text(listed.read_text()[:50])
    dataset, _ = opened()
    assert len(json.loads(listed.read_text())) == len(dataset) == 6


# -------------------------------------------------------------------------- bad images


def test_nan_voxels_are_refused_by_name(opened, rows):
    def hole(data, affine):
        data[3:5, 3, 3] = np.nan
        return data, affine

    spoil(rows["path"].iloc[3], hole)
    with pytest.raises(CapsError, match="2 voxels that are NaN") as error:
        opened()
    assert rows["path"].iloc[3] in str(error.value)


@pytest.mark.parametrize(
    "content",
    [b"", b"not an image", gzip.compress(b"x" * 500, mtime=0)],
    ids=["empty", "text", "compressed text"],
)
def test_files_that_are_no_images_are_refused_by_name(opened, rows, content):
    path = rows["path"].iloc[1]
    Path(path).write_bytes(content)
    with pytest.raises(CapsError, match="cannot be read") as error:
        opened()
    assert path in str(error.value)


def test_another_shape_is_refused_naming_both(opened, rows):
    spoil(rows["path"].iloc[4], lambda data, affine: (data[1:], affine))
    with pytest.raises(CapsError, match="Images of one model have one shape") as error:
        opened()
    assert rows["path"].iloc[4] in str(error.value)
    assert rows["path"].iloc[0] in str(error.value)


def test_another_space_is_refused_unless_it_is_meant(opened, rows):
    def shift(data, affine):
        affine[:3, 3] += 3
        return data, affine

    spoil(rows["path"].iloc[2], shift)
    with pytest.raises(CapsError, match=r"not in the same space.* 3 mm"):
        opened()
    dataset, _ = opened(same_affine=False)
    assert len(dataset) == 6


def test_an_image_that_cannot_be_transformed_is_named(opened, rows):
    with pytest.raises(CapsError, match="cannot be transformed") as error:
        opened(transforms=[CropConfig(cropping=40)])
    assert rows["path"].iloc[0] in str(error.value)


# ------------------------------------------------------------------------------ dataset


def test_it_is_written_as_the_hosts_dataset(opened, tmp_path):
    dataset, _ = opened()
    dataset.to_json(tmp_path / "dataset.json")
    again = get_dataset_from_json(tmp_path / "dataset.json")
    assert type(again) is TensorDataset
    for ours, theirs in zip(dataset, again, strict=True):
        assert torch.equal(ours.image.tensor, theirs.image.tensor)
        assert ours["label"] == theirs["label"]


@pytest.mark.parametrize("max_memory", [None, 1e-9])
def test_samples_are_the_same_within_and_beyond_memory(opened, max_memory):
    dataset, _ = opened(max_memory=max_memory)
    first, again = dataset[1], dataset[1]
    assert torch.equal(first.image.tensor, again.image.tensor)
    again["output"] = 1
    assert "output" not in first
    assert "output" not in dataset[1]
    held = dataset.image.holds(first.participant_id, first.session_id)
    assert held == (max_memory is None)


def test_reading_draws_no_random_number(opened):
    dataset, _ = opened()
    torch.manual_seed(0)
    before = torch.get_rng_state()
    for index in range(len(dataset)):
        dataset[index]
    assert torch.equal(torch.get_rng_state(), before)


def test_a_subset_shares_the_images(opened, rows):
    dataset, _ = opened()
    some = dataset.subset(rows.iloc[[3, 1]])
    assert some.image is dataset.image
    assert list(some.df["session_id"]) == list(rows.iloc[[3, 1]]["session_id"])
    assert torch.equal(some[0].image.tensor, dataset[3].image.tensor)
    some.eval()
    assert not dataset.eval_mode


def test_augmentation_changes_training_images_only_and_not_those_held(opened):
    dataset, _ = opened(augmentations=[RandomGammaConfig(log_gamma=(0.5, 0.6))])
    dataset.eval()
    before = dataset[0].image.tensor.clone()
    dataset.train()
    assert not torch.allclose(dataset[0].image.tensor, before)
    dataset.eval()
    assert torch.equal(dataset[0].image.tensor, before)


def test_labels_are_as_the_model_wants_them():
    frame = pd.DataFrame(
        {
            "participant_id": ["sub-1", "sub-2"],
            "session_id": ["ses-1", "ses-1"],
            "diagnosis": ["AD", "CN"],
            "age": [70.0, 80.0],
        }
    )
    assert targets(frame, TASK, Scale(), as_float=False)["label"].tolist() == [1, 0]
    floats = targets(frame, TASK, Scale(), as_float=True)["label"]
    assert floats.dtype == float
    scale = Scale.of(np.array([70.0, 80.0]))
    age = targets(frame, Task("regression", "age"), scale, as_float=True)
    assert age["label"].tolist() == [-1, 1]
    assert scale.to_user(np.array([-1, 1])).tolist() == [70, 80]
    assert Scale.of(np.array([5.0, 5.0])) == Scale(5.0, 1.0)
    age = Task("regression", "age")
    unlabelled = targets(frame.drop(columns="age"), age, scale, as_float=True)
    assert "label" not in unlabelled


def test_free_memory_is_a_positive_number(monkeypatch):
    from clinicadl_trust.host import memory

    assert memory.available_memory() > 0
    monkeypatch.setattr(memory, "Path", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        memory.available_memory()
