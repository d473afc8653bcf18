"""NIfTI images converted to tensors: once, checked, and where we say.

ClinicaDL's own conversion writes beside the CAPS, only warns where geometry differs,
and its file names may depend on the process's hash seed, so that a second process
corrupts it. This one adds what is missing to a folder of our cache, under a lock, and
stops at the first image that cannot be used, naming its file. The folder is in
ClinicaDL's own format: ``TensorDataset`` opens it by its description.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from clinicadl.data.tensors import TensorDescription
from clinicadl.io.bids import Bids, BidsFileType, TensorType
from clinicadl.io.bids.reader import DatasetDescription
from clinicadl.transforms import TransformsHandler
from filelock import FileLock

from clinicadl_trust.cohort import IDS
from clinicadl_trust.exceptions import CapsError
from clinicadl_trust.models.converted import (
    LIST,
    Entry,
    key_of,
    read_list,
    same_geometry,
    write_list,
)
from clinicadl_trust.models.file_type import file_type
from clinicadl_trust.models.masks import MaskSource
from clinicadl_trust.models.points import read_point, save_point
from clinicadl_trust.models.volumes import Geometry

__all__ = ["Conversion"]

#: Seconds between two writings of the list: what a kill loses.
_SAVE_EVERY = 20.0


@dataclass(frozen=True)
class Conversion:
    """Images of one type, of one CAPS, under one sequence of transforms.

    Attributes
    ----------
    caps : pathlib.Path
        Where they come from.
    file_type : clinicadl.io.bids.BidsFileType
        Which images.
    transforms : sequence of clinicadl.transforms.config.TransformConfig
        What is applied to each image before it is saved; nothing random.
    cache : pathlib.Path
        The folder of all conversions.
    masks : tuple of MaskSource
        What is kept beside each image.
    """

    caps: Path
    file_type: BidsFileType
    transforms: Sequence[object]
    cache: Path
    masks: tuple[MaskSource, ...] = ()

    @property
    def folder(self) -> Path:
        """Where this conversion is; its name follows from what it is."""
        content = [
            str(self.caps.resolve()),
            self.file_type.to_dict(),
            [transform.to_dict() for transform in self.transforms],  # type: ignore[attr-defined]
        ]
        content += [source.to_dict() for source in self.masks]
        text = json.dumps(content, sort_keys=True, default=str)
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        return self.cache.resolve() / "tensors" / digest

    @contextmanager
    def of(
        self,
        images: pd.DataFrame,
        same_affine: bool = True,
        progress: Callable[[int, int], None] | None = None,
    ) -> Iterator[tuple[Path, Geometry]]:
        """Convert what is not converted yet, and hold the lock while it is opened.

        Parameters
        ----------
        images : pandas.DataFrame
            ``participant_id``, ``session_id`` and ``path`` of the images.
        same_affine : bool, default=True
            Whether images in different spaces are refused.
        progress : callable, optional
            Told how many images of how many are converted.

        Yields
        ------
        description : pathlib.Path
            The JSON file by which ``TensorDataset`` opens the conversion.
        geometry : Geometry
            The grid of all images, after the transforms.

        Raises
        ------
        CapsError
            If an image cannot be read, holds NaN, cannot be transformed, or has
            another shape or affine than the first one.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder.with_suffix(".lock")):
            entries = self._convert_missing(images, progress)
            geometry = same_geometry(images, entries, same_affine)
            yield self._description(entries).get_json_path(self.folder), geometry

    def _convert_missing(
        self, images: pd.DataFrame, progress: Callable[[int, int], None] | None
    ) -> dict[str, Entry]:
        entries = read_list(self.folder)
        found = [source.locate(self.caps, images) for source in self.masks]
        names = [source.name for source in self.masks]
        masks = [dict(zip(names, row, strict=True)) for row in zip(*found, strict=True)]
        rows = [
            (participant, session, Path(path), files)
            for (participant, session, path), files in zip(
                images[[*IDS, "path"]].itertuples(index=False),
                masks or [{}] * len(images),
                strict=True,
            )
        ]
        missing = [
            row
            for row in rows
            if (entry := entries.get(key_of(*row[:2]))) is None
            or not entry.is_of(*row[2:])
            or not self._target(*row[:2]).is_file()
        ]
        if not missing:
            return entries
        _describe_dataset(self.folder)
        handler = TransformsHandler(image_transforms=list(self.transforms))
        with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
            futures = [pool.submit(self._convert, *row, handler) for row in missing]
            saved = time.monotonic()
            try:
                for done, (row, future) in enumerate(
                    zip(missing, futures, strict=True), start=1
                ):
                    entries[key_of(*row[:2])] = future.result()
                    if time.monotonic() - saved > _SAVE_EVERY:
                        self._save(entries)
                        saved = time.monotonic()
                    if progress is not None:
                        progress(done, len(missing))
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
                self._save(entries)
        return entries

    def _convert(
        self,
        participant: str,
        session: str,
        path: Path,
        masks: dict[str, str],
        handler: TransformsHandler,
    ) -> Entry:
        entry = Entry.of(path, masks, Geometry((0, 0, 0), ()))
        point = handler.apply_image_transforms
        try:
            point = point(read_point(participant, session, path, masks))
        except CapsError:
            raise
        except Exception as error:  # whatever a transform may raise
            raise CapsError(
                f"'{path}' cannot be transformed: {error}. Look at the image, or "
                "change the model's transforms."
            ) from error
        made = point.image.tensor
        if not made.numel() or not torch.isfinite(made).all():
            what = "NaN or infinite voxels" if made.numel() else "no voxel"
            raise CapsError(
                f"'{path}' cannot be transformed: {what} would be left of it. Change "
                "the model's transforms."
            )
        save_point(point, path, self._target(participant, session))
        geometry = Geometry(
            tuple(int(n) for n in point.image.spatial_shape),  # type: ignore[arg-type]
            tuple(float(x) for x in np.ravel(point.image.affine)),
        )
        return replace(entry, geometry=geometry)

    def _target(self, participant: str, session: str) -> Path:
        return Bids(self.folder).build_path(
            self._tensor_type, participant_id=participant, session_id=session
        )

    @property
    def _tensor_type(self) -> TensorType:
        suffix = self.file_type.suffix.pattern
        source = {"src": suffix} if suffix.isalnum() else {}
        return TensorType({**source, "conv": "trust"})

    def _description(self, entries: dict[str, Entry]) -> TensorDescription:
        shapes = {entry.geometry.shape for entry in entries.values()}
        pairs = pd.DataFrame(
            [key.split() for key in sorted(entries)], columns=list(IDS)
        )
        return TensorDescription(
            tensor_type=self._tensor_type,
            image=(self.caps, self.file_type),
            masks={source.name: self._origin(source) for source in self.masks},
            additional_data=[],
            transforms=list(self.transforms),
            spacing=None,
            spatial_shape=shapes.pop() if len(shapes) == 1 else None,
            interrupted=False,
            description=None,
            participants_sessions=pairs,
        )

    def _origin(self, source: MaskSource) -> Path | tuple[Path, BidsFileType]:
        """Say where a mask comes from, as ClinicaDL does."""
        if source.image is None:
            assert source.path is not None
            return source.path
        return self.caps, file_type(source.image)

    def _save(self, entries: dict[str, Entry]) -> None:
        """Write the description, then the list of what it holds; each file whole."""
        if not entries:
            return
        staging = self.folder / ".staging"
        shutil.rmtree(staging, ignore_errors=True)
        _describe_dataset(staging)
        self._description(entries).write(staging)
        write_list(staging, entries)
        for path in sorted(staging.iterdir(), key=lambda p: p.name == LIST):
            path.replace(self.folder / path.name)
        staging.rmdir()


def _describe_dataset(folder: Path) -> None:
    path = folder / Bids.DATASET_DESC_FILENAME
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        DatasetDescription(
            Name="Images converted by clinicadl-trust",
            BIDSVersion="1.10.0",
            DatasetType="derivative",
        ).to_json(path)
