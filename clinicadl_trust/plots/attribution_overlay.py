"""Where a network looks: attributions over slices of an image."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from clinicadl_trust.exceptions import AttributionError
from clinicadl_trust.plots.collecting import collecting_little
from clinicadl_trust.plots.relevance import (
    OUTLINE,
    relevance_colormap,
    relevance_limit,
)
from clinicadl_trust.plots.slices import axial_slices

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from nibabel.spatialimages import SpatialImage

    Image = SpatialImage | str | os.PathLike[str]

__all__ = ["attribution_overlay"]

_INCH = 1.7  # a slice
_BAR = 0.55
_TITLE = 0.3


def attribution_overlay(
    attributions: Image,
    background: Image | None = None,
    *,
    mask: Image | None = None,
    limit: float | None = None,
    slices: int | Sequence[float] = 6,
    n_columns: int = 3,
    title: str = "",
    colorbar: bool = True,
    ends: tuple[str, str] = ("healthy", "pathological"),
) -> Figure:
    """Draw attributions over axial slices: blue for healthy, red for pathological.

    Parameters
    ----------
    attributions : nibabel image or path, of shape (x, y, z)
        Positive values speak for disease, negative ones for health.
    background : nibabel image or path, of shape (x, y, z)
        What the network saw, in the same space; the MNI152 template by default.
    mask : nibabel image or path, of shape (x, y, z)
        A lesion, outlined in yellow; one that is empty is not drawn.
    limit : float, optional
        Attribution at which colours saturate, on both sides; by default the 99.5th
        percentile of the map's absolute values other than 0. Give the one of
        ``relevance_limit`` to compare maps.
    slices : int or sequence of float
        How many slices, chosen through the mask and evenly through the image, never
        by the attributions; or their heights in mm.
    n_columns : int
        Slices side by side.
    title : str
        Above all.
    colorbar : bool
        Whether to draw it.
    ends : tuple of str
        What blue and red speak for, beside the colour bar.

    Returns
    -------
    matplotlib.figure.Figure
        Left is left. Attributions are more transparent the weaker they are, and none
        is cut off, so that nothing hides behind a threshold (Taylor et al., 2023,
        NeuroImage 274, 120138).

    Raises
    ------
    AttributionError
        If the attributions are no finite volume.
    """
    shown = _volume(attributions)
    limit = relevance_limit([_values(shown)]) if limit is None else limit
    behind = _background(background)
    lesion = None if mask is None else _volume(mask)
    if isinstance(slices, int):
        slices = axial_slices(behind, lesion, slices)
    rows = [slices[n : n + n_columns] for n in range(0, len(slices), n_columns)]
    figure, places = _frame(len(rows), n_columns, title, colorbar)
    with collecting_little():
        for heights, place in zip(rows, places, strict=True):
            place[2] *= len(heights) / n_columns
            row = _row(figure, place, heights, shown=shown, behind=behind, limit=limit)
            _outline(row, lesion)
    if colorbar:
        _colorbar(figure, limit, ends)
    return figure


def _frame(
    n_rows: int, n_columns: int, title: str, colorbar: bool
) -> tuple[Figure, list[list[float]]]:
    """Return a figure and the place of each row in it."""
    from matplotlib.figure import Figure

    top, bottom = _TITLE * bool(title), _BAR * colorbar
    height = n_rows * 1.12 * _INCH + top + bottom
    figure = Figure(figsize=(n_columns * _INCH, height), dpi=150, facecolor="black")
    if title:
        figure.text(
            0.5, 1 - top / 2 / height, title, color="white", ha="center", va="center"
        )
    share = 1.12 * _INCH / height
    places = [
        [0.0, bottom / height + share * (n_rows - 1 - row), 1.0, share]
        for row in range(n_rows)
    ]
    return figure, places


def _row(
    figure: Figure,
    place: list[float],
    heights: Sequence[float],
    *,
    shown: SpatialImage,
    behind: SpatialImage,
    limit: float,
) -> Any:
    """Draw slices side by side, and return nilearn's display of them."""
    from nilearn.plotting import plot_stat_map

    top = limit or 1.0  # of a map of zeros, which is drawn as such
    return plot_stat_map(
        shown,
        bg_img=behind,
        display_mode="z",
        cut_coords=list(heights),
        figure=figure,
        axes=place,
        cmap=relevance_colormap(transparent=True),
        vmin=-top,
        vmax=top,
        threshold=None,
        black_bg=True,
        dim=0,
        colorbar=False,
        draw_cross=False,
    )


def _outline(display: Any, lesion: SpatialImage | None) -> None:
    if lesion is None or not _values(lesion).any():
        return
    # Dark below bright: it is seen on bright lesions and on red alike.
    for color, width in (("black", 2.2), (OUTLINE, 1.0)):
        display.add_contours(lesion, levels=[0.5], colors=[color], linewidths=width)


def _colorbar(figure: Figure, limit: float, ends: tuple[str, str]) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    height = figure.get_figheight()
    axes = figure.add_axes((0.2, 0.36 / height, 0.6, 0.1 / height))
    top = limit or 1.0
    mappable = ScalarMappable(Normalize(-top, top), relevance_colormap())
    bar = figure.colorbar(mappable, cax=axes, orientation="horizontal")
    bar.set_ticks([-top, 0, top], labels=[f"{v:.2g}" for v in (-limit, 0, limit)])
    axes.tick_params(color="white", labelcolor="white", labelsize=8)
    bar.outline.set_visible(False)  # type: ignore[operator]
    for x, text, side in ((0.18, ends[0], "right"), (0.82, ends[1], "left")):
        figure.text(
            x, 0.41 / height, text, color="white", ha=side, va="center", fontsize=8
        )


def _background(image: Image | None) -> SpatialImage:
    if image is not None:
        return _volume(image)
    from nilearn.datasets import load_mni152_template

    return load_mni152_template(resolution=2)


def _volume(image: Image) -> SpatialImage:
    """Return one volume; a path is read."""
    from nibabel.filebasedimages import ImageFileError
    from nilearn.image import check_niimg_3d

    path = isinstance(image, str | os.PathLike)
    try:
        found = check_niimg_3d(os.fspath(image) if path else image)  # type: ignore[arg-type]
        found.get_fdata(dtype=np.float32)  # a file that ends too early fails here
    except (TypeError, ValueError, OSError, EOFError, ImageFileError) as error:
        raise AttributionError(
            f"{image if path else type(image).__name__} is no volume: {error}. Give a "
            "nibabel image of shape (x, y, z), or its path."
        ) from error
    return found


def _values(image: SpatialImage) -> np.ndarray:
    return image.get_fdata(dtype=np.float32)  # type: ignore[attr-defined]
