"""From a CAPS and a table, or a generator, to the rows that are used."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from clinicadl_trust.benchmark.config import CohortSection, Experiment
from clinicadl_trust.benchmark.flow import Flow
from clinicadl_trust.benchmark.truth import truth_of, with_volumes
from clinicadl_trust.caps import ImageType, find_images, with_images
from clinicadl_trust.cohort import IDS, Cohort, Task, read_cohort
from clinicadl_trust.exceptions import CohortError, ConfigError
from clinicadl_trust.models.masks import MaskSource
from clinicadl_trust.tables import write_whole

__all__ = ["Prepared", "prepare", "select", "test_image_of"]

#: What the experiment file calls a generated cohort's images without a confounder.
_UNCONFOUNDED = "unconfounded"


@dataclass(frozen=True)
class Prepared:
    """What every run needs to know of the data.

    Attributes
    ----------
    cohort : Cohort
        The rows that are used, with a column ``path``.
    task : Task
        What is predicted.
    caps : pathlib.Path
        The CAPS folder.
    image : ImageType
        Which image of it.
    truth : MaskSource or None
        The masks of a segmentation.
    test_image : ImageType or None
        Which image test rows are read from, if it is another one.
    flow : pandas.DataFrame
        Who was left out at which step, and why.
    """

    cohort: Cohort
    task: Task
    caps: Path
    image: ImageType
    truth: MaskSource | None
    test_image: ImageType | None
    flow: pd.DataFrame


def prepare(
    experiment: Experiment, directory: Path, n_jobs: int | None = None
) -> Prepared:
    """Generate the cohort if asked, join it with its images and say what is used.

    Parameters
    ----------
    experiment : Experiment
        What to prepare.
    directory : pathlib.Path
        The benchmark. A generated cohort goes to ``caps/``; ``cohort.tsv`` and
        ``flow.tsv`` are written.
    n_jobs : int, optional
        Processes to generate with.

    Returns
    -------
    Prepared
        The same at every call.

    Raises
    ------
    CohortError, CapsError, ConfigError
        If the table or an image cannot be used, or the table was changed since an
        earlier call.
    """
    section = experiment.cohort
    caps, table, image = _source(section, directory, n_jobs)
    cohort, flow = select(section, read_cohort(table), caps, image)
    task = cohort.task(section.label, section.task, section.positive)
    _write_cohort(cohort, directory / "cohort.tsv")
    other = test_image_of(section)
    if other is not None:
        with_images(cohort, caps, other)
    truth = truth_of(section)
    return Prepared(cohort, task, caps, image, truth, other, flow.to_frame())


def test_image_of(section: CohortSection) -> ImageType | None:
    """Return which image test rows are read from; None if it is that of all.

    Raises
    ------
    ConfigError
        If ``test_image`` is no image type, or the generated cohort has no such image.
    """
    if section.test_image is None:
        return None
    if section.generate is None:
        return ImageType.parse(section.test_image)
    from clinicadl_trust.generate import GeneratorOptions, unconfounded_type

    if section.test_image != _UNCONFOUNDED:
        raise ConfigError(
            f"A generated cohort has one other image, test_image = '{_UNCONFOUNDED}'; "
            f"got {section.test_image!r}."
        )
    return unconfounded_type(GeneratorOptions(**section.generate))


def select(
    section: CohortSection, cohort: Cohort, caps: Path, image: ImageType
) -> tuple[Cohort, Flow]:
    """Keep the rows with a label and an image.

    The label of a segmentation is read from the masks.

    Raises
    ------
    CapsError
        If a mask cannot be used, or a row has no image and ``missing_images`` is
        ``"error"``.
    CohortError
        If no label is known.
    """
    flow, listed, truth = Flow(cohort.table), cohort.table, truth_of(section)
    if truth is None:
        cohort = cohort.labelled(section.label)
        flow.keep("label known", cohort.table, f"{', '.join(section.labels)} is n/a")
    if section.missing_images == "exclude":
        there = pd.MultiIndex.from_frame(find_images(caps, image)[list(IDS)])
        rows = pd.MultiIndex.from_frame(cohort.table[list(IDS)])
        cohort = cohort.select(rows.isin(there))
    cohort, extra = with_images(cohort, caps, image)
    flow.keep("image found", cohort.table, f"no {image.suffix} image in the CAPS")
    known = set(listed[list(IDS)].itertuples(index=False, name=None))
    if unlisted := [pair for pair in extra if pair not in known]:
        people = len({participant for participant, _ in unlisted})
        flow.remark(
            "images of the CAPS not in the table",
            f"{len(unlisted)} images of {people} participants are not used",
        )
    if truth is not None:
        cohort = with_volumes(cohort, caps, truth)
    return cohort, flow


def _source(
    section: CohortSection, directory: Path, n_jobs: int | None
) -> tuple[Path, Path, ImageType]:
    if section.generate is None:
        assert section.caps is not None and section.participants is not None
        return section.caps, section.participants, ImageType.parse(section.image)
    from clinicadl_trust.generate import GeneratorOptions, generate_caps, image_type

    options = GeneratorOptions(**section.generate)
    caps = directory / "caps"
    if not (caps / "participants.tsv").is_file():  # written last
        generate_caps(caps, options, n_jobs=n_jobs)
    return caps, caps / "participants.tsv", image_type(options)


def _write_cohort(cohort: Cohort, path: Path) -> None:
    """Write the rows used, or check that they are those of the earlier call."""
    text = cohort.table.drop(columns="path").to_csv(
        sep="\t", index=False, na_rep="n/a", lineterminator="\n"
    )
    if path.is_file():
        if path.read_text(encoding="utf-8") != text:
            raise CohortError(
                f"{cohort.source} gives other rows than when '{path.parent}' was begun "
                f"(see {path.name}). Put it back, or start in another folder."
            )
        return
    write_whole(path, text)
