"""What an audit looks at: splits, runs, the participants table, the images."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from clinicadl_trust.caps import ImageType, find_images
from clinicadl_trust.cohort import IDS, Cohort, read_cohort
from clinicadl_trust.exceptions import CapsError, CohortError, SplitError
from clinicadl_trust.records import Lineage, read_lineage
from clinicadl_trust.split.audit.images import Contents, read_contents
from clinicadl_trust.split.audit.lineage import Run, find_runs
from clinicadl_trust.split.audit.sources import (
    Audited,
    benchmark_of,
    find_splits,
    no_images,
)

__all__ = ["Material", "gather"]

#: The images that ClinicaDL reads by default, then those at another resolution.
_USUAL = tuple(
    ImageType(f"{folder}_linear", suffix, {"desc": "Crop", **resolution})
    for resolution in ({"res": "1x1x1"}, {})
    for folder, suffix in (("t1", "T1w"), ("flair", "FLAIR"))
)


@dataclass(frozen=True)
class Material:
    """What there is to look at; None where there is nothing.

    Attributes
    ----------
    splits : list of Audited
        The splits.
    runs : list of Run
        Finished runs with a lineage.
    unknown : list of str
        Finished runs without one.
    ancestors : dict of str to Lineage
        What a training would start from.
    table : pandas.DataFrame or None
        The cohort's rows.
    label : str or None
        The column that is predicted.
    contents : Contents or None
        What is in the images.
    in_benchmark : bool
        Whether all this belongs to a benchmark.
    """

    splits: list[Audited]
    runs: list[Run]
    unknown: list[str]
    ancestors: dict[str, Lineage]
    table: pd.DataFrame | None
    label: str | None
    contents: Contents | None
    in_benchmark: bool


def gather(
    path: Path,
    *,
    cohort: Cohort | None,
    caps: str | os.PathLike[str] | None,
    image: ImageType | None,
    label: str | None,
    ancestors: Iterable[str | os.PathLike[str]],
) -> Material:
    """Read what was given, and find the rest where a benchmark or split keeps it.

    Raises
    ------
    SplitError
        If there is neither a split nor a run at the path.
    CohortError, CapsError
        If what was given cannot be used.
    """
    root, record = benchmark_of(path)
    splits = find_splits(path, record)
    runs, unknown = find_runs(path / "runs" if path == root else path)
    if not splits and not runs:
        raise SplitError(
            f"'{path}' holds no split and no run. Give a folder that `clinicadl split "
            "make` or `clinicadl benchmark`, or ClinicaDL's make_kfold or make_split, "
            "made."
        )
    cohort = cohort or _find_cohort(root, splits)
    table = cohort.table if cohort is not None else None
    if label is None:
        task = record.get("task", {})
        # Of several outputs the first, which the splits are drawn by as well.
        label = next(iter(task.get("outputs") or ()), task.get("label"))
        label = label or _shared_label(splits)
    if table is not None and label is not None and label not in table:
        assert cohort is not None
        cohort.require([label], "The audit of the label")
    if caps is None and root is not None:
        caps = _find_caps(root, record)
        if image is None and "image" in record.get("cohort", {}):
            image = ImageType.parse(record["cohort"]["image"])
    return Material(
        splits=splits,
        runs=runs,
        unknown=unknown,
        ancestors={str(maps): read_lineage(maps) for maps in ancestors},
        table=table,
        label=label,
        contents=_contents(caps, image, table, splits) if caps else None,
        in_benchmark=root is not None,
    )


def _find_cohort(root: Path | None, splits: Sequence[Audited]) -> Cohort | None:
    """Read the first table that is where it was and lists every image split."""
    places = [root / "cohort.tsv"] if root else []
    places += [Path(split.cohort) for split in splits if split.cohort]
    used = pd.MultiIndex.from_frame(_used(splits))
    for place in places:
        if place.is_file():
            try:
                cohort = read_cohort(place)
            except CohortError:
                continue
            listed = pd.MultiIndex.from_frame(cohort.table[list(IDS)])
            if used.isin(listed).all():
                return cohort
    return None


def _used(splits: Iterable[Audited]) -> pd.DataFrame:
    """List the images of all splits once."""
    used = [split.images for split in splits]
    return pd.concat(used).drop_duplicates() if used else no_images()


def _shared_label(splits: Iterable[Audited]) -> str | None:
    labels = {split.label for split in splits if split.label}
    return labels.pop() if len(labels) == 1 else None


def _find_caps(root: Path, record: Mapping[str, Any]) -> Path | None:
    for place in (record.get("cohort", {}).get("caps"), root / "caps"):
        if place and (root / place / "dataset_description.json").is_file():
            return root / place
    return None


def _contents(
    caps: str | os.PathLike[str],
    image: ImageType | None,
    table: pd.DataFrame | None,
    splits: Sequence[Audited],
) -> Contents:
    """Read the images of everyone in the splits."""
    images = _images(caps, image)
    wanted = _used(splits) if splits else images[list(IDS)]
    if table is not None:
        groups = [name for name in ("site", "scanner") if name in table]
        wanted = wanted.merge(table[[*IDS, *groups]], on=list(IDS), how="left")
    joined = wanted.merge(images, on=list(IDS), how="left").sort_values(list(IDS))
    lost = joined[joined["path"].isna()]
    if len(lost):
        row = lost.iloc[0]
        raise CapsError(
            f"{len(lost)} of the {len(joined)} images of the splits are not under "
            f"'{caps}', first {row['participant_id']} {row['session_id']}. Give the "
            "CAPS that was split."
        )
    return read_contents(joined)


def _images(caps: str | os.PathLike[str], image: ImageType | None) -> pd.DataFrame:
    if image is not None:
        return find_images(caps, image)
    for usual in _USUAL:
        try:
            return find_images(caps, usual)
        except CapsError as error:
            last = error
    raise last
