"""Make the images of one participant: a pure function of the options."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd

from clinicadl_trust.generate.anatomy import Anatomy
from clinicadl_trust.generate.disease import make_disease
from clinicadl_trust.generate.files import nifti_bytes, write_bytes, write_json
from clinicadl_trust.generate.grid import crop_grid
from clinicadl_trust.generate.head import build_head
from clinicadl_trust.generate.options import GeneratorOptions, data_type, mask_type
from clinicadl_trust.generate.person import draw_person
from clinicadl_trust.generate.placement import place
from clinicadl_trust.generate.scanner import WHITE_MATTER, acquire, draw_scanner
from clinicadl_trust.generate.streams import stream

__all__ = ["copy_scan", "make_participant"]

#: A voxel is in the truth mask when the disease has changed this much of it.
_CHANGED = 0.1


def make_participant(
    caps: Path, rows: pd.DataFrame, anatomy: Anatomy, options: GeneratorOptions
) -> list[dict[str, Any]]:
    """Write the images that are not there yet, and return the truth about all.

    Parameters
    ----------
    caps : pathlib.Path
        Where to write.
    rows : pandas.DataFrame
        The participant's rows of ``plan_cohort``.
    anatomy : Anatomy
        The template.
    options : GeneratorOptions
        What the cohort is like.

    Returns
    -------
    list of dict
        The truth about each image, as in its sidecar.
    """
    visits = rows.to_dict("records")
    files = [_files(caps, visit, options) for visit in visits]
    missing = [k for k, (_, _, sidecar) in enumerate(files) if not sidecar.is_file()]
    if missing:
        one, grid = visits[0], crop_grid(options.resolution)
        person = draw_person(
            options.seed, one["participant_id"], one["family_id"], one["sex"]
        )
        displacement = person.deformation.displacement(grid)
    for k in missing:
        visit, name = visits[k], visits[k]["participant_id"]
        rng = stream(options.seed, "visit", name, visit["session_id"])
        placement = place(anatomy, person.deformation, grid, rng, displacement)
        amount = visit["severity"] * (1 + options.progression * visit["years"])
        change = make_disease(options).change(placement, amount, name)
        head = build_head(person, placement, visit["age"], change)
        scanner = draw_scanner(
            visit["scanner"], visit["site"], visit["dataset"], options
        )
        image = acquire(head, person, scanner, options.modality, rng)
        mask = (head.changed >= _CHANGED).astype(np.uint8)
        truth = {
            "Severity": round(float(amount), 4),
            "ChangedVolume": round(float(head.changed.sum()) * grid.spacing**3, 1),
            "Lesions": change.lesions,
        }
        _write(files[k], image, mask, grid.affine, truth)
    return [json.loads(sidecar.read_text(encoding="utf-8")) for _, _, sidecar in files]


def copy_scan(
    caps: Path, row: dict[str, Any], options: GeneratorOptions
) -> dict[str, Any]:
    """Write a scan again under another participant id, and return its truth.

    Parameters
    ----------
    caps : pathlib.Path
        Where the original is, and the copy goes.
    row : dict
        The copy's row of ``plan_cohort``.
    options : GeneratorOptions
        What the cohort is like.
    """
    original = {**row, "participant_id": row["copied_from"]}
    source, target = (_files(caps, who, options) for who in (original, row))
    if not target[2].is_file():
        content = source[0].read_bytes()
        if options.duplicate_noise:
            rng = stream(options.seed, "duplicate", row["participant_id"])
            image = nib.Nifti1Image.from_filename(source[0])
            sd = options.duplicate_noise * WHITE_MATTER
            volume = np.asarray(image.dataobj) + rng.normal(0, sd, image.shape)
            volume = np.rint(np.clip(volume, 0, np.iinfo(np.int16).max))
            content = nifti_bytes(volume.astype(np.int16), image.affine)
        write_bytes(target[1], source[1].read_bytes())
        write_bytes(target[0], content)
        write_bytes(target[2], source[2].read_bytes())
    return json.loads(target[2].read_text(encoding="utf-8"))


def _files(
    caps: Path, row: dict[str, Any], options: GeneratorOptions
) -> tuple[Path, Path, Path]:
    """Return the paths of the image, its truth mask and its sidecar."""
    participant, session = row["participant_id"], row["session_id"]
    folder = caps / "subjects" / participant / session / data_type(options)
    mask = mask_type(options).with_entities
    stem = f"{participant}_{session}_space-{mask['space']}"
    image = f"{stem}_desc-Crop_res-{mask['res']}_{options.modality}"
    return (
        folder / f"{image}.nii.gz",
        folder / f"{stem}_res-{mask['res']}_desc-{mask['desc']}_mask.nii.gz",
        folder / f"{image}.json",
    )


def _write(
    files: tuple[Path, Path, Path],
    image: np.ndarray,
    mask: np.ndarray,
    affine: np.ndarray,
    truth: dict[str, Any],
) -> None:
    write_bytes(files[1], nifti_bytes(mask, affine))
    write_bytes(files[0], nifti_bytes(image, affine))
    write_json(files[2], truth)  # last: it says that the other two are there
