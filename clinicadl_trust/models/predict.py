"""Predict with a finished run, whatever its type."""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from clinicadl_trust.caps import ImageType, with_images
from clinicadl_trust.cohort import Cohort
from clinicadl_trust.exceptions import ConfigError, LeakageError
from clinicadl_trust.models.settings import Settings, read_settings
from clinicadl_trust.predictions import RUN_COLUMNS, predictions_frame
from clinicadl_trust.records import read_lineage
from clinicadl_trust.tables import as_text
from clinicadl_trust.task import Task

__all__ = ["predict"]

logger = logging.getLogger(__name__)

#: Types of models that look at no image.
_BLIND = ("metadata", "majority")


def predict(
    maps: str | os.PathLike[str],
    cohort: Cohort,
    caps: str | os.PathLike[str] | None = None,
    *,
    image: ImageType | None = None,
    cache: str | os.PathLike[str] | None = None,
    allow_seen: bool = False,
    masks: str | os.PathLike[str] | None = None,
) -> pd.DataFrame:
    """Predict the rows of a cohort with a trained model.

    Parameters
    ----------
    maps : path-like
        The MAPS of one finished run.
    cohort : Cohort
        Who to predict. Labels, where there are any, are carried into the result.
    caps : path-like, optional
        The CAPS that holds their images; without it the cohort has a column ``path``.
        A model that looks at no image needs neither.
    image : ImageType, optional
        Which image; by default the type that the model was trained on.
    cache : path-like, optional
        Where converted images or features are kept; by default nowhere.
    allow_seen : bool, default=False
        Whether to predict participants whom the model, or an ancestor, has seen.
    masks : path-like, optional
        Of a segmentation, the folder where masks are written; by default nowhere.

    Returns
    -------
    pandas.DataFrame
        A predictions table: the ids, the run, ``label`` where known, the scores. The
        group is ``test``. Of a segmentation the scores are volumes in mm3, and Dice
        and distances stand beside them where the CAPS has the true masks.

    Raises
    ------
    LeakageError
        If the model has seen one of the participants.
    RunError
        If there is no finished run.
    CapsError
        If an image is missing, cannot be used, or is on another grid than those of
        the training.
    """
    settings, folder = read_settings(maps)
    _check_unseen(cohort, folder, settings, allow_seen)
    if settings.config.get("type") not in _BLIND:
        if caps is not None:
            cohort, _ = with_images(cohort, caps, image or settings.image)
        elif "path" not in cohort.table:
            raise ConfigError(
                f"'{settings.model}' looks at images: give the CAPS that holds them."
            )
    with _folder(cache) as place:
        if settings.task.kind == "segmentation":
            from clinicadl_trust.models.inference import predict_masks

            root = Path(caps or os.path.commonpath(list(cohort.table["path"])))
            folder_of_masks = None if masks is None else Path(masks)
            values = predict_masks(Path(maps), cohort, root, place, folder_of_masks)
            rows = cohort.table.assign(**{settings.task.label: values["label"]})
            run = _run_columns(folder)
            frame = predictions_frame(rows, settings.task, values["score"], run)
            return frame.assign(**values)
        if settings.config.get("type") == "trainer":
            from clinicadl_trust.models.inference import predict_trainer

            root = Path(caps or os.path.commonpath(list(cohort.table["path"])))
            scores = predict_trainer(Path(maps), cohort, root, place)
        else:
            from clinicadl_trust.models.scikit import predict_scikit

            scores = predict_scikit(maps, cohort, place)
    rows = _known_labels(cohort.table, settings.task)
    return predictions_frame(rows, settings.task, scores, _run_columns(folder))


def _check_unseen(
    cohort: Cohort, folder: Path, settings: Settings, allow_seen: bool
) -> None:
    seen = sorted(set(cohort.participants) & read_lineage(folder).seen)
    if not seen:
        return
    message = (
        f"'{settings.model}' has seen {len(seen)} of the {len(cohort.participants)} "
        f"participants in training or validation ({', '.join(seen[:3])}"
        f"{', ...' if len(seen) > 3 else ''}): its predictions for them say nothing "
        "of new patients."
    )
    if not allow_seen:
        raise LeakageError(
            f"{message} Leave them out, or allow it (--allow-seen) and do not "
            "evaluate on them."
        )
    logger.warning(message)


def _known_labels(table: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Take labels that are none of the model's classes for unknown."""
    if task.kind != "classification" or task.label not in table:
        return table
    values = table[task.label]
    foreign = values.notna() & ~as_text(values).isin(task.classes)
    if not foreign.any():
        return table
    names = sorted(set(values[foreign].astype(str)))
    logger.warning(
        "%d rows have a '%s' that the model does not know (%s): their label is n/a.",
        int(foreign.sum()),
        task.label,
        ", ".join(names[:5]),
    )
    return table.assign(**{task.label: values.where(~foreign)})


def _run_columns(folder: Path) -> dict[str, object]:
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    columns = {name: record.get(name) for name in RUN_COLUMNS}
    return {**columns, "group": "test"}


@contextmanager
def _folder(cache: str | os.PathLike[str] | None) -> Iterator[Path]:
    if cache is not None:
        yield Path(cache)
        return
    with tempfile.TemporaryDirectory(prefix="clinicadl-") as temporary:
        yield Path(temporary)
