"""``clinicadl split``: make, list and audit splits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from clinicadl_trust.caps import ImageType

__all__ = ["split"]


@click.group(no_args_is_help=True)
def split() -> None:
    """Split participants without leaks, and audit splits.

    The folders are those that ClinicaDL's KFold and SingleSplit read, with a test
    fold beside the validation set.
    """


@split.command("make", no_args_is_help=True)
@click.argument("participants_tsv", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("split_dir", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--strategy",
    required=True,
    metavar="NAME",
    help="Who is held out: one of `clinicadl split list`.",
)
@click.option(
    "--option",
    "options",
    multiple=True,
    metavar="KEY=VALUE",
    help="An option of the strategy, such as n-splits=5. Can be repeated.",
)
@click.option(
    "--label", metavar="COLUMN", help="What is predicted: stratify the folds by it."
)
@click.option(
    "--name",
    metavar="NAME",
    help="The folder in SPLIT_DIR, and the name in reports.  [default: the strategy]",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Seeds every draw; the order of the table's rows does not matter.",
)
def make(
    *,
    participants_tsv: Path,
    split_dir: Path,
    strategy: str,
    options: tuple[str, ...],
    label: str | None,
    name: str | None,
    seed: int,
) -> None:
    """Split a participants table.

    PARTICIPANTS_TSV has one row per image, with participant_id and session_id.
    SPLIT_DIR/NAME must not exist; each of its repeat-R/split-K holds train.tsv,
    validation.tsv and test.tsv.
    """
    from clinicadl_trust.cli.split_tables import show_folds
    from clinicadl_trust.cohort import read_cohort
    from clinicadl_trust.split import from_options, write_splits
    from clinicadl_trust.split.strata import count

    chosen = {"seed": seed, **_pairs(options)}
    made = from_options(strategy, chosen)
    name = name or type(made).__name__
    cohort = read_cohort(participants_tsv)
    folds = write_splits(made, cohort, split_dir / name, label, name)
    show_folds(folds, cohort, label)
    number = count(len(folds), "fold")
    click.echo(f"Wrote '{split_dir / name}': {made.title}, {number}.")
    if made.leaky:
        click.secho(
            "This strategy leaks on purpose: what is tested on it is no result.",
            fg="yellow",
            err=True,
        )


@split.command("list")
def list_strategies() -> None:
    """Show every strategy with its options."""
    from clinicadl_trust.cli.split_tables import show_strategies

    show_strategies()


@split.command("audit", no_args_is_help=True)
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--participants",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="TSV",
    help="The participants table.  [default: the one that was split]",
)
@click.option(
    "--caps",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="The CAPS, to look for duplicated images.  [default: that of the benchmark]",
)
@click.option(
    "--image",
    metavar="TYPE",
    help="Which image of it: T1Linear, FlairLinear, or a BidsFileType in TOML, such as "
    '\'{data_type = "t1_linear", suffix = "T1w"}\'.',
)
@click.option("--label", metavar="COLUMN", help="What is predicted.")
@click.option(
    "--ancestor",
    "ancestors",
    type=click.Path(path_type=Path, file_okay=False),
    multiple=True,
    metavar="MAPS",
    help="A pretrained model that a training would start from. Can be repeated.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Also write audit.tsv and balance.tsv there.",
)
@click.option("--balance", is_flag=True, help="Show who is in each fold.")
@click.pass_context
def audit_splits(
    ctx: click.Context,
    *,
    path: Path,
    participants: Path | None,
    caps: Path | None,
    image: str | None,
    label: str | None,
    ancestors: tuple[Path, ...],
    output: Path | None,
    balance: bool,
) -> None:
    """Look for leaks in splits, and in the runs made on them.

    PATH is a split, a folder of splits (ClinicaDL's own too) or a benchmark. Leaks
    end in exit code 1, except those that a benchmark shows on purpose.
    """
    from clinicadl_trust.cli.split_tables import show_balance, show_report
    from clinicadl_trust.cohort import read_cohort
    from clinicadl_trust.split.audit import audit

    report = audit(
        path,
        cohort=read_cohort(participants) if participants else None,
        caps=caps,
        image=_image(image),
        label=label,
        ancestors=ancestors,
    )
    show_report(report)
    if balance:
        show_balance(report.balance)
    if output is not None:
        click.echo(f"Wrote {' and '.join(map(str, report.write(output)))}.")
    if report.has_leak:
        ctx.exit(1)


def _pairs(options: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for option in options:
        key, mark, value = option.partition("=")
        if not mark or not key.strip():
            raise click.BadParameter(
                f"'{option}' is not KEY=VALUE, such as n-splits=5.",
                param_hint="'--option'",
            )
        pairs[key.strip().replace("-", "_")] = value.strip()
    return pairs


def _image(text: str | None) -> ImageType | None:
    import sys

    from clinicadl_trust.caps import ImageType

    if text is None:
        return None
    if not text.lstrip().startswith("{"):
        return ImageType.parse(text)
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return ImageType.parse(tomllib.loads(f"image = {text}")["image"])
    except tomllib.TOMLDecodeError as error:
        raise click.BadParameter(
            f"{text} is no TOML table: {error}.", param_hint="'--image'"
        ) from error
