"""What one run needs to know: a pure function's arguments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from clinicadl_trust.caps import ImageType, with_images
from clinicadl_trust.cohort import IDS, Cohort, Task
from clinicadl_trust.exceptions import ConfigError
from clinicadl_trust.models.masks import MaskSource
from clinicadl_trust.split import Fold

__all__ = ["RunSpec"]

_LARGEST_SEED = 2**32 - 1


@dataclass(frozen=True)
class RunSpec:
    """One run: one outer fold, one model, one seed, one MAPS.

    Attributes
    ----------
    model : str
        The model's name in the benchmark.
    config : mapping
        Its configuration: the TOML table ``[models.NAME]``.
    task : Task
        What is predicted.
    cohort : Cohort
        All rows, with a column ``path`` to each image.
    fold : Fold
        Who trains, validates and tests.
    split_strategy : str
        The strategy's name in the benchmark.
    caps : pathlib.Path
        The CAPS folder.
    image : ImageType
        Which image of it.
    seed : int
        Seeds the weights, the order of batches and every draw; below 2**32.
    output : pathlib.Path
        The MAPS to make. It is built in ``output.partial`` and renamed when whole.
    cache : pathlib.Path
        Where converted tensors and features are kept, shared between runs.
    threads : int or None
        CPU threads; weights depend on it, so it is recorded. None leaves it as is.
    ancestors : tuple of pathlib.Path
        Runs whose weights this one starts from (see ``records.Lineage``).
    truth : MaskSource or None
        The masks of a segmentation.
    test_image : ImageType or None
        Which image of a session the test rows are read from, if it is another one: a
        shift that only the test set has.

    Raises
    ------
    ConfigError
        If the seed is out of range, or a segmentation has no masks.
    """

    model: str
    config: Mapping[str, Any]
    task: Task
    cohort: Cohort
    fold: Fold
    split_strategy: str
    caps: Path
    image: ImageType
    seed: int
    output: Path
    cache: Path
    threads: int | None = None
    ancestors: tuple[Path, ...] = ()
    truth: MaskSource | None = None
    test_image: ImageType | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.seed <= _LARGEST_SEED:
            raise ConfigError(
                f"The seed {self.seed} is out of range: NumPy and ClinicaDL take "
                f"0 to {_LARGEST_SEED}."
            )
        if (self.task.kind == "segmentation") != (self.truth is not None):
            raise ConfigError(
                f"A {self.task.kind} was given {'no' if not self.truth else 'true'} "
                "masks. They are for a segmentation, and it needs them."
            )

    def rows(self, group: Literal["train", "validation", "test"]) -> pd.DataFrame:
        """Return the cohort's rows of one group, in the fold's order.

        Raises
        ------
        CapsError
            If a test row has no ``test_image``.
        """
        ids = getattr(self.fold, group)[list(IDS)]
        rows = ids.merge(self.cohort.table, on=list(IDS), how="left", sort=False)
        if group != "test" or self.test_image is None or rows.empty:
            return rows
        cohort, _ = with_images(
            Cohort(rows, self.cohort.source), self.caps, self.test_image
        )
        return cohort.table[rows.columns]

    def run_columns(self, group: str) -> dict[str, object]:
        """Return the run columns of a predictions table."""
        return {
            "split_strategy": self.split_strategy,
            "repeat": self.fold.repeat,
            "split": self.fold.split,
            "fold": self.fold.name,
            "seed": self.seed,
            "model": self.model,
            "group": group,
        }
