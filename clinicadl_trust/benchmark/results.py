"""From the predictions of every run to the tables that the report reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from clinicadl_trust.benchmark.comparing import compare_models
from clinicadl_trust.benchmark.config import Experiment
from clinicadl_trust.benchmark.execution import Outcome
from clinicadl_trust.benchmark.plan import Run
from clinicadl_trust.exceptions import RunError
from clinicadl_trust.predictions import read_predictions, write_predictions
from clinicadl_trust.tables import write_whole

__all__ = ["collect", "complete", "write_failures", "write_results", "write_table"]

_FAILURES = (
    "split_strategy",
    "repeat",
    "split",
    "model",
    "seed",
    "error",
    "message",
    "traceback",
)


def write_results(
    experiment: Experiment,
    runs: Sequence[Run],
    directory: Path,
    chance: Sequence[Mapping[str, Any]] = (),
) -> pd.DataFrame:
    """Write ``predictions.tsv``, ``fold_metrics.tsv`` and ``statistics.tsv``.

    The rows follow the plan, not the order in which runs ended, so the files of an
    interrupted benchmark are those of an uninterrupted one.

    Parameters
    ----------
    experiment : Experiment
        Which statistics.
    runs : sequence of Run
        The plan.
    directory : pathlib.Path
        The benchmark.
    chance : sequence of mapping
        Rows of kind ``chance``.

    Returns
    -------
    pandas.DataFrame
        ``statistics.tsv``.

    Raises
    ------
    RunError
        If no model has done all its runs on any split.
    """
    # scipy and statsmodels take seconds to import: not before there is a result.
    from clinicadl_trust.stats import evaluate, fold_metrics, write_statistics
    from clinicadl_trust.stats.rows import statistics_frame

    done = [run for run in runs if run.is_done]
    if not done:
        raise RunError(
            f"All {len(runs)} runs failed. '{directory / 'failures.tsv'}' says why."
        )
    predictions = collect(done)
    write_predictions(predictions, directory / "predictions.tsv")
    whole = complete(runs)
    if not whole:
        raise RunError(
            "No model has done all its runs on any split, so there is nothing to "
            f"estimate. '{directory / 'failures.tsv'}' says why; "
            f"'{directory / 'predictions.tsv'}' has what there is."
        )
    # Read back what was written: statistics are of the file, to the last digit.
    predictions = collect(whole)
    section = experiment.statistics
    level = section.confidence_level
    folds = fold_metrics(predictions, section.metrics)
    write_table(folds, directory / "fold_metrics.tsv")
    tables = [evaluate(predictions, section.metrics, confidence_level=level)]
    together = predictions.groupby("split_strategy")["model"].nunique()
    if together.max() > 1:  # others may have failed
        tables.append(compare_models(predictions, experiment))
    if chance:
        tables.append(statistics_frame(chance))
    statistics = pd.concat([table for table in tables if len(table)], ignore_index=True)
    write_statistics(statistics, directory / "statistics.tsv")
    return statistics


def collect(runs: Sequence[Run]) -> pd.DataFrame:
    """Put the predictions of runs one under the other, in the order given."""
    return read_predictions(
        [
            run.record / f"predictions_{group}.tsv"
            for run in runs
            for group in ("validation", "test")
        ]
    )


def complete(runs: Sequence[Run]) -> list[Run]:
    """Return the runs of every split, model and seed that lack none.

    An estimate over the folds that happened to work would be of other people than
    its neighbours in the table: with one fold missing, a model and seed are left out
    of that split's statistics.
    """
    lacking = {_series(run) for run in runs if not run.is_done}
    return [run for run in runs if _series(run) not in lacking]


def write_failures(directory: Path, failed: Sequence[Outcome]) -> None:
    """Write ``failures.tsv``, with a header alone when nothing failed."""
    rows = [
        {
            **outcome.run.key,
            "error": outcome.error,
            "message": " ".join(outcome.message.split()),
            "traceback": outcome.traceback.strip().replace("\n", " | "),
        }
        for outcome in failed
    ]
    write_table(pd.DataFrame(rows, columns=list(_FAILURES)), directory / "failures.tsv")


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table, whole or not at all."""
    text = table.to_csv(sep="\t", index=False, na_rep="n/a", lineterminator="\n")
    write_whole(path, text)


def _series(run: Run) -> tuple[str, str, int]:
    return run.spec.split_strategy, run.spec.model, run.spec.seed
