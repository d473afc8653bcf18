"""What a network trained with ClinicaDL's Trainer says of new images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from clinicadl.models import Model
from clinicadl.models.factory import get_model_from_json

from clinicadl_trust.activation import activate
from clinicadl_trust.cohort import IDS, Cohort
from clinicadl_trust.exceptions import CapsError, PluginError, RunError
from clinicadl_trust.host.loaders import evaluation_loader
from clinicadl_trust.host.maps import weights_of
from clinicadl_trust.host.memory import MemoryDataset
from clinicadl_trust.models.components import Blueprint
from clinicadl_trust.models.data import open_images
from clinicadl_trust.models.file_type import file_type
from clinicadl_trust.models.options import read_options
from clinicadl_trust.models.outputs import Said, collect
from clinicadl_trust.models.run_state import read_state
from clinicadl_trust.models.scale import Scale
from clinicadl_trust.models.segmented import segment
from clinicadl_trust.models.settings import read_settings
from clinicadl_trust.models.tensors import Conversion
from clinicadl_trust.models.transfer import read_weights
from clinicadl_trust.models.volumes import TOLERANCE, Geometry

__all__ = ["check_grid", "predict_masks", "predict_trainer", "trained_model"]


def predict_trainer(maps: Path, cohort: Cohort, caps: Path, cache: Path) -> np.ndarray:
    """Predict with the checkpoint that a run has chosen.

    Parameters
    ----------
    maps : pathlib.Path
        The MAPS of one finished run.
    cohort : Cohort
        Who to predict, with a column ``path``.
    caps : pathlib.Path
        The folder that holds their images.
    cache : pathlib.Path
        Where converted images go.

    Returns
    -------
    numpy.ndarray of shape (n_images, n_outputs)
        Probabilities, or values; in the cohort's order.

    Raises
    ------
    CapsError
        If an image cannot be used, or is on another grid than those of the training.
    RunError
        If the run's weights cannot be found.
    """
    data, blueprint, state = _open(maps, cohort, caps, cache)
    batch_size = blueprint.options.training.batch_size
    said = _said(trained_model(maps), data, batch_size)
    ids = cohort.table[list(IDS)].itertuples(index=False, name=None)
    outputs = np.stack([said[pair] for pair in ids])
    return Scale(**state["scale"]).to_user(activate(outputs, blueprint.activation))


def predict_masks(
    maps: Path, cohort: Cohort, caps: Path, cache: Path, folder: Path | None = None
) -> pd.DataFrame:
    """Draw masks with the checkpoint that a run has chosen.

    Parameters
    ----------
    maps, cohort, caps, cache
        As ``predict_trainer``.
    folder : pathlib.Path, optional
        Where masks are written, in NIfTI; by default nowhere.

    Returns
    -------
    pandas.DataFrame
        The columns ``mask_values.VALUES``, in the cohort's order. What needs the true
        mask is nan where the CAPS has none; a missing file stands for an empty one
        only where some of the cohort have theirs.

    Raises
    ------
    CapsError
        If an image or a true mask cannot be used, or an image is on another grid than
        those of the training.
    RunError
        If the run's weights cannot be found.
    """
    data, blueprint, _ = _open(maps, cohort, caps, cache)
    truth = read_settings(maps)[0].truth
    assert truth is not None  # a segmentation has one
    return segment(
        trained_model(maps),
        data,
        cohort.table,
        truth.find(caps, cohort.table),
        label=truth.name,
        batch_size=blueprint.options.training.batch_size,
        folder=folder,
    )


def _open(
    maps: Path, cohort: Cohort, caps: Path, cache: Path
) -> tuple[MemoryDataset, Blueprint, dict[str, Any]]:
    """Open images as a run's were, and check that they are on the same grid."""
    settings, folder = read_settings(maps)
    options = read_options(settings.model, settings.config)
    blueprint = Blueprint(settings.model, options, settings.task)
    rows, state = cohort.table, read_state(folder)
    data, geometry = open_images(
        Conversion(caps, file_type(settings.image), blueprint.transforms, cache),
        rows,
        rows[list(IDS)],
        same_affine=options.training.same_affine,
        max_memory=options.training.max_memory,
    )
    trained = Geometry(**state["geometry"])
    check_grid(geometry, trained, rows["path"].iloc[0], options.training.same_affine)
    return data, blueprint, state


def trained_model(maps: Path, weights: Path | None = None) -> Model:
    """Make the model of a run again, with its weights.

    Parameters
    ----------
    maps : pathlib.Path
        The MAPS.
    weights : pathlib.Path, optional
        By default those that the run has chosen.

    Raises
    ------
    RunError
        If it cannot be made, or has no weights.
    """
    path = maps / "model.json"
    try:
        model = get_model_from_json(path)
    except PluginError:
        raise
    except Exception as error:  # ClinicaDL and pydantic each raise their own
        reason = str(error).partition("\n")[0].rstrip(". ")
        raise RunError(
            f"The model in '{path}' cannot be made again: {reason}. If it is a "
            "plugin's, install the package that it came from."
        ) from error
    try:
        weights = weights or weights_of(maps)
    except FileNotFoundError as error:
        raise RunError(f"{error} Give the MAPS of one run.") from error
    model.load_state_dict(read_weights(weights))
    return model


def _said(model: Model, data: MemoryDataset, batch_size: int) -> Said:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model.to(device).eval()
    data.eval()
    said: Said = {}
    with torch.no_grad():
        for batch in evaluation_loader(data, batch_size=batch_size, pin_memory=False):
            batch.to(device)
            said |= collect(model.prediction_step(batch))
    return said


def check_grid(
    geometry: Geometry, trained: Geometry, path: str, same_affine: bool
) -> None:
    """Check that images are on the grid of the training.

    Parameters
    ----------
    geometry, trained : Geometry
        Of the images, and of those of the training.
    path : str
        One of the images, for messages.
    same_affine : bool
        Whether the training refused images in different spaces.

    Raises
    ------
    CapsError
        If they are on another one.
    """
    if tuple(geometry.shape) != tuple(trained.shape):
        raise CapsError(
            f"'{path}' has the shape {geometry.shape} (x, y, z), the model was trained "
            f"on {tuple(trained.shape)}. Preprocess it as the training images were."
        )
    apart = np.abs(np.subtract(geometry.affine, trained.affine)).max()
    if same_affine and apart > TOLERANCE:
        raise CapsError(
            f"The affine of '{path}' differs by up to {apart:.3g} mm from the training "
            "images': it is in another space. Preprocess it as they were."
        )
