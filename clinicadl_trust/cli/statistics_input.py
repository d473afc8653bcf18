"""What ``evaluate`` and ``compare`` share: their arguments and how they are read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read", "save", "shared_options", "take_settings"]

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _check_output(
    _context: click.Context, _option: click.Parameter, path: Path | None
) -> Path | None:
    if path is not None and path.suffix.lower() == ".json":
        raise click.BadParameter(
            f"'{path}' would be overwritten by the JSON beside the table. Give the "
            "table the ending .tsv."
        )
    return path


_OPTIONS = (
    click.argument(
        "predictions",
        metavar="PREDICTIONS...",
        nargs=-1,
        required=True,
        type=click.Path(exists=True, path_type=Path),
    ),
    click.option(
        "--column",
        "columns",
        metavar="OURS=THEIRS",
        multiple=True,
        help="Name of one of our columns in your table, such as "
        "participant_id=subject. Can be repeated.",
    ),
    click.option(
        "--model-column",
        "model_columns",
        metavar="NAME=COLUMN",
        multiple=True,
        help="A model, and the column of its scores, of a table with one column per "
        "model. Can be repeated.",
    ),
    click.option(
        "--positive",
        metavar="LABEL",
        help="The label whose probability is the score, when labels are not 0 and 1.",
    ),
    click.option(
        "--group",
        default="test",
        show_default=True,
        help="Data group to compute on.",
    ),
    click.option(
        "--estimand",
        type=click.Choice(["patient", "hospital", "retrained"]),
        help="What the primary answer is to be about: a new patient, for these trained "
        "models; a hospital not seen; or a model trained again. [default: what the "
        "table was made for]",
    ),
    click.option(
        "--primary",
        metavar="SPLIT",
        help="The split strategy whose answer counts. [default: the held-out group, "
        "else cross-validation, else left-out sites]",
    ),
    click.option(
        "--confidence-level",
        type=click.FloatRange(0, 1, min_open=True, max_open=True),
        default=0.95,
        show_default=True,
        help="Level of the intervals.",
    ),
    click.option(
        "--output",
        "-o",
        type=click.Path(dir_okay=False, path_type=Path),
        callback=_check_output,
        help="Table to write, and JSON beside it. In an existing one, rows of the "
        "same kind are replaced and the others kept. [default: statistics.tsv, or "
        "NAME.tsv with --statistic]",
    ),
    click.option(
        "--statistic",
        metavar="NAME",
        help="Run one statistic instead, such as calibration_slope; `clinicadl plugins "
        "list --kind statistics` names them.",
    ),
    click.option(
        "--set",
        "settings",
        metavar="KEY=VALUE",
        multiple=True,
        help="An option of that --statistic, such as specificity=0.95 or "
        "thresholds=[0.1,0.2]. Can be repeated.",
    ),
)


def shared_options(command: _Command) -> _Command:
    """Add the arguments that both commands have."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def read(
    paths: Sequence[Path],
    options: dict[str, Any],
    output: Path | None,
    value: str | None = None,
) -> pd.DataFrame:
    """Read predictions tables; a folder is a benchmark, or a MAPS, that has some.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        Files and folders.
    options : dict
        Of the command; those about reading are taken out of it.
    output : pathlib.Path or None
        What is to be written, which is none of those.
    value : str, optional
        A value of each image that may stand in the place of label and score.
    """
    from clinicadl_trust.predictions import read_predictions

    mapping = _mapping(options.pop("columns"))
    models = _models(options.pop("model_columns"))
    positive = options.pop("positive")
    files = [
        file for path in paths for file in (_inside(path) if path.is_dir() else [path])
    ]
    if output is not None and output.resolve() in [file.resolve() for file in files]:
        raise click.BadParameter(
            f"'{output}' is read, and would be overwritten.", param_hint="--output"
        )
    return read_predictions(files, mapping, positive, models, value)


def _mapping(columns: Sequence[str]) -> dict[str, str]:
    """Read OURS=THEIRS, where OURS must be a column that the statistics read."""
    from clinicadl_trust.exceptions import did_you_mean
    from clinicadl_trust.prediction_checks import CARRIED, COLUMNS

    mapping: dict[str, str] = {}
    for pair in columns:
        ours, equals, theirs = (part.strip() for part in pair.partition("="))
        message = ""
        if not (ours and equals and theirs):
            message = f"'{pair}' is not of the form OURS=THEIRS."
        elif ours not in (*COLUMNS, *CARRIED, "score") and ours[:6] != "score_":
            known = (*COLUMNS, *CARRIED, "score")
            message = f"'{ours}' is none of our columns.{did_you_mean(ours, known)}"
        elif ours in mapping:
            message = f"'{ours}' is both '{mapping[ours]}' and '{theirs}'. Give one."
        if message:
            raise click.BadParameter(message, param_hint="--column")
        mapping[ours] = theirs
    return mapping


def _models(pairs: Sequence[str]) -> dict[str, str]:
    """Read NAME=COLUMN."""
    models: dict[str, str] = {}
    for pair in pairs:
        name, equals, column = (part.strip() for part in pair.partition("="))
        if not (name and equals and column) or name in models:
            problem = "twice the same model" if name in models else "no NAME=COLUMN"
            raise click.BadParameter(
                f"'{pair}' is {problem}.", param_hint="--model-column"
            )
        models[name] = column
    return models


def _inside(folder: Path) -> list[Path]:
    """Find the predictions of a benchmark, or of the runs in a folder."""
    from clinicadl_trust.exceptions import PredictionsError
    from clinicadl_trust.records import find_records

    table = folder / "predictions.tsv"
    if table.is_file():
        return [table]
    runs = list(find_records(folder))
    found = [file for run in runs for file in sorted(run.glob("predictions_*.tsv"))]
    if not found:
        raise PredictionsError(
            f"'{folder}' has no predictions.tsv, and no complete run with predictions. "
            "Give a table, the folder of a benchmark, or a MAPS made by clinicadl."
        )
    return found


def take_settings(options: dict[str, Any], statistic: str | None) -> tuple[str, ...]:
    """Take --set out of the options; it goes with a --statistic only."""
    settings: tuple[str, ...] = options.pop("settings")
    if settings and statistic is None:
        raise click.UsageError("--set is for a --statistic. Name one.")
    return settings


def save(table: pd.DataFrame, output: Path | None) -> None:
    """Write the rows and say where."""
    from clinicadl_trust.stats import write_statistics

    output = output or Path("statistics.tsv")
    kept = write_statistics(table, output, replace_kinds=True)
    also = f", beside {kept} that it already had" if kept else ""
    click.echo(f"{len(table)} row{'s' * (len(table) != 1)} in '{output}'{also}.")
