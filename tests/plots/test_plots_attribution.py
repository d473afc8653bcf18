"""Attributions over slices, and the train-method by test-method matrix."""

from __future__ import annotations

import gc

import nibabel as nib
import nilearn.plotting  # noqa: F401  (chooses a backend as it is first imported)
import numpy as np
import pandas as pd
import pytest
from drawn import spilt
from matplotlib.colors import to_rgb

from clinicadl_trust import plots
from clinicadl_trust.exceptions import AttributionError, StatisticsError
from clinicadl_trust.plots import relevance
from clinicadl_trust.plots.attribution_matrix import cell_colors
from clinicadl_trust.plots.collecting import collecting_little
from clinicadl_trust.plots.slices import axial_slices

#: Machado, Oliveira and Fernandes (2009), severity 1, for linear RGB.
VISIONS = {
    "all cones": np.eye(3),
    "no long cones": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "no medium cones": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "no short cones": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)


def seen(color, vision):
    """Return a colour in CIELAB as someone with this vision sees it."""
    rgb = np.array(to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(VISIONS[vision] @ linear, 0, 1)
    ratio = (_TO_XYZ @ linear) / _TO_XYZ.sum(axis=1)
    f = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def apart(one, other, vision):
    return np.linalg.norm(seen(one, vision) - seen(other, vision))


def volume(values):
    affine = np.diag([8.0, 8.0, 8.0, 1.0])
    affine[:3, 3] = -4.0 * (np.array(values.shape) - 1)
    return nib.Nifti1Image(np.asarray(values, dtype=np.float32), affine)


@pytest.fixture(scope="module")
def head():
    """A ball of brain."""
    grid = np.indices((16, 18, 16)) - np.array([7.5, 8.5, 7.5])[:, None, None, None]
    return volume((np.linalg.norm(grid, axis=0) < 7).astype(float))


@pytest.fixture(scope="module")
def lesion(head):
    values = np.zeros(head.shape)
    values[4:6, 8:10, 10:12] = 1
    return volume(values)


@pytest.fixture(scope="module")
def attributions(head):
    rng = np.random.default_rng(0)
    return volume(rng.normal(size=head.shape) * head.get_fdata())


@pytest.mark.parametrize("vision", VISIONS)
def test_everyone_tells_healthy_from_pathological(vision):
    colormap = relevance.relevance_colormap()
    assert apart(colormap(0.0), colormap(1.0), vision) > 90
    # Either side of 0, where the colours are weakest.
    assert apart(colormap(0.49), colormap(0.51), vision) > 35
    for grey in ("0.2", "0.5", "0.8"):
        for end in (colormap(0.0), colormap(1.0)):
            assert apart(end, grey, vision) > 25
    for end in (colormap(0.0), colormap(1.0)):
        assert apart(end, relevance.OUTLINE, vision) > 35


def test_blue_is_healthy_and_red_is_pathological():
    red, _, blue, _ = relevance.relevance_colormap()(0.0)
    assert blue > red
    red, _, blue, _ = relevance.relevance_colormap()(1.0)
    assert red > blue


def test_a_limit_is_that_of_the_strongest_map_without_its_background():
    weak, strong = np.zeros(2000), np.zeros(2000)
    weak[:1000] = np.linspace(-1, 1, 1000)
    strong[:1000] = 3 * weak[:1000]
    strong[0] = -1e6  # one voxel far out
    limit = relevance.relevance_limit([weak, strong])
    assert limit == pytest.approx(np.percentile(np.abs(strong[:1000]), 99.5))
    assert limit < 4
    assert relevance.relevance_limit([np.zeros(5)]) == 0
    with pytest.raises(AttributionError, match="2 attributions are not finite"):
        relevance.relevance_limit([[1.0, np.nan, np.inf]])
    with pytest.raises(AttributionError, match="no map"):
        relevance.relevance_limit([])


def test_slices_go_through_the_lesion_and_the_image(head, lesion):
    heights = axial_slices(head, lesion, 6)
    assert len(heights) == 6
    assert heights == sorted(heights)
    inside = {20.0, 28.0}  # voxels 10 and 11
    assert inside <= set(heights)
    assert min(heights) < -20
    empty = volume(np.zeros(head.shape))
    assert axial_slices(head, empty, 4) == axial_slices(head, None, 4)


def test_slices_of_a_flat_volume_are_as_many_as_there_are():
    flat = volume(np.pad(np.ones((6, 6, 2)), 1))
    assert axial_slices(flat, None, 6) == [-4.0, 4.0]


def drawn_pixels(figure):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].astype(int)


def coloured(pixels):
    """Return how many pixels are clearly blue, and clearly red."""
    red, blue = pixels[..., 0], pixels[..., 2]
    return int((blue - red > 60).sum()), int((red - blue > 60).sum())


@pytest.mark.parametrize(("sign", "expected"), [(-1, 0), (1, 1)])
def test_the_sign_chooses_the_colour(head, sign, expected):
    values = volume(sign * head.get_fdata())
    figure = plots.attribution_overlay(values, head, colorbar=False, limit=1.0)
    counts = coloured(drawn_pixels(figure))
    assert counts[expected] > 1000
    assert counts[1 - expected] == 0


