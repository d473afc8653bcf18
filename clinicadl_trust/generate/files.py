"""Files that are whole or absent, with the same bytes for the same content."""

from __future__ import annotations

import gzip
import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

__all__ = [
    "nifti_bytes",
    "remove_partial_files",
    "write_bytes",
    "write_json",
    "write_table",
]

_PARTIAL = ".partial"


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file at once: whoever looks sees all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}{_PARTIAL}")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def remove_partial_files(folder: Path) -> None:
    """Remove what a killed process left."""
    for path in folder.rglob(f".*{_PARTIAL}"):
        path.unlink(missing_ok=True)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON object."""
    write_bytes(path, (json.dumps(content, indent=2) + "\n").encode())


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a tab-separated table, missing values as BIDS has them."""
    text = table.to_csv(sep="\t", index=False, na_rep="n/a", lineterminator="\n")
    write_bytes(path, text.encode())


def nifti_bytes(volume: np.ndarray, affine: np.ndarray) -> bytes:
    """Return a compressed NIfTI in MNI space.

    Parameters
    ----------
    volume : numpy.ndarray, shape (x, y, z)
        Stored as it is, without a scale factor.
    affine : numpy.ndarray, shape (4, 4)
        Voxel indices to mm.
    """
    import nibabel as nib

    image = nib.Nifti1Image(volume, affine)
    image.header.set_xyzt_units("mm")
    for code in (image.set_sform, image.set_qform):
        code(affine, code="mni")
    packed = io.BytesIO()
    # gzip's own header would hold the time and the file's name.
    with gzip.GzipFile(
        filename="", mode="wb", fileobj=packed, compresslevel=1, mtime=0
    ) as file:
        file.write(image.to_bytes())
    return packed.getvalue()
