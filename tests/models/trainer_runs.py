"""Small runs with ClinicaDL's Trainer, for tests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from clinicadl_trust.caps import with_images
from clinicadl_trust.models import RunSpec
from clinicadl_trust.split import Fold

__all__ = ["CONFIG", "change", "ids", "make_spec", "records", "table"]

#: A tiny network with dropout, so that the random states matter.
CONFIG = {
    "type": "trainer",
    "network": {
        "name": "CNN",
        "conv_args": {"channels": [4, 4], "stride": 2, "padding": 1, "dropout": 0.2},
        "mlp_args": {"hidden_dims": [8], "dropout": 0.3, "norm": None},
    },
    "training": {"epochs": 3, "batch_size": 8, "patience": 0},
}


def ids(table: pd.DataFrame, participants) -> pd.DataFrame:
    """Return the ids of some participants' images."""
    rows = table[table["participant_id"].isin(participants)]
    return rows[["participant_id", "session_id"]].reset_index(drop=True)


def make_spec(caps: Path, cohort, image, folder: Path, **changes) -> RunSpec:
    """Describe a run: participants alternate between the classes in every set."""
    cohort, _ = with_images(cohort, caps, image)
    task = changes.pop("task", None) or cohort.task("diagnosis")
    people = cohort.table.drop_duplicates("participant_id")
    ordered = people.sort_values(["diagnosis", "participant_id"])["participant_id"]
    places = [ordered.iloc[start::4] for start in range(4)]
    train = pd.concat(places[:2])
    fold = Fold(
        repeat=0,
        split=1,
        name="fold",
        train=ids(cohort.table, train),
        validation=ids(cohort.table, places[2]),
        test=ids(cohort.table, places[3]),
    )
    spec = RunSpec(
        model="cnn",
        config=CONFIG,
        task=task,
        cohort=cohort,
        fold=fold,
        split_strategy="participants",
        caps=caps,
        image=image,
        seed=3,
        output=folder / "maps",
        cache=folder / "cache",
        threads=1,
    )
    return replace(spec, **changes)


def change(config: dict, **tables) -> dict:
    """Return a configuration with some of its tables changed or replaced."""
    changed = dict(config)
    for key, value in tables.items():
        old = changed.get(key)
        both = isinstance(value, dict) and isinstance(old, dict) and "name" not in value
        changed[key] = {**old, **value} if both else value
    return changed


def records(maps: Path) -> Path:
    """Return the record folder of a run."""
    return maps / "training" / "split-1" / "trust"


def table(maps: Path, group: str) -> pd.DataFrame:
    """Read the predictions of a run."""
    return pd.read_csv(records(maps) / f"predictions_{group}.tsv", sep="\t")
