"""``clinicadl trust-check``: whether the statistics keep their word."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from clinicadl_trust.trust_check import TrustCheck

__all__ = ["trust_check"]


@click.command("trust-check")
@click.option(
    "--scenario",
    "-s",
    "scenarios",
    multiple=True,
    metavar="NAME",
    help="One of `--list`. Can be repeated.  [default: all]",
)
@click.option("--list", "is_list", is_flag=True, help="Show the scenarios; run none.")
@click.option(
    "--replicates",
    "-n",
    type=click.IntRange(min=1),
    default=1000,
    show_default=True,
    help="Data sets drawn for each line. 1000 of all take about 8 minutes on two free "
    "processors, and tell a rate to 1 or 2 %.",
)
@click.option(
    "--n-jobs",
    "-j",
    type=click.IntRange(min=1),
    default=2,
    show_default=True,
    help="Processes, of about 300 MB each. Results do not depend on it.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Seeds every draw.",
)
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("trust_check.html"),
    show_default=True,
    help="The page to write, with a table (TSV) beside it. Existing ones are replaced.",
)
def trust_check(
    *,
    scenarios: tuple[str, ...],
    is_list: bool,
    replicates: int,
    n_jobs: int,
    seed: int,
    output: Path,
) -> None:
    """Measure whether the statistics keep their word.

    Data are drawn again and again from populations whose truth is known, and
    analysed: as is often done (naive), and by this package. How often do 95 %
    intervals hold the truth, how often do tests at 5 % find what is not there, and is
    that what each result says of itself? Nothing is stored from earlier runs.

    The exit code is 0 when every label holds, 1 when one does not or when the
    check was interrupted (what is complete is written all the same).
    """
    # Matrices are small here: threads of processes would only wait for each other.
    # To be said before NumPy is imported.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    from clinicadl_trust.cli.trust_check_tables import progress_of, show, show_scenarios
    from clinicadl_trust.tables import write_whole
    from clinicadl_trust.trust_check import run_trust_check
    from clinicadl_trust.trust_check.page import check_place, write_page

    if is_list:
        show_scenarios()
        return
    check_place(output)
    with progress_of() as progress:
        checked = run_trust_check(
            scenarios,
            replicates=replicates,
            seed=seed,
            n_jobs=n_jobs,
            progress=progress,
        )
    table = output.with_suffix(".tsv")
    if checked.measurements:
        show(checked)
        write_page(checked, output)
        write_whole(table, checked.to_frame().to_csv(sep="\t", index=False))
        click.echo(f"Page: {output}; table: {table}")
    _conclude(checked)


def _conclude(checked: TrustCheck) -> None:
    """Say how it ended, and exit with 1 unless every label holds."""
    for broken in checked.failed:
        click.secho(
            f"{broken.procedure} calls itself {broken.label} ({broken.scenario}: "
            f"{broken.setting}), and its {broken.kind} rate is {broken.rate:.3f} "
            f"[{broken.low:.3f}, {broken.high:.3f}] instead of "
            f"{broken.bound_low:.2f} to {broken.bound_high:.2f}.",
            err=True,
            fg="red",
        )
    if checked.failed:
        click.secho(
            "Do not rely on what is named above. Try another --seed and more "
            "--replicates; if it stays, please tell the authors.",
            err=True,
            fg="red",
        )
    if not checked.is_complete:
        kept = "nothing was complete" if not checked.measurements else "see the page"
        click.secho(
            f"Interrupted before all was measured: {kept}.", err=True, fg="yellow"
        )
    if checked.failed or not checked.is_complete:
        raise click.exceptions.Exit(1)
    click.secho("Every label holds.", fg="green")
