"""``clinicadl compare``: which model is better, with one p-value."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from clinicadl_trust.cli.statistics_input import (
    read,
    save,
    shared_options,
    take_settings,
)

__all__ = ["compare"]


@click.command(no_args_is_help=True)
@shared_options
@click.option(
    "--metric",
    "-m",
    "metrics",
    multiple=True,
    help="Such as roc_auc. Can be repeated, the first is primary. [default: the first "
    "of the task]",
)
@click.option(
    "--reference",
    metavar="MODEL",
    help="Compare every model with this one; of a benchmark, p-values of its "
    "baselines are adjusted apart. [default: all pairs]",
)
def compare(
    predictions: tuple[Path, ...],
    metrics: tuple[str, ...],
    output: Path | None,
    statistic: str | None,
    **options: Any,
) -> None:
    """Say which model is better, with an interval and one p-value.

    PREDICTIONS are tables as for `clinicadl evaluate`, or the folder of a benchmark.
    The models must predict the same images. How the data were split decides what an
    answer is about (a new patient, a retrained model, a new hospital) and which test
    gives it; p-values of one question are adjusted by Holm's method.

    \b
    Examples:
        clinicadl compare quickstart --reference metadata
        clinicadl compare model-a.tsv model-b.tsv --metric balanced_accuracy
        clinicadl compare wide.csv --model-column cnn=p_cnn --model-column svm=p_svm
        clinicadl compare quickstart --estimand hospital
        clinicadl compare segmentations.csv --metric dice
    """
    settings = take_settings(options, statistic)
    value = metrics[0] if len(metrics) == 1 else None
    table = read(predictions, options, output, value)
    if statistic is None and value in table and table["label"].isna().all():
        statistic = "compare_models"  # a value of each image, without labels
    if statistic is not None:
        from clinicadl_trust.cli.statistics_plugins import run_statistic

        given = {**options, "metrics": metrics}
        run_statistic(statistic, table, settings, given, output)
        return
    from clinicadl_trust import stats
    from clinicadl_trust.benchmark.comparing import with_question
    from clinicadl_trust.cli.statistics_tables import show_comparisons, show_question

    rows = stats.compare(table, metrics or None, **options)
    if options["reference"] is not None:
        rows = with_question(rows, options["reference"], _baselines(predictions))
    show_question(table, options["estimand"], options["primary"], options["group"])
    show_comparisons(rows)
    save(rows, output)


def _baselines(predictions: Sequence[Path]) -> list[str]:
    """Name the models of benchmarks that never look at the image."""
    from clinicadl_trust.benchmark.config import BASELINES

    found = []
    for path in predictions:
        record = path / "benchmark.json"
        if record.is_file():
            models = json.loads(record.read_text(encoding="utf-8"))["models"]
            found += [n for n, m in models.items() if m["type"] in BASELINES]
    return found
