"""One method on one group of a run: what is on disk is not done again."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from clinicadl_trust.attribution.interpretation.completeness import COMPLETE
from clinicadl_trust.attribution.interpretation.explaining import Explainer
from clinicadl_trust.attribution.interpretation.image_records import (
    is_done,
    read_record,
    write_explanation,
)
from clinicadl_trust.attribution.interpretation.images import GroupImages
from clinicadl_trust.attribution.interpretation.opening import OpenedRun
from clinicadl_trust.attribution.interpretation.regions import why_not_mni
from clinicadl_trust.attribution.interpretation.request import Request
from clinicadl_trust.attribution.interpretation.tables import write_means, write_tables
from clinicadl_trust.cohort import IDS
from clinicadl_trust.exceptions import OutputError
from clinicadl_trust.interpretations import ABOUT, Interpretation
from clinicadl_trust.models.provenance import versions
from clinicadl_trust.models.volumes import Geometry
from clinicadl_trust.records import write_json

__all__ = ["Job", "Progress"]

#: Told how many images of how many are done.
Progress = Callable[[int, int], None]

logger = logging.getLogger(__name__)

#: A median completeness error that is told.
_TOO_INCOMPLETE = 0.1

#: What may differ between two calls for the same thing.
_FREE = ("finished", "versions")


@dataclass(frozen=True)
class Job:
    """One method on one group of a run.

    Attributes
    ----------
    run : OpenedRun
        The run.
    group : str
        The group's name.
    request : Request
        The method, and how.
    images : GroupImages
        The group's.
    overwrite : bool
        Whether what was made in another way is replaced.
    """

    run: OpenedRun
    group: str
    request: Request
    images: GroupImages
    overwrite: bool

    def to_the_end(self, progress: Progress | None = None) -> Interpretation:
        """Do what is left to do.

        Parameters
        ----------
        progress : callable, optional
            Told how many images of how many are done.

        Raises
        ------
        OutputError
            If it was made in another way before, or another process is at it.
        """
        run, images = self.run, self.images
        where = Interpretation(run.maps, run.split, self.group, self.request.method)
        has_healthy = run.healthy is not None
        request = self.request.filled(
            has_healthy, run.blueprint.options.training.batch_size
        )
        about = self._about(request)
        with _alone(where):
            differing = _differing(where, about)
            if differing == [] and where.is_finished:
                return where
            # The cascades of more images leave the other images as they are.
            had = where.about.get("n_cascade", 0) if differing else 0
            if differing == ["n_cascade"] and request.n_cascade > had:
                differing = []
            if differing and not self.overwrite:
                raise OutputError(
                    f"'{where.folder}' was made with another "
                    f"{' and '.join(differing)}. Ask for the same, or replace it "
                    "(--overwrite)."
                )
            images.open()
            # Before the transforms: what was cropped holds a part of the brain only.
            grid = Geometry.of(images.rows["path"].iloc[0])
            reason = why_not_mni(images.image, grid)
            explainer = self._explainer(request)
            if differing != []:
                shutil.rmtree(where.folder, ignore_errors=True)
            write_json(where.folder / ABOUT, about)
            records = self._explain(where, explainer, not reason, progress)
            _check_complete(request, records)
            write_tables(run, where, images.rows, records)
            about |= {
                "finished": True,
                "space": "image" if reason else "MNI",
                "means": [] if reason else write_means(run, where, images.rows),
                "not_computed": self._not_computed(request, reason, records),
            }
            write_json(where.folder / ABOUT, about)
        return replace(where)  # which reads the file anew

    def _about(self, request: Request) -> dict[str, Any]:
        run, mask = self.run, self.images.mask
        return {
            **request.to_dict(),
            "group": self.group,
            "model": run.settings.model,
            "checkpoint": run.checkpoint,
            "target": str(run.question(request.target)),
            "healthy": run.healthy_name,
            "mask": mask.to_dict() if mask else None,
            "images": self.images.digest,
            "n_images": len(self.images.rows),
            "versions": versions(),
            "finished": False,
        }

    def _explainer(self, request: Request) -> Explainer:
        mask = self.images.mask
        return Explainer(
            self.run.network,
            self.run.question(request.target),
            request,
            self.images.reference(request.baselines, request.seed),
            mask.name if mask else None,
            request.cascaded(len(self.images.rows)),
        )

    def _explain(
        self,
        where: Interpretation,
        explainer: Explainer,
        in_mni: bool,
        progress: Progress | None,
    ) -> list[dict[str, Any]]:
        """Explain the images that are not yet, and read what is known of all."""
        images, (data, _) = self.images, self.images.open()
        ids = list(images.rows[list(IDS)].itertuples(index=False, name=None))
        paths, masks = images.rows["path"].tolist(), images.mask_paths()
        for number, batch in enumerate(explainer.batches(data)):
            done = [
                is_done(where, *ids[index], cascaded=index in explainer.cascaded)
                for index in batch
            ]
            if not all(done):
                found = explainer.explain(data, batch, number)
                for index, explained in zip(batch, found, strict=True):
                    write_explanation(
                        where, explained, paths[index], masks[index], in_mni
                    )
            if progress is not None:
                progress(batch.stop, len(ids))
        return [read_record(where, *pair) for pair in ids]

    def _not_computed(
        self, request: Request, reason: str, records: list[dict[str, Any]]
    ) -> dict[str, str]:
        """Say what is n/a in the tables, and why."""
        found = {}
        if self.images.mask is None:
            found["lesion_*"] = "the model has no mask, and none was given"
        else:
            empty = sum(np.isnan(r["metrics"]["lesion_prevalence"]) for r in records)
            if empty:
                found["lesion_*"] = (
                    f"the mask of {empty} of {len(records)} images is empty; the "
                    "others are measured"
                )
        if request.method not in COMPLETE:
            found["completeness_error"] = (
                f"attributions by {request.method} need not add up to anything"
            )
        if not request.n_steps:
            found["deletion_*, insertion_*"] = "no curves were asked for (n_steps = 0)"
        if not request.randomise:
            found["randomisation_*"] = "it was not asked for"
        if reason:
            found["regions.tsv, mean"] = reason
        return found


def _check_complete(request: Request, records: list[dict[str, Any]]) -> None:
    """Warn where attributions do not add up to what they should."""
    errors = np.array([r["metrics"]["completeness_error"] for r in records], float)
    errors = errors[~np.isnan(errors)]
    if errors.size and np.median(errors) > _TOO_INCOMPLETE:
        logger.warning(
            "attributions by %s from %s do not add up to what they explain (median "
            "completeness error %.2g): take more samples, or baselines that are "
            "images, such as blurred",
            request.method,
            request.baselines,
            np.median(errors),
        )


def _differing(where: Interpretation, about: dict[str, Any]) -> list[str] | None:
    """Say what was asked otherwise before; None where nothing was."""
    if not (where.folder / ABOUT).is_file():
        return None
    wanted = json.loads(json.dumps(about, default=str))
    return [
        key
        for key, value in wanted.items()
        if key not in _FREE and where.about.get(key) != value
    ]


@contextmanager
def _alone(where: Interpretation) -> Iterator[None]:
    """Hold the place of an interpretation.

    The lock is the system's: it ends with the process that holds it.
    """
    path = where.folder.with_name(f".{where.method}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(path, timeout=0):
            yield
    except Timeout as error:
        raise OutputError(
            f"Another process is interpreting '{where.group}' of '{where.maps}' by "
            f"{where.method}. Wait until it is done."
        ) from error
