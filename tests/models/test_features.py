"""Features are computed image by image, against nothing but the template."""

import multiprocessing
import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from scikit_data import (
    AFFINE,
    GEOMETRY,
    SHAPE,
    images_frame,
    parse,
    random_volume,
    write_image,
)

from clinicadl_trust.clinica import load_atlas
from clinicadl_trust.exceptions import CapsError, ConfigError
from clinicadl_trust.models import feature_cache
from clinicadl_trust.models.feature_cache import extract_features
from clinicadl_trust.models.template import atlas_on, brain_mask
from clinicadl_trust.models.tissue import TISSUES, posteriors, priors
from clinicadl_trust.models.volumes import Geometry


@pytest.fixture(scope="module")
def images(tmp_path_factory) -> list[str]:
    folder = tmp_path_factory.mktemp("images")
    return [
        write_image(folder / f"sub-{i}_T1w.nii.gz", random_volume(i)) for i in range(5)
    ]


@pytest.fixture(scope="module")
def mask() -> np.ndarray:
    return np.asarray(brain_mask(GEOMETRY).dataobj).astype(bool)


def nearest_labels(name: str) -> np.ndarray:
    """The label of the atlas voxel nearest to each voxel of the grid, in mm."""
    atlas, _ = load_atlas(name)
    points = np.indices(SHAPE).reshape(3, -1)
    world = AFFINE[:3, :3] @ points + AFFINE[:3, 3:]
    inverse = np.linalg.inv(atlas.affine)
    near = np.rint(inverse[:3, :3] @ world + inverse[:3, 3:]).astype(int)
    data = np.asarray(atlas.dataobj)
    inside = np.all((near >= 0) & (near < np.array(data.shape)[:, None]), axis=0)
    labels = np.zeros(points.shape[1], dtype=int)
    labels[inside] = data[tuple(near[:, inside])]
    return labels.reshape(SHAPE)


def test_a_region_is_the_mean_over_its_voxels(images):
    found = extract_features(
        images_frame(images), parse({"name": "regions", "normalization": "none"})
    )
    resampled, _ = atlas_on("AAL2", GEOMETRY)
    labels = np.asarray(resampled.dataobj)
    _, table = load_atlas("AAL2")
    index = dict(zip(table["name"], table["index"], strict=True))
    assert len(found.names) > 110
    for row, path in zip(found.values, images, strict=True):
        voxels = nib.load(path).get_fdata()
        expected = [voxels[labels == index[name]].mean() for name in found.names]
        np.testing.assert_allclose(row, expected, rtol=1e-5)


def test_regions_lie_where_the_atlas_says(tmp_path):
    """An image of the labels themselves, made without nilearn, gives them back."""
    labels = nearest_labels("AAL2")
    path = write_image(tmp_path / "labels.nii.gz", labels)
    found = extract_features(
        images_frame([path]), parse({"name": "regions", "normalization": "none"})
    )
    _, table = load_atlas("AAL2")
    index = dict(zip(table["name"], table["index"], strict=True))
    exact = [
        abs(value - index[name]) < 0.5
        for name, value in zip(found.names, found.values[0], strict=True)
    ]
    # Ties half way between two voxels of the atlas may be rounded the other way.
    assert np.mean(exact) > 0.9


def test_zscore_takes_each_image_s_own_brain(images, mask):
    found = extract_features(images_frame(images), parse("regions"))
    raw = extract_features(
        images_frame(images), parse({"name": "regions", "normalization": "none"})
    )
    for row, path, plain in zip(found.values, images, raw.values, strict=True):
        brain = nib.load(path).get_fdata()[mask]
        expected = (plain - brain.mean()) / brain.std()
        np.testing.assert_allclose(row, expected, atol=1e-3)


def test_zscore_forgets_the_scanner_s_gain(tmp_path):
    volume = random_volume(0)
    paths = [
        write_image(tmp_path / f"{i}.nii.gz", gain * volume + offset)
        for i, (gain, offset) in enumerate([(1, 0), (3, -50)])
    ]
    for options in ("regions", "voxels"):
        values = extract_features(images_frame(paths), parse(options)).values
        np.testing.assert_allclose(values[0], values[1], atol=1e-3)


def test_voxels_are_those_of_the_template_s_brain(images, mask):
    found = extract_features(
        images_frame(images), parse({"name": "voxels", "normalization": "none"})
    )
    assert found.values.shape == (len(images), mask.sum())
    np.testing.assert_allclose(
        found.values[2], nib.load(images[2]).get_fdata()[mask], rtol=1e-6
    )
    x, y, z = map(int, found.names[7].split()[1:])
    assert nib.load(images[2]).get_fdata()[x, y, z] == pytest.approx(
        found.values[2, 7], rel=1e-6
    )


