"""Make all images of one participant: a pure function of the options."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from clinicadl_trust.generate.anatomy import Anatomy
from clinicadl_trust.generate.brain import compose, draw_person, template_points
from clinicadl_trust.generate.disease import make_disease
from clinicadl_trust.generate.files import nifti_bytes, write_bytes, write_json
from clinicadl_trust.generate.grid import crop_grid
from clinicadl_trust.generate.options import GeneratorOptions, data_type, mask_type
from clinicadl_trust.generate.scanner import acquire, draw_scanner
from clinicadl_trust.generate.streams import stream

__all__ = ["make_participant"]

#: A voxel belongs to the truth mask when the disease takes this much of it.
_THRESHOLD = 0.1


def make_participant(
    output: Path, rows: pd.DataFrame, anatomy: Anatomy, options: GeneratorOptions
) -> list[dict[str, Any]]:
    """Write the images that are not there yet and return the truth on all.

    Parameters
    ----------
    output : pathlib.Path
        The CAPS.
    rows : pandas.DataFrame
        The participant's rows of ``plan_cohort``.
    anatomy : Anatomy
        The template.
    options : GeneratorOptions
        What the cohort is like.

    Returns
    -------
    list of dict
        The rows of ``truth.tsv``.
    """
    grid = crop_grid(options.resolution)
    first = rows.iloc[0]
    source = first["copied_from"] or first["participant_id"]
    person = field = None
    truths = []
    for row in rows.to_dict("records"):
        stem = _stem(output, row, options)
        sidecar = stem.with_name(
            f"{stem.name}_desc-Crop_{_res(options)}_{options.modality}.json"
        )
        if sidecar.is_file():
            truths.append(json.loads(sidecar.read_text(encoding="utf-8")))
            continue
        if person is None or field is None:
            person = draw_person(options.seed, source, row["family_id"], row["sex"])
            field = person.deformation.displacement(grid)
        rng = stream(options.seed, "visit", source, row["session_id"])
        points = template_points(person, grid, rng, field)
        amount = row["severity"] * (1 + options.progression * row["years"])
        change = None
        if amount > 0:
            change = make_disease(options).change(
                anatomy, points, amount, source, max(grid.spacing, 1.5)
            )
        brain = compose(anatomy, person, row["age"], points, grid, change)
        scanner = draw_scanner(row["scanner"], row["site"], row["dataset"], options)
        image = acquire(brain, person.contrast, scanner, options.modality, grid, rng)
        if change is None:
            changed = np.zeros(grid.shape, dtype=np.float32)
        else:
            changed = np.maximum(
                change.lost * anatomy.sample("gm", points), change.lesion
            )
        mask = (changed >= _THRESHOLD).astype(np.uint8)
        name = mask_type(options).with_entities["desc"]
        write_bytes(
            stem.with_name(f"{stem.name}_{_res(options)}_desc-{name}_mask.nii.gz"),
            nifti_bytes(mask, grid.affine),
        )
        write_bytes(sidecar.with_suffix(".nii.gz"), nifti_bytes(image, grid.affine))
        truth = {
            "participant_id": row["participant_id"],
            "session_id": row["session_id"],
            "severity": round(float(amount), 4),
            "changed_ml": round(float(changed.sum()) * grid.spacing**3 / 1000, 3),
            "lesions": change.lesions if change else 0,
            "copied_from": row["copied_from"] or None,
        }
        write_json(sidecar, truth)
        truths.append(truth)
    return truths


def _stem(output: Path, row: dict[str, Any], options: GeneratorOptions) -> Path:
    participant, session = row["participant_id"], row["session_id"]
    folder = output / "subjects" / participant / session / data_type(options)
    return folder / f"{participant}_{session}_space-MNI152NLin2009cSym"


def _res(options: GeneratorOptions) -> str:
    return f"res-{options.resolution}x{options.resolution}x{options.resolution}"
