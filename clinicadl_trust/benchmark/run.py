"""The main job: from an experiment file to a folder with everything in it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from clinicadl_trust.benchmark.against_chance import hold_against_chance
from clinicadl_trust.benchmark.auditing import audit_benchmark, refuse_leaks
from clinicadl_trust.benchmark.changes import additions, forget_attempts
from clinicadl_trust.benchmark.checks import CheckModel, check_model
from clinicadl_trust.benchmark.config import Experiment
from clinicadl_trust.benchmark.execution import Outcome, execute
from clinicadl_trust.benchmark.folder import (
    check_folder,
    locked,
    read_resolved,
    write_resolved,
    writing,
)
from clinicadl_trust.benchmark.info import begin_runs, end_runs, write_info
from clinicadl_trust.benchmark.plan import Run, plan
from clinicadl_trust.benchmark.preparation import prepare
from clinicadl_trust.benchmark.progress import Display, Silent
from clinicadl_trust.benchmark.reading import read_experiment, read_run_section
from clinicadl_trust.benchmark.results import write_failures, write_results, write_table
from clinicadl_trust.benchmark.splitting import make_splits
from clinicadl_trust.benchmark.workers import Workers
from clinicadl_trust.cohort import Task
from clinicadl_trust.exceptions import ConfigError, RunError

__all__ = ["BenchmarkResult", "run_benchmark"]


@dataclass(frozen=True)
class BenchmarkResult:
    """What a benchmark came to.

    Attributes
    ----------
    directory : pathlib.Path
        The folder with everything.
    runs : tuple of Run
        The plan.
    failed : tuple of Outcome
        The runs that failed.
    leaks : pandas.DataFrame
        What the audit found in the runs, beside what is leaky on purpose.
    statistics : pandas.DataFrame
        ``statistics.tsv``.
    report : pathlib.Path or None
        The report, if it was asked for.
    leaky : tuple of str
        The splits that are wrong on purpose: their numbers are no results.
    failed_refits : tuple of Outcome
        The refits on redrawn labels that failed.
    """

    directory: Path
    runs: tuple[Run, ...]
    failed: tuple[Outcome, ...]
    leaks: pd.DataFrame
    statistics: pd.DataFrame
    report: Path | None
    leaky: tuple[str, ...] = ()
    failed_refits: tuple[Outcome, ...] = ()


def run_benchmark(
    config: str | os.PathLike[str],
    output: str | os.PathLike[str],
    n_jobs: int | None = None,
    report: bool | None = None,
    display: Display | None = None,
) -> BenchmarkResult:
    """Run an experiment file, or go on where an earlier call was stopped.

    Everything is checked before anything is run. The sealed test group is drawn
    first, and the splits are audited before a model is trained. Each run ends in a
    MAPS of its own that gets its name when it is whole, so whatever is there is
    complete, and is not repeated.

    Parameters
    ----------
    config : path-like
        The experiment file (TOML).
    output : path-like
        The folder to make, or that of an earlier call. The same experiment, or one
        with models, splits, seeds or metrics added, or with changes to a model that
        has no result yet, continues; any other is refused.
    n_jobs : int, optional
        Runs at a time, in place of the file's.
    report : bool, optional
        Whether to write the report, in place of the file's.
    display : Display, optional
        Where progress is told; by default nowhere.

    Returns
    -------
    BenchmarkResult
        With the failed runs, which do not stop the others.

    Raises
    ------
    ConfigError
        If the file is wrong, or another than that of the folder.
    OutputError
        If the folder is no benchmark, is in use, or cannot be written.
    LeakageError
        If a split leaks that is not meant to.
    RunError
        If no model did all its runs on any split.
    """
    directory = Path(output).absolute()
    display = display or Silent()
    section = read_run_section(config)
    jobs = n_jobs or section.n_jobs
    with (
        closing(display),
        writing(directory),
        Workers(jobs, section.threads) as workers,
    ):
        check_folder(directory)
        display.stage("Checking the experiment")
        experiment = _read(config, directory, workers)
        with locked(directory):
            report = experiment.run.report if report is None else report
            return _run(experiment, directory, workers, display, report)


def _read(
    config: str | os.PathLike[str], directory: Path, workers: Workers
) -> Experiment:
    known = read_resolved(directory)
    if known is not None:
        # What is run here already was checked then: ClinicaDL takes long to import.
        with suppress(ConfigError):
            experiment = read_experiment(config, _trust)
            if experiment == known:
                return experiment
    return read_experiment(config, _checker(workers))


def _run(
    experiment: Experiment,
    directory: Path,
    workers: Workers,
    display: Display,
    report: bool,
) -> BenchmarkResult:
    before = read_resolved(directory)
    added: list[str] = []
    if before is None:
        write_resolved(experiment, directory)
    else:
        added = additions(before, experiment, directory)
        forget_attempts(before, experiment, directory)
    display.stage("Preparing the cohort")
    prepared = prepare(experiment, directory, workers.n_jobs)
    display.stage("Splitting, the sealed test group first")
    splits = make_splits(experiment, prepared, directory)
    write_table(prepared.flow, directory / "flow.tsv")
    write_info(experiment, prepared, splits, directory, added)
    write_resolved(experiment, directory)
    runs = plan(experiment, prepared, splits, directory)
    display.stage("Auditing the splits")
    refuse_leaks(
        audit_benchmark(experiment, prepared, splits, runs, directory), directory
    )
    if not all(run.is_done for run in runs):
        begin_runs(directory)
    failed = execute(runs, workers, display, partial(write_failures, directory))
    refused, chance = hold_against_chance(
        experiment,
        splits,
        runs,
        workers,
        display,
        failed=failed,
        directory=directory,
    )
    workers.close()
    display.stage("Auditing the runs")
    leaks = audit_benchmark(experiment, prepared, splits, runs, directory)
    display.stage("Computing the statistics")
    statistics = write_results(experiment, runs, directory, chance)
    end_runs(directory)
    page = None
    if report:
        from clinicadl_trust.report import write_report

        display.stage("Writing the report")
        page = write_report(directory)
    return BenchmarkResult(
        directory=directory,
        runs=tuple(runs),
        failed=tuple(failed),
        failed_refits=tuple(refused),
        leaks=leaks,
        statistics=statistics,
        report=page,
        leaky=tuple(name for name, made in splits.items() if made.info.leaky),
    )


def _trust(name: str, config: Mapping[str, Any], task: Task | None) -> None:
    """Check nothing."""


def _checker(workers: Workers) -> CheckModel:
    """Check models in a worker, which imports torch anyway; this process never does."""

    def check(name: str, config: Mapping[str, Any], task: Task | None) -> None:
        try:
            workers.call(check_model, name, config, task)
        except BrokenProcessPool as error:
            raise RunError(
                "The process that checks models was killed, which is what the system "
                "does when memory runs out. ClinicaDL and PyTorch take 1 GB each job."
            ) from error

    return check