def test_smoothing_is_a_gaussian_in_mm(tmp_path):
    point = np.zeros(SHAPE)
    point[11, 13, 12] = 1.0
    path = write_image(tmp_path / "point.nii.gz", point)
    found = extract_features(
        images_frame([path]),
        parse({"name": "voxels", "smoothing": 16, "normalization": "none"}),
    )
    values = dict(zip(found.names, found.values[0], strict=True))
    # Half of a full width at half maximum of 16 mm is one voxel of 8 mm.
    ratio = values["voxel 12 13 12"] / values["voxel 11 13 12"]
    assert ratio == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(
    "options",
    [
        "regions",
        {"name": "regions", "values": "csf"},
        {"name": "voxels", "smoothing": 8},
    ],
)
def test_an_image_s_features_do_not_depend_on_the_others(images, options, tmp_path):
    together = extract_features(images_frame(images), parse(options))
    alone = extract_features(images_frame([images[3]]), parse(options))
    np.testing.assert_array_equal(together.values[3], alone.values[0])
    cached = extract_features(images_frame(images), parse(options), tmp_path)
    np.testing.assert_array_equal(cached.values, together.values)
    assert cached.names == together.names


def test_rows_are_in_the_order_asked_for(images, tmp_path):
    forth = extract_features(images_frame(images), parse("regions"), tmp_path)
    back = extract_features(images_frame(images[::-1]), parse("regions"), tmp_path)
    np.testing.assert_array_equal(forth.values, back.values[::-1])


def test_what_is_cached_is_not_computed_again(images, tmp_path, monkeypatch):
    first = extract_features(images_frame(images), parse("regions"), tmp_path)
    monkeypatch.setattr(
        feature_cache, "read_volumes", lambda *a: pytest.fail("read again")
    )
    again = extract_features(images_frame(images), parse("regions"), tmp_path)
    np.testing.assert_array_equal(first.values, again.values)
    assert first.names == again.names


def test_a_shared_cache_is_readable_as_other_files_are(images, tmp_path):
    (tmp_path / "any").touch()
    extract_features(images_frame(images), parse("regions"), tmp_path / "cache")
    wanted = (tmp_path / "any").stat().st_mode
    files = [p for p in (tmp_path / "cache").rglob("*") if p.is_file()]
    assert files
    assert {path.stat().st_mode for path in files} == {wanted}


def test_other_options_are_cached_apart(images, tmp_path):
    one = extract_features(images_frame(images), parse("regions"), tmp_path)
    two = extract_features(
        images_frame(images), parse({"name": "regions", "values": "csf"}), tmp_path
    )
    assert not np.allclose(one.values, two.values)
    assert len(list((tmp_path / "features").iterdir())) == 2


def test_an_image_that_changed_is_read_again(tmp_path):
    path = write_image(tmp_path / "image.nii.gz", random_volume(1))
    old = extract_features(images_frame([path]), parse("regions"), tmp_path / "cache")
    write_image(Path(path), random_volume(2))
    os.utime(path, ns=(10**18, 10**18))
    new = extract_features(images_frame([path]), parse("regions"), tmp_path / "cache")
    assert not np.allclose(old.values, new.values)


def test_a_write_that_fails_leaves_nothing_behind(images, tmp_path, monkeypatch):
    def full(stream, arr):
        stream.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(feature_cache.np, "save", full)
    with pytest.raises(OSError, match="No space left"):
        extract_features(images_frame(images), parse("regions"), tmp_path)
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["features.json"]
    monkeypatch.undo()
    extract_features(images_frame(images), parse("regions"), tmp_path)


def test_two_processes_share_one_cache(images, tmp_path):
    fork = multiprocessing.get_context("fork")
    arguments = (images_frame(images), parse("regions"), tmp_path)
    both = [fork.Process(target=extract_features, args=arguments) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join()
    assert [process.exitcode for process in both] == [0, 0]
    names = [p.suffix for p in (tmp_path / "features").rglob("*") if p.is_file()]
    assert sorted(names) == [".json"] + [".npy"] * len(images)
    cached = extract_features(*arguments)
    expected = extract_features(*arguments[:2])
    np.testing.assert_array_equal(cached.values, expected.values)


def truncated(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def corrupt(path: Path) -> None:
    path.write_bytes(b"this is no image")


def with_nan(path: Path) -> None:
    volume = random_volume(0)
    volume[3, 4, 5] = np.nan
    write_image(path, volume)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (truncated, "corrupt or cut short"),
        (corrupt, "corrupt or cut short"),
        (Path.unlink, "cannot be read"),
        (with_nan, "1 voxels that are NaN or infinite"),
        (lambda p: write_image(p, np.full(SHAPE, 7.0)), "is blank: every voxel is 7"),
        (
            lambda p: write_image(p, random_volume(0)[:, :, :-1]),
            r"has the shape \(22, 26, 22\)",
        ),
        (
            lambda p: write_image(p, random_volume(0), AFFINE + np.eye(4) * 0.1),
            "affine of",
        ),
        (
            lambda p: write_image(p, np.ones((*SHAPE, 2))),
            "needs one volume",
        ),
    ],
)
@pytest.mark.parametrize("cached", [False, True])
def test_an_image_that_cannot_be_used_is_named(tmp_path, spoil, message, cached):
    paths = [
        write_image(tmp_path / f"sub-{i}_T1w.nii.gz", random_volume(i))
        for i in range(3)
    ]
    spoil(Path(paths[1]))
    with pytest.raises(CapsError, match=message) as error:
        extract_features(
            images_frame(paths), parse("regions"), tmp_path / "c" if cached else None
        )
    assert paths[1] in str(error.value)


