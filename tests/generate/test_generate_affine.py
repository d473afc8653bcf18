import json

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from generate_scene import PERSON, REGIONS
from scipy import ndimage

from clinicadl_trust.caps import find_images
from clinicadl_trust.exceptions import ConfigError
from clinicadl_trust.generate import (
    AFFINE_PARAMETERS,
    GeneratorOptions,
    affine_matrix,
    affine_parameters,
    brain_mask_type,
    generate_caps,
    image_type,
    mask_type,
)
from clinicadl_trust.generate.affine import CENTRE, draw_affine
from clinicadl_trust.generate.anatomy import load_anatomy
from clinicadl_trust.generate.deformation import Lattice
from clinicadl_trust.generate.grid import crop_grid
from clinicadl_trust.generate.placement import place
from clinicadl_trust.generate.streams import stream


def test_parameters_and_matrix_say_the_same():
    rng = np.random.default_rng(0)
    for size in (0.1, 1.0, 3.0):
        for _ in range(50):
            parameters = draw_affine(rng, size)
            matrix = affine_matrix(parameters)
            assert np.allclose(affine_parameters(matrix), parameters, atol=1e-9)
            named = dict(zip(AFFINE_PARAMETERS, parameters, strict=True))
            assert np.array_equal(affine_matrix(named), matrix)


def test_zero_moves_nothing_and_the_centre_only_shifts():
    assert np.allclose(affine_matrix(np.zeros(12)), np.eye(4), atol=1e-12)
    parameters = draw_affine(np.random.default_rng(1), 2.0)
    moved = affine_matrix(parameters) @ [*CENTRE, 1.0]
    assert np.allclose(moved[:3] - CENTRE, parameters[:3])


@pytest.mark.parametrize(
    ("name", "value", "point", "moved"),
    [
        ("affine_ty", 3.0, (1, 0, 0), (1, 3, 0)),
        ("affine_rz", 90.0, (1, 0, 0), (0, 1, 0)),
        ("affine_rx", 90.0, (0, 1, 0), (0, 0, 1)),
        ("affine_zx", np.log(2), (1, 1, 1), (2, 1, 1)),
        ("affine_hxy", 0.5, (0, 1, 0), (0.5, 1, 0)),
    ],
)
def test_each_parameter_does_what_its_name_says(name, value, point, moved):
    parameters = dict.fromkeys(AFFINE_PARAMETERS, 0.0) | {name: value}
    place = affine_matrix(parameters) @ [*np.add(CENTRE, point), 1.0]
    assert np.allclose(place[:3] - CENTRE, moved)


def test_rotations_are_about_x_then_y_then_z():
    def turn(**angles):
        zero = dict.fromkeys(AFFINE_PARAMETERS, 0.0)
        return affine_matrix(zero | {f"affine_r{k}": v for k, v in angles.items()})

    together = turn(x=20, y=30, z=40)
    assert np.allclose(together, turn(z=40) @ turn(y=30) @ turn(x=20))


@pytest.mark.parametrize("parameters", [[0.0] * 11, [np.nan] * 12])
def test_what_is_no_set_of_parameters_is_refused(parameters):
    with pytest.raises(ConfigError, match="12 finite parameters"):
        affine_matrix(parameters)


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.eye(3), "4x4"),
        (np.diag([1.0, 1, 1, 2]), "last row"),
        (np.diag([-1.0, 1, 1, 1]), "left into right"),
        (np.diag([0.0, 1, 1, 1]), "singular"),
    ],
)
def test_what_has_no_parameters_is_refused(matrix, message):
    with pytest.raises(ConfigError, match=message):
        affine_parameters(matrix)


def test_a_lattice_is_the_same_on_a_grid_and_at_points():
    lattice, grid = Lattice(40.0), crop_grid(8)
    knots = stream(0, "knots").normal(size=(3, *lattice.shape))
    points = np.stack(np.meshgrid(*grid.axes, indexing="ij"))
    assert np.allclose(
        lattice.evaluate(knots, grid), lattice.at(knots, points), atol=1e-5
    )


def test_an_affine_that_moves_nothing_changes_nothing():
    def at(affine):
        anatomy = load_anatomy(8, REGIONS)
        rng = stream(0, "visit")
        return place(anatomy, PERSON.deformation, crop_grid(8), rng, affine=affine)

    assert np.allclose(at(np.eye(4)).points, at(None).points, atol=1e-3)


#: Without noise and at 4 mm, so that interpolation is the only difference.
BASE = {
    "participants": 2,
    "sites": 1,
    "sessions": 1,
    "resolution": 4,
    "noise": 0,
    "site_effect": 0,
    "prevalence": 1,
    "disease": "lesions",
    "modality": "FLAIR",
}


def volumes(caps, kind):
    paths = find_images(caps, kind)["path"]
    return [np.asarray(nib.load(path).dataobj, dtype=float) for path in paths]


def test_the_head_and_its_masks_move_by_the_affine_that_is_told(tmp_path):
    still, moving = GeneratorOptions(**BASE), GeneratorOptions(**BASE, affine=1)
    before = generate_caps(tmp_path / "still", still)
    after = generate_caps(tmp_path / "moving", moving)
    table = pd.read_csv(after / "participants.tsv", sep="\t")
    grid = crop_grid(4)
    # Lesions are smaller than what two interpolations blur.
    kinds = {image_type: 0.95, brain_mask_type: 0.95, mask_type: 0.7}
    for name, least in kinds.items():
        kind = name(still)
        pairs = zip(volumes(before, kind), volumes(after, kind), strict=True)
        for row, (old, new) in zip(table.to_dict("records"), pairs, strict=True):
            world = affine_matrix(row)
            voxels = np.linalg.inv(grid.affine) @ np.linalg.inv(world) @ grid.affine
            guess = ndimage.affine_transform(old, voxels, order=1)
            agreement = np.corrcoef(guess.ravel(), new.ravel())[0, 1]
            without = np.corrcoef(old.ravel(), new.ravel())[0, 1]
            assert agreement > max(least, without + 0.02), kind.with_entities


def test_the_affine_is_told_in_both_tables(tmp_path):
    options = GeneratorOptions(**{**BASE, "resolution": 16}, affine=2, duplicates=1)
    caps = generate_caps(tmp_path / "caps", options)
    table = pd.read_csv(caps / "participants.tsv", sep="\t")
    sidecars = sorted(caps.rglob("*_FLAIR.json"))
    for row, path in zip(table.to_dict("records"), sidecars, strict=True):
        told = np.array(json.loads(path.read_text())["Affine"])
        assert np.allclose(affine_matrix(row), told, atol=1e-9)
    parts = table[list(AFFINE_PARAMETERS)]
    assert (parts.abs().to_numpy() <= 2 * 2 * np.repeat([5, 5, 0.05, 0.05], 3)).all()
    # The copy of a scan has the affine of what it is copied from.
    assert parts.drop_duplicates().shape[0] == 2
    plain = generate_caps(tmp_path / "plain", GeneratorOptions(**BASE))
    columns = pd.read_csv(plain / "participants.tsv", sep="\t").columns
    assert not set(AFFINE_PARAMETERS) & set(columns)
