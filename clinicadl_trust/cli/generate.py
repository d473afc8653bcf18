"""``clinicadl generate``: a CAPS with a known, planted effect."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import click
from pydantic.fields import FieldInfo

from clinicadl_trust.generate.options import GeneratorOptions

__all__ = ["generate"]


def _option(name: str, field: FieldInfo) -> click.Option:
    """Turn a field of the options into an option of the command."""
    annotation, default = field.annotation, field.default
    flag = "--" + name.replace("_", "-")
    many = get_origin(annotation) is tuple
    kind: Any = str if many else annotation
    if get_origin(annotation) is Literal:
        kind = click.Choice(get_args(annotation))
    return click.Option(
        [flag, name],
        type=kind,
        default=default,
        multiple=many,
        show_default=", ".join(default) if many else True,
        help=f"{field.description}{' Can be repeated.' if many else ''}",
    )


@click.command(
    no_args_is_help=True,
    params=[_option(*item) for item in GeneratorOptions.model_fields.items()],
)
@click.argument(
    "output_caps_directory", type=click.Path(file_okay=False, path_type=Path)
)
@click.option(
    "--n-jobs",
    "-j",
    type=int,
    default=-1,
    show_default=True,
    help="Processes, -1 for one per core. The files do not depend on it.",
)
def generate(output_caps_directory: Path, n_jobs: int, **options: Any) -> None:
    """Make a synthetic CAPS with a known, planted effect.

    OUTPUT_CAPS_DIRECTORY is a new folder, or that of an interrupted call with the
    same options, which is then completed.

    Heads are deformations of the MNI152 template, with age, sex, families, scanners
    and repeated sessions; the disease is the only difference between patients and
    controls. The folder gets images, masks of the truth, `participants.tsv` for the
    analysis, and `truth.tsv` to check it against.
    """
    import sys

    from clinicadl_trust.generate.dataset import generate_caps

    if n_jobs == 0:
        raise click.BadParameter(
            "0 processes make nothing. Give a number from 1, or -1 for one per core.",
            param_hint="'--n-jobs'",
        )
    chosen = GeneratorOptions(**options)
    generate_caps(
        output_caps_directory, chosen, n_jobs=n_jobs, progress=sys.stderr.isatty()
    )
    folder = output_caps_directory
    click.echo(
        f"{chosen.participants + chosen.duplicates} participants in '{folder}', listed "
        f"in '{folder / 'participants.tsv'}'; what is planted is in "
        f"'{folder / 'truth.tsv'}'."
    )
