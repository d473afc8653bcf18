import numpy as np
import pytest

from clinicadl_trust.generate.deformation import Lattice, draw_deformation, mix
from clinicadl_trust.generate.grid import CROP_SHAPE, crop_grid
from clinicadl_trust.generate.streams import stream

GRID = crop_grid(6)


def test_splines_reproduce_a_straight_line():
    lattice = Lattice(30.0)
    knots = np.broadcast_to(
        np.arange(lattice.shape[0])[:, None, None], lattice.shape
    ).astype(float)
    field = lattice.evaluate(knots, GRID)
    # One knot lies before the first voxel of the crop.
    expected = 1 + (GRID.axes[0] - crop_grid(1).origin[0]) / 30.0
    assert np.allclose(field, expected[:, None, None], atol=1e-4)


@pytest.mark.parametrize("seed", range(5))
def test_no_head_folds(seed):
    deformation = draw_deformation(stream(seed, "folds"))
    moved = deformation.displacement(GRID)
    gradient = np.stack(
        [np.stack(np.gradient(part, GRID.spacing), axis=0) for part in moved]
    )
    jacobian = np.moveaxis(gradient, (0, 1), (-2, -1)) + deformation.matrix
    determinant = np.linalg.det(jacobian)
    assert determinant.min() > 0.1
    assert moved.std() > 0.8  # and yet heads differ, by millimetres


def test_the_worst_knots_do_not_fold_either():
    deformation = draw_deformation(stream(0, "worst"))
    knots = []
    for part in deformation.knots:
        sign = np.indices(part.shape[1:]).sum(axis=0) % 2 * 2 - 1
        knots.append(np.abs(part).max() * np.broadcast_to(sign, part.shape))
    worst = type(deformation)(tuple(knots), np.eye(3), np.zeros(3))
    fine = crop_grid(3)
    moved = worst.displacement(fine)
    gradient = np.stack([np.stack(np.gradient(m, fine.spacing)) for m in moved])
    determinant = np.linalg.det(np.moveaxis(gradient, (0, 1), (-2, -1)) + np.eye(3))
    assert determinant.min() > 0


def test_relatives_share_the_asked_part_of_their_shape():
    family = draw_deformation(stream(0, "family"))
    first, second = (
        mix(family, draw_deformation(stream(0, "own", k)), 0.6) for k in "ab"
    )
    stranger = draw_deformation(stream(0, "stranger"))

    def correlation(a, b):
        return np.corrcoef(
            np.concatenate([k.ravel() for k in a.knots]),
            np.concatenate([k.ravel() for k in b.knots]),
        )[0, 1]

    assert correlation(first, second) == pytest.approx(0.6, abs=0.1)
    assert abs(correlation(first, stranger)) < 0.1


def test_a_coarser_grid_shows_the_same_deformation():
    deformation = draw_deformation(stream(0, "grids"))
    fine, coarse = crop_grid(3), crop_grid(9)
    ours = deformation.displacement(fine)[:, 1::3, 1::3, 1::3]
    theirs = deformation.displacement(coarse)
    x, y, z = np.minimum(ours.shape[1:], theirs.shape[1:])
    assert np.allclose(ours[:, :x, :y, :z], theirs[:, :x, :y, :z], atol=1e-3)


def test_a_stream_depends_on_every_name():
    draws = {
        float(stream(*key).random())
        for key in [(0, "a", "b"), (1, "a", "b"), (0, "a", "c"), (0, "ab"), (0, "a")]
    }
    assert len(draws) == 5
    assert stream(0, "a", 1).random() == stream(0, "a", "1").random()


@pytest.mark.parametrize("resolution", [1, 2, 4, 5, 16])
def test_the_field_of_view_is_clinicas_at_any_resolution(resolution):
    grid = crop_grid(resolution)
    assert grid.shape == tuple(-(-n // resolution) for n in CROP_SHAPE)
    corner = grid.affine @ [-0.5, -0.5, -0.5, 1]
    assert np.allclose(corner[:3], (-84.5, -119.5, -78.5))
    if resolution == 1:
        assert np.array_equal(grid.affine[:3, 3], (-84, -119, -78))
