import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats import registration_error

GRID = np.diag([2.0, 2.0, 2.0, 1.0])
GRID[:3, 3] = [-8.0, -10.0, -12.0]  # the centre of the mask is the origin
MASK = np.ones((9, 11, 13))


def translation(*shift):
    matrix = np.eye(4)
    matrix[:3, 3] = shift
    return matrix


def linear(values):
    matrix = np.eye(4)
    matrix[:3, :3] = values
    return matrix


def test_a_translation_moves_every_voxel_alike():
    moved = translation(3.0, 0.0, 4.0)
    assert registration_error(moved, np.eye(4), MASK, GRID) == pytest.approx(5.0)
    assert registration_error(moved, moved, MASK, GRID) == 0


def test_a_rotation_moves_a_voxel_by_the_chord_of_its_circle():
    angle = 0.3
    turned = linear(Rotation.from_euler("z", angle).as_matrix())
    x, y = np.meshgrid(np.arange(-8, 9, 2), np.arange(-10, 11, 2), indexing="ij")
    chord = 2 * np.sin(angle / 2) * np.hypot(x, y)
    found = registration_error(turned, np.eye(4), MASK, GRID)
    assert found == pytest.approx(chord.mean())


def test_a_zoom_moves_a_voxel_by_a_share_of_its_distance():
    inside = np.zeros((9, 11, 13))
    inside[8, 5, 6] = inside[4, 10, 6] = 1  # at (8, 0, 0) and (0, 10, 0)
    zoomed = linear(1.1 * np.eye(3))
    found = registration_error(zoomed, np.eye(4), inside, GRID)
    assert found == pytest.approx(0.1 * (8 + 10) / 2)


def test_many_at_once_and_symmetric():
    pairs = np.stack([translation(1, 2, 2), np.eye(4), linear(np.diag([1.2, 1, 1]))])
    true = np.stack([np.eye(4), translation(0, 0, 7), np.eye(4)])
    found = registration_error(pairs, true, MASK, GRID)
    assert found[:2] == pytest.approx([3.0, 7.0])
    assert found == pytest.approx(registration_error(true, pairs, MASK, GRID))
    one = registration_error(pairs[2], true[2], MASK, GRID)
    assert found[2] == pytest.approx(float(one))


@pytest.mark.parametrize(
    ("estimated", "mask", "said"),
    [
        (np.eye(3), MASK, "finite 4x4 matrix"),
        (np.full((4, 4), np.nan), MASK, "finite 4x4 matrix"),
        (np.ones((4, 4)), MASK, "last row"),
        (np.eye(4), np.zeros((2, 2, 2)), "mask is empty"),
    ],
)
def test_what_is_no_affine_or_no_mask(estimated, mask, said):
    with pytest.raises(StatisticsError, match=said):
        registration_error(estimated, np.eye(4), mask, GRID)
