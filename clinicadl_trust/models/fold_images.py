"""The images of a fold, opened once, and the batches that a training sees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from clinicadl_trust.caps import ImageType
from clinicadl_trust.exceptions import CohortError
from clinicadl_trust.host.loaders import SeededSplit
from clinicadl_trust.host.memory import MemoryDataset
from clinicadl_trust.models.annotations import (
    annotated_participants,
    how_often,
    of_patients,
)
from clinicadl_trust.models.classes import check_classes
from clinicadl_trust.models.components import Blueprint
from clinicadl_trust.models.data import ANNOTATED, DRAWN, open_images, targets
from clinicadl_trust.models.file_type import file_type
from clinicadl_trust.models.inference import check_grid
from clinicadl_trust.models.options import TrainingOptions
from clinicadl_trust.models.scale import Scale
from clinicadl_trust.models.spec import RunSpec
from clinicadl_trust.models.tensors import Conversion
from clinicadl_trust.models.volumes import Geometry

__all__ = ["FoldImages", "make_split", "open_fold"]


@dataclass(frozen=True)
class FoldImages:
    """The images of a fold.

    Attributes
    ----------
    seen : MemoryDataset
        Training and validation images, in this order; then the test images, unless
        they are of another kind.
    test : MemoryDataset
        The test images, among others or not.
    geometry : Geometry
        The grid of all of them.
    scale : Scale
        Of the training labels alone.
    """

    seen: MemoryDataset
    test: MemoryDataset
    geometry: Geometry
    scale: Scale


def open_fold(
    spec: RunSpec,
    blueprint: Blueprint,
    progress: Callable[[int, int], None] | None = None,
) -> FoldImages:
    """Convert and open the images of all groups.

    Parameters
    ----------
    spec : RunSpec
        The run.
    blueprint : Blueprint
        What its table says.
    progress : callable, optional
        Told how many images of how many are converted.

    Returns
    -------
    FoldImages
        Where ``spec.test_image`` is another image of a session, test images are
        converted apart.

    Raises
    ------
    CohortError
        If a label is n/a.
    RunError
        If the training rows hold one class only, or no lesion.
    CapsError
        If an image cannot be used.
    ConfigError
        If what the table says of labels does not suit them.
    """
    task = spec.task
    groups = [spec.rows(name) for name in ("train", "validation", "test")]  # type: ignore[arg-type]
    rows = pd.concat(groups, ignore_index=True)
    if unknown := int((~task.known(rows)).sum()):
        raise CohortError(
            f"Label '{task.label}' is n/a for {unknown} images of this fold. "
            "Keep labelled rows only."
        )
    codes = task.targets(groups[0])
    check_classes(codes, task)
    blueprint.check_labels(codes)
    scale = Scale.of(codes) if task.kind == "regression" else Scale()
    table = targets(rows, task, scale, blueprint.float_labels)
    if (number := blueprint.options.annotated) is not None:
        seen = annotated_participants(groups[0], task.label, number, spec.seed)
        trains = rows.index < len(groups[0])
        known = ~trains | rows["participant_id"].isin(seen)
        table[ANNOTATED] = known.astype(int)
        if (share := blueprint.options.annotated_share) is not None:
            patients = of_patients(rows[trains], task.label)
            drawn = how_often(known[trains], patients, share)
            table[DRAWN] = drawn.reindex(rows.index).fillna(1)
    if spec.test_image is None or groups[2].empty:
        data, geometry = _open(spec, blueprint, spec.image, rows, table, progress)
        return FoldImages(data, data, geometry, scale)
    n = len(rows) - len(groups[2])
    data, geometry = _open(
        spec, blueprint, spec.image, rows.iloc[:n], table.iloc[:n], progress
    )
    rows, table = (each.iloc[n:].reset_index(drop=True) for each in (rows, table))
    test, own = _open(spec, blueprint, spec.test_image, rows, table, progress)
    same_affine = blueprint.options.training.same_affine
    check_grid(own, geometry, rows["path"].iloc[0], same_affine)
    return FoldImages(data, test, geometry, scale)


def _open(  # noqa: PLR0917 - what a fold is made of
    spec: RunSpec,
    blueprint: Blueprint,
    image: ImageType,
    rows: pd.DataFrame,
    table: pd.DataFrame,
    progress: Callable[[int, int], None] | None,
) -> tuple[MemoryDataset, Geometry]:
    training = blueprint.options.training
    truth = () if spec.truth is None else (spec.truth,)
    return open_images(
        Conversion(
            spec.caps,
            file_type(image),
            blueprint.transforms,
            spec.cache,
            (*blueprint.masks, *truth),
        ),
        rows,
        table,
        augmentations=blueprint.augmentations,
        same_affine=training.same_affine,
        max_memory=training.max_memory,
        progress=progress,
    )


def make_split(
    spec: RunSpec, training: TrainingOptions, data: MemoryDataset
) -> SeededSplit:
    """Return the training and validation data of a fold, with their loaders.

    Parameters
    ----------
    spec : RunSpec
        The run.
    training : TrainingOptions
        How it goes.
    data : MemoryDataset
        What ``open_fold`` gives as ``seen``.
    """
    fold, size = spec.fold, training.batch_size
    split = SeededSplit(
        fold.split,
        data.subset(fold.train),
        data.subset(fold.validation),
        seed=spec.seed,
    )
    # Images are stacked after they are loaded: pinned one by one before, they would
    # be copied once more for nothing.
    split.build_train_loader(
        batch_size=size,
        shuffle=True,
        sampling_weights=DRAWN if DRAWN in split.train_dataset.df else None,
        num_workers=training.workers,
        pin_memory=False,
        # Batch normalisation cannot train on a batch of one image.
        drop_last=len(fold.train) > size and len(fold.train) % size == 1,
    )
    split.build_val_loader(batch_size=size, pin_memory=False)
    return split
