"""Where an image lies in a CAPS, found without importing ClinicaDL."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from clinicadl_trust.cohort import IDS, Cohort
from clinicadl_trust.exceptions import CapsError, ConfigError, did_you_mean

__all__ = ["ImageType", "check_caps", "find_images", "with_images"]

_LINEAR = {"space": "MNI152NLin2009cSym", "res": "1x1x1"}
_CROPPED = {**_LINEAR, "desc": "Crop"}


@dataclass(frozen=True)
class ImageType:
    """Which image of a session: the torch-free twin of ClinicaDL's BidsFileType.

    Attributes
    ----------
    data_type : str
        Folder below the session, ``t1_linear`` for Clinica's t1-linear.
    suffix : str
        BIDS suffix, ``T1w``.
    with_entities, without_entities : dict
        BIDS entities (regular expressions) that the name must, or must not, have.
    extension : str
        Regular expression of the extension.
    """

    data_type: str
    suffix: str
    with_entities: Mapping[str, str] = field(default_factory=dict)
    without_entities: Mapping[str, str] = field(default_factory=dict)
    extension: str = r"\.nii.*"

    def __post_init__(self) -> None:
        for name in ("with_entities", "without_entities"):
            object.__setattr__(self, name, dict(getattr(self, name) or {}))
        patterns = {"suffix": self.suffix, "extension": self.extension}
        for key, pattern in (
            *patterns.items(),
            *self.with_entities.items(),
            *self.without_entities.items(),
        ):
            _check_pattern(key, pattern)

    @classmethod
    def parse(cls, value: str | Mapping[str, Any] | ImageType) -> ImageType:
        """Read ClinicaDL's own configuration of a file type.

        Parameters
        ----------
        value : str or mapping
            ``"T1Linear"`` or ``"FlairLinear"``, ``{name = "T1Linear",
            use_uncropped_image = true}``, or the fields of ``BidsFileType``.

        Raises
        ------
        ConfigError
            If the name or a field is unknown, or a regular expression is wrong.
        """
        if isinstance(value, ImageType):
            return value
        if not isinstance(value, str | Mapping):
            raise ConfigError(
                f"An image type is a name or a table, not {value!r}. Write 'T1Linear', "
                "or the fields of BidsFileType."
            )
        options = {"name": value} if isinstance(value, str) else dict(value)
        name = options.pop("name", "BidsFileType")
        if name in ("T1Linear", "FlairLinear"):
            uncropped = options.pop("use_uncropped_image", False)
            _refuse_unknown(options, ["name", "use_uncropped_image"])
            modality = "t1" if name == "T1Linear" else "flair"
            return cls(
                f"{modality}_linear",
                "T1w" if modality == "t1" else "FLAIR",
                _LINEAR if uncropped else _CROPPED,
                {"desc": "Crop"} if uncropped else {},
            )
        if name != "BidsFileType":
            raise ConfigError(
                f"Unknown image type '{name}'."
                f"{did_you_mean(name, ['T1Linear', 'FlairLinear', 'BidsFileType'])}"
            )
        options.pop("description", None)  # ClinicaDL's file types may carry one
        _refuse_unknown(options, list(cls.__dataclass_fields__))
        for name in ("data_type", "suffix"):
            if not isinstance(options.get(name), str):
                raise ConfigError(
                    f"An image type needs '{name}', a text; got {options}."
                )
        return cls(**options)

    def __str__(self) -> str:
        """Say it in words: ``t1_linear/*_T1w with desc-Crop``."""
        parts = ["-".join(pair) for pair in self.with_entities.items()]
        parts += [f"no {'-'.join(pair)}" for pair in self.without_entities.items()]
        named = f" with {', '.join(parts)}" if parts else ""
        return f"{self.data_type}/*_{self.suffix}{named}"

    def matches(self, file_name: str) -> bool:
        """Whether a file's name fits (its folder is not looked at)."""
        stem, dot, extension = file_name.partition(".")
        *pairs, suffix = stem.split("_")
        entities = dict(pair.split("-", 1) for pair in pairs if "-" in pair)
        return (
            re.fullmatch(self.suffix, suffix) is not None
            and re.fullmatch(self.extension, dot + extension) is not None
            and all(
                key in entities and re.fullmatch(pattern, entities[key])
                for key, pattern in self.with_entities.items()
            )
            and not any(
                key in entities and re.fullmatch(pattern, entities[key])
                for key, pattern in self.without_entities.items()
            )
        )


def check_caps(caps: str | os.PathLike[str]) -> Path:
    """Return the path of a CAPS after checking that it is one.

    Raises
    ------
    CapsError
        If the folder, its ``dataset_description.json``, the ``CAPSVersion`` in it,
        or ``subjects/`` is missing.
    """
    caps = Path(caps)
    if not caps.is_dir():
        raise CapsError(f"No CAPS folder at '{caps}'.")
    description = caps / "dataset_description.json"
    if not description.is_file():
        raise CapsError(
            f"'{caps}' has no dataset_description.json, so it is not a CAPS. Clinica "
            'writes one; by hand: {"Name": "...", "BIDSVersion": "1.7.0", '
            '"CAPSVersion": "1.0.0", "DatasetType": "derivative"}.'
        )
    try:
        content = json.loads(description.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CapsError(f"'{description}' is not valid JSON: {error}.") from error
    if not isinstance(content, dict) or "CAPSVersion" not in content:
        raise CapsError(
            f"'{description}' has no 'CAPSVersion', so '{caps}' is a BIDS folder, not "
            "a CAPS. Point to Clinica's output folder."
        )
    if not (caps / "subjects").is_dir():
        raise CapsError(f"'{caps}' has no folder 'subjects'.")
    return caps


def find_images(caps: str | os.PathLike[str], image: ImageType) -> pd.DataFrame:
    """List every image of a type.

    Parameters
    ----------
    caps : path-like
        The CAPS folder.
    image : ImageType
        Which image.

    Returns
    -------
    pandas.DataFrame
        ``participant_id``, ``session_id`` and ``path`` (absolute), sorted by ids.

    Raises
    ------
    CapsError
        If the CAPS is not one, no image fits, or two fit one session.
    """
    caps = check_caps(caps).resolve()
    rows = [
        (session.parent.name, session.name, str(path))
        for session in sorted((caps / "subjects").glob("sub-*/ses-*"))
        for path in sorted((session / image.data_type).glob("*"))
        if image.matches(path.name)
    ]
    table = pd.DataFrame(rows, columns=[*IDS, "path"])
    if table.empty:
        raise CapsError(
            f"No image in '{caps}' is a {image}.{_there(caps)} Name the image type "
            "that is there."
        )
    twice = table.duplicated(list(IDS), keep=False)
    if twice.any():
        raise CapsError(
            f"Two images fit one session: {table.loc[twice, 'path'].head(2).tolist()}. "
            "Narrow the image type with with_entities or without_entities."
        )
    return table


