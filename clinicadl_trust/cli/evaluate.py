"""``clinicadl evaluate``: each model's performance, with an interval."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from clinicadl_trust.cli.statistics_input import (
    read,
    save,
    shared_options,
    take_settings,
)

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
    output: Path | None,
    statistic: str | None,
    **options: Any,
) -> None:
    """Estimate each model's performance with honest intervals.

    PREDICTIONS are tables (tabs, commas or semicolons) with at least the columns
    participant_id, label and score, or the folder of a benchmark or of a run (a
    MAPS). Several visits of a participant, folds, left-out sites and seeds are
    recognised by their columns, and each gets the interval that fits.

    \b
    Examples:
        clinicadl evaluate quickstart --metric roc_auc
        clinicadl evaluate mine.csv --column participant_id=subject \\
            --column score=probability --positive AD
        clinicadl evaluate mine.csv --statistic calibration_slope
        clinicadl evaluate segmentations.csv --metric dice
    """
    settings = take_settings(options, statistic)
    value = metrics[0] if len(metrics) == 1 else None
    table = read(predictions, options, output, value)
    if statistic is not None:
        from clinicadl_trust.cli.statistics_plugins import run_statistic

        given = {**options, "metrics": metrics}
        run_statistic(statistic, table, settings, given, output)
        return
    from clinicadl_trust import stats
    from clinicadl_trust.cli.statistics_tables import show_estimates, show_question

    rows = stats.evaluate(table, metrics or None, **options)
    show_question(table, options["estimand"], options["primary"], options["group"])
    show_estimates(rows)
    save(rows, output)
