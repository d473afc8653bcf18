"""The maps and tables of one method on one group of one run."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from clinicadl_trust.exceptions import AttributionError, RunError
from clinicadl_trust.interpretations.places import ABOUT, interpretation_dir
from clinicadl_trust.prediction_checks import TEXT_COLUMNS
from clinicadl_trust.tables import read_table

__all__ = ["Interpretation"]


@dataclass(frozen=True)
class Interpretation:
    """The maps and tables of one method on one group of one run.

    Attributes
    ----------
    maps : pathlib.Path
        The MAPS.
    split : int
        The split of the run in it.
    group : str
        ``train``, ``validation``, ``test``, or the name given to other images.
    method : str
        As ``attributions`` knows it.
    """

    maps: Path
    split: int
    group: str
    method: str

    @property
    def folder(self) -> Path:
        """Where all of it lies."""
        return interpretation_dir(self.maps, self.split, self.group, self.method)

    @cached_property
    def about(self) -> dict[str, Any]:
        """What was asked: ``interpretation.json``.

        ``checkpoint``, ``baselines``, ``target``, ``healthy`` (the class, or None),
        ``n_samples``, ``n_cascade`` (images), ``space`` ("MNI" or "image"), ``mask``,
        ``means``, ``versions``, ``finished``, and ``not_computed``, from a metric or a
        file to the reason why it is not there.

        Raises
        ------
        RunError
            If it is missing or damaged.
        """
        path = self.folder / ABOUT
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RunError(
                f"'{path}' cannot be read: {error}. Run `clinicadl interpret` again."
            ) from error
        if not isinstance(content, dict):
            raise RunError(f"'{path}' is damaged. Remove it and interpret again.")
        return content

    @property
    def is_finished(self) -> bool:
        """Whether every image of the group is done, and the tables are written."""
        return bool(self.about.get("finished"))

    @property
    def metrics_path(self) -> Path:
        """The table that ``clinicadl evaluate`` and ``compare`` read."""
        return self.folder / "attribution_metrics.tsv"

    def map_of(self, participant_id: str, session_id: str) -> Path:
        """Return the attribution map of an image (NIfTI, float32).

        Its affine is that of the image that the network saw: after the model's
        transforms, so that it may be cropped or resampled with respect to the image in
        the CAPS, and lies over it in millimetres. Positive values speak for disease.
        """
        name = f"{participant_id}_{session_id}_{self._suffix}"
        return self.folder / "maps" / name

    def mean_of(self, name: str) -> Path:
        """Return the mean map of a class of labels, or of ``difference``.

        ``difference`` is patients minus healthy. Only images in MNI space have means:
        see ``means`` for those that are there.
        """
        return self.folder / "mean" / f"{_plain(name)}_{self._suffix}"

    def means(self) -> dict[str, Path]:
        """Return the mean maps that are there, by class, ``difference`` last."""
        names = [str(name) for name in self.about.get("means", [])]
        return {name: self.mean_of(name) for name in names}

    def record_of(self, participant_id: str, session_id: str) -> Path:
        """Return the file of what was measured of one image; it is written last."""
        name = f"{participant_id}_{session_id}.json"
        return self.folder / "participants" / name

    def image_of(self, participant_id: str, session_id: str) -> Path:
        """Return the image in the CAPS that was explained, to draw the map upon.

        Raises
        ------
        RunError
            If that image was not interpreted.
        """
        return Path(self._record(participant_id, session_id)["image"])

    def mask_of(self, participant_id: str, session_id: str) -> Path | None:
        """Return the mask that the map was measured against, None for an empty one.

        It is on the grid of the image in the CAPS.

        Raises
        ------
        RunError
            If that image was not interpreted.
        """
        path = self._record(participant_id, session_id).get("mask")
        return Path(path) if path else None

    def metrics(self) -> pd.DataFrame:
        """Read ``attribution_metrics.tsv``.

        Returns
        -------
        pandas.DataFrame
            One row an image: the columns of a predictions table, and those of
            ``METRICS`` that were asked for, NaN where one is not defined.

        Raises
        ------
        AttributionError
            If there is none.
        """
        return _read(self.metrics_path, TEXT_COLUMNS)

    def regions(self) -> pd.DataFrame:
        """Read ``regions.tsv``.

        Returns
        -------
        pandas.DataFrame
            ``participant_id``, ``session_id``, ``region``, ``mean`` (attribution per
            voxel), ``share`` (of the absolute attribution of the whole image) and
            ``share_positive`` (of the positive one).

        Raises
        ------
        AttributionError
            If there is none: images were not in MNI space.
        """
        return _read(
            self.folder / "regions.tsv", ("participant_id", "session_id", "region")
        )

    def curves(self) -> pd.DataFrame:
        """Read ``curves.tsv``.

        Returns
        -------
        pandas.DataFrame
            ``participant_id``, ``session_id``, ``curve`` (``deletion``,
            ``deletion_random``, ``insertion``, ``insertion_random``), ``fraction`` of
            voxels and ``score``.

        Raises
        ------
        AttributionError
            If there is none.
        """
        return _read(
            self.folder / "curves.tsv", ("participant_id", "session_id", "curve")
        )

    def cascade(self) -> pd.DataFrame:
        """Read ``cascade.tsv``.

        Returns
        -------
        pandas.DataFrame
            One row an image and a step: the columns of a predictions table; ``step``,
            from 1; ``layer``, the last that was made random, all between it and the
            output being so; ``spearman`` and ``ssim``, how alike the absolute values
            of its map are to those of the trained network's.

        Raises
        ------
        AttributionError
            If there is none: it was not asked for.
        """
        return _read(self.folder / "cascade.tsv", (*TEXT_COLUMNS, "layer"))

    @property
    def _suffix(self) -> str:
        return f"desc-{_camel(self.method)}_attribution.nii.gz"

    def _record(self, participant_id: str, session_id: str) -> dict[str, Any]:
        path = self.record_of(participant_id, session_id)
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RunError(
                f"'{self.maps}' has no interpretation by {self.method} of "
                f"{participant_id} {session_id} in '{self.group}': {error}."
            ) from error


def _read(path: Path, text: tuple[str, ...]) -> pd.DataFrame:
    return read_table(path, "table of an interpretation", AttributionError, text)


def _camel(method: str) -> str:
    """Write a method as BIDS entities are written: letters and digits only."""
    first, *others = method.split("_")
    return first + "".join(word.capitalize() for word in others)


def _plain(name: str) -> str:
    """Write a class as a part of a file name."""
    return re.sub(r"[^A-Za-z0-9]+", "", name) or "class"
