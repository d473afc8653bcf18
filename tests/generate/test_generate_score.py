import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from clinicadl_trust.caps import find_images
from clinicadl_trust.cohort import read_cohort
from clinicadl_trust.generate import GeneratorOptions, generate_caps, image_type
from clinicadl_trust.generate.disease import make_disease
from clinicadl_trust.generate.people import plan_cohort
from clinicadl_trust.generate.score import expected_score


def plan(**options):
    return plan_cohort(GeneratorOptions(participants=400, sessions=1, **options))


@pytest.mark.parametrize("disease", ["atrophy", "lesions", "epilepsy"])
def test_the_score_follows_from_the_burden(disease):
    table = plan(disease=disease, score_noise=0)
    assert (table["score"] - expected_score(table["burden"])).abs().max() <= 0.2501
    patient = table["diagnosis"] != "CN"
    assert (table.loc[~patient, "score"] == 0).all()
    assert table.loc[patient, "score"].between(2.5, 5).mean() > 0.4
    assert set(table["score"] % 0.5) == {0}


def test_half_of_the_maximum_is_at_its_burden():
    assert expected_score(0.0) == 0
    assert expected_score(1.5) == pytest.approx(5)
    assert expected_score(100.0) == pytest.approx(10)


@pytest.mark.parametrize("disease", ["lesions", "epilepsy"])
def test_the_mean_patient_has_a_burden_of_one(disease):
    options = GeneratorOptions(disease=disease)
    burdens = [make_disease(options).burden(1.0, f"sub-{k}") for k in range(3000)]
    assert np.mean(burdens) == pytest.approx(1, abs=0.03)


def test_the_noise_is_of_the_size_asked():
    quiet = plan(score_noise=0, disease="lesions")
    noisy = plan(score_noise=1, disease="lesions")
    patient = quiet["diagnosis"] != "CN"
    difference = (noisy["score"] - quiet["score"])[patient]
    assert difference.std() == pytest.approx(1, abs=0.15)
    rest = quiet.columns.drop("score")
    pd.testing.assert_frame_equal(quiet[rest], noisy[rest])


def test_without_effect_the_score_knows_nothing_of_the_label():
    few, many = (plan(effect=0, prevalence=p) for p in (0.0, 1.0))
    assert few["score"].equals(many["score"])


def test_the_score_grows_with_the_volume_that_is_changed(tmp_path):
    options = GeneratorOptions(
        participants=24,
        sites=1,
        sessions=1,
        resolution=4,
        prevalence=1,
        disease="lesions",
        score_noise=0,
    )
    caps = generate_caps(tmp_path / "caps", options)
    score = read_cohort(caps / "participants.tsv").table["score"]
    volume = pd.read_csv(caps / "truth.tsv", sep="\t")["changed_mm3"]
    assert score.corr(volume, method="spearman") > 0.9


def test_a_generated_score_is_a_regression(tmp_path):
    options = GeneratorOptions(participants=60, sites=1, sessions=1, resolution=16)
    caps = generate_caps(tmp_path / "caps", options)
    cohort = read_cohort(caps / "participants.tsv")
    assert cohort.task("score", "regression").kind == "regression"
    assert cohort.task("age").kind == "regression"


def test_age_is_seen_in_the_images(tmp_path):
    from sklearn.linear_model import RidgeCV
    from sklearn.model_selection import cross_val_predict

    options = GeneratorOptions(
        participants=150,
        sites=1,
        sessions=1,
        resolution=8,
        effect=0,
        disease="lesions",
        seed=4,
    )
    caps = generate_caps(tmp_path / "caps", options)
    paths = find_images(caps, image_type(options))["path"]
    images = np.stack([np.asarray(nib.load(path).dataobj).ravel() for path in paths])
    images = (images - images.mean(axis=0)) / (images.std(axis=0) + 30)
    age = read_cohort(caps / "participants.tsv").table["age"]
    model = RidgeCV(np.logspace(0, 6, 13))
    predicted = cross_val_predict(model, images, age, cv=5)
    # Measured: .52 here, .74 with 500 participants.
    assert np.corrcoef(predicted, age)[0, 1] > 0.35
