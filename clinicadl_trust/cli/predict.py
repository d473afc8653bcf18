"""``clinicadl predict``: a trained model, new participants."""

from __future__ import annotations

from pathlib import Path

import click

from clinicadl_trust.cli.images import image_option, read_image_type

__all__ = ["predict"]

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(no_args_is_help=True)
@click.argument("input_maps", type=_FOLDER)
@click.argument("caps_directory", type=_FOLDER)
@click.argument("participants_tsv", type=_FILE)
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The table to write: a TSV that `clinicadl evaluate` reads.",
)
@image_option
@click.option(
    "--allow-seen",
    is_flag=True,
    help="Predict participants that the model was trained on, or chosen by, too.",
)
@click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where converted images are kept.  [default: nowhere]",
)
@click.option(
    "--masks",
    type=click.Path(file_okay=False, path_type=Path),
    help="Of a segmentation, the folder where masks go, in NIfTI on the grid of their "
    "image.  [default: OUTPUT's name with -masks]",
)
@click.option("--overwrite", is_flag=True, help="Replace the output.")
def predict(  # noqa: PLR0917 - click passes them by name
    input_maps: Path,
    caps_directory: Path,
    participants_tsv: Path,
    output: Path,
    image: str | None,
    allow_seen: bool,
    cache: Path | None,
    masks: Path | None,
    overwrite: bool,
) -> None:
    """Predict with a trained model.

    INPUT_MAPS is the MAPS of one run, of a network or of a scikit-learn model.
    PARTICIPANTS_TSV names the images of CAPS_DIRECTORY to predict; its labels, if it
    has any, are carried into the output.
    """
    from clinicadl_trust.cohort import read_cohort
    from clinicadl_trust.exceptions import OutputError
    from clinicadl_trust.models.predict import predict as predict_table
    from clinicadl_trust.predictions import write_predictions

    if output.exists() and not overwrite:
        raise OutputError(f"'{output}' exists. Choose another name, or --overwrite.")
    _check_place(output)
    table = predict_table(
        input_maps,
        read_cohort(participants_tsv),
        caps_directory,
        image=None if image is None else read_image_type(image, caps_directory),
        cache=cache,
        allow_seen=allow_seen,
        masks=masks or output.with_name(f"{output.stem}-masks"),
    )
    write_predictions(table, output)
    people = table["participant_id"].nunique()
    click.echo(f"{len(table)} images of {people} participants: {output}")


def _check_place(output: Path) -> None:
    """Check that the output can be written, before anything is computed."""
    from tempfile import TemporaryFile

    from clinicadl_trust.exceptions import OutputError

    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=output.parent):
            pass
    except OSError as error:
        raise OutputError(
            f"'{output}' cannot be written: {error.strerror}. Choose another place."
        ) from error
