"""The interpretations of many runs in one place: tables, means, stability."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from clinicadl_trust.attribution.interpretation.stability import stability
from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.interpretations import METRICS, Interpretation, summary_dir
from clinicadl_trust.stats import evaluate
from clinicadl_trust.tables import write_table

__all__ = ["mean_metrics", "write_summary"]

_RUN = ["split_strategy", "repeat", "split", "model"]


def write_summary(root: Path, made: Sequence[Interpretation]) -> list[Path]:
    """Write what many runs say by one method in the folder that holds them.

    Parameters
    ----------
    root : pathlib.Path
        The output of a benchmark.
    made : sequence of Interpretation
        Of one group and one method, finished.

    Returns
    -------
    list of pathlib.Path
        ``attribution_metrics.tsv``, all rows of all runs; ``cascade.tsv`` likewise,
        where it was asked for; and ``stability.tsv``, where a model was trained with
        several seeds on one fold.
    """
    folder = summary_dir(root, made[0].group, made[0].method)
    tables = [each.metrics() for each in made]
    steps = [each.cascade() for each in made if each.about.get("n_cascade")]
    runs = pd.concat([table[_RUN].head(1) for table in tables], ignore_index=True)
    seeds = [
        stability(
            [made[number].maps for number in rows.index],
            group=made[0].group,
            method=made[0].method,
        )
        for _, rows in runs.groupby(_RUN, sort=False, dropna=False)
        if len(rows) > 1
    ]
    written = []
    for name, parts in (
        ("attribution_metrics", tables),
        ("cascade", steps),
        ("stability", seeds),
    ):
        path = folder / f"{name}.tsv"
        if parts:
            written.append(write_table(path, pd.concat(parts)))
        else:  # what an earlier call wrote is of other maps
            path.unlink(missing_ok=True)
    return written


def mean_metrics(table: pd.DataFrame, group: str) -> tuple[pd.DataFrame, list[str]]:
    """Estimate the mean of each metric, with an interval clustered by participant.

    Parameters
    ----------
    table : pandas.DataFrame
        Of one method, as ``Interpretation.metrics`` reads it; of one run or many.
    group : str
        Its data group.

    Returns
    -------
    estimates : pandas.DataFrame
        As ``stats.evaluate`` returns them.
    problems : list of str
        Why some metrics have none, each reason once.
    """
    found, problems = [], []
    for name in METRICS:
        if name in table and table[name].notna().any():
            try:
                found.append(evaluate(table, name, group=group))
            except StatisticsError as error:
                problems.append(str(error))
    made = pd.concat(found, ignore_index=True) if found else pd.DataFrame()
    return made, list(dict.fromkeys(problems))
