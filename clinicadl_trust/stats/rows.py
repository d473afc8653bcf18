"""The statistics table: one row per estimate or comparison, written and read."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.results import Comparison, Estimate
from clinicadl_trust.stats.runs import ModelRuns
from clinicadl_trust.tables import write_table, write_whole

__all__ = ["COLUMNS", "read_statistics", "statistics_row", "write_statistics"]

#: The columns of ``statistics.tsv``. In a comparison, ``value`` is model minus
#: reference.
COLUMNS = (
    "kind",
    "metric",
    "model",
    "reference",
    "split_strategy",
    "group",
    "value",
    "low",
    "high",
    "confidence_level",
    "standard_error",
    "p_value",
    "p_adjusted",
    "statistic",
    "df",
    "method",
    "calibration",
    "estimand",
    "primary",
    "n_images",
    "n_participants",
    "n_sites",
    "n_folds",
    "warnings",
)

_TEXT = (
    "kind",
    "metric",
    "model",
    "reference",
    "split_strategy",
    "group",
    "method",
    "calibration",
    "estimand",
    "warnings",
)


def statistics_row(
    result: Estimate | Comparison,
    *,
    metric: str,
    runs: ModelRuns,
    primary: bool,
    reference: str | None = None,
    warnings: Iterable[str] = (),
) -> dict[str, Any]:
    """Write a result as a row of the statistics table.

    Parameters
    ----------
    result : Estimate or Comparison
        What was computed.
    metric : str
        Of what.
    runs : ModelRuns
        The predictions it rests on.
    primary : bool
        Whether it is the answer to the question asked.
    reference : str, optional
        The other model of a comparison.
    warnings : iterable of str
        Beside those of the design and the result.
    """
    design, is_comparison = runs.design, isinstance(result, Comparison)
    said = [*design.warnings, *warnings, *result.warnings]
    return {
        "kind": "comparison" if is_comparison else "estimate",
        "metric": metric,
        "model": runs.model,
        "reference": reference,
        "split_strategy": design.strategy,
        "group": runs.prepared.group,
        "value": result.effect if isinstance(result, Comparison) else result.value,
        "low": result.low,
        "high": result.high,
        "confidence_level": result.confidence_level,
        "standard_error": result.standard_error,
        "p_value": result.p_value if isinstance(result, Comparison) else None,
        "p_adjusted": None,
        "statistic": result.statistic if isinstance(result, Comparison) else None,
        "df": result.df,
        "method": result.method + ("; leaky" if design.leak else ""),
        "calibration": "approximate" if design.leak else result.calibration,
        "estimand": design.estimand,
        "primary": bool(primary),
        **runs.counts,
        "warnings": " ".join(dict.fromkeys(said)),
    }


def statistics_frame(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Put rows into a table with all columns, numbers as numbers."""
    table = pd.DataFrame(list(rows), columns=list(COLUMNS))
    for name in ("p_value", "p_adjusted", "statistic", "df"):
        table[name] = table[name].astype(float)
    for name in ("n_images", "n_participants", "n_sites", "n_folds"):
        table[name] = table[name].astype("Int64")
    table["primary"] = table["primary"].astype(bool)
    return table


def write_statistics(
    table: pd.DataFrame, path: str | os.PathLike[str], *, replace_kinds: bool = False
) -> int:
    """Write a statistics table as TSV, and as JSON beside it.

    Parameters
    ----------
    table : pandas.DataFrame
        From ``evaluate``, ``compare`` or both, one under the other.
    path : path-like
        The TSV; the JSON has the same name with the ending ``.json``.
    replace_kinds : bool
        If the file exists, replace in it only the kinds of row (estimates,
        comparisons) that ``table`` has, and keep the others.

    Returns
    -------
    int
        How many rows were kept.

    Raises
    ------
    StatisticsError
        If the file is called a JSON, or exists, is to be added to and is no statistics
        table.
    """
    path, kept = Path(path), 0
    if path.suffix == ".json":
        raise StatisticsError(
            f"'{path}' is to be a TSV, with a JSON of the same name beside it. Give it "
            "the ending .tsv."
        )
    if replace_kinds and path.exists():
        old = read_statistics(path)
        old = old[~old["kind"].isin(table["kind"])]
        kept = len(old)
        parts = [part for part in (old, table) if len(part)]
        table = pd.concat(parts, ignore_index=True).sort_values(
            "kind", ascending=False, kind="stable"
        )
    write_table(path, table)
    # to_json of pandas cuts small p-values off at 15 decimals.
    records = [
        {name: _plain(value) for name, value in row.items()}
        for row in table.to_dict("records")
    ]
    write_whole(path.with_suffix(".json"), json.dumps(records, indent=1) + "\n")
    return kept


def read_statistics(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read a statistics table.

    Raises
    ------
    StatisticsError
        If the file is absent or no statistics table.
    """
    path = Path(path)
    if not path.is_file():
        raise StatisticsError(f"No statistics table at '{path}'.")
    try:
        table = pd.read_csv(
            path,
            sep="\t",
            dtype=dict.fromkeys(_TEXT, str),
            na_values=["n/a"],
            keep_default_na=False,
            float_precision="round_trip",
        )
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as e:
        raise StatisticsError(f"'{path}' is no statistics table: {e}.") from e
    missing = [name for name in COLUMNS if name not in table]
    if missing:
        raise StatisticsError(
            f"'{path}' is no statistics table: it has no column '{missing[0]}'. Give "
            "another path."
        )
    for name in ("warnings", "reference"):
        table[name] = table[name].astype(object)
    return statistics_frame(table[list(COLUMNS)].to_dict("records"))


def _plain(value: Any) -> Any:
    """Write what is missing or without end as JSON's null."""
    if pd.isna(value) or value in (math.inf, -math.inf):
        return None
    return value.item() if hasattr(value, "item") else value
