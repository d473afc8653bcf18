"""The true masks of a segmentation, and their volumes: the cohort's label."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from clinicadl_trust.benchmark.config import CohortSection
from clinicadl_trust.cohort import Cohort
from clinicadl_trust.exceptions import CohortError
from clinicadl_trust.models.masks import MaskSource, read_mask
from clinicadl_trust.models.volumes import Geometry

__all__ = ["truth_of", "with_volumes"]


def truth_of(section: CohortSection) -> MaskSource | None:
    """Return where the true masks are; None unless the task is a segmentation.

    Raises
    ------
    ConfigError
        If ``[cohort.mask]`` is no image type.
    """
    if section.task != "segmentation":
        return None
    if section.generate is None:
        return MaskSource.parse(section.labels[0], section.mask, "cohort.mask")
    from clinicadl_trust.generate import GeneratorOptions, mask_type

    return MaskSource(
        section.labels[0], mask_type(GeneratorOptions(**section.generate))
    )


def with_volumes(cohort: Cohort, caps: Path, truth: MaskSource) -> Cohort:
    """Read every mask and add its volume in mm3, in a column of the mask's name.

    Parameters
    ----------
    cohort : Cohort
        With a column ``path`` of images.
    caps : pathlib.Path
        The CAPS folder.
    truth : MaskSource
        The masks.

    Returns
    -------
    Cohort
        With the column, 0 for an empty mask.

    Raises
    ------
    CapsError
        If a mask is missing, cannot be read or is not on its image's grid.
    CohortError
        If the table has such a column already.
    """
    if truth.name in cohort.columns:
        raise CohortError(
            f"{cohort.source} has a column '{truth.name}' already, and the masks' "
            "volumes need one. Give the masks another name (cohort.label)."
        )
    files = truth.locate(caps, cohort.table)
    volumes = [
        _volume(mask, image, _changed(mask)) if mask else 0.0
        for mask, image in zip(files, cohort.table["path"], strict=True)
    ]
    return Cohort(cohort.table.assign(**{truth.name: volumes}), cohort.source)


@cache
def _volume(mask: str, image: str, changed: float) -> float:
    """Read a volume once in a process: a file is checked first, then used."""
    grid = Geometry.of(image)
    return round(float(read_mask(mask, image, grid).sum()) * grid.voxel_volume, 3)


def _changed(path: str) -> float:
    file = Path(path)
    return file.stat().st_mtime if file.exists() else 0.0
