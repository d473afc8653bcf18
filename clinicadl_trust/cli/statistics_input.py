"""What ``evaluate`` and ``compare`` share: their arguments and how they are read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read", "save", "shared_options"]

_Command = TypeVar("_Command", bound=Callable[..., Any])

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
        default=Path("statistics.tsv"),
        show_default=True,
        help="Table to write, and JSON beside it. In an existing one, rows of the "
        "same kind are replaced and the others kept.",
    ),
)


def shared_options(command: _Command) -> _Command:
    """Add the arguments that both commands have."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def read(
    paths: Sequence[Path], columns: Sequence[str], positive: str | None
) -> pd.DataFrame:
    """Read predictions tables; a folder is a benchmark with its ``predictions.tsv``."""
    from clinicadl_trust.predictions import read_predictions

    mapping = {}
    for pair in columns:
        ours, equals, theirs = pair.partition("=")
        if not (ours and equals and theirs):
            raise click.BadParameter(
                f"'{pair}' is not of the form OURS=THEIRS.", param_hint="--column"
            )
        mapping[ours.strip()] = theirs.strip()
    files = [path / "predictions.tsv" if path.is_dir() else path for path in paths]
    return read_predictions(files, mapping, positive)


def save(table: pd.DataFrame, output: Path) -> None:
    """Write the rows and say where."""
    from clinicadl_trust.stats import write_statistics

    kept = write_statistics(table, output, replace_kinds=True)
    also = f", beside {kept} rows that it already had" if kept else ""
    click.echo(f"{len(table)} rows in '{output}'{also}.")
