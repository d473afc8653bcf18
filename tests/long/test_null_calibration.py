"""No effect in, none out: the regional model on a cohort without any difference.

Labels are redrawn by participant. Honest splits must say that there is nothing, on
average and with intervals that hold .5; the scan-level split claims skill, because up
to three sessions of one participant share anatomy and label: whoever is on both sides
is recognised, and recognising people is enough to know their label.

Measured over 200 draws (120 participants, 4 sites, 286 images at 4 mm, logistic
regression on AAL2 regions; standard error of a mean .005 to .007):

============  ========  ===========  ===============  ==============
split         mean AUC  SD of draws  interval has .5  interval above
============  ========  ===========  ===============  ==============
test group    .503      .094         196              2
participants  .502      .066         193              5
scans         .838      .038         1                199
============  ========  ===========  ===============  ==============

Over 1,000 draws of the same features, fitted on training and validation set together:
participants .498, scikit-learn's StratifiedGroupKFold .499 (standard error .002). Folds
even in label within each site gave .510: see ``split/dealing.py``.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from joblib import Parallel, delayed

from clinicadl_trust.caps import ImageType, with_images
from clinicadl_trust.cohort import Cohort, read_cohort
from clinicadl_trust.generate import GeneratorOptions, generate_caps, image_type
from clinicadl_trust.models.feature_cache import extract_features
from clinicadl_trust.models.features import RegionOptions
from clinicadl_trust.models.scikit import run_scikit
from clinicadl_trust.models.spec import RunSpec
from clinicadl_trust.predictions import read_predictions
from clinicadl_trust.split.options import from_options
from clinicadl_trust.stats import evaluate

pytestmark = pytest.mark.long

N_DRAWS = 200

OPTIONS = GeneratorOptions(
    participants=120,
    sites=4,
    sessions=3,
    effect=0,
    prevalence_spread=0,
    age_gap=0,
    seed=0,
)

STRATEGIES = {
    "sealed": ("MatchedTestSet", {"fraction": 0.3}),
    "participants": ("ParticipantKFold", {"n_splits": 4}),
    "scans": ("ScanKFold", {"n_splits": 4}),
}

MODEL = {
    "type": "scikit-learn",
    "features": {"name": "regions", "atlas": "AAL2"},
    "estimator": {
        "name": "sklearn.linear_model.LogisticRegression",
        "max_iter": 1000,
    },
}


def redrawn(cohort: Cohort, seed: int) -> Cohort:
    """Give half of the participants the label AD, whoever they are."""
    people = cohort.participants
    drawn = np.random.default_rng(seed).permutation(np.arange(len(people)) % 2)
    labels = dict(zip(people, np.where(drawn == 1, "AD", "CN"), strict=True))
    table = cohort.table.assign(diagnosis=cohort.table["participant_id"].map(labels))
    return Cohort.from_frame(table)


def estimates(
    cohort: Cohort, caps: Path, image: ImageType, cache: Path, seed: int
) -> pd.DataFrame:
    """Split, run and evaluate one draw, through files as a benchmark does."""
    cohort = redrawn(cohort, seed)
    tables = []
    with tempfile.TemporaryDirectory() as folder:
        for name, (strategy, options) in STRATEGIES.items():
            splitter = from_options(strategy, {**options, "seed": seed})
            for fold in splitter.split(cohort, "diagnosis"):
                spec = RunSpec(
                    model="regional",
                    config=MODEL,
                    task=cohort.task("diagnosis"),
                    cohort=cohort,
                    fold=fold,
                    split_strategy=name,
                    caps=caps,
                    image=image,
                    seed=seed,
                    output=Path(folder) / name / f"split-{fold.split}",
                    cache=cache,
                    threads=1,
                )
                records = run_scikit(spec) / f"training/split-{fold.split}/trust"
                tables += sorted(records.glob("predictions_*.tsv"))
        table = evaluate(read_predictions(tables), "roc_auc")
    return table.assign(draw=seed)


@pytest.fixture(scope="module")
def draws(tmp_path_factory) -> pd.DataFrame:
    folder = tmp_path_factory.mktemp("null")
    caps, image = generate_caps(folder / "caps", OPTIONS, n_jobs=2), image_type(OPTIONS)
    cohort, _ = with_images(read_cohort(caps / "participants.tsv"), caps, image)
    extract_features(cohort.table, RegionOptions(), folder / "cache")
    rows = Parallel(n_jobs=2)(
        delayed(estimates)(cohort, caps, image, folder / "cache", seed)
        for seed in range(N_DRAWS)
    )
    table = pd.concat(rows, ignore_index=True)
    contains = table["low"].le(0.5) & table["high"].ge(0.5)
    table = table.assign(contains=contains, above=table["low"] > 0.5)
    summary = table.groupby("split_strategy").agg(
        mean=("value", "mean"),
        deviation=("value", "std"),
        contains=("contains", "sum"),
        above=("above", "sum"),
    )
    print(f"\n{N_DRAWS} draws without effect\n{summary.round(3).to_string()}")
    return table.set_index("split_strategy")


def test_the_mean_within_fold_auc_is_chance(draws):
    assert 0.48 < draws.loc["participants", "value"].mean() < 0.52
    assert 0.48 < draws.loc["sealed", "value"].mean() < 0.52


def test_intervals_on_the_test_group_hold_chance(draws):
    assert draws.loc["sealed", "contains"].sum() >= 0.9 * N_DRAWS


def test_the_leaky_split_claims_skill(draws):
    assert draws.loc["scans", "above"].sum() >= 0.8 * N_DRAWS


def test_the_cross_validated_interval_seldom_claims_skill(draws):
    """Approximate, so a looser bound; it must not be the leak's neighbour."""
    assert draws.loc["participants", "above"].mean() <= 0.1
