"""The runs of networks below a folder."""

from __future__ import annotations

import json
import os
from pathlib import Path

from clinicadl_trust.attribution.interpretation.opening import open_run
from clinicadl_trust.exceptions import AttributionError, did_you_mean
from clinicadl_trust.records import find_records

__all__ = ["network_runs"]


def network_runs(
    target: str | os.PathLike[str], model: str | None = None
) -> list[Path]:
    """List the finished runs of networks below a folder.

    Parameters
    ----------
    target : path-like
        A MAPS, or the output of a benchmark.
    model : str, optional
        Only the runs of this model.

    Returns
    -------
    list of pathlib.Path
        Their MAPS.

    Raises
    ------
    RunError
        If a MAPS is not finished, or no finished run is there.
    AttributionError
        If no run is of a network, or of that model.
    """
    target = Path(target)
    place = target / "runs" if (target / "runs").is_dir() else target
    settings = {
        record.parents[2]: json.loads((record / "settings.json").read_text("utf-8"))
        for record in find_records(place)
    }
    if not settings or list(settings) == [target]:
        open_run(target)  # which says what is wrong with it
    kinds = {maps: each["config"].get("type") for maps, each in settings.items()}
    networks = {m: s["model"] for m, s in settings.items() if kinds[m] == "trainer"}
    if not networks:
        raise AttributionError(
            f"None of the {len(settings)} runs in '{target}' is of a network, but of "
            f"type {', '.join(sorted(map(str, set(kinds.values()))))}, which have no "
            "gradient to explain."
        )
    if model is not None and model not in networks.values():
        raise AttributionError(
            f"No finished run in '{target}' is of a network called '{model}'."
            f"{did_you_mean(model, set(networks.values()))}"
        )
    return [maps for maps, name in networks.items() if model in (None, name)]
