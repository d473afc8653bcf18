"""Make the images of one participant: a pure function of the options."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from clinicadl_trust.generate.affine import affine_matrix
from clinicadl_trust.generate.anatomy import Anatomy
from clinicadl_trust.generate.confounder import brightness, confounder_share
from clinicadl_trust.generate.disease import make_disease
from clinicadl_trust.generate.files import nifti_bytes, write_bytes, write_json
from clinicadl_trust.generate.grid import crop_grid
from clinicadl_trust.generate.head import Head, build_head
from clinicadl_trust.generate.image_types import scan_files
from clinicadl_trust.generate.options import GeneratorOptions
from clinicadl_trust.generate.person import draw_person
from clinicadl_trust.generate.placement import place
from clinicadl_trust.generate.scanner import WHITE_MATTER, acquire, draw_scanner
from clinicadl_trust.generate.score import amount_at
from clinicadl_trust.generate.streams import stream

__all__ = ["copy_scan", "make_participant"]

#: A voxel is in the truth mask when the disease has changed this much of it, or this
#: share of what it has changed of any: thin atrophy fills no tenth of a large voxel.
_CHANGED, _OF_MOST = 0.1, 0.25

#: A voxel is in the confounder's mask when it has this much of its brightness.
_SHOWN = 0.1


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
    displacement = None if options.affine else person.deformation.displacement(grid)
    disease = make_disease(options)
    for visit in rows:
        rng = stream(options.seed, "visit", name, visit["session_id"])
        affine = affine_matrix(visit) if options.affine else None
        placement = place(
            anatomy,
            person.deformation,
            grid,
            rng,
            displacement=displacement,
            affine=affine,
        )
        amount = amount_at(visit, options)
        change = disease.change(placement, amount, name)
        head = build_head(person, placement, visit["age"], change)
        scanner = draw_scanner(
            visit["scanner"], visit["site"], visit["dataset"], options
        )
        scan = partial(acquire, head, person, scanner, options.modality)
        share = confounder_share(placement, head.brain, head.changed, options)
        if share is None:
            images = {"image": scan(rng)}
        else:
            added = brightness(options) * share
            mask = (share >= _SHOWN).astype(np.uint8)
            images = {"confounder": mask} | _twice(scan, rng, added, visit)
        files = scan_files(caps, visit, options)
        for kind, volume in (_masks(head) | images).items():
            write_bytes(files[kind], nifti_bytes(volume, grid.affine))
        moved = {} if affine is None else {"Affine": affine.tolist()}
        truth = {
            "Severity": round(float(amount), 4),
            "ChangedVolume": round(float(head.changed.sum()) * grid.spacing**3, 1),
            "Lesions": change.lesions,
        }
        write_json(files["sidecar"], truth | moved)


def _twice(
    scan: Callable[..., np.ndarray],
    rng: np.random.Generator,
    added: np.ndarray,
    visit: dict[str, Any],
) -> dict[str, np.ndarray]:
    """Scan a head twice with the same noise, each time with its confounder or not."""
    again = copy.deepcopy(rng)
    return {
        "image": scan(rng, added=added * visit["confounder"]),
        "unconfounded": scan(again, added=added * visit["unconfounded"]),
    }


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
    for kind, path in source.items():
        content = path.read_bytes()
        if options.duplicate_noise and kind in ("image", "unconfounded"):
            content = _noisier(path, row["participant_id"], options)
        write_bytes(target[kind], content)


def _noisier(path: Path, name: str, options: GeneratorOptions) -> bytes:
    """Return an image with the noise of a copy."""
    rng = stream(options.seed, "duplicate", name)
    image = nib.Nifti1Image.from_filename(path)
    sd = options.duplicate_noise * WHITE_MATTER
    volume = np.asarray(image.dataobj) + rng.normal(0, sd, image.shape)
    volume = np.rint(np.clip(volume, 0, np.iinfo(np.int16).max))
    return nifti_bytes(volume.astype(np.int16), image.affine)


def _masks(head: Head) -> dict[str, np.ndarray]:
    """Return where a disease has changed something, empty only if it has not."""
    most = float(head.changed.max())
    least = min(_CHANGED, _OF_MOST * most)
    truth = (head.changed >= least) & (most > 0)
    return {"truth": truth.astype(np.uint8), "brain": head.brain.astype(np.uint8)}
