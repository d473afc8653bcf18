import numpy as np
import pytest

from clinicadl_trust.clinica import ATLASES, atlas_labels, load_atlas
from clinicadl_trust.exceptions import ConfigError
from clinicadl_trust.generate.grid import CROP_ORIGIN, CROP_SHAPE


@pytest.mark.parametrize(("name", "regions"), [("AAL2", 120), ("AICHA", 384)])
def test_every_region_of_an_atlas_is_in_its_image(name, regions):
    image, labels = load_atlas(name)
    values = np.unique(np.asarray(image.dataobj).astype(int))
    assert len(labels) == regions
    assert list(labels.columns) == ["index", "name"]
    assert set(labels["index"]) == set(values[values != 0])
    assert labels["name"].is_unique
    assert (labels["name"] == labels["name"].str.strip()).all()


def test_the_left_hippocampus_lies_on_the_left():
    image, labels = load_atlas("AAL2")
    index = labels.set_index("name").loc["Hippocampus_L", "index"]
    voxels = np.argwhere(np.asarray(image.dataobj) == index)
    centre = image.affine[:3, :3] @ voxels.mean(axis=0) + image.affine[:3, 3]
    assert np.allclose(centre, (-25, -21, -10), atol=4)


def test_labels_alone_are_those_of_the_image():
    for name in ATLASES:
        assert atlas_labels(name).equals(load_atlas(name)[1])


def test_an_unknown_atlas_names_the_nearest():
    with pytest.raises(ConfigError, match=r"'AAL3'.*Did you mean 'AAL2'"):
        load_atlas("AAL3")


def test_the_crop_is_clinicas():
    from clinica.utils.image import MNI_CROP_BBOX

    first = [side.start for side in MNI_CROP_BBOX.get_slices()]
    last = [side.stop for side in MNI_CROP_BBOX.get_slices()]
    assert tuple(b - a for a, b in zip(first, last, strict=True)) == CROP_SHAPE
    # The first voxel of MNI152NLin2009cSym at 1 mm lies at (-96, -132, -78).
    origin = np.add((-96, -132, -78), first)
    assert np.allclose(origin, CROP_ORIGIN)
