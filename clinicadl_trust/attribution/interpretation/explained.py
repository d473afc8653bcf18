"""What is found of one image: its map, and what is measured of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from clinicadl_trust.attribution.interpretation.perturbation import Curve
from clinicadl_trust.models.volumes import Geometry

__all__ = ["Explanation"]


@dataclass(frozen=True)
class Explanation:
    """The map of one image, and what is measured of it.

    Attributes
    ----------
    participant_id, session_id : str
        Whose.
    map : numpy.ndarray of float32, shape (x, y, z)
        Positive where a voxel speaks for what is asked; summed over channels.
    geometry : Geometry
        The grid that the network saw.
    outputs : numpy.ndarray
        What the network said.
    readout : float
        The same as a user reads it.
    metrics : dict of str to float
        The metrics of ``interpretations.METRICS`` that can be computed.
    curves : dict of str to Curve
        By name, as in ``curves.tsv``.
    cascade : list of dict
        One a step: ``step``, ``layer``, ``spearman``, ``ssim``.
    """

    participant_id: str
    session_id: str
    map: np.ndarray
    geometry: Geometry
    outputs: np.ndarray
    readout: float
    metrics: dict[str, float]
    curves: dict[str, Curve]
    cascade: list[dict[str, Any]]
