"""Whose images are interpreted: a group of the run, or others."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pandas as pd

from clinicadl_trust.attribution.interpretation.opening import OpenedRun
from clinicadl_trust.caps import ImageType, with_images
from clinicadl_trust.cohort import IDS, Cohort
from clinicadl_trust.exceptions import (
    AttributionError,
    CapsError,
    LeakageError,
    PredictionsError,
    did_you_mean,
)
from clinicadl_trust.models.data import LABEL
from clinicadl_trust.prediction_checks import CARRIED
from clinicadl_trust.predictions import read_predictions
from clinicadl_trust.records import read_lineage

__all__ = ["GROUPS", "other_rows", "own_rows"]

#: The data groups of a run, and where ClinicaDL keeps them.
GROUPS = {
    "train": "training/data/train/split-{split}",
    "validation": "training/data/validation/split-{split}",
    "test": "test/group-test",
}


def own_rows(
    run: OpenedRun, group: str, caps: str | os.PathLike[str] | None = None
) -> tuple[pd.DataFrame, Path]:
    """Return the images of a group of the run.

    Parameters
    ----------
    run : OpenedRun
        The run.
    group : str
        A key of ``GROUPS``.
    caps : path-like, optional
        The CAPS that holds them, if it is not where it was.

    Returns
    -------
    rows : pandas.DataFrame
        The ids, ``path``, the label under its own name, and the columns that the run's
        predictions carry, such as ``site``.
    caps : pathlib.Path
        The CAPS.

    Raises
    ------
    AttributionError
        If there is no such group.
    CapsError
        If the CAPS or an image is gone.
    """
    if group not in GROUPS:
        raise AttributionError(
            f"The run has no data group '{group}'.{did_you_mean(group, GROUPS)} Other "
            "images need their CAPS and participants."
        )
    path = run.maps / GROUPS[group].format(split=run.split) / "dataset.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AttributionError(
            f"The run in '{run.maps}' has no images of the group '{group}': {error}."
        ) from error
    data = {name: list(values.values()) for name, values in content["data"].items()}
    rows = pd.DataFrame(data)
    task = run.settings.task
    codes = rows.pop(LABEL) if LABEL in rows else None
    if codes is not None and task.kind == "classification":
        rows[task.label] = [task.classes[int(code)] for code in codes]
    elif codes is not None and task.kind == "regression" and _is_number(codes):
        rows[task.label] = run.scale.to_user(codes.to_numpy(dtype=float))
    rows = rows[[name for name in rows if name in (*IDS, task.label)]]
    place = Path(caps) if caps is not None else _caps_of(content)
    if place is None:
        raise CapsError(
            f"The converted images of '{run.maps}' are gone, and with them the path of "
            "the CAPS. Give it (--caps)."
        )
    cohort = Cohort.from_frame(rows, f"the group '{group}' of '{run.maps}'")
    rows = with_images(cohort, place, run.settings.image_of(group))[0].table
    return _carried(rows, run, group), place


def other_rows(
    run: OpenedRun,
    group: str,
    caps: str | os.PathLike[str],
    cohort: Cohort,
    *,
    image: ImageType | None = None,
    allow_seen: bool = False,
) -> tuple[pd.DataFrame, Path]:
    """Return images that the run knows nothing of.

    Parameters
    ----------
    run : OpenedRun
        The run.
    group : str
        What they are called from now on.
    caps : path-like
        Their CAPS.
    cohort : Cohort
        Their participants table.
    image : ImageType, optional
        By default the type that the model was trained on.
    allow_seen : bool
        Whether the model may have seen them.

    Returns
    -------
    rows : pandas.DataFrame
        The table, with ``path``.
    caps : pathlib.Path
        The CAPS.

    Raises
    ------
    AttributionError
        If the name is one of the run's own groups, or not of letters and digits.
    LeakageError
        If the model has seen a participant.
    """
    if group in GROUPS or not re.fullmatch(r"[A-Za-z0-9]+", group):
        raise AttributionError(
            f"'{group}' cannot name other images: it is a group of the run itself, or "
            "not of letters and digits only. Call them 'external', for example."
        )
    seen = sorted(set(cohort.participants) & read_lineage(run.folder).seen)
    if seen and not allow_seen:
        raise LeakageError(
            f"'{run.settings.model}' has seen {len(seen)} of these participants in "
            f"training or validation ({', '.join(seen[:3])}): what it looks at in "
            "their images says nothing of new patients. Leave them out, or allow it "
            "(--allow-seen)."
        )
    found = with_images(cohort, caps, image or run.settings.image)[0]
    return found.table, Path(caps)


def _is_number(codes: pd.Series) -> bool:
    """Whether there is one output: ClinicaDL writes several as text."""
    return bool(pd.api.types.is_numeric_dtype(codes))


def _caps_of(content: dict[str, Any]) -> Path | None:
    try:
        path = Path(content["description_json"])
        return Path(json.loads(path.read_text(encoding="utf-8"))["Image"][0])
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return None


def _carried(rows: pd.DataFrame, run: OpenedRun, group: str) -> pd.DataFrame:
    """Add site, scanner and so on, which the run's predictions know."""
    try:
        table = read_predictions(run.folder / f"predictions_{group}.tsv")
    except PredictionsError:
        return rows
    carried = [name for name in CARRIED if name in table and name not in rows]
    return rows.merge(table[[*IDS, *carried]], on=list(IDS), how="left", sort=False)
