"""From a MAPS to maps, metrics and tables of what its network looks at."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from clinicadl_trust.attribution.interpretation.completeness import COMPLETE
from clinicadl_trust.attribution.interpretation.explaining import Explainer
from clinicadl_trust.attribution.interpretation.group import other_rows, own_rows
from clinicadl_trust.attribution.interpretation.image_records import (
    is_done,
    read_record,
    write_explanation,
)
from clinicadl_trust.attribution.interpretation.images import GroupImages
from clinicadl_trust.attribution.interpretation.opening import (
    OpenedRun,
    find_mask,
    open_run,
)
from clinicadl_trust.attribution.interpretation.regions import why_not_mni
from clinicadl_trust.attribution.interpretation.request import Request
from clinicadl_trust.attribution.interpretation.tables import write_means, write_tables
from clinicadl_trust.caps import ImageType
from clinicadl_trust.cohort import IDS, Cohort
from clinicadl_trust.exceptions import AttributionError, OutputError
from clinicadl_trust.interpretations import ABOUT, Interpretation
from clinicadl_trust.models.masks import MaskSource
from clinicadl_trust.records import write_json

__all__ = ["interpret"]

#: Told how many images of how many are done.
Progress = Callable[[int, int], None]


def interpret(
    maps: str | os.PathLike[str],
    *,
    group: str = "test",
    method: str | Sequence[str] = "gradient",
    baselines: str | None = None,
    target: str | int | None = None,
    n_samples: int | None = None,
    mask: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    tolerance: float = 0.0,
    n_steps: int = 20,
    randomise: bool = True,
    checkpoint: str | None = None,
    caps: str | os.PathLike[str] | None = None,
    cohort: Cohort | None = None,
    image: ImageType | None = None,
    batch_size: int | None = None,
    seed: int = 0,
    cache: str | os.PathLike[str] | None = None,
    allow_seen: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> list[Interpretation]:
    """Say what the network of a finished run looks at, image by image.

    Maps, tables and means go into the MAPS, where ``interpretations`` finds them. What
    is done is not done again; an interrupted call, made again, goes on.

    Parameters
    ----------
    maps : path-like
        The MAPS of one run.
    group : str
        ``train``, ``validation`` or ``test`` of the run; or what the images of
        ``cohort`` are to be called.
    method : str or sequence of str
        As ``attributions`` knows them.
    baselines : {"zeros", "blurred", "healthy", "training"}, optional
        What images are compared with. By default zeros for integrated gradients and
        occlusion; for expected gradients and GradientShap healthy training images (of a
        task without classes, training images), 64 at most, drawn.
    target : str or int, optional
        A class, or an output, by name or number. By default the log-odds of disease
        (any class but the healthy one); the only output of a regression; for a
        segmentation the summed logit of the region that is predicted, or the mean
        logit where none is.
    n_samples : int, optional
        Steps or draws, as of ``attributions``.
    mask : str, path-like or mapping, optional
        What maps are measured against: a name of the model's ``masks``, one file for
        all (a ``Path``), or an image type. By default the model's own.
    tolerance : float
        Of the pointing game, in mm.
    n_steps : int
        Of deletion and insertion curves; 0 for none.
    randomise : bool
        Whether maps are compared with those of a network of random weights. Each batch
        has one of its own.
    checkpoint : str, optional
        ``best-METRIC`` or ``final``; by default the one that the run has chosen.
    caps : path-like, optional
        The CAPS, of other images, or if it is not where it was.
    cohort : Cohort, optional
        Other images than the run's own.
    image : ImageType, optional
        Their type, if it is another one.
    batch_size : int, optional
        Images in a pass; by default the training's.
    seed : int
        Of every draw.
    cache : path-like, optional
        Where converted images are kept; by default where the run had them.
    allow_seen : bool
        Whether the model may have seen the participants of ``cohort``.
    overwrite : bool
        Whether an interpretation that was made in another way is replaced.
    progress : callable, optional
        Told how many images of how many are done.

    Returns
    -------
    list of Interpretation
        One a method.

    Raises
    ------
    AttributionError
        If a group, method, target or mask is unknown, the model is no network, or a
        map holds NaN.
    RunError
        If the run is not finished, or has no such checkpoint.
    CapsError
        If an image or a mask is missing or on another grid.
    LeakageError
        If the model has seen a participant of ``cohort``.
    OutputError
        If the group was interpreted by a method in another way before.
    """
    methods = [method] if isinstance(method, str) else list(dict.fromkeys(method))
    asked = [
        Request(
            name, baselines, target, n_samples, n_steps, randomise, tolerance,
            batch_size, seed,
        )
        for name in methods
    ]  # fmt: skip
    run = open_run(maps, checkpoint)
    run.question(target)
    if cohort is None:
        rows, place = own_rows(run, group, caps)
        image = run.settings.image_of(group)
    elif caps is None:
        raise AttributionError("Other images than the run's own need their CAPS.")
    else:
        rows, place = other_rows(
            run, group, caps, cohort, image=image, allow_seen=allow_seen
        )
    source = find_mask(run, mask)
    with run.cache_or(cache) as folder:
        images = GroupImages(
            run=run,
            rows=rows,
            caps=place,
            training_caps=caps if cohort is None else None,
            image=image or run.settings.image,
            mask=source,
            cache=folder,
        )
        return [
            _Job(run, group, request, images, overwrite).to_the_end(progress)
            for request in asked
        ]


@dataclass(frozen=True)
class _Job:
    """One method on one group; what is on disk is not done again."""

    run: OpenedRun
    group: str
    request: Request
    images: GroupImages
    overwrite: bool

    def to_the_end(self, progress: Progress | None) -> Interpretation:
        """Do what is left to do."""
        run, rows = self.run, self.images.rows
        where = Interpretation(run.maps, run.split, self.group, self.request.method)
        training = run.blueprint.options.training
        has_healthy = run.settings.task.kind == "classification"
        request = self.request.filled(has_healthy, training.batch_size)
        about = self._about(request)
        differing = self._differing(where, about)
        if differing == [] and where.is_finished:
            return where
        if differing and not self.overwrite:
            raise OutputError(
                f"'{where.folder}' was made with another {' and '.join(differing)}. "
                "Ask for the same, or replace it (--overwrite)."
            )
        data, geometry = self.images.open()
        reason = why_not_mni(self.images.image, geometry)
        mask = self.images.mask
        explainer = Explainer(
            run.network,
            run.question(request.target),
            request,
            self.images.reference(request.baselines, request.seed),
            mask.name if mask else None,
        )
        if differing != []:
            shutil.rmtree(where.folder, ignore_errors=True)
            write_json(where.folder / ABOUT, about)
        ids = list(rows[list(IDS)].itertuples(index=False, name=None))
        paths, masks = rows["path"].tolist(), self.images.mask_paths()
        for number, batch in enumerate(explainer.batches(data)):
            if not all(is_done(where, *ids[index]) for index in batch):
                found = explainer.explain(data, batch, number)
                for index, explained in zip(batch, found, strict=True):
                    write_explanation(
                        where, explained, paths[index], masks[index], not reason
                    )
            if progress is not None:
                progress(batch.stop, len(ids))
        records = [read_record(where, *pair) for pair in ids]
        write_tables(run, where, rows, records)
        means = [] if reason else write_means(run, where, rows)
        about |= {
            "finished": True,
            "space": "image" if reason else "MNI",
            "means": means,
            "not_computed": _not_computed(request, mask, reason, records),
        }
        write_json(where.folder / ABOUT, about)
        return replace(where)

    def _about(self, request: Request) -> dict[str, Any]:
        run, mask = self.run, self.images.mask
        return {
            **request.to_dict(),
            "group": self.group,
            "model": run.settings.model,
            "checkpoint": run.checkpoint,
            "target": str(run.question(request.target)),
            "mask": mask.to_dict() if mask else None,
            "images": self.images.digest,
            "n_images": len(self.images.rows),
            "versions": run.record.get("versions", {}),
            "finished": False,
        }

    def _differing(
        self, where: Interpretation, about: dict[str, Any]
    ) -> list[str] | None:
        """Say what was asked otherwise before; None where nothing was."""
        if not (where.folder / ABOUT).is_file():
            return None
        wanted = json.loads(json.dumps(about, default=str))
        ignored = ("finished", "versions")
        return [
            key
            for key in wanted
            if key not in ignored and where.about.get(key) != wanted[key]
        ]


def _not_computed(
    request: Request,
    mask: MaskSource | None,
    reason: str,
    records: list[dict[str, Any]],
) -> dict[str, str]:
    """Say what is n/a in the tables, and why."""
    found = {}
    if mask is None:
        found["lesion_*"] = "there is no mask: the model has none, and none was given"
    else:
        empty = sum(np.isnan(r["metrics"]["lesion_prevalence"]) for r in records)
        if empty:
            found["lesion_*"] = f"the mask of {empty} images is empty: n/a there"
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
