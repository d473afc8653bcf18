"""``clinicadl report``: write the HTML report of a benchmark."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["report"]


@click.command(no_args_is_help=True)
@click.argument(
    "benchmark_directory",
    metavar="BENCHMARK_DIRECTORY",
    type=click.Path(path_type=Path),
)
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where to write the page; an existing one is replaced. "
    "[default: BENCHMARK_DIRECTORY/report.html]",
)
def report(benchmark_directory: Path, output: Path | None) -> None:
    """Write the HTML report of a benchmark.

    BENCHMARK_DIRECTORY is the folder that `clinicadl benchmark` wrote, finished or
    not. The page holds everything it needs: it opens from disk, without a network,
    and can be sent by mail. It says what may and may not be claimed, and shows the
    data, the splits and their audit, every estimate and comparison with intervals,
    where interpreted networks look, and what was run. Viewers of mean maps are
    written to a folder beside the page.

    \b
    Example:
        clinicadl report quickstart --output quickstart.html
    """
    from clinicadl_trust.report import write_report

    click.echo(write_report(benchmark_directory, output))
