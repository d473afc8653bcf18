"""Overlap and distances of masks, against what can be counted."""

import math

import numpy as np
import pytest
from scipy.ndimage import binary_erosion, distance_transform_edt

from clinicadl_trust.models.mask_values import VALUES, mask_values
from clinicadl_trust.models.volumes import Geometry

SPACING = (1.0, 2.0, 3.0)
GRID = Geometry((12, 14, 10), tuple(np.diag([-1.0, 2.0, 3.0, 1.0]).ravel()))


def box(*sides):
    mask = np.zeros(GRID.shape, np.uint8)
    mask[tuple(slice(*side) for side in sides)] = 1
    return mask


def reference(true, predicted):
    """Distances between surfaces, by another library."""
    edges = [mask.astype(bool) & ~binary_erosion(mask) for mask in (true, predicted)]
    away = [distance_transform_edt(~edge, sampling=SPACING) for edge in edges]
    one, other = away[1][edges[0]], away[0][edges[1]]
    mean = np.concatenate([one, other]).mean()
    return mean, max(np.percentile(one, 95), np.percentile(other, 95))


def test_a_box_moved_by_one_voxel():
    true, predicted = box((2, 6), (3, 7), (2, 6)), box((3, 7), (3, 7), (2, 6))
    values = mask_values(true, predicted, GRID)
    assert tuple(values) == VALUES
    assert values["label"] == values["score"] == 64 * 6
    assert values["dice"] == 48 / 64
    assert math.isnan(values["false_positive_volume"])
    mean, largest = reference(true, predicted)
    assert values["surface_distance"] == pytest.approx(mean)
    assert values["hausdorff95"] == pytest.approx(largest) == 1.0


def test_distances_count_millimetres_along_each_axis():
    true = box((2, 3), (2, 3), (2, 3))
    for shift, apart in (((4, 0, 0), 4.0), ((0, 4, 0), 8.0), ((0, 0, 4), 12.0)):
        moved = np.roll(true, shift, axis=(0, 1, 2))
        values = mask_values(true, moved, GRID)
        assert values["surface_distance"] == values["hausdorff95"] == apart
        assert values["dice"] == 0


def test_random_blobs_agree_with_scipy():
    rng = np.random.default_rng(0)
    for _ in range(5):
        true, predicted = (
            (rng.random(GRID.shape) < 0.1).astype(np.uint8) for _ in range(2)
        )
        mean, largest = reference(true, predicted)
        values = mask_values(true, predicted, GRID)
        assert values["surface_distance"] == pytest.approx(mean, rel=1e-5)
        assert values["hausdorff95"] == pytest.approx(largest, rel=1e-5)


def test_nothing_drawn_where_there_is_a_lesion_is_the_worst():
    values = mask_values(box((2, 6), (3, 7), (2, 6)), box((0, 0)), GRID)
    diagonal = np.linalg.norm(np.multiply(GRID.shape, SPACING))
    assert values["dice"] == values["score"] == 0
    assert values["surface_distance"] == pytest.approx(diagonal)
    assert values["hausdorff95"] == pytest.approx(diagonal)


@pytest.mark.parametrize("drawn", [0, 5])
def test_without_a_lesion_only_false_positives_count(drawn):
    predicted = box((0, drawn), (0, 1), (0, 1))
    values = mask_values(box((0, 0)), predicted, GRID)
    assert values["false_positive_volume"] == values["score"] == drawn * 6
    assert values["label"] == 0
    for name in ("dice", "surface_distance", "hausdorff95"):
        assert math.isnan(values[name])


def test_without_a_truth_there_is_a_volume_alone():
    values = mask_values(None, box((0, 2), (0, 1), (0, 1)), GRID)
    assert values["score"] == 12
    assert all(math.isnan(values[name]) for name in VALUES if name != "score")
