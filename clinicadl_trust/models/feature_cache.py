"""Features computed once for all runs, one small file per image.

An image's file is named after the path, size and time of change of its source, in a
folder named after the options and the grid, and appears whole or not at all. There is
no lock: processes start at different images and skip what another has finished; should
two compute one image at the same time, they write the same bytes.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import random
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd

from clinicadl_trust.exceptions import CapsError
from clinicadl_trust.models.features import FeatureOptions, FeatureReader
from clinicadl_trust.models.volumes import Geometry, read_volumes

__all__ = ["Features", "extract_features"]

#: Bytes of voxels held at once.
_BATCH = 128 * 2**20


@dataclass(frozen=True)
class Features:
    """Features of some images.

    Attributes
    ----------
    values : numpy.ndarray of shape (n_images, n_features)
        One row per image, in the order asked for.
    names : tuple of str
        What each feature is.
    geometry : Geometry
        The grid of the images.
    """

    values: np.ndarray
    names: tuple[str, ...]
    geometry: Geometry


def extract_features(
    images: pd.DataFrame,
    options: FeatureOptions,
    cache: Path | None = None,
    geometry: Geometry | None = None,
) -> Features:
    """Compute the features of images, or read those that are in the cache.

    Parameters
    ----------
    images : pandas.DataFrame
        With a column ``path``.
    options : FeatureOptions
        Which features.
    cache : pathlib.Path, optional
        Folder shared by runs; without it everything is computed.
    geometry : Geometry, optional
        The grid that the images must have; by default that of the first one.

    Returns
    -------
    Features
        Rows in the order of ``images``.

    Raises
    ------
    CapsError
        If an image cannot be read, holds NaN, is constant over the brain, or is not
        on the grid. The file is named.
    """
    paths = [str(path) for path in images["path"]]
    reference = f"'{paths[0]}'" if geometry is None else "the model's training images"
    geometry = geometry or Geometry.of(paths[0])
    if cache is None:
        with _frozen_garbage():
            reader = options.reader(geometry)
            rows = dict(_computed(paths, reader, geometry, reference))
        return Features(_stack(rows[p] for p in paths), reader.names, geometry)
    folder = _folder(cache, options, geometry)
    files = {path: folder / _file_name(path) for path in paths}
    missing = [path for path in files if not files[path].is_file()]
    listed = folder / "features.json"
    if missing or not listed.is_file():
        with _frozen_garbage():
            reader = options.reader(geometry)
            _describe(listed, options, geometry, reader.names)
            for path, row in _computed(missing, reader, geometry, reference, files):
                _write(files[path], partial(np.save, arr=row))
    names = json.loads(listed.read_text(encoding="utf-8"))["names"]
    return Features(_stack(np.load(files[p]) for p in paths), tuple(names), geometry)


def _computed(
    paths: Sequence[str],
    reader: FeatureReader,
    geometry: Geometry,
    reference: str,
    files: Mapping[str, Path] | None = None,
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield each path with its features, a batch of images at a time."""
    size = max(1, _BATCH // (4 * int(np.prod(geometry.shape))))
    start = random.Random(os.getpid()).randrange(len(paths)) if files and paths else 0
    todo = [*paths[start:], *paths[:start]]
    while todo:
        batch, todo = todo[:size], todo[size:]
        if files is not None:
            batch = [path for path in batch if not files[path].is_file()]
        if not batch:
            continue
        volumes = read_volumes(batch, geometry, reference)
        with np.errstate(invalid="ignore", divide="ignore"):
            values = np.reshape(reader.read(volumes), (len(batch), len(reader.names)))
        for path, row in zip(batch, values, strict=True):
            _check_finite(row, path)
            yield path, row


@contextmanager
def _frozen_garbage() -> Iterator[None]:
    """Make garbage collection cheap for a while.

    nilearn collects at every step, which takes a fifth of a second each time once
    pandas, scikit-learn and torch are loaded: nine tenths of the time of 250 images.
    Objects that are there already are left out of it here.
    """
    frozen_before = gc.get_freeze_count()
    gc.freeze()
    try:
        yield
    finally:
        if not frozen_before:
            gc.unfreeze()


def _check_finite(row: np.ndarray, path: str) -> None:
    if not np.isfinite(row).all():
        raise CapsError(
            f"'{path}' has the same value all over the brain, so that it cannot be "
            "normalised. Preprocess it again, or drop its row."
        )


def _stack(rows: Iterable[np.ndarray]) -> np.ndarray:
    return np.stack(list(rows))


def _describe(
    target: Path, options: FeatureOptions, geometry: Geometry, names: Sequence[str]
) -> None:
    content = {**_key(options, geometry), "names": names}
    text = json.dumps(content, indent=2).encode()
    _write(target, lambda stream: stream.write(text))


def _key(options: FeatureOptions, geometry: Geometry) -> dict[str, object]:
    return {
        "features": type(options).__name__,
        "version": options.version,
        "nilearn": version("nilearn"),
        "options": asdict(options),
        "geometry": asdict(geometry),
    }


def _folder(cache: Path, options: FeatureOptions, geometry: Geometry) -> Path:
    text = json.dumps(_key(options, geometry), sort_keys=True)
    return Path(cache) / "features" / hashlib.sha256(text.encode()).hexdigest()[:16]


def _file_name(path: str) -> str:
    """Name an image's features; an image that changed gets another name."""
    source = Path(path)
    try:
        status = source.stat()
    except OSError as error:
        raise CapsError(
            f"'{path}' cannot be read: {error.strerror}. It was there when the CAPS "
            "was listed: is the disk still mounted?"
        ) from error
    text = f"{source.resolve()} {status.st_size} {status.st_mtime_ns}"
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return f"{source.name.partition('.')[0]}-{digest}.npy"


def _write(target: Path, save: Callable[[IO[bytes]], object]) -> None:
    """Write a file, whole or not at all, whoever else writes it now."""
    target.parent.mkdir(parents=True, exist_ok=True)
    # A name of this process's own, with the rights that any file of the user has:
    # the cache may be a laboratory's.
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp")
    try:
        with temporary.open("wb") as stream:
            save(stream)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
