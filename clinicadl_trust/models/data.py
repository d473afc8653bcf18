"""From rows of a cohort to ClinicaDL's datasets."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd
import torch
from clinicadl.transforms import TransformsHandler
from clinicadl.transforms.config import TransformConfig

from clinicadl_trust.cohort import IDS
from clinicadl_trust.host.memory import MemoryDataset
from clinicadl_trust.models.scale import Scale
from clinicadl_trust.models.tensors import Conversion
from clinicadl_trust.models.volumes import Geometry
from clinicadl_trust.task import Task

__all__ = ["ANNOTATED", "DRAWN", "LABEL", "open_images", "targets"]

#: The column of our datasets that holds the target.
LABEL = "label"
#: The column that says whose mask a training may see, where not all are known.
ANNOTATED = "annotated"
#: The column that says how often a training draws an image, where not all as often.
DRAWN = "drawn"


def targets(
    rows: pd.DataFrame, task: Task, scale: Scale, as_float: bool
) -> pd.DataFrame:
    """Return the ids of rows with what a network is to say of each.

    Parameters
    ----------
    rows : pandas.DataFrame
        Rows of a cohort.
    task : Task
        What is predicted. Without its columns, the result has none either.
    scale : Scale
        For a regression.
    as_float : bool
        Whether classes are floats, as ClinicaDL's ``SupervisedModel`` wants them.

    Returns
    -------
    pandas.DataFrame
        ``participant_id``, ``session_id`` and, when known, ``label``, a number or a
        tensor of several outputs; index 0..n-1.
        The label of a segmentation says whether there is anything to find.
    """
    table = rows[list(IDS)].reset_index(drop=True)
    if not task.known(rows).all():
        return table
    codes = task.targets(rows.reset_index(drop=True))
    if task.outputs:
        table[LABEL] = [*torch.from_numpy(scale.to_network(codes))]
    elif task.kind == "regression":
        table[LABEL] = scale.to_network(codes)
    elif task.kind == "segmentation":
        table[LABEL] = (codes > 0).astype(int)
    else:
        table[LABEL] = codes.astype(float if as_float else int)
    return table


def open_images(
    conversion: Conversion,
    rows: pd.DataFrame,
    table: pd.DataFrame,
    *,
    augmentations: Sequence[TransformConfig] = (),
    same_affine: bool = True,
    max_memory: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[MemoryDataset, Geometry]:
    """Convert images as needed and open them.

    Parameters
    ----------
    conversion : Conversion
        Where they come from and how they are transformed.
    rows : pandas.DataFrame
        Their ids and paths.
    table : pandas.DataFrame
        The same ids, as ``targets`` gives them.
    augmentations : sequence of TransformConfig
        For training images.
    same_affine : bool, default=True
        Whether images in different spaces are refused.
    max_memory : float, optional
        GB of images to hold.
    progress : callable, optional
        Told how many images of how many are converted.

    Returns
    -------
    dataset : MemoryDataset
        In the order of ``table``.
    geometry : Geometry
        The grid of every image.

    Raises
    ------
    CapsError
        If an image cannot be used.
    """
    columns = [name for name in (LABEL, ANNOTATED, DRAWN) if name in table]
    budget = None if max_memory is None else int(max_memory * 1e9)
    with conversion.of(rows, same_affine, progress) as (description, geometry):
        dataset = MemoryDataset(
            description,
            data=table,
            transforms=TransformsHandler(augmentations=list(augmentations)),
            columns=columns,
            max_memory=budget,
        )
    return dataset, geometry
