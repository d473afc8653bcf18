"""The tables and mean maps of an interpretation, from what is known of each image."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from clinicadl_trust.activation import activate
from clinicadl_trust.attribution.interpretation.opening import OpenedRun
from clinicadl_trust.attribution.interpretation.volumes import mean_map, write_map
from clinicadl_trust.cohort import IDS
from clinicadl_trust.exceptions import PredictionsError
from clinicadl_trust.interpretations import METRICS, Interpretation
from clinicadl_trust.predictions import (
    RUN_COLUMNS,
    check_predictions,
    predictions_frame,
    read_predictions,
)
from clinicadl_trust.tables import as_text, write_table

__all__ = ["write_means", "write_tables"]

#: What patients minus healthy is called.
DIFFERENCE = "difference"


def write_tables(
    run: OpenedRun,
    where: Interpretation,
    rows: pd.DataFrame,
    records: list[dict[str, Any]],
) -> None:
    """Write ``attribution_metrics.tsv`` and the tables of regions, curves, cascade.

    Parameters
    ----------
    run : OpenedRun
        The run.
    where : Interpretation
        Where they go.
    rows : pandas.DataFrame
        The images, with what the cohort knows of them.
    records : list of dict
        What was measured of each.
    """
    metrics = pd.DataFrame([record["metrics"] for record in records])
    known = [name for name in METRICS if name in metrics]
    frame = _predictions(run, where, rows, records).reset_index(drop=True)
    write_table(where.metrics_path, pd.concat([frame, metrics[known]], axis=1))
    regions = [
        {**_ids(record), **region} for record in records for region in record["regions"]
    ]
    curves = [
        {**_ids(record), "curve": name, "fraction": fraction, "score": score}
        for record in records
        for name, curve in record["curves"].items()
        for fraction, score in zip(curve["fraction"], curve["score"], strict=True)
    ]
    steps = [
        {**_ids(record), **step} for record in records for step in record["cascade"]
    ]
    cascade = frame.merge(pd.DataFrame(steps), on=list(IDS)) if steps else []
    for name, table in (
        ("regions", regions),
        ("curves", curves),
        ("cascade", cascade),
    ):
        path = where.folder / f"{name}.tsv"
        if len(table):
            write_table(path, pd.DataFrame(table))
        else:
            path.unlink(missing_ok=True)


def write_means(run: OpenedRun, where: Interpretation, rows: pd.DataFrame) -> list[str]:
    """Write the mean map of each class, and patients minus healthy.

    Parameters
    ----------
    run : OpenedRun
        The run.
    where : Interpretation
        Whose maps are in MNI space.
    rows : pandas.DataFrame
        The images, with their labels where they are known.

    Returns
    -------
    list of str
        What was written, as ``Interpretation.means`` gives it.
    """
    task = run.settings.task
    names = pd.Series("all", index=rows.index)
    if task.kind == "classification" and task.label in rows:
        names = as_text(rows[task.label])
    found = {}
    for name in [*task.classes, "all"]:
        paths = [
            where.map_of(*ids)
            for ids in rows.loc[names == name, list(IDS)].itertuples(index=False)
        ]
        if paths:
            found[name] = (*mean_map(paths), len(paths))
            write_map(*found[name][:2], where.mean_of(name), in_mni=True)
    healthy = run.healthy_name or ""
    others = [name for name in found if name not in (healthy, "all")]
    if healthy not in found or not others:
        return list(found)
    weights = [found[name][2] for name in others]
    patients = np.average([found[name][0] for name in others], axis=0, weights=weights)
    grid = found[healthy][1]
    write_map(patients - found[healthy][0], grid, where.mean_of(DIFFERENCE), True)
    return [*found, DIFFERENCE]


def _predictions(
    run: OpenedRun,
    where: Interpretation,
    rows: pd.DataFrame,
    records: list[dict[str, Any]],
) -> pd.DataFrame:
    """Return the run's own predictions where it has them, else what was said now."""
    table = _own_predictions(run, where)
    if table is not None:
        joined = rows[list(IDS)].merge(table, on=list(IDS), how="left", sort=False)
        if joined["group"].notna().all():
            return joined
    if all(record["outputs"] is not None for record in records):
        outputs = np.stack([record["outputs"] for record in records])
        scores = run.scale.to_user(activate(outputs, run.blueprint.activation))
    else:
        scores = np.array([record["readout"] for record in records])
    columns = {name: run.record.get(name) for name in RUN_COLUMNS}
    columns |= {"group": where.group}
    frame = predictions_frame(rows, run.settings.task, scores, columns)
    return check_predictions(frame, "The interpreted images")


def _own_predictions(run: OpenedRun, where: Interpretation) -> pd.DataFrame | None:
    chosen = f"best-{run.blueprint.options.training.monitor}"
    path = run.folder / f"predictions_{where.group}.tsv"
    if run.checkpoint != chosen or not path.is_file():
        return None
    try:
        return read_predictions(path)
    except PredictionsError:
        return None


def _ids(record: dict[str, Any]) -> dict[str, str]:
    return {name: record[name] for name in IDS}
