"""Small tables, images and runs for the tests of scikit-learn models."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd

from clinicadl_trust.caps import ImageType
from clinicadl_trust.cohort import IDS, Cohort
from clinicadl_trust.models.features import FeatureOptions
from clinicadl_trust.models.spec import RunSpec
from clinicadl_trust.models.volumes import Geometry
from clinicadl_trust.split import Fold

#: A grid of 8 mm that holds the brain of MNI space.
SHAPE = (22, 26, 23)
AFFINE = np.array(
    [[8.0, 0, 0, -84.0], [0, 8.0, 0, -119.0], [0, 0, 8.0, -78.0], [0, 0, 0, 1]]
)
GEOMETRY = Geometry(SHAPE, tuple(AFFINE.ravel()))

LOGISTIC = "sklearn.linear_model.LogisticRegression"


def write_image(path: Path, voxels: np.ndarray, affine: np.ndarray = AFFINE) -> str:
    """Write a volume and return its path as text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(np.asarray(voxels, dtype=np.float32), affine), path)
    return str(path)


def random_volume(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(100.0, 10.0, SHAPE)


def images_frame(paths: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"path": paths})


def people(n: int = 40, sessions: int = 1, seed: int = 0, **columns) -> Cohort:
    """A cohort of ``n`` participants, half of them AD, at two sites."""
    rng = np.random.default_rng(seed)
    number = np.repeat(np.arange(n), sessions)
    table = pd.DataFrame(
        {
            "participant_id": [f"sub-{i:03d}" for i in number],
            "session_id": [f"ses-M{12 * s:03d}" for s in range(sessions)] * n,
            "site": np.where(number % 4 < 2, "A", "B"),
            "age": np.repeat(rng.uniform(50, 90, n).round(1), sessions),
            "sex": np.where(number % 3 == 0, "F", "M"),
            "diagnosis": np.where(number % 2 == 0, "CN", "AD"),
            **columns,
        }
    )
    return Cohort.from_frame(table)


def fold_of(cohort: Cohort, test: int = 10, validation: int = 8, inner=()) -> Fold:
    """The first participants test, the next validate, the others train."""
    ids = cohort.table[list(IDS)]
    rank = ids["participant_id"].map({p: i for i, p in enumerate(cohort.participants)})
    group = np.select([rank < test, rank < test + validation], [2, 1], 0)
    train, val, tested = (ids[group == g].reset_index(drop=True) for g in range(3))
    return Fold(0, 0, "", train, val, tested, inner)


def make_spec(tmp_path: Path, cohort: Cohort, config: dict, **given) -> RunSpec:
    values = {
        "model": "tried",
        "config": config,
        "task": cohort.task("diagnosis"),
        "cohort": cohort,
        "fold": fold_of(cohort),
        "split_strategy": "participants",
        "caps": tmp_path,
        "image": ImageType("t1_linear", "T1w"),
        "seed": 0,
        "output": tmp_path / "runs" / "tried",
        "cache": tmp_path / "cache",
        "threads": 1,
    }
    return RunSpec(**{**values, **given})


def parse(options) -> FeatureOptions:
    return FeatureOptions.parse(options, "models.tried.features")
