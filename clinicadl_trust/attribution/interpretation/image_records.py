"""What is measured of one image, in a file that is written last."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from clinicadl_trust.attribution.interpretation.explained import Explanation
from clinicadl_trust.attribution.interpretation.regions import by_region
from clinicadl_trust.attribution.interpretation.volumes import write_map
from clinicadl_trust.exceptions import RunError
from clinicadl_trust.interpretations import Interpretation
from clinicadl_trust.records import write_json

__all__ = ["is_done", "read_record", "write_explanation"]


def is_done(
    where: Interpretation, participant_id: str, session_id: str, *, cascaded: bool
) -> bool:
    """Whether an image is interpreted, with a cascade or without.

    Raises
    ------
    RunError
        If its file is damaged.
    """
    ids = (participant_id, session_id)
    if not (where.record_of(*ids).is_file() and where.map_of(*ids).is_file()):
        return False
    return bool(read_record(where, *ids)["cascade"]) == cascaded


def write_explanation(
    where: Interpretation, found: Explanation, image: str, mask: str, in_mni: bool
) -> None:
    """Write the map of an image, then what was measured of it.

    Parameters
    ----------
    where : Interpretation
        Of which it is a part.
    found : Explanation
        Map and metrics.
    image, mask : str
        Files in the CAPS; "" for an empty mask.
    in_mni : bool
        Whether the map is in MNI space: it then has regions.
    """
    ids = (found.participant_id, found.session_id)
    write_map(found.map, found.geometry, where.map_of(*ids), in_mni)
    regions = by_region(found.map, found.geometry) if in_mni else []
    content = {
        "participant_id": found.participant_id,
        "session_id": found.session_id,
        "image": image,
        "mask": mask,
        "outputs": found.outputs if found.outputs.ndim == 1 else None,
        "readout": found.readout,
        "metrics": _without_nan(found.metrics),
        "regions": [_without_nan(region) for region in regions],
        "curves": {
            name: {"fraction": curve.fraction, "score": curve.score}
            for name, curve in found.curves.items()
        },
        "cascade": [_without_nan(step) for step in found.cascade],
    }
    write_json(where.record_of(*ids), content)


def read_record(
    where: Interpretation, participant_id: str, session_id: str
) -> dict[str, Any]:
    """Read what was measured of an image; what has no value is nan.

    Raises
    ------
    RunError
        If the file is damaged.
    """
    path: Path = where.record_of(participant_id, session_id)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(
            f"'{path}' cannot be read: {error}. Remove it and interpret again."
        ) from error
    content["metrics"] = _with_nan(content["metrics"])
    content["regions"] = [_with_nan(region) for region in content["regions"]]
    content["cascade"] = [_with_nan(step) for step in content.get("cascade", [])]
    if content["outputs"] is not None:
        content["outputs"] = np.asarray(content["outputs"], dtype=float)
    return content


def _without_nan(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(value, float) and math.isnan(value) else value
        for name, value in values.items()
    }


def _with_nan(values: dict[str, Any]) -> dict[str, Any]:
    return {name: math.nan if v is None else v for name, v in values.items()}
