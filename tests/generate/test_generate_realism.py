"""How hard the planted effect is to find: minutes, so only in `tox -e long`."""

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from scipy import ndimage
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from clinicadl_trust.caps import find_images
from clinicadl_trust.clinica import load_atlas
from clinicadl_trust.generate import GeneratorOptions, generate_caps, image_type

pytestmark = pytest.mark.long


def regional_means(caps, options):
    """Mean intensity of each AAL2 region, shape (n_images, 120)."""
    atlas, labels = load_atlas("AAL2")
    paths = find_images(caps, image_type(options))["path"]
    first = nib.load(paths[0])
    regions = ndimage.affine_transform(
        np.asarray(atlas.dataobj),
        np.linalg.inv(atlas.affine) @ first.affine,
        output_shape=first.shape,
        order=0,
    )
    return np.nan_to_num(
        [
            ndimage.mean(np.asarray(nib.load(path).dataobj), regions, labels["index"])
            for path in paths
        ]
    )


def within_fold_auc(features, label, participant, seed):
    folds = StratifiedGroupKFold(4, shuffle=True, random_state=seed)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    values = []
    for train, test in folds.split(features, label, participant):
        score = model.fit(features[train], label[train]).decision_function(
            features[test]
        )
        values.append(roc_auc_score(label[test], score))
    return np.mean(values)


@pytest.mark.parametrize(
    ("effect", "low", "high"), [(1.0, 0.85, 0.97), (0.5, 0.65, 0.82)]
)
def test_the_effect_is_as_hard_to_find_as_meant(tmp_path, effect, low, high):
    values, metadata = [], []
    for seed in range(4):
        options = GeneratorOptions(effect=effect, seed=seed)
        caps = generate_caps(tmp_path / f"{seed}", options, n_jobs=-1)
        table = pd.read_csv(caps / "participants.tsv", sep="\t")
        label = (table["diagnosis"] == "AD").to_numpy(dtype=int)
        who = table["participant_id"].to_numpy()
        values.append(within_fold_auc(regional_means(caps, options), label, who, seed))
        facts = pd.get_dummies(table[["site", "sex"]]).assign(age=table["age"])
        metadata.append(within_fold_auc(facts.to_numpy(float), label, who, seed))
    assert low <= np.mean(values) <= high
    assert 0.4 <= np.mean(metadata) <= 0.6


def test_without_effect_images_predict_no_label_on_average(tmp_path):
    options = GeneratorOptions(effect=0)
    caps = generate_caps(tmp_path / "caps", options, n_jobs=-1)
    who = pd.read_csv(caps / "participants.tsv", sep="\t")["participant_id"].to_numpy()
    features, ids = regional_means(caps, options), np.unique(who)
    values = []
    for seed in range(60):
        patients = np.random.default_rng(seed).permutation(ids)[: len(ids) // 2]
        label = np.isin(who, patients).astype(int)
        values.append(within_fold_auc(features, label, who, seed))
    # One cohort's value has a standard deviation of about .08.
    assert abs(np.mean(values) - 0.5) < 0.035
