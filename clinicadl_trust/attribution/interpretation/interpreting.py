"""From a MAPS to maps, metrics and tables of what its network looks at."""

from __future__ import annotations

import os
from collections.abc import Sequence

from clinicadl_trust.attribution.interpretation.group import other_rows, own_rows
from clinicadl_trust.attribution.interpretation.images import GroupImages
from clinicadl_trust.attribution.interpretation.job import Job, Progress
from clinicadl_trust.attribution.interpretation.masks import MaskLike, find_mask
from clinicadl_trust.attribution.interpretation.opening import open_run
from clinicadl_trust.attribution.interpretation.request import Request
from clinicadl_trust.caps import ImageType
from clinicadl_trust.cohort import Cohort
from clinicadl_trust.exceptions import AttributionError
from clinicadl_trust.interpretations import Interpretation

__all__ = ["interpret"]


def interpret(
    maps: str | os.PathLike[str],
    *,
    group: str = "test",
    method: str | Sequence[str] = "gradient",
    baselines: str | None = None,
    target: str | int | None = None,
    healthy: str | int | None = None,
    n_samples: int | None = None,
    mask: MaskLike = None,
    tolerance: float = 0.0,
    n_steps: int = 20,
    randomise: bool = True,
    n_cascade: int = 0,
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
        What images are compared with. By default blurred for integrated gradients
        (from zeros they do not add up where the network has normalisation layers),
        zeros for occlusion; for expected gradients and GradientShap healthy training
        images (of a task without classes, training images), 64 at most, drawn.
    target : str or int, optional
        A class, or an output, by name or number. By default the log-odds of disease
        (any class but the healthy one); the only output of a regression; for a
        segmentation the summed logit of the region that is predicted, or the mean
        logit where none is.
    healthy : str or int, optional
        Which of the classes is healthy: any other is disease, and means are compared
        with it. By default what the model was told, else the negative one of two
        classes, or the only one named like a control (``CN``, ``healthy``).
    n_samples : int, optional
        Steps or draws, as of ``attributions``.
    mask : str, path-like, mapping or MaskSource, optional
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
        ``best-METRIC``, ``epoch-N`` or ``final``, if it was kept; by default the one
        that the run has chosen.
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
        Told how many images of how many are done, each counted once a method.

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
            name, baselines, target, n_samples, n_steps, randomise, n_cascade,
            tolerance, batch_size, seed,
        )
        for name in methods
    ]  # fmt: skip
    run = open_run(maps, checkpoint, healthy)
    run.question(target)
    run.check_methods(methods)
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
            Job(run, group, request, images, overwrite).to_the_end(
                _of_all(progress, number, len(asked))
            )
            for number, request in enumerate(asked)
        ]


def _of_all(progress: Progress | None, number: int, n_jobs: int) -> Progress | None:
    """Return what tells the progress of one of several jobs as that of all."""
    if progress is None:
        return None
    return lambda done, of: progress(number * of + done, n_jobs * of)
