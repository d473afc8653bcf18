"""Write a cohort as a CAPS, in several processes, and go on after an interruption."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
from joblib import Parallel, delayed

from clinicadl_trust.exceptions import OutputError
from clinicadl_trust.generate.anatomy import load_anatomy
from clinicadl_trust.generate.files import remove_partial_files, write_json, write_table
from clinicadl_trust.generate.image_types import scan_files
from clinicadl_trust.generate.options import GeneratorOptions
from clinicadl_trust.generate.participant import copy_scan, make_participant
from clinicadl_trust.generate.people import plan_cohort, public_columns

__all__ = ["generate_caps"]

#: Raised when the same options would no longer give the same bytes.
_FORMAT = 2

#: Columns of ``truth.tsv`` by key of an image's sidecar.
_TRUTH = {
    "Severity": "severity",
    "ChangedVolume": "changed_mm3",
    "Lesions": "lesions",
}

_DESCRIPTION = {
    "Name": "Synthetic cohort with a known, planted effect",
    "BIDSVersion": "1.7.0",
    "CAPSVersion": "1.0.0",
    "DatasetType": "derivative",
    "GeneratedBy": [{"Name": "clinicadl-trust"}],
}


def generate_caps(
    output: str | os.PathLike[str],
    options: GeneratorOptions | None = None,
    n_jobs: int | None = None,
    progress: bool = False,
) -> Path:
    """Make a CAPS with a known, planted effect.

    Parameters
    ----------
    output : path-like
        The CAPS to write: a new or empty folder, or one that an interrupted call
        with the same options left, which is completed.
    options : GeneratorOptions, optional
        What the cohort is like.
    n_jobs : int, optional
        Processes, as in joblib: one by default, -1 for every core. The files do
        not depend on it.
    progress : bool
        Show a progress bar on the terminal.

    Returns
    -------
    pathlib.Path
        ``output``, with ``participants.tsv``, ``truth.tsv``, ``generate.json`` and
        the images and ground-truth masks under ``subjects/``.

    Raises
    ------
    ConfigError
        If the options leave fewer families than sites.
    OutputError
        If the folder holds something else, or a cohort of other options.
    """
    output = Path(output)
    options = options or GeneratorOptions()
    table = plan_cohort(options)
    _claim(output, options)
    _make_images(output, table, options, n_jobs, progress)
    write_json(output / "dataset_description.json", _DESCRIPTION)
    write_table(output / "truth.tsv", _truth(output, table, options))
    # Last, as its presence says that the cohort is complete.
    write_table(output / "participants.tsv", table[public_columns(options)])
    return output


def _make_images(
    caps: Path,
    table: pd.DataFrame,
    options: GeneratorOptions,
    n_jobs: int | None,
    progress: bool,
) -> None:
    """Make the images that are not there yet."""
    missing = [
        row
        for row in table.to_dict("records")
        if not all(path.is_file() for path in scan_files(caps, row, options).values())
    ]
    people: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in missing:
        if row["copied_from"] is None:
            people[row["participant_id"]].append(row)
    if people:
        anatomy = load_anatomy(options.resolution, options.regions)
        work = Parallel(n_jobs=n_jobs, return_as="generator")(
            delayed(make_participant)(caps, rows, anatomy, options)
            for rows in people.values()
        )
        for _ in _shown(work, len(people), progress):
            pass
    for row in missing:
        if row["copied_from"] is not None:
            copy_scan(caps, row, options)


def _truth(caps: Path, table: pd.DataFrame, options: GeneratorOptions) -> pd.DataFrame:
    """Collect the sidecars into a table."""
    sidecars = [
        json.loads(
            scan_files(caps, row, options)["sidecar"].read_text(encoding="utf-8")
        )
        for row in table.to_dict("records")
    ]
    truth = pd.DataFrame(sidecars)[list(_TRUTH)].rename(columns=_TRUTH)
    columns = [*("participant_id", "session_id", "copied_from", "burden")]
    if options.confounder != "none":
        table = table.astype({"confounder": int, "unconfounded": int})
        columns += ["confounder", "unconfounded"]
    return table[columns].join(truth)


def _shown(work: Iterable[Any], total: int, progress: bool) -> Iterable[Any]:
    if not progress:
        return work
    from rich.progress import track

    return track(work, description="Generating", total=total)


def _claim(output: Path, options: GeneratorOptions) -> None:
    """Mark the folder as ours, or refuse it."""
    wanted = {
        "GeneratedBy": "clinicadl-trust",
        "Format": _FORMAT,
        "Options": json.loads(options.model_dump_json()),
    }
    record = output / "generate.json"
    if output.exists() and not output.is_dir():
        raise OutputError(f"'{output}' is a file. Name a folder for the CAPS.")
    if record.is_file():
        try:
            found = json.loads(record.read_text(encoding="utf-8"))
            if not isinstance(found, dict) or not isinstance(found["Options"], dict):
                raise TypeError("no record of ours")
        except (ValueError, KeyError, TypeError) as error:
            raise OutputError(
                f"'{record}' cannot be read: {error}. Remove the folder '{output}', or "
                "choose another."
            ) from error
        # A cohort of before an option was there has its default.
        before = json.loads(GeneratorOptions().model_dump_json())
        found["Options"] = before | found["Options"]
        if found != wanted:
            raise OutputError(
                f"'{output}' holds a cohort of other options: "
                f"{_differences(found, wanted)}. Choose another folder, or remove "
                "this one."
            )
        remove_partial_files(output)
        write_json(record, wanted)
        return
    if output.is_dir() and any(output.iterdir()):
        raise OutputError(
            f"'{output}' is not empty and was not made by `clinicadl generate`. "
            "Choose a new folder."
        )
    output.mkdir(parents=True, exist_ok=True)
    write_json(record, wanted)


def _differences(found: dict[str, Any], wanted: dict[str, Any]) -> str:
    there, here = found["Options"], wanted["Options"]
    names = [name for name in here if there.get(name) != here[name]]
    return ", ".join(
        f"{n} = {there.get(n)!r} there, {here[n]!r} asked" for n in names
    ) or (f"format {found.get('Format')} there, {wanted['Format']} asked")
