"""How maps change as the layers of a network are made random one after the other."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from clinicadl_trust.exceptions import AttributionError
from clinicadl_trust.report.attributions.interpreted import Interpreted
from clinicadl_trust.report.text import number

__all__ = ["CascadeTable", "cascade_tables"]

_COLUMNS = ("step", "layer", "spearman", "ssim")


@dataclass(frozen=True)
class CascadeTable:
    """What one model's maps look like with ever fewer trained layers.

    Attributes
    ----------
    model : str
        Its title.
    n_maps : int
        Maps that each value is the mean of.
    rows : tuple of tuple of str
        Layer, rank correlation and structural similarity, from the output down.
    """

    model: str
    n_maps: int
    rows: tuple[tuple[str, str, str], ...]


def cascade_tables(interpreted: Interpreted, problems: list[str]) -> list[CascadeTable]:
    """Average each step over the images and runs of a model, by the first method.

    Parameters
    ----------
    interpreted : Interpreted
        What is shown.
    problems : list of str
        What cannot be read is added, in a sentence each.

    Returns
    -------
    list of CascadeTable
        Of the models for which it was asked.
    """
    made = []
    for model in interpreted.models:
        tables = []
        for run in interpreted.of(model.name, interpreted.methods[0]):
            if run.interpretation.about.get("n_cascade"):
                try:
                    tables.append(_read(run.interpretation.cascade()))
                except AttributionError as error:
                    problems.append(str(error))
        if tables:
            table = pd.concat(tables, ignore_index=True)
            steps = table.groupby(["step", "layer"], as_index=False)
            values = steps[["spearman", "ssim"]].mean()
            rows = tuple(
                (str(layer), number(spearman, 2), number(ssim, 2))
                for _, layer, spearman, ssim in values.itertuples(index=False)
            )
            n_maps = int((table["step"] == 1).sum())
            made.append(CascadeTable(model.title, n_maps, rows))
    return made


def _read(table: pd.DataFrame) -> pd.DataFrame:
    if lacking := [name for name in _COLUMNS if name not in table]:
        raise AttributionError(
            f"A table of a cascade lacks the columns {', '.join(lacking)}: interpret "
            "again."
        )
    return table[list(_COLUMNS)]