def test_a_brain_of_one_value_is_named(tmp_path, mask):
    volume = random_volume(0)
    volume[mask] = 1.0
    path = write_image(tmp_path / "flat.nii.gz", volume)
    for options in ("regions", "voxels", {"name": "regions", "values": "csf"}):
        with pytest.raises(CapsError, match="same value all over the brain"):
            extract_features(images_frame([path]), parse(options))


def test_images_outside_mni_space_are_refused(tmp_path):
    away = AFFINE.copy()
    away[:3, 3] = 500.0
    path = write_image(tmp_path / "native.nii.gz", random_volume(0), away)
    with pytest.raises(CapsError, match="holds 0% of the brain of MNI space"):
        extract_features(images_frame([path]), parse("regions"))


def test_one_volume_in_four_dimensions_is_one_volume(tmp_path):
    volume = random_volume(0)
    flat = write_image(tmp_path / "3d.nii.gz", volume)
    deep = write_image(tmp_path / "4d.nii.gz", volume[..., None])
    found = extract_features(images_frame([flat, deep]), parse("regions"))
    np.testing.assert_array_equal(found.values[0], found.values[1])


def test_the_grid_can_be_asked_for(images):
    other = Geometry((22, 26, 24), GEOMETRY.affine)
    with pytest.raises(CapsError, match="the model's training images"):
        extract_features(images_frame(images), parse("regions"), geometry=other)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("regoins", "Did you mean 'regions'"),
        ({"name": "regions", "atlsa": "AAL2"}, "Did you mean 'atlas'"),
        ({"name": "regions", "atlas": "AAL3"}, "Did you mean 'AAL2'"),
        ({"name": "regions", "values": "gm"}, "values cannot be 'gm'"),
        ({"name": "voxels", "smoothing": "much"}, "smoothing cannot be 'much'"),
        ({"name": "voxels", "smoothing": -1}, "0 or more; got -1"),
        ({"name": "voxels", "atlas": "AAL2"}, "Unknown key 'atlas'"),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(ConfigError, match=message) as error:
        parse(options)
    assert "models.tried.features" in str(error.value)


def test_tissue_is_found_in_a_noisy_template(mask):
    """Voxels drawn from the priors: each is given back to where it came from."""
    rng = np.random.default_rng(0)
    prior = priors(GEOMETRY)
    np.testing.assert_allclose(prior.sum(axis=0), 1.0)
    drawn = (rng.random(prior.shape[1]) > prior.cumsum(axis=0)[:2]).sum(axis=0)
    values = np.array([60.0, 100.0, 20.0])[drawn] + rng.normal(0, 5, drawn.size)
    found = posteriors(values, prior)
    np.testing.assert_allclose(found.sum(axis=0), 1.0)
    assert (found.argmax(axis=0) == drawn).mean() > 0.98
    inverted = posteriors(1000.0 - 3.0 * values, prior)
    np.testing.assert_allclose(inverted, found, atol=1e-6)


def test_tissue_follows_the_template(tmp_path):
    """Tissues share each region, and the cortex of the template is grey."""
    from nilearn.datasets import load_mni152_template
    from nilearn.image import resample_img

    template = resample_img(
        load_mni152_template(resolution=2), AFFINE, SHAPE, force_resample=True
    )
    path = write_image(tmp_path / "template.nii.gz", template.get_fdata())
    found = {
        kind: extract_features(
            images_frame([path]), parse({"name": "regions", "values": kind})
        )
        for kind in TISSUES
    }
    total = sum(features.values[0] for features in found.values())
    assert np.all(total <= 1.0 + 1e-6)
    grey = dict(
        zip(found["grey-matter"].names, found["grey-matter"].values[0], strict=True)
    )
    for name in ("Frontal_Sup_2_L", "Temporal_Mid_R", "Cingulate_Mid_L"):
        assert grey[name] > 0.4
