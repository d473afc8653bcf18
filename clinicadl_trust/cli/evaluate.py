"""``clinicadl evaluate``: each model's performance, with an interval."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from clinicadl_trust.cli.statistics_input import read, save, shared_options

__all__ = ["evaluate"]


@click.command(no_args_is_help=True)
@shared_options
@click.option(
    "--metric",
    "-m",
    "metrics",
    multiple=True,
    help="Such as roc_auc. Can be repeated, the first is primary. [default: all those "
    "of the task]",
)
def evaluate(
    predictions: tuple[Path, ...],
    metrics: tuple[str, ...],
    columns: tuple[str, ...],
    positive: str | None,
    output: Path,
    **options: Any,
) -> None:
    """Estimate each model's performance with honest intervals.

    PREDICTIONS are tables (TSV, or CSV by their ending) with at least the columns
    participant_id, label and score, or the folder of a benchmark or of a run (a
    MAPS). Several visits of a participant, folds, left-out sites and seeds are
    recognised by their columns, and each gets the interval that fits.

    \b
    Examples:
        clinicadl evaluate quickstart --metric roc_auc
        clinicadl evaluate mine.csv --column participant_id=subject \\
            --column score=probability --positive AD
    """
    from clinicadl_trust import stats
    from clinicadl_trust.cli.statistics_tables import show_estimates

    table = stats.evaluate(
        read(predictions, columns, positive), metrics or None, **options
    )
    show_estimates(table)
    save(table, output)
