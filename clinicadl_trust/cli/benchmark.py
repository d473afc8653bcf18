"""``clinicadl benchmark``: the main job."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from clinicadl_trust.benchmark import BenchmarkResult

__all__ = ["benchmark"]

#: Failures told on the screen; ``failures.tsv`` has them all.
_SHOWN = 3


@click.command(no_args_is_help=True)
@click.argument(
    "experiment",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="EXPERIMENT.toml",
)
@click.option(
    "--output",
    "-o",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to make, or that of an earlier call, which is continued.",
)
@click.option(
    "--n-jobs",
    "-j",
    type=click.IntRange(min=1),
    help="Runs at a time, each in a process of about 1 GB. Results do not depend on "
    "it.  [default: that of the file, or 1]",
)
@click.option(
    "--report/--no-report",
    default=None,
    help="Write report.html at the end.  [default: that of the file, or yes]",
)
@click.option("--check", is_flag=True, help="Check the file; run nothing.")
def benchmark(
    experiment: Path,
    output: Path | None,
    n_jobs: int | None,
    report: bool | None,
    check: bool,
) -> None:
    """Run an experiment file: splits, models, statistics, report.

    EXPERIMENT.toml names a cohort, split strategies, models and metrics. All of it
    is checked before anything is run. A call that was stopped, or killed, goes on
    when it is given again; what is done is not repeated, and models, splits, seeds
    and metrics may be added to the file.

    The exit code is 0 when every run is done, 1 when one failed (the others are
    done) or a split leaks.
    """
    if check:
        _check(experiment)
        return
    if output is None:
        raise click.UsageError("Name a folder: --output DIRECTORY.")
    from clinicadl_trust.benchmark import make_display, run_benchmark

    result = run_benchmark(
        experiment, output, n_jobs=n_jobs, report=report, display=make_display()
    )
    _tell(result, output)
    if result.failed or result.failed_refits or len(result.leaks):
        raise click.exceptions.Exit(1)


def _check(path: Path) -> None:
    from clinicadl_trust.benchmark import read_experiment

    experiment = read_experiment(path)
    click.echo(
        f"'{path}' is right: {len(experiment.models)} models, two of them baselines, "
        f"on {len(experiment.all_splits)} splits: {', '.join(experiment.all_splits)}."
    )


def _tell(result: BenchmarkResult, output: Path) -> None:
    click.echo(_table(result))
    for outcome in (*result.failed, *result.failed_refits)[:_SHOWN]:
        click.secho(f"Failed: {outcome.run}: {outcome.message}", err=True, fg="red")
    if result.failed:
        click.secho(
            f"{len(result.failed)} of {len(result.runs)} runs failed: see "
            f"'{output / 'failures.tsv'}'. Models with a failed run are left out of "
            "the statistics of that split. The same command tries these runs again.",
            err=True,
            fg="red",
        )
    if result.failed_refits:
        click.secho(
            f"Refits on redrawn labels that failed: {len(result.failed_refits)}, see "
            f"'{output / 'failures.tsv'}'. Without them there is no p-value. The same "
            "command tries them again.",
            err=True,
            fg="red",
        )
    for leak in result.leaks.itertuples():
        click.secho(
            f"Leak: {leak.where}: {leak.message} {leak.what_to_do}", err=True, fg="red"
        )
    if result.report is not None:
        click.echo(f"Report: {output / result.report.name}")


def _table(result: BenchmarkResult) -> str:
    """Return the estimates of the primary metric; leaky splits are marked."""
    rows = result.statistics[result.statistics["kind"] == "estimate"]
    metric = rows["metric"].iloc[0]
    rows = rows[rows["metric"] == metric]
    cells = {
        (
            row.model,
            row.split_strategy,
        ): f"{row.value:.2f} [{row.low:.2f}, {row.high:.2f}]"
        for row in rows.itertuples()
    }
    splits = list(dict.fromkeys(run.spec.split_strategy for run in result.runs))
    marked = [f"{s} (leaky)" if s in result.leaky else s for s in splits]
    lines = [[metric, *marked]]
    for model in dict.fromkeys(rows["model"]):
        lines.append([model, *(cells.get((model, split), "") for split in splits)])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in lines
    )
