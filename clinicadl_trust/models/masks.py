"""Masks beside the images: where they are, and whether they lie on their image."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from clinicadl_trust.caps import ImageType, find_images
from clinicadl_trust.cohort import IDS
from clinicadl_trust.exceptions import CapsError, ConfigError
from clinicadl_trust.models.volumes import Geometry, open_volume

__all__ = ["MaskSource", "read_mask"]

#: A mask farther from its image, in parts of a voxel, is on another grid.
_OFF = 0.05


@dataclass(frozen=True)
class MaskSource:
    """One mask a session, or one for all.

    Attributes
    ----------
    name : str
        Its key in a sample.
    image : ImageType or None
        Which file of a session.
    path : pathlib.Path or None
        One file for all sessions instead.
    missing_is_empty : bool
        Whether a session without a file has an empty mask, as healthy participants
        have no lesion.
    """

    name: str
    image: ImageType | None = None
    path: Path | None = None
    missing_is_empty: bool = False

    @classmethod
    def parse(cls, name: str, table: Any, where: str) -> MaskSource:
        """Read ``{ path = ... }``, or an image type with ``missing``.

        Parameters
        ----------
        name : str
            The mask's key.
        table : str or mapping
            What the experiment file says.
        where : str
            The key, for messages.

        Raises
        ------
        ConfigError
            Saying what is wrong.
        """
        options = dict(table) if isinstance(table, Mapping) else table
        missing = "error"
        if isinstance(options, dict):
            missing = options.pop("missing", "error")
            if missing not in ("error", "empty"):
                raise ConfigError(
                    f"{where}.missing = {missing!r} is neither 'error' nor 'empty'."
                )
            if "path" in options:
                if len(options) > 1:
                    other = next(key for key in options if key != "path")
                    raise ConfigError(
                        f"{where} has both 'path', one mask for all, and '{other}' of "
                        "an image type. Keep one."
                    )
                return cls(name, path=Path(options["path"]).resolve())
        try:
            image = ImageType.parse(options)
        except ConfigError as error:
            raise ConfigError(f"{where}: {error}") from error
        return cls(name, image=image, missing_is_empty=missing == "empty")

    @classmethod
    def from_dict(cls, content: Mapping[str, Any] | None) -> MaskSource | None:
        """Read what ``dataclasses.asdict`` and JSON made of one, or of none."""
        if content is None:
            return None
        image, path = content["image"], content["path"]
        return cls(
            content["name"],
            None if image is None else ImageType(**image),
            None if path is None else Path(path),
            content["missing_is_empty"],
        )

    def locate(self, caps: Path, rows: pd.DataFrame) -> list[str]:
        """Return each row's file, "" for an empty mask.

        Parameters
        ----------
        caps : pathlib.Path
            The CAPS folder.
        rows : pandas.DataFrame
            ``participant_id`` and ``session_id``.

        Raises
        ------
        CapsError
            If a row has none and empty ones are not meant.
        """
        if self.path is not None:
            if not self.path.is_file():
                raise CapsError(f"No mask '{self.name}' at '{self.path}'.")
            return [str(self.path)] * len(rows)
        found = self._files(caps, rows)
        lost = rows.loc[found.isna().to_numpy(), list(IDS)]
        if len(lost) and not self.missing_is_empty:
            named = [" ".join(pair) for pair in lost.head(5).itertuples(index=False)]
            more = f" and {len(lost) - 5} more" if len(lost) > 5 else ""
            raise CapsError(
                f"{len(lost)} images have no mask '{self.name}' ({self.image}): "
                f"{', '.join(named)}{more}. Make them, drop these rows, or set "
                f"masks.{self.name}.missing = 'empty' if they have no lesion."
            )
        return found.fillna("").tolist()

    def find(self, caps: Path, rows: pd.DataFrame) -> list[str | None]:
        """Return each row's file, "" for an empty mask, None where it is not known.

        A CAPS without any such file tells nothing of its masks: they are not empty.

        Parameters
        ----------
        caps : pathlib.Path
            The CAPS folder.
        rows : pandas.DataFrame
            ``participant_id`` and ``session_id``.
        """
        if self.path is not None:
            return [str(self.path) if self.path.is_file() else None] * len(rows)
        try:
            found = self._files(caps, rows)
        except CapsError:  # none in the whole folder
            return [None] * len(rows)
        empty = "" if self.missing_is_empty and found.notna().any() else None
        return [empty if pd.isna(path) else str(path) for path in found]

    def _files(self, caps: Path, rows: pd.DataFrame) -> pd.Series:
        assert self.image is not None
        table = find_images(caps, self.image)
        return rows[list(IDS)].merge(table, on=list(IDS), how="left", sort=False)[
            "path"
        ]

    def to_dict(self) -> dict[str, str | None]:
        """Return what tells it from another source."""
        image = None if self.image is None else str(self.image)
        path = None if self.path is None else str(self.path)
        return {"name": self.name, "image": image, "path": path}


def read_mask(path: str | os.PathLike[str], image: str, grid: Geometry) -> np.ndarray:
    """Read a mask and check that it lies on its image.

    Parameters
    ----------
    path : path-like
        The mask; "" for an empty one.
    image : str
        Its image, for messages.
    grid : Geometry
        That image's.

    Returns
    -------
    numpy.ndarray of uint8, shape (x, y, z)
        Zeros and ones.

    Raises
    ------
    CapsError
        If it cannot be read, holds NaN, or has another shape or affine.
    """
    if not str(path):
        return np.zeros(grid.shape, dtype=np.uint8)
    values, own = open_volume(path)
    if own.shape != grid.shape:
        raise CapsError(
            f"The mask '{path}' has the shape {own.shape}, its image '{image}' "
            f"{grid.shape}. Resample it onto the image's grid."
        )
    corners = np.array([[0, 0, 0, 1], [*np.subtract(grid.shape, 1), 1]]).T
    apart = float(np.abs((own.matrix - grid.matrix) @ corners).max())
    side = float(np.abs(np.linalg.det(grid.matrix[:3, :3]))) ** (1 / 3)
    if apart > _OFF * side:
        raise CapsError(
            f"The mask '{path}' lies up to {apart:.2g} mm from its image '{image}' "
            f"(voxels of {side:.2g} mm): their affines differ. Resample it onto the "
            "image's grid."
        )
    if not np.isfinite(values).all():
        raise CapsError(f"The mask '{path}' holds NaN or infinite voxels. Mend it.")
    return (values > 0).astype(np.uint8)
