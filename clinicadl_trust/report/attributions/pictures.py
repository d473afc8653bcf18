"""Attribution maps as pictures in the page."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from clinicadl_trust.exceptions import AttributionError
from clinicadl_trust.plots import attribution_overlay, relevance_limit
from clinicadl_trust.plots.slices import axial_slices

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from nibabel.spatialimages import SpatialImage

__all__ = ["Layer", "Picture", "draw_pictures", "read_map", "shared_limits"]

#: The weakest map must reach this share of the limit that all share to be seen.
_SEEN = 1 / 3
#: The share of the PNG's size from which on a JPEG is worth its losses.
_LIGHTER = 0.8


@dataclass(frozen=True)
class Layer:
    """What is drawn of one model.

    Attributes
    ----------
    caption : str
        Below the picture.
    attributions : nibabel image of shape (x, y, z)
        Its map.
    remark : str
        What the map is worth, in a few words.
    """

    caption: str
    attributions: SpatialImage
    remark: str = ""


@dataclass(frozen=True)
class Picture:
    """A picture in the page.

    Attributes
    ----------
    caption, remark : str
        As of its layer.
    uri : str
        The PNG or JPEG as a data URI.
    width, height : int
        In pixels.
    limit : float
        Attribution at which its colours saturate.
    description : str
        What a screen reader says.
    """

    caption: str
    remark: str
    uri: str
    width: int
    height: int
    limit: float
    description: str


def shared_limits(layers: Sequence[Layer]) -> dict[str, float]:
    """Return where the colours of each model saturate.

    Parameters
    ----------
    layers : sequence of Layer
        Maps of one or several models.

    Returns
    -------
    dict of str to float
        One limit for all, unless a model would hardly be seen with it: then each has
        its own.
    """
    values: dict[str, list[np.ndarray]] = {}
    for layer in layers:
        values.setdefault(layer.caption, []).append(layer.attributions.get_fdata())
    limits = {model: relevance_limit(maps) for model, maps in values.items()}
    shared = max(limits.values(), default=0.0)
    if min(limits.values(), default=0.0) < _SEEN * shared:
        return limits
    return dict.fromkeys(limits, shared)


def draw_pictures(
    layers: Sequence[Layer],
    limits: Mapping[str, float],
    background: SpatialImage | None = None,
    mask: SpatialImage | None = None,
) -> list[Picture]:
    """Draw the maps of several models on the same slices of one image.

    Parameters
    ----------
    layers : sequence of Layer
        One per model.
    limits : mapping
        As ``shared_limits`` returns them.
    background : nibabel image of shape (x, y, z), optional
        By default the MNI152 template.
    mask : nibabel image of shape (x, y, z), optional
        A lesion.

    Returns
    -------
    list of Picture
        In the same order.
    """
    if background is None:
        from nilearn.datasets import load_mni152_template

        background = load_mni152_template(resolution=2)
    heights = axial_slices(background, mask)
    return [
        _draw(layer, background, mask, heights, limits[layer.caption])
        for layer in layers
    ]


def _draw(
    layer: Layer,
    background: SpatialImage,
    mask: SpatialImage | None,
    heights: list[float],
    limit: float,
) -> Picture:
    figure = attribution_overlay(
        layer.attributions,
        background,
        mask=mask,
        limit=limit,
        slices=heights,
        colorbar=False,
    )
    width, height = (round(side) for side in figure.get_size_inches() * figure.dpi)
    described = ", ".join(f"{z:.0f}" for z in heights)
    return Picture(
        caption=layer.caption,
        remark=layer.remark,
        uri=_uri(figure),
        width=width,
        height=height,
        limit=limit,
        description=f"{layer.caption}: axial slices at z = {described} mm. "
        f"{layer.remark}".strip(),
    )


def _uri(figure: Figure) -> str:
    """Write a figure as a data URI: PNG or, where it is much lighter, JPEG.

    Scans of 1 mm are noisy, and PNG of noise is as large as no compression.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    image = Image.fromarray(np.ascontiguousarray(canvas.buffer_rgba())[..., :3])
    png, jpeg = io.BytesIO(), io.BytesIO()
    image.save(png, "png")
    # Colours are not subsampled: the outline of a lesion is a pixel or two.
    image.save(jpeg, "jpeg", quality=80, subsampling=0)
    name, content = "png", png.getvalue()
    if len(jpeg.getvalue()) < _LIGHTER * len(content):
        name, content = "jpeg", jpeg.getvalue()
    return f"data:image/{name};base64,{base64.b64encode(content).decode()}"


def read_map(path: Path) -> SpatialImage:
    """Read a volume whole.

    Parameters
    ----------
    path : pathlib.Path
        A NIfTI image.

    Raises
    ------
    AttributionError
        If it is absent, broken, no volume, or holds NaN.
    """
    import nibabel as nib
    from nibabel.filebasedimages import ImageFileError

    try:
        image = nib.load(path)
        values = image.get_fdata(dtype=np.float32)  # type: ignore[attr-defined]
    except (OSError, EOFError, ValueError, ImageFileError) as error:
        raise AttributionError(
            f"'{path}' cannot be read: {error}. Interpret again."
        ) from error
    if values.ndim != 3 or not np.isfinite(values).all():
        raise AttributionError(
            f"'{path}' is no finite volume, but has the shape {values.shape} and "
            f"{int((~np.isfinite(values)).sum())} voxels that are not finite."
        )
    return image  # type: ignore[return-value]
