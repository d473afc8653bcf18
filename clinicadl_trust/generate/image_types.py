"""Which files of a generated CAPS hold what, and where they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from clinicadl_trust.caps import ImageType
from clinicadl_trust.exceptions import ConfigError
from clinicadl_trust.generate.options import GeneratorOptions

__all__ = [
    "brain_mask_type",
    "confounder_mask_type",
    "image_type",
    "mask_type",
    "scan_files",
    "unconfounded_type",
]


def image_type(options: GeneratorOptions) -> ImageType:
    """Return which image a generated CAPS holds, for ``find_images``.

    At 1 mm it is what ``T1Linear()`` or ``FlairLinear()`` reads.
    """
    return _type(options, options.modality, "Crop")


def unconfounded_type(options: GeneratorOptions) -> ImageType:
    """Return the image whose confounder does not depend on the label.

    Raises
    ------
    ConfigError
        If no confounder is asked for.
    """
    if options.confounder == "none":
        raise ConfigError(
            "There is no unconfounded image beside the others: confounder = 'none'. "
            "Ask for confounder = 'mark' or 'pattern'."
        )
    return _type(options, options.modality, "CropUnconfounded")


def mask_type(options: GeneratorOptions) -> ImageType:
    """Return where the ground-truth masks are: what the disease changes."""
    return _type(
        options, "mask", "atrophy" if options.disease == "atrophy" else "lesion"
    )


def brain_mask_type(options: GeneratorOptions) -> ImageType:
    """Return where the brain masks are: the brain's envelope, sulci included."""
    return _type(options, "mask", "brain")


def confounder_mask_type(options: GeneratorOptions) -> ImageType:
    """Return where the confounder is, or would be in images that have none."""
    return _type(options, "mask", "confounder")


def scan_files(
    caps: Path, row: dict[str, Any], options: GeneratorOptions
) -> dict[str, Path]:
    """Return the paths of what is written for a session.

    Parameters
    ----------
    caps : pathlib.Path
        The CAPS.
    row : dict
        With ``participant_id`` and ``session_id``.
    options : GeneratorOptions
        What the cohort is like.

    Returns
    -------
    dict of str to pathlib.Path
        ``image``, ``sidecar``, the masks ``truth`` and ``brain``; with a confounder
        also ``unconfounded``, an image, and the mask ``confounder``.
    """
    types = {
        "image": image_type(options),
        "truth": mask_type(options),
        "brain": brain_mask_type(options),
    }
    if options.confounder != "none":
        types["unconfounded"] = unconfounded_type(options)
        types["confounder"] = confounder_mask_type(options)
    files = {name: caps / _path(row, kind) for name, kind in types.items()}
    image = files["image"]
    return files | {"sidecar": image.with_name(image.name.replace(".nii.gz", ".json"))}


def _type(options: GeneratorOptions, suffix: str, desc: str) -> ImageType:
    edge = options.resolution
    return ImageType(
        data_type="t1_linear" if options.modality == "T1w" else "flair_linear",
        suffix=suffix,
        with_entities={
            "space": "MNI152NLin2009cSym",
            "res": f"{edge}x{edge}x{edge}",
            "desc": desc,
        },
    )


def _path(row: dict[str, Any], kind: ImageType) -> Path:
    participant, session = row["participant_id"], row["session_id"]
    parts = [f"{key}-{value}" for key, value in kind.with_entities.items()]
    # As Clinica names its images, and BIDS its masks.
    space, res, desc = parts
    order = [space, res, desc] if kind.suffix == "mask" else [space, desc, res]
    name = "_".join([participant, session, *order, kind.suffix])
    return Path("subjects", participant, session, kind.data_type, f"{name}.nii.gz")
