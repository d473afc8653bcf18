"""The images of a group with their masks, and those that they are compared with."""

from __future__ import annotations

import hashlib
import math
import os
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from clinicadl.utils.dictionary.words import IMAGE

from clinicadl_trust.attribution.interpretation.group import own_rows
from clinicadl_trust.attribution.interpretation.opening import OpenedRun
from clinicadl_trust.attribution.interpretation.reference import Reference
from clinicadl_trust.caps import ImageType
from clinicadl_trust.cohort import IDS
from clinicadl_trust.exceptions import AttributionError
from clinicadl_trust.host.memory import MemoryDataset
from clinicadl_trust.models.data import open_images
from clinicadl_trust.models.file_type import file_type
from clinicadl_trust.models.inference import check_grid
from clinicadl_trust.models.masks import MaskSource
from clinicadl_trust.models.tensors import Conversion
from clinicadl_trust.models.volumes import Geometry

__all__ = ["GroupImages"]

#: Images that baselines are drawn from, and their bytes, at most: they stay in memory.
_MOST_DRAWN, _MOST_BYTES = 64, 2**30


@dataclass
class GroupImages:
    """The images of a group, opened when they are first needed.

    Attributes
    ----------
    run : OpenedRun
        The run.
    rows : pandas.DataFrame
        The images, with a column ``path``.
    caps : pathlib.Path
        The CAPS that holds them.
    training_caps : path-like or None
        The CAPS of the training images, if it is not where it was.
    image : ImageType
        Which image of a session.
    mask : MaskSource or None
        What maps are measured against.
    cache : pathlib.Path
        Where converted images are.
    """

    run: OpenedRun
    rows: pd.DataFrame
    caps: Path
    training_caps: str | os.PathLike[str] | None
    image: ImageType
    mask: MaskSource | None
    cache: Path
    _opened: tuple[MemoryDataset, Geometry] | None = field(default=None, init=False)

    @property
    def digest(self) -> str:
        """What tells these images from others, wherever they lie."""
        files = [Path(path) for path in self.rows["path"]]
        known = self.rows[list(IDS)].assign(
            file=[file.name for file in files],
            bytes=[file.stat().st_size for file in files],
        )
        text = known.to_csv(index=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def open(self) -> tuple[MemoryDataset, Geometry]:
        """Open them, with their masks.

        Raises
        ------
        CapsError
            If an image or a mask is missing or on another grid.
        """
        if self._opened is None:
            data, geometry = self._convert()
            trained = Geometry(**self.run.state["geometry"])
            same = self.run.blueprint.options.training.same_affine
            check_grid(geometry, trained, self.rows["path"].iloc[0], same)
            data.eval()
            self._opened = (data, geometry)
        return self._opened

    def reference(self, name: str | None, seed: int) -> Reference:
        """Return what images are compared with.

        Parameters
        ----------
        name : str or None
            A key of ``REFERENCES``.
        seed : int
            Of the choice among training images.

        Raises
        ------
        AttributionError
            If there is no such image.
        """
        if name not in ("healthy", "training"):
            return Reference(name or "zeros")
        rows, caps = own_rows(self.run, "train", self.training_caps)
        if name == "healthy":
            rows = rows[_healthy(self.run, rows)].reset_index(drop=True)
        if not len(rows):
            raise AttributionError(
                "baselines = 'healthy', and no training image is of a healthy "
                "participant. Say which class is healthy, or use 'training', 'zeros' "
                "or 'blurred'."
            )
        image_bytes = 4 * math.prod(self.run.state["geometry"]["shape"])
        most = min(_MOST_DRAWN, max(1, _MOST_BYTES // image_bytes))
        kept = np.sort(np.random.default_rng(seed).permutation(len(rows))[:most])
        chosen = rows.iloc[kept].reset_index(drop=True)
        images = replace(
            self,
            rows=chosen,
            caps=caps,
            image=self.run.settings.image,
            mask=next(iter(self.run.masks), None),
        )
        data, _ = images.open()
        tensors = [data[index][IMAGE].tensor.float() for index in range(len(data))]
        return Reference(name, torch.stack(tensors))

    def mask_paths(self) -> list[str]:
        """Return the file of each image's mask, "" for none."""
        if self.mask is None:
            return [""] * len(self.rows)
        return self.mask.locate(self.caps, self.rows)

    def _convert(self) -> tuple[MemoryDataset, Geometry]:
        own, rows = self.run.masks, self.rows
        masks = own if self.mask in own else (self.mask,) if self.mask else ()
        training = self.run.blueprint.options.training
        transforms = self.run.blueprint.transforms
        kind = file_type(self.image)
        return open_images(
            Conversion(self.caps, kind, transforms, self.cache, masks),
            rows,
            rows[list(IDS)],
            same_affine=training.same_affine,
            max_memory=training.max_memory,
        )


def _healthy(run: OpenedRun, rows: pd.DataFrame) -> pd.Series:
    task = run.settings.task
    if run.healthy is None or task.label not in rows:
        return pd.Series(False, index=rows.index)
    return rows[task.label] == run.healthy_name
