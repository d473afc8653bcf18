"""Make the images of one participant: a pure function of the options."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

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

__all__ = ["copy_scan", "make_participant", "scan_files"]

#: A voxel is in the truth mask when the disease has changed this much of it, or this
#: share of what it has changed of any: thin atrophy fills no tenth of a large voxel.
_CHANGED, _OF_MOST = 0.1, 0.25


def make_participant(
    caps: Path,
    rows: list[dict[str, Any]],
    anatomy: Anatomy,
    options: GeneratorOptions,
) -> None:
    """Write a participant's images, their masks and their sidecars.

    Parameters
    ----------
    caps : pathlib.Path
        Where to write.
    rows : list of dict
        The participant's rows of ``plan_cohort`` that are to be made.
    anatomy : Anatomy
        The template.
    options : GeneratorOptions
        What the cohort is like.
    """
    grid, name = crop_grid(options.resolution), rows[0]["participant_id"]
    person = draw_person(options.seed, name, rows[0]["family_id"], rows[0]["sex"])
    displacement = person.deformation.displacement(grid)
    disease = make_disease(options)
    for visit in rows:
        rng = stream(options.seed, "visit", name, visit["session_id"])
        placement = place(anatomy, person.deformation, grid, rng, displacement)
        amount = visit["severity"] * (1 + options.progression * visit["years"])
        change = disease.change(placement, amount, name)
        head = build_head(person, placement, visit["age"], change)
        scanner = draw_scanner(
            visit["scanner"], visit["site"], visit["dataset"], options
        )
        image = acquire(head, person, scanner, options.modality, rng)
        mask = _mask(head.changed)
        truth = {
            "Severity": round(float(amount), 4),
            "ChangedVolume": round(float(head.changed.sum()) * grid.spacing**3, 1),
            "Lesions": change.lesions,
        }
        image_file, mask_file, sidecar = scan_files(caps, visit, options)
        write_bytes(mask_file, nifti_bytes(mask, grid.affine))
        write_bytes(image_file, nifti_bytes(image, grid.affine))
        write_json(sidecar, truth)


def copy_scan(caps: Path, row: dict[str, Any], options: GeneratorOptions) -> None:
    """Write a scan again under another participant id.

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
    source, target = (scan_files(caps, who, options) for who in (original, row))
    contents = [path.read_bytes() for path in source]
    if options.duplicate_noise:
        rng = stream(options.seed, "duplicate", row["participant_id"])
        image = nib.Nifti1Image.from_filename(source[0])
        sd = options.duplicate_noise * WHITE_MATTER
        volume = np.asarray(image.dataobj) + rng.normal(0, sd, image.shape)
        volume = np.rint(np.clip(volume, 0, np.iinfo(np.int16).max))
        contents[0] = nifti_bytes(volume.astype(np.int16), image.affine)
    for path, content in zip(target, contents, strict=True):
        write_bytes(path, content)


def _mask(changed: np.ndarray) -> np.ndarray:
    """Return where a disease has changed something, empty only if it has not."""
    most = float(changed.max())
    least = min(_CHANGED, _OF_MOST * most)
    return ((changed >= least) & (most > 0)).astype(np.uint8)


def scan_files(
    caps: Path, row: dict[str, Any], options: GeneratorOptions
) -> tuple[Path, Path, Path]:
    """Return the paths of an image, its truth mask and its sidecar.

    Parameters
    ----------
    caps : pathlib.Path
        The CAPS.
    row : dict
        With ``participant_id`` and ``session_id``.
    options : GeneratorOptions
        What the cohort is like.
    """
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
