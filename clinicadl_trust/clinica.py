"""The only door to Clinica: its atlases, which ship with it and need no network."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pandas as pd

from clinicadl_trust.exceptions import ConfigError, did_you_mean

if TYPE_CHECKING:
    from nibabel import Nifti1Image

__all__ = ["ATLASES", "atlas_labels", "load_atlas"]

#: The atlases whose images lie in Clinica's own folder.
ATLASES = ("AAL2", "AICHA")


def load_atlas(name: str = "AAL2") -> tuple[Nifti1Image, pd.DataFrame]:
    """Load an atlas of Clinica, offline.

    Parameters
    ----------
    name : {"AAL2", "AICHA"}
        The atlas. Clinica knows more of them, which it would have to download or
        find in FSL.

    Returns
    -------
    image : nibabel.Nifti1Image
        Integer labels in MNI space, 0 for the background.
    labels : pandas.DataFrame
        ``index`` (the integer in the image) and ``name`` of each region, without
        the background.

    Raises
    ------
    ConfigError
        If the atlas is not one that ships with Clinica.
    """
    import nibabel as nib

    labels = atlas_labels(name)
    return nib.Nifti1Image.from_filename(_atlas(name).labels), labels


def atlas_labels(name: str = "AAL2") -> pd.DataFrame:
    """Read the regions of an atlas, without its image.

    Parameters
    ----------
    name : {"AAL2", "AICHA"}
        The atlas.

    Returns
    -------
    pandas.DataFrame
        ``index`` and ``name`` of each region, without the background.

    Raises
    ------
    ConfigError
        If the atlas is not one that ships with Clinica.
    """
    table = pd.read_csv(_atlas(name).tsv_roi, sep="\t")
    table = table.rename(columns={"roi_value": "index", "roi_name": "name"})
    table = table.loc[table["index"] != 0, ["index", "name"]]
    table["name"] = table["name"].str.strip()  # a few end with a blank
    return table.reset_index(drop=True)


@lru_cache(maxsize=len(ATLASES))
def _atlas(name: str) -> Any:
    if name not in ATLASES:
        raise ConfigError(f"Unknown atlas '{name}'.{did_you_mean(name, ATLASES)}")
    from clinica.utils.atlas import atlas_factory

    return atlas_factory(name)
