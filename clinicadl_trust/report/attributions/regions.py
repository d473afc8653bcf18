"""The regions of AAL2 that have most of a model's attribution."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from clinicadl_trust.cohort import IDS
from clinicadl_trust.exceptions import AttributionError
from clinicadl_trust.report.attributions.interpreted import Interpreted, Run
from clinicadl_trust.report.attributions.statistics import mean_of
from clinicadl_trust.tables import as_text

__all__ = ["N_REGIONS", "RegionTable", "region_tables"]

#: Regions that are named.
N_REGIONS = 10


@dataclass(frozen=True)
class RegionTable:
    """The regions with the largest shares, of one model.

    Attributes
    ----------
    model : str
        Its title.
    classes : tuple of tuple
        A class's name, and its rows: region, share, interval of the share.
    """

    model: str
    classes: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...]


def region_tables(interpreted: Interpreted, unit: str) -> list[RegionTable]:
    """Rank the regions of each model and class, by the first method.

    Parameters
    ----------
    interpreted : Interpreted
        What is shown.
    unit : {"seed", "participant_id"}
        What intervals are over.

    Returns
    -------
    list of RegionTable
        Of the models whose images are in MNI space.
    """
    made = []
    for model in interpreted.models:
        runs = interpreted.of(model.name, interpreted.methods[0])
        tables = [table for run in runs if (table := _regions(run)) is not None]
        if not tables:
            continue
        table = pd.concat(tables, ignore_index=True)
        table["class"] = _classes(table["label"], interpreted)
        names = sorted(table["class"].unique(), reverse=True)
        known = [c for c in reversed(interpreted.benchmark.task.classes) if c in names]
        ranked = tuple(
            (name, _ranked(table[table["class"] == name], unit))
            for name in [*known, *(n for n in names if n not in known)]
        )
        made.append(RegionTable(model.title, ranked))
    return made


def _regions(run: Run) -> pd.DataFrame | None:
    """Return the regions of a run with the label and seed of each image."""
    try:
        table = run.interpretation.regions()
    except AttributionError:  # images that are not in MNI space have none
        return None
    about = run.metrics[[*IDS, "label", "seed"]]
    return table.merge(about, on=list(IDS), how="inner")


def _classes(labels: pd.Series, interpreted: Interpreted) -> pd.Series:
    """Return the name of each label; everyone is of one class in a regression."""
    task = interpreted.benchmark.task
    if task.kind != "classification":
        return pd.Series("everyone", index=labels.index)
    names = {str(code): name for code, name in enumerate(task.classes)}
    return as_text(labels).astype(str).replace(names)


def _ranked(table: pd.DataFrame, unit: str) -> tuple[tuple[str, str, str], ...]:
    images = table.groupby(["region", "participant_id", "seed"])["share"].mean()
    largest = images.groupby("region").mean().nlargest(N_REGIONS).index
    rows = []
    for region in largest:
        found = mean_of(table[table["region"] == region], "share", unit)
        if found is not None:
            rows.append(
                (str(region), _share(found.value), _ends(found.low, found.high))
            )
    return tuple(rows)


def _share(value: float) -> str:
    return f"{100 * value:.1f}\N{NARROW NO-BREAK SPACE}%"


def _ends(low: float, high: float) -> str:
    if pd.isna(low) or pd.isna(high):
        return "no interval"
    return f"{100 * low:.1f} to {_share(high)}"
