"""What ``clinicadl interpret`` prints of what it has found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from clinicadl_trust.interpretations import Interpretation

__all__ = ["show_interpretations"]


def show_interpretations(target: Path, found: list[Interpretation]) -> None:
    """Print the means of one method, and where all of it is.

    Parameters
    ----------
    target : pathlib.Path
        A MAPS, or the output of a benchmark: tables of all its runs are written there.
    found : list of Interpretation
        One a run.
    """
    import pandas as pd

    from clinicadl_trust.attribution.interpretation.summary import (
        mean_metrics,
        write_summary,
    )
    from clinicadl_trust.cli.statistics_tables import show_estimates

    first = found[0]
    click.secho(f"\n{first.method} on '{first.group}'", bold=True)
    table = pd.concat([each.metrics() for each in found], ignore_index=True)
    estimates, problems = mean_metrics(table, first.group)
    if len(estimates):
        show_estimates(estimates)
    for problem in problems:
        click.echo(f"  no interval: {problem}")
    reasons = {
        f"  n/a in {name}: {reason}"
        for each in found
        for name, reason in each.about["not_computed"].items()
    }
    for reason in sorted(reasons):
        click.echo(reason)
    for path in _files(target, found, write_summary):
        click.echo(path)


def _files(target: Path, found: list[Interpretation], write: Any) -> list[str]:
    if len(found) == 1 and found[0].maps == target:
        return [f"Maps and tables: {found[0].folder}"]
    written = write(target, found)
    return [
        f"Maps of each run: {_in_maps(found[0])} in its MAPS",
        *(f"Table of all runs: {path}" for path in written),
    ]


def _in_maps(found: Interpretation) -> str:
    """Return where an interpretation lies in the MAPS of any run."""
    inside = found.folder.relative_to(found.maps).as_posix()
    return inside.replace(f"split-{found.split}", "split-K", 1)
