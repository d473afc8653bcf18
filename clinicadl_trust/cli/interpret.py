"""``clinicadl interpret``: what trained networks look at."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clinicadl_trust.cli.images import inline_table, read_image_type
from clinicadl_trust.cli.interpretation_tables import show_interpretations

if TYPE_CHECKING:
    from clinicadl_trust.interpretations import Interpretation

__all__ = ["interpret"]

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(no_args_is_help=True)
@click.argument("maps", type=_FOLDER)
@click.option(
    "--method",
    "methods",
    multiple=True,
    default=("gradient",),
    show_default=True,
    help="gradient, gradient_x_input, integrated_gradients, expected_gradients, "
    "gradient_shap, occlusion, guided_backprop, grad_cam or lrp. Can be repeated.",
)
@click.option(
    "--group",
    default="test",
    show_default=True,
    help="train, validation or test; or a name for the images of --participants.",
)
@click.option("--model", help="Of a benchmark, interpret this model only.")
@click.option(
    "--mask",
    metavar="MASK",
    help="Where the disease is: the name of one of the model's masks, a NIfTI file for "
    'all, or an inline TOML table of an image type, \'{data_type = "t1_linear", '
    'suffix = "mask", missing = "empty"}\'.  [default: the model\'s own; in a '
    "benchmark, for models without one, that of the others]",
)
@click.option(
    "--baselines",
    help="zeros, blurred, healthy or training: what images are compared with.  "
    "[default: what suits the method]",
)
@click.option(
    "--target",
    metavar="OUTPUT",
    help="A class, or an output, by name or number.  [default: disease; the only one]",
)
@click.option(
    "--healthy",
    metavar="CLASS",
    help="Which of several classes is healthy: any other speaks for disease.  "
    "[default: what the model was told (explain); else the negative of two classes, or "
    "the one named like a control]",
)
@click.option(
    "--samples",
    type=click.IntRange(min=1),
    help="Steps of integrated gradients, or draws of the others.  [default: 64, 200]",
)
@click.option(
    "--curve-steps",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    help="Steps of the deletion and insertion curves; 0 for none.",
)
@click.option(
    "--randomise/--no-randomise",
    default=True,
    help="Compare with the map of a network of random weights.  [default: randomise]",
)
@click.option(
    "--cascade",
    metavar="IMAGES",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Of so many images, compare maps as layer after layer is made random, from "
    "the output down; 3 say enough.",
)
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    help="Of the pointing game, in mm.",
)
@click.option(
    "--checkpoint",
    help="best-METRIC, epoch-N or final, if it was kept.  [default: the one that the "
    "run has chosen]",
)
@click.option(
    "--caps",
    type=_FOLDER,
    help="The CAPS of --participants, or of the run's images if it has moved.",
)
@click.option(
    "--participants",
    type=_FILE,
    help="A participants table: interpret its images of --caps, not the run's own.",
)
@click.option("--image", metavar="TYPE", help="The image type of --participants.")
@click.option(
    "--batch-size",
    type=click.IntRange(min=1),
    help="Images in a pass: fewer need less memory.  [default: the training's]",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Of every draw.",
)
@click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where converted images are kept.  [default: where the run had them]",
)
@click.option(
    "--allow-seen", is_flag=True, help="Allow --participants that the model has seen."
)
@click.option(
    "--overwrite", is_flag=True, help="Replace what was interpreted in another way."
)
def interpret(maps: Path, methods: tuple[str, ...], **options: Any) -> None:
    """Say what trained networks look at: maps, tables and metrics.

    MAPS is that of one run, or the output of a benchmark, all of whose finished
    networks are interpreted. What is done is not done again: an interrupted call goes
    on. Red (positive) speaks for disease, blue (negative) for health.

    \b
    Examples:
        clinicadl interpret quickstart --model cnn
        clinicadl interpret MAPS --method integrated_gradients --mask truth
        clinicadl compare attribution_metrics.tsv --metric lesion_auprc
    """
    from clinicadl_trust.attribution.interpretation.request import Request
    from clinicadl_trust.attribution.interpretation.runs import network_runs

    for method in methods:  # before images are opened
        Request(method, options["baselines"])
    runs = network_runs(maps, options.pop("model"))
    made: dict[str, list[Interpretation]] = {method: [] for method in methods}
    for number, (run, given) in enumerate(_arguments(runs, options), start=1):
        shown = run.relative_to(maps) if run != maps else run
        click.echo(f"{shown} ({number} of {len(runs)})", err=True)
        for each in _interpret(run, methods, given):
            made[each.method].append(each)
    for found in made.values():
        show_interpretations(maps, found)


def _arguments(
    runs: list[Path], options: dict[str, Any]
) -> list[tuple[Path, dict[str, Any]]]:
    """Return what each run is interpreted with."""
    from clinicadl_trust.attribution.interpretation.masks import shared_mask
    from clinicadl_trust.cohort import read_cohort
    from clinicadl_trust.exceptions import ConfigError

    names = {
        "samples": "n_samples",
        "curve_steps": "n_steps",
        "cascade": "n_cascade",
        "participants": "cohort",
    }
    given = {names.get(key, key): value for key, value in options.items()}
    if given["cohort"] is not None:
        if given["caps"] is None:
            raise ConfigError(
                "--participants needs the --caps that holds their images."
            )
        given["cohort"] = read_cohort(given["cohort"])
    if given["image"] is not None:
        given["image"] = read_image_type(given["image"], given["caps"])
    given["mask"] = _mask(given["mask"])
    if given["mask"] is not None:
        return [(maps, given) for maps in runs]
    return [
        (maps, given if shared_mask([maps]) else given | {"mask": shared_mask(runs)})
        for maps in runs
    ]


def _mask(value: str | None) -> str | Path | Mapping[str, Any] | None:
    if value is None:
        return None
    if value.lstrip().startswith("{"):
        return inline_table(value, "--mask")
    is_file = value.endswith((".nii", ".nii.gz")) or Path(value).is_file()
    return Path(value) if is_file else value


def _interpret(
    maps: Path, methods: tuple[str, ...], given: dict[str, Any]
) -> list[Interpretation]:
    from clinicadl_trust.attribution.interpretation import interpret as interpret_run

    with click.progressbar(length=1, label=f"  {', '.join(methods)}") as bar:

        def tell(done: int, of: int) -> None:
            bar.length = of
            bar.update(done - bar.pos)

        return interpret_run(maps, method=methods, progress=tell, **given)