def with_images(
    cohort: Cohort, caps: str | os.PathLike[str], image: ImageType
) -> tuple[Cohort, list[tuple[str, str]]]:
    """Join the cohort with its images.

    Returns
    -------
    cohort : Cohort
        With a column ``path``.
    extra : list of (participant_id, session_id)
        Images of the CAPS that the table does not list; they are left out.

    Raises
    ------
    CapsError
        If a row of the table has no image; all of them are named.
    """
    images = find_images(caps, image)
    table = cohort.table.drop(columns="path", errors="ignore")
    joined = table.merge(images, on=list(IDS), how="left", sort=False)
    lost = joined.loc[joined["path"].isna(), list(IDS)]
    if len(lost):
        shown = ", ".join(f"{p} {s}" for p, s in lost.head(5).itertuples(index=False))
        more = f" and {len(lost) - 5} more" if len(lost) > 5 else ""
        raise CapsError(
            f"{len(lost)} rows of {cohort.source} have no {image.suffix} image under "
            f"'{caps}': {shown}{more}. Preprocess them, or drop these rows."
        )
    outer = images.merge(table[list(IDS)], on=list(IDS), how="left", indicator=True)
    extra = outer.loc[outer["_merge"] == "left_only", list(IDS)]
    pairs = list(extra.itertuples(index=False, name=None))
    return Cohort.from_frame(joined, cohort.source), pairs


def _there(caps: Path) -> str:
    """Say what a wrong image type could have been: one file that is there."""
    found = sorted((caps / "subjects").glob("sub-*/ses-*/*/*.nii*"))[:1]
    if not found:
        return " It has no NIfTI below subjects/sub-*/ses-*/ at all."
    return f" It holds, for example, '{found[0].relative_to(caps)}'."


def _check_pattern(key: str, pattern: object) -> None:
    try:
        re.compile(pattern)  # type: ignore[call-overload]
    except (re.error, TypeError) as error:
        raise ConfigError(
            f"The image type's '{key}' is no regular expression: {pattern!r} ({error})."
        ) from error


def _refuse_unknown(options: Mapping[str, Any], known: list[str]) -> None:
    for key in options:
        if key not in known:
            raise ConfigError(
                f"Unknown key '{key}' in the image type.{did_you_mean(key, known)}"
            )
