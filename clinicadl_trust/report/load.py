"""Read a benchmark folder: every part may be missing, none may be wrong."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from clinicadl_trust.cohort import read_cohort
from clinicadl_trust.exceptions import ConfigError
from clinicadl_trust.interpretations import interpretations
from clinicadl_trust.predictions import read_predictions
from clinicadl_trust.records import find_records
from clinicadl_trust.report.benchmark import BASELINES, Benchmark, Model, Strategy
from clinicadl_trust.stats.rows import COLUMNS
from clinicadl_trust.tables import read_table

__all__ = ["read_benchmark"]

#: A folder without any of these is no benchmark.
_EVIDENCE = ("benchmark.json", "statistics.tsv", "predictions.tsv")

_TABLES = ("flow", "audit", "balance", "failures", "fold_metrics")

#: A table without columns is a line end.
_BLANK = 2

#: Columns that stay text even when they look like numbers.
_TEXT = (
    "model",
    "reference",
    "split_strategy",
    "fold",
    "metric",
    "method",
    "estimand",
    "warnings",
    "site",
    "reason",
    "where",
    "group",
)


def read_benchmark(directory: str | os.PathLike[str]) -> Benchmark:
    """Read what is there of a benchmark folder.

    Parameters
    ----------
    directory : path-like
        The folder that ``clinicadl benchmark`` wrote, complete or not; or any
        folder with a ``predictions.tsv`` or a ``statistics.tsv``.

    Raises
    ------
    ConfigError
        If the folder is none, or a file in it cannot be read.
    """
    directory = Path(directory)
    if not directory.is_dir():
        raise ConfigError(
            f"No benchmark at '{directory}': there is no such folder. Give the one "
            "that 'clinicadl benchmark FILE.toml --output DIRECTORY' wrote."
        )
    if not any((directory / name).is_file() for name in _EVIDENCE):
        raise ConfigError(
            f"'{directory}' is no benchmark: it has none of {', '.join(_EVIDENCE)}. "
            "Give the folder that 'clinicadl benchmark FILE.toml --output DIRECTORY' "
            "wrote."
        )
    tables = {name: _read_table(directory / f"{name}.tsv") for name in _TABLES}
    if (directory / "predictions.tsv").is_file():
        tables["predictions"] = read_predictions(directory / "predictions.tsv")
    if (directory / "cohort.tsv").is_file():
        tables["cohort"] = read_cohort(directory / "cohort.tsv").table
    info = _read_info(directory / "benchmark.json")
    tables["statistics"] = _read_statistics(directory / "statistics.tsv")
    config = directory / "benchmark.toml"
    return Benchmark(
        directory=directory,
        info=info,
        config=config.read_text(encoding="utf-8") if config.is_file() else "",
        strategies=_strategies(info, tables),
        models=_models(info, tables),
        runs=_read_runs(directory / "runs"),
        interpretations=tuple(interpretations(directory / "runs")),
        **tables,
    )


def _read_info(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(
            f"'{path}' is not JSON: {error}. Run 'clinicadl benchmark' again; what is "
            "done is not repeated."
        ) from error
    if not isinstance(content, dict):
        raise ConfigError(
            f"'{path}' holds a {type(content).__name__}, not an object with a name, a "
            "task, splits and models."
        )
    return content


def _read_table(path: Path) -> pd.DataFrame | None:
    """Read a table, None when there is no file or nothing in it."""
    if not path.is_file() or path.stat().st_size <= _BLANK:
        return None
    return read_table(path, f"{path.stem} table", ConfigError, _TEXT)


def _read_statistics(path: Path) -> pd.DataFrame | None:
    """Read a statistics table; columns it may lack are filled with n/a."""
    table = _read_table(path)
    if table is None:
        return None
    needed = ("kind", "metric", "model", "split_strategy", "group", "value")
    missing = [name for name in needed if name not in table]
    if missing:
        raise ConfigError(
            f"'{path}' has no column '{missing[0]}'. Write it with 'clinicadl "
            "evaluate' and 'clinicadl compare'."
        )
    others = [name for name in COLUMNS if name not in table]
    return table.reindex(columns=[*table.columns, *others])


def _read_runs(root: Path) -> pd.DataFrame | None:
    if not root.is_dir():
        return None
    records = []
    for folder in find_records(root):
        try:
            records.append(json.loads((folder / "run.json").read_text("utf-8")))
        except ValueError as error:
            raise ConfigError(
                f"'{folder / 'run.json'}' is not JSON: {error}."
            ) from error
    return pd.DataFrame(records) if records else None


def _names(tables: Mapping[str, pd.DataFrame | None], column: str) -> list[str]:
    found: dict[str, None] = {}
    for name in ("statistics", "predictions"):
        table = tables.get(name)
        if table is not None:
            found |= dict.fromkeys(table[column].dropna().astype(str))
    return list(found)


def _strategies(
    info: Mapping[str, Any], tables: Mapping[str, pd.DataFrame | None]
) -> tuple[Strategy, ...]:
    known = info.get("splits") or {}
    names = dict.fromkeys([*known, *_names(tables, "split_strategy")])
    suspect = _called_leaky(tables.get("statistics"))
    n_splits = _n_splits(tables.get("predictions"))
    found = []
    for name in names:
        given = known.get(name) or {}
        found.append(
            Strategy(
                name=name,
                title=_title(name, given, n_splits.get(name)),
                unit=str(given.get("unit") or ""),
                leaky=bool(given.get("leaky", name in suspect)),
                sealed=bool(given.get("sealed", False)),
                n_folds=given.get("n_folds"),
            )
        )
    return tuple(sorted(found, key=lambda s: (s.leaky, not s.sealed)))


def _called_leaky(statistics: pd.DataFrame | None) -> set[str]:
    """Return the strategies that the statistics themselves warn of."""
    if statistics is None or "warnings" not in statistics:
        return set()
    warned = statistics["warnings"].astype(str).str.contains(r"\bleaky\b", case=False)
    return set(statistics.loc[warned, "split_strategy"])


def _title(name: str, given: Mapping[str, Any], n_splits: int | None) -> str:
    """Return what a strategy does; that it leaks is said by its mark."""
    title = str(given.get("title") or name).removesuffix(" (leaky)")
    return title.replace("k folds", f"{n_splits} folds") if n_splits else title


def _n_splits(predictions: pd.DataFrame | None) -> dict[str, int]:
    """Count the folds of one repeat of each strategy."""
    if predictions is None:
        return {}
    test = predictions[predictions["group"] == "test"]
    return test.groupby("split_strategy")["split"].nunique().to_dict()


def _models(
    info: Mapping[str, Any], tables: Mapping[str, pd.DataFrame | None]
) -> tuple[Model, ...]:
    known = info.get("models") or {}
    found = []
    for name in dict.fromkeys([*known, *_names(tables, "model")]):
        given = known.get(name) or {}
        found.append(
            Model(name, str(given.get("type", "")), str(given.get("label") or ""))
        )
    order = {kind: rank for rank, kind in enumerate(BASELINES, start=1)}
    return tuple(sorted(found, key=lambda m: order.get(m.type or m.name, 0)))