def test_weak_attributions_let_the_image_through(head):
    values = volume(0.05 * head.get_fdata())
    figure = plots.attribution_overlay(values, head, colorbar=False, limit=1.0)
    assert coloured(drawn_pixels(figure)) == (0, 0)


def test_the_lesion_is_outlined(head, lesion):
    nothing = volume(np.zeros(head.shape))
    count = []
    for mask in (lesion, volume(np.zeros(head.shape))):
        figure = plots.attribution_overlay(nothing, head, mask=mask, colorbar=False)
        pixels = drawn_pixels(figure)
        yellow = (pixels[..., :2].min(axis=2) > 180) & (pixels[..., 2] < 80)
        count.append(int(yellow.sum()))
    assert count[0] > 100
    assert count[1] == 0


def test_what_is_written_stays_inside(head, lesion, attributions):
    figure = plots.attribution_overlay(
        attributions, head, mask=lesion, slices=7, n_columns=4, title="Unconstrained"
    )
    assert spilt(figure.axes[-1]) == []
    words = {text.get_text() for text in figure.texts}
    assert {"Unconstrained", "healthy", "pathological"} <= words
    figure = plots.attribution_overlay(attributions, head, ends=("younger", "older"))
    assert [text.get_text() for text in figure.texts] == ["younger", "older"]


def test_maps_are_read_from_disk_and_lie_on_the_template(tmp_path, attributions):
    path = tmp_path / "map.nii.gz"
    nib.save(attributions, path)
    figure = plots.attribution_overlay(path, slices=[0.0])
    assert drawn_pixels(figure).mean() > 5


def test_what_is_no_volume_is_refused(tmp_path, attributions):
    with pytest.raises(AttributionError, match=r"nowhere\.nii\.gz is no volume"):
        plots.attribution_overlay(tmp_path / "nowhere.nii.gz")
    broken = tmp_path / "broken.nii.gz"
    nib.save(attributions, broken)
    broken.write_bytes(broken.read_bytes()[:300])
    with pytest.raises(AttributionError, match=r"broken\.nii\.gz is no volume"):
        plots.attribution_overlay(broken)
    four = nib.Nifti1Image(np.zeros((4, 4, 4, 2), np.float32), np.eye(4))
    with pytest.raises(AttributionError, match="no volume"):
        plots.attribution_overlay(four)
    lost = volume(np.full((4, 4, 4), np.nan))
    with pytest.raises(AttributionError, match="64 attributions are not finite"):
        plots.attribution_overlay(lost)


@pytest.fixture
def cells():
    rows = [
        ("plain", "gradient", 0.1, 0.05, 0.16),
        ("plain", "integrated_gradients", 0.2, np.nan, np.nan),
        ("constrained", "gradient", 0.6, 0.5, 0.7),
    ]
    columns = ["model", "method", "value", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def test_the_matrix_prints_each_cell(cells, ax):
    plots.attribution_matrix(cells, ax)
    texts = {text.get_position(): text.get_text() for text in ax.texts}
    assert texts == {
        (0, 0): "0.10\n(0.05 to 0.16)",
        (1, 0): "0.20",
        (0, 1): "0.60\n(0.50 to 0.70)",
        (1, 1): "\N{EM DASH}",
    }
    assert [t.get_text() for t in ax.get_yticklabels()] == ["plain", "constrained"]
    assert spilt(plots.attribution_matrix(cells)) == []


def test_cells_darken_towards_the_better_and_stay_readable():
    def lightness(color):
        return seen(color, "all cones")[0]

    for better in (True, False):
        made = cell_colors([0.1, 0.4, 0.9], greater_is_better=better)
        light = [lightness(paint) for paint, _ in made]
        assert light == sorted(light, reverse=better)
        for paint, ink in made:
            assert abs(lightness(paint) - lightness(ink)) > 40
    worse, better, best = (lightness(p) for p, _ in cell_colors([0.14, 0.15, 0.9]))
    assert worse - better < 0.05 * (worse - best)  # nearly the same value
    ((paint, _),) = cell_colors([0.3])
    assert paint != cell_colors([np.nan])[0][0]


def test_a_matrix_that_is_none_is_refused(cells):
    with pytest.raises(StatisticsError, match="lacks the columns method"):
        plots.attribution_matrix(cells.drop(columns="method"))
    with pytest.raises(StatisticsError, match="'plain' by 'gradient' is given twice"):
        plots.attribution_matrix(pd.concat([cells, cells[:1]]))
    with pytest.raises(StatisticsError, match="None of the 3 cells"):
        plots.attribution_matrix(cells.assign(value=np.nan))


def test_garbage_of_others_stays_frozen_or_not(attributions, head):
    assert gc.get_freeze_count() == 0
    plots.attribution_overlay(attributions, head, slices=[0.0])
    assert gc.get_freeze_count() == 0
    gc.freeze()
    try:
        with collecting_little():
            plots.attribution_overlay(attributions, head, slices=[0.0])
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()


def test_collecting_little_may_be_nested():
    with collecting_little():
        with collecting_little():
            assert gc.get_freeze_count() > 0
        assert gc.get_freeze_count() > 0
    assert gc.get_freeze_count() == 0
