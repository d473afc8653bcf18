"""What a scikit-learn model is given: features of images, columns, or nothing."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from clinicadl_trust.cohort import IDS
from clinicadl_trust.exceptions import CohortError, RunError
from clinicadl_trust.models.baselines import DEFAULT_COLUMNS, Columns, choose_columns
from clinicadl_trust.models.scikit_config import ScikitConfig
from clinicadl_trust.models.spec import RunSpec
from clinicadl_trust.models.volumes import Geometry

__all__ = ["Inputs", "row_numbers"]

logger = logging.getLogger(__name__)

#: Names are not repeated in each run for more inputs than this: voxels.
_MOST_NAMES = 1000


@dataclass(frozen=True)
class Inputs:
    """How rows of a cohort become what an estimator is given.

    Attributes
    ----------
    config : ScikitConfig
        The model.
    columns : Columns or None
        For a metadata model, when there are any.
    geometry : Geometry or None
        For a model of images: their grid, once it is known.
    names : tuple of str
        What each input is, once it is known.
    """

    config: ScikitConfig
    columns: Columns | None = None
    geometry: Geometry | None = None
    names: tuple[str, ...] = ()

    @classmethod
    def of(cls, config: ScikitConfig, spec: RunSpec) -> Inputs:
        """Say what a run's model is given.

        A metadata model without any column falls back to the majority baseline.
        """
        if config.type != "metadata":
            return cls(config)
        where = f"models.{spec.model}"
        table, labels = spec.cohort.table, spec.task.columns
        columns = choose_columns(table, labels, config.columns, where)
        if columns.names:
            return cls(config, columns, names=columns.names)
        logger.warning(
            "%s has none of the columns %s: '%s' predicts as the majority baseline",
            spec.cohort.source,
            ", ".join(name for name in DEFAULT_COLUMNS if name not in labels),
            spec.model,
        )
        return cls(ScikitConfig("majority", weights=config.weights))

    def steps(self) -> list[tuple[str, Any]]:
        """Return the first steps that a pipeline needs for these inputs."""
        return self.columns.steps() if self.columns else []

    def read(self, rows: pd.DataFrame, cache: Path | None = None) -> tuple[Any, Inputs]:
        """Read the inputs of some rows.

        Parameters
        ----------
        rows : pandas.DataFrame
            Rows of a cohort, with the column ``path`` for a model of images.
        cache : pathlib.Path, optional
            Where features are kept.

        Returns
        -------
        values : numpy.ndarray or pandas.DataFrame of shape (n_images, n_inputs)
            One row per row.
        inputs : Inputs
            The same, with ``geometry`` and ``names`` filled.

        Raises
        ------
        CapsError
            If an image cannot be used.
        CohortError
            If rows have no image.
        ConfigError
            If a column is missing.
        """
        if self.columns is not None:
            return self.columns.read(rows), self
        if self.config.type != "scikit-learn":
            return np.zeros((len(rows), 1)), self
        from clinicadl_trust.models.feature_cache import extract_features

        if "path" not in rows or rows["path"].isna().any():
            raise CohortError(
                "A model of images needs the path of each image, and the table has "
                "rows without one. Join it with a CAPS first (caps.with_images)."
            )
        options = self.config.feature_options("the model")
        found = extract_features(rows, options, cache, self.geometry)
        filled = replace(self, geometry=found.geometry, names=found.names)
        return found.values, filled

    def to_dict(self) -> dict[str, Any]:
        """Return what ``from_dict`` reads back, and what a reader may want to know."""
        return {
            "type": self.config.type,
            "columns": asdict(self.columns) if self.columns else None,
            "geometry": asdict(self.geometry) if self.geometry else None,
            "number": len(self.names),
            "names": list(self.names) if len(self.names) <= _MOST_NAMES else None,
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], config: ScikitConfig) -> Inputs:
        """Read what ``to_dict`` and JSON made of one."""
        if content["type"] != config.type:  # the metadata model that had no columns
            config = ScikitConfig(content["type"])
        columns, geometry = content["columns"], content["geometry"]
        return cls(
            config,
            Columns(**{k: tuple(v) for k, v in columns.items()}) if columns else None,
            Geometry(tuple(geometry["shape"]), tuple(geometry["affine"]))
            if geometry
            else None,
            tuple(content["names"] or ()),
        )


def row_numbers(ids: pd.DataFrame, rows: pd.DataFrame) -> np.ndarray:
    """Return where images are among rows.

    Parameters
    ----------
    ids : pandas.DataFrame
        ``participant_id`` and ``session_id`` of n images.
    rows : pandas.DataFrame
        Rows of a cohort.

    Returns
    -------
    numpy.ndarray of int, shape (n,)
        Row numbers.

    Raises
    ------
    RunError
        If an image is not among the rows.
    """
    known = pd.MultiIndex.from_frame(rows[list(IDS)])
    numbers = known.get_indexer(pd.MultiIndex.from_frame(ids[list(IDS)]))
    if (numbers < 0).any():
        participant, session = ids[list(IDS)].iloc[int(np.argmin(numbers))]
        raise RunError(
            f"The fold lists {participant} {session}, which the participants table "
            "does not have. Use the table that the split was made of, or split again."
        )
    return numbers
