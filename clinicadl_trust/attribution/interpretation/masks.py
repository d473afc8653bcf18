"""The mask that maps are measured against."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from clinicadl_trust.attribution.interpretation.opening import OpenedRun
from clinicadl_trust.exceptions import AttributionError, did_you_mean
from clinicadl_trust.models.masks import MaskSource
from clinicadl_trust.models.settings import read_settings

__all__ = ["MaskLike", "find_mask", "shared_mask"]

#: What a mask is called that comes from the command line.
_GIVEN = "lesion"

#: The name of a mask, a file for all, an image type, or what is found already.
MaskLike: TypeAlias = str | os.PathLike[str] | Mapping[str, Any] | MaskSource | None


def find_mask(run: OpenedRun, mask: MaskLike = None) -> MaskSource | None:
    """Find the mask that maps are measured against.

    Parameters
    ----------
    run : OpenedRun
        The run.
    mask : str, path-like, mapping, MaskSource or None
        The name of one of the model's ``masks``; a path, of one file for all; or an
        image type with ``missing``, as in an experiment file. By default the model's
        ``mask_key``, the mask that it predicts, or the only mask that it has.

    Returns
    -------
    MaskSource or None
        None where the model has none, and none was given.

    Raises
    ------
    AttributionError
        If the model has no mask of that name.
    ConfigError
        If the image type is wrong.
    """
    if isinstance(mask, MaskSource):
        return mask
    if isinstance(mask, Mapping):
        return MaskSource.parse(_GIVEN, mask, "mask")
    if isinstance(mask, os.PathLike):
        return MaskSource(_GIVEN, path=Path(mask).resolve())
    known = {source.name: source for source in run.masks}
    if mask is not None:
        if mask not in known:
            raise AttributionError(
                f"models.{run.settings.model}.masks has no '{mask}'."
                f"{did_you_mean(mask, known)} A file, or an image type of the CAPS, "
                "can be given instead."
            )
        return known[mask]
    key = getattr(getattr(run.model, "config", None), "mask_key", None)
    if key is None and run.settings.task.kind == "segmentation":
        key = run.settings.task.label
    if key is not None and key in known:
        return known[key]
    return next(iter(known.values())) if len(known) == 1 else None


def shared_mask(runs: list[Path]) -> MaskSource | None:
    """Return the mask of the first model that has one, for those that have none.

    Models are compared by what they look at: those that were trained without masks
    are measured against the masks of the others.

    Parameters
    ----------
    runs : list of pathlib.Path
        Their MAPS.
    """
    for maps in runs:
        settings, _ = read_settings(maps)
        if settings.truth is not None:
            return settings.truth
        masks = settings.config.get("masks") or {}
        first = next(iter(masks), None)
        key = (settings.config.get("model") or {}).get("mask_key", first)
        if key in masks:
            return MaskSource.parse(str(key), masks[key], f"masks.{key}")
    return None
