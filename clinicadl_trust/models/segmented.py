"""Masks that a network draws: saved on their image's grid, and held against the truth.

One image is in memory at a time; what is kept of it is a row of numbers.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import torch
from clinicadl.models import Model
from clinicadl.utils.dictionary.words import IMAGE, OUTPUT, PARTICIPANT_ID, SESSION_ID

from clinicadl_trust.cohort import IDS
from clinicadl_trust.exceptions import RunError
from clinicadl_trust.host.loaders import evaluation_loader
from clinicadl_trust.host.memory import MemoryDataset
from clinicadl_trust.models.mask_values import VALUES, mask_values
from clinicadl_trust.models.masks import read_mask
from clinicadl_trust.models.spec import RunSpec
from clinicadl_trust.models.volumes import Geometry
from clinicadl_trust.predictions import predictions_frame, write_predictions

__all__ = ["MASKS", "mask_name", "predict_group", "segment"]

#: The folder of a run's predicted masks, in its record folder.
MASKS = "masks"


def segment(
    model: Model,
    data: MemoryDataset,
    rows: pd.DataFrame,
    truth: Sequence[str | None],
    *,
    label: str,
    batch_size: int,
    folder: Path | None = None,
) -> pd.DataFrame:
    """Draw the masks of some images, and measure them.

    Parameters
    ----------
    model : clinicadl.models.Model
        Gives one logit a voxel.
    data : MemoryDataset
        The images, transformed for the network.
    rows : pandas.DataFrame
        ``participant_id``, ``session_id`` and ``path`` of the same images.
    truth : sequence of str or None
        For each row the true mask's file, "" for an empty one, None where it is not
        known. Masks are compared on the image's own grid, whatever was cropped.
    label : str
        The mask's name.
    batch_size : int
        Images at a time in the network.
    folder : pathlib.Path, optional
        Where masks are written, in NIfTI; by default nowhere.

    Returns
    -------
    pandas.DataFrame
        The columns ``VALUES``, one row per row.

    Raises
    ------
    RunError
        If the network diverged.
    CapsError
        If a true mask cannot be used.
    """
    found: dict[tuple[str, str], dict[str, float]] = {}
    ids = rows[[PARTICIPANT_ID, SESSION_ID]].itertuples(index=False, name=None)
    files = dict(zip(ids, zip(rows["path"], truth, strict=True), strict=True))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model.to(device).eval()
    data.eval()
    with torch.no_grad():
        for batch in evaluation_loader(data, batch_size=batch_size, pin_memory=False):
            batch.to(device)
            for sample in model.prediction_step(batch):
                key = (sample[PARTICIPANT_ID], sample[SESSION_ID])
                image, true = files[key]
                mask = _drawn(sample[OUTPUT], sample[IMAGE].affine, image, key)
                if folder is not None:
                    _save(mask, image, folder / mask_name(*key, label))
                grid = Geometry.of(image)
                known = None if true is None else read_mask(true, image, grid)
                found[key] = mask_values(known, mask, grid)
    return pd.DataFrame([found[key] for key in files], columns=list(VALUES))


def predict_group(
    spec: RunSpec,
    group: Literal["validation", "test"],
    model: Model,
    data: MemoryDataset,
    *,
    batch_size: int,
    folder: Path,
) -> None:
    """Write the predictions of a group of a run, and the masks of its test.

    Parameters
    ----------
    spec : RunSpec
        The run.
    group : {"validation", "test"}
        Which of its groups.
    model : clinicadl.models.Model
        With the weights that were chosen.
    data : MemoryDataset
        That group's images, perhaps among others.
    batch_size : int
        Images at a time in the network.
    folder : pathlib.Path
        The run's record folder.

    Raises
    ------
    RunError
        If the network diverged.
    CapsError
        If a true mask cannot be used.
    """
    assert spec.truth is not None  # a segmentation has one
    rows = spec.rows(group)
    values = segment(
        model,
        data.subset(rows[list(IDS)]),
        rows,
        spec.truth.locate(spec.caps, rows),
        label=spec.truth.name,
        batch_size=batch_size,
        folder=folder / MASKS if group == "test" else None,
    )
    run = spec.run_columns(group)
    frame = predictions_frame(rows, spec.task, values["score"], run).assign(**values)
    write_predictions(frame, folder / f"predictions_{group}.tsv")


def mask_name(participant: str, session: str, label: str) -> str:
    """Return the file name of a predicted mask, in the manner of BIDS."""
    plain = "".join(letter for letter in label if letter.isalnum())
    return f"{participant}_{session}_label-{plain}_mask.nii.gz"


def _drawn(
    logits: torch.Tensor, affine: np.ndarray, image: str, key: tuple[str, str]
) -> np.ndarray:
    """Return the mask on the image's own grid."""
    import nibabel as nib
    from nilearn.image import resample_to_img

    values = logits.detach().float().cpu().numpy()[0]
    if not math.isfinite(float(values.sum())):
        raise RunError(
            f"What the model says of {' '.join(key)} is not finite: it diverged. Lower "
            "the learning rate, or clip gradients."
        )
    mask = (values > 0).astype(np.uint8)
    grid = Geometry.of(image)
    if mask.shape == grid.shape and np.allclose(affine, grid.matrix, atol=1e-3):
        return mask
    # Padded, cropped or turned: whole voxels, which the nearest one takes back.
    moved = resample_to_img(
        nib.Nifti1Image(mask, affine),
        nib.Nifti1Image(np.zeros(grid.shape, np.uint8), grid.matrix),
        interpolation="nearest",
        force_resample=True,
        copy_header=True,
    )
    return np.asarray(moved.dataobj, dtype=np.uint8)


def _save(mask: np.ndarray, image: str, path: Path) -> None:
    """Write a mask with its image's affine, whole or not at all."""
    import nibabel as nib

    affine = Geometry.of(image).matrix
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{os.getpid()}-{path.name}")
    nib.save(nib.Nifti1Image(mask, affine), partial)
    partial.replace(path)
