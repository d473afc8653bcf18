"""``clinicadl train``: one model, one fold, one seed."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clinicadl_trust.cli.images import image_option, read_image_type

if TYPE_CHECKING:
    from clinicadl_trust.split import Fold

__all__ = ["train"]

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(no_args_is_help=True)
@click.argument("caps_directory", type=_FOLDER)
@click.argument("participants_tsv", type=_FILE)
@click.argument("split_dir", type=_FOLDER)
@click.argument("output_maps", type=click.Path(path_type=Path))
@click.option("--label", required=True, help="Column of the table to predict.")
@click.option(
    "--config",
    "-c",
    type=_FILE,
    help="TOML of the model: the table [models.NAME] of an experiment file, or its "
    "keys alone.  [default: a small CNN]",
)
@click.option(
    "--model",
    metavar="NAME",
    help="Which model of the file.  [default: the only one]",
)
@click.option(
    "--split",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Which fold to train on.",
)
@click.option(
    "--repeat",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Which repetition of the folds.",
)
@click.option(
    "--task",
    type=click.Choice(["classification", "regression"]),
    help="Kind of label.  [default: what the column looks like]",
)
@click.option("--positive", help="The positive one of two classes.")
@image_option
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),  # PyTorch, NumPy and scikit-learn agree on it
    default=0,
    show_default=True,
    help="Seeds the weights and the order of the batches.",
)
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    help="CPU threads; weights depend on their number.  [default: all]",
)
@click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where converted images are kept, to be shared by runs.  "
    "[default: cache, beside OUTPUT_MAPS]",
)
def train(  # noqa: PLR0917 - click passes them by name
    caps_directory: Path,
    participants_tsv: Path,
    split_dir: Path,
    output_maps: Path,
    label: str,
    config: Path | None,
    model: str | None,
    split: int,
    repeat: int,
    task: str | None,
    positive: str | None,
    image: str | None,
    seed: int,
    threads: int | None,
    cache: Path | None,
) -> None:
    """Train one model on one fold.

    SPLIT_DIR is what `clinicadl split make` wrote, or one split-K folder of it. The
    model trains on the fold's training set, the checkpoint is chosen on its
    validation set, and both the validation and the test set are predicted: see
    OUTPUT_MAPS/training/split-K/trust. OUTPUT_MAPS is a MAPS of ClinicaDL, made
    whole or not at all: a command that was interrupted goes on when it is given
    again.
    """
    from clinicadl_trust.caps import with_images
    from clinicadl_trust.cohort import read_cohort
    from clinicadl_trust.models.run import check_model, run
    from clinicadl_trust.models.spec import RunSpec

    name, table = _read_model(config, model)
    strategy, fold = _read_fold(split_dir, repeat, split)
    image_type = read_image_type(image, caps_directory)
    cohort = read_cohort(participants_tsv).labelled(label)
    cohort, _ = with_images(cohort, caps_directory, image_type)
    spec = RunSpec(
        model=name,
        config=table,
        task=cohort.task(label, task, positive),  # type: ignore[arg-type]
        cohort=cohort,
        fold=_present(fold, cohort.table, participants_tsv),
        split_strategy=strategy,
        caps=caps_directory,
        image=image_type,
        seed=seed,
        output=output_maps,
        cache=cache or output_maps.parent / "cache",
        threads=threads,
    )
    check_model(name, table, spec.task)
    done = output_maps.exists()
    with click.progressbar(
        length=1000, label=f"{name}, {fold.where}", file=sys.stderr, show_eta=False
    ) as bar:
        run(spec, lambda fraction, _: bar.update(int(1000 * fraction) - bar.pos))
        bar.update(1000 - bar.pos)
    click.echo(f"{'Was done before' if done else 'Done'}: {output_maps}")
    records = f"training/split-{fold.split}/trust"
    click.echo(f"Predictions: {output_maps / records}")


def _read_model(path: Path | None, name: str | None) -> tuple[str, dict[str, Any]]:
    """Read the table of one model."""
    from clinicadl_trust.exceptions import ConfigError, did_you_mean

    if path is None:
        return name or "cnn", {"type": "trainer"}
    content = _read_toml(path)
    models = content.get("models")
    if models is None:
        return name or path.stem, _completed(content, path)
    if not isinstance(models, dict) or not models:
        raise ConfigError(f"'{path}' has no table [models.NAME].")
    if name is None:
        if len(models) > 1:
            raise ConfigError(
                f"'{path}' holds {len(models)} models: choose one by --model: "
                f"{', '.join(models)}."
            )
        name = str(next(iter(models)))
    if name not in models:
        raise ConfigError(
            f"'{path}' has no model '{name}'.{did_you_mean(name, models)}"
        )
    # What only a benchmark reads.
    dropped = ("label", "seeds", "splits")
    table = {key: value for key, value in models[name].items() if key not in dropped}
    return name, _completed(table, path)


def _completed(table: dict[str, Any], path: Path) -> dict[str, Any]:
    """Fill in the type; a relative path starts at the file, as in a benchmark."""
    start = table.get("init_from")
    if isinstance(start, str):
        table = {**table, "init_from": str(path.parent.resolve() / start)}
    return {"type": "trainer", **table}


def _read_toml(path: Path) -> dict[str, Any]:
    from clinicadl_trust.exceptions import ConfigError

    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"'{path}' is no valid TOML: {error}.") from error


def _read_fold(directory: Path, repeat: int, split: int) -> tuple[str, Fold]:
    """Return the strategy's name and one of its folds."""
    from clinicadl_trust.exceptions import SplitError
    from clinicadl_trust.split import read_splits

    place = re.fullmatch(r"repeat-(\d+)/split-(\d+)", "/".join(directory.parts[-2:]))
    if place is not None:
        repeat, split = map(int, place.groups())
        directory = directory.parent.parent
    info, folds = read_splits(directory)
    for fold in folds:
        if (fold.repeat, fold.split) == (repeat, split):
            return info.name, fold
    there = ", ".join(f"--repeat {f.repeat} --split {f.split}" for f in folds)
    raise SplitError(
        f"'{directory}' has no split {split} of repeat {repeat}. It has: {there}."
    )


def _present(fold: Fold, table: Any, source: Path) -> Fold:
    """Check that the table has the fold's rows, and return the fold."""
    from clinicadl_trust.cohort import IDS
    from clinicadl_trust.exceptions import CohortError

    known = set(table[list(IDS)].itertuples(index=False, name=None))
    for group in ("train", "validation", "test"):
        ids = getattr(fold, group)[list(IDS)].itertuples(index=False, name=None)
        if missing := [pair for pair in ids if pair not in known]:
            raise CohortError(
                f"'{source}' has no labelled row for {len(missing)} images of the "
                f"{group} set, for example {' '.join(missing[0])}. Use the table that "
                "the split was made from, or make the split again."
            )
    return fold
