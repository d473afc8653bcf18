"""Runs of scikit-learn models: what they find, what they leave, what they refuse."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from scikit_data import (
    LOGISTIC,
    SHAPE,
    fold_of,
    make_spec,
    people,
    random_volume,
    write_image,
)
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.preprocessing import StandardScaler

from clinicadl_trust.caps import with_images
from clinicadl_trust.cohort import Cohort
from clinicadl_trust.exceptions import (
    CapsError,
    CohortError,
    ConfigError,
    OutputError,
    RunError,
)
from clinicadl_trust.generate import image_type
from clinicadl_trust.models.building import building
from clinicadl_trust.models.feature_cache import extract_features
from clinicadl_trust.models.features import RegionOptions
from clinicadl_trust.models.fitting import Table, fit
from clinicadl_trust.models.pipelines import make_pipeline
from clinicadl_trust.models.scikit import predict_scikit, run_scikit
from clinicadl_trust.models.scikit_config import ScikitConfig
from clinicadl_trust.predictions import read_predictions
from clinicadl_trust.records import read_lineage
from clinicadl_trust.split import Fold
from clinicadl_trust.split.options import from_options

REGIONAL = {"type": "scikit-learn", "estimator": {"name": LOGISTIC, "max_iter": 1000}}


def with_paths(cohort: Cohort, folder: Path, signal: np.ndarray) -> Cohort:
    """Give each row an image whose left half is brighter by its ``signal``."""
    paths = []
    for row, (number, more) in enumerate(zip(cohort.table.index, signal, strict=True)):
        volume = random_volume(row)
        volume[: SHAPE[0] // 2] += more
        paths.append(write_image(folder / f"image-{number}.nii.gz", volume))
    return Cohort.from_frame(cohort.table.assign(path=paths))


@pytest.fixture(scope="module")
def imaged(tmp_path_factory) -> Cohort:
    cohort = people(40)
    signal = 2.0 * cohort.table["diagnosis"].eq("AD")
    return with_paths(cohort, tmp_path_factory.mktemp("imaged"), signal.to_numpy())


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Path:
    """One cache for all tests: features are keyed by file."""
    return tmp_path_factory.mktemp("cache")


def predicted(maps: Path, group: str = "test", split: int = 0) -> pd.DataFrame:
    folder = maps / "training" / f"split-{split}" / "trust"
    return read_predictions(folder / f"predictions_{group}.tsv")


def model_of(maps: Path) -> dict:
    text = (maps / "training/split-0/model/model.json").read_text(encoding="utf-8")
    return json.loads(text)


def auc(maps: Path, split: int = 0) -> float:
    found = predicted(maps, split=split)
    return roc_auc_score(found["label"], found["score"])


# ------------------------------------------------------------------ what it finds


def generated(cohort: Cohort, caps_dir: Path, caps_options) -> Cohort:
    return with_images(cohort, caps_dir, image_type(caps_options))[0]


def test_the_planted_effect_is_found(caps_dir, caps_options, cohort, tmp_path, cache):
    joined = generated(cohort, caps_dir, caps_options)
    scores = []
    # Of 24 participants, one deal of the folds says little.
    for seed in range(4):
        strategy = from_options("ParticipantKFold", {"n_splits": 3, "seed": seed})
        for fold in strategy.split(joined, "diagnosis"):
            output = tmp_path / f"deal-{seed}-split-{fold.split}"
            options = {"fold": fold, "cache": cache, "output": output}
            maps = run_scikit(make_spec(tmp_path, joined, REGIONAL, **options))
            scores.append(auc(maps, fold.split))
    assert np.mean(scores) > 0.6


def test_shuffled_labels_are_not_found(caps_dir, caps_options, cohort):
    """Labels redrawn by participant: nothing is left, on average over 40 draws."""
    table = generated(cohort, caps_dir, caps_options).table
    values = extract_features(table, RegionOptions()).values
    owner = table["participant_id"].to_numpy()
    names = np.unique(owner)
    task = cohort.task("diagnosis")
    pipeline = make_pipeline(ScikitConfig.parse("tried", REGIONAL), task, "tried")
    rng = np.random.default_rng(0)
    scores = []
    for _ in range(40):
        labels = dict(zip(names, rng.permutation(np.arange(24) % 2), strict=True))
        y = np.array([labels[name] for name in owner])
        tested = rng.permutation(names)[:8]
        test = np.isin(owner, tested)
        if len(set(y[test])) < 2:
            continue
        train = Table(values[~test], y[~test], owner[~test])
        found = fit(pipeline, task, train).scores_of(values[test], task)
        scores.append(roc_auc_score(y[test], found))
    error = np.std(scores) / np.sqrt(len(scores))
    assert abs(np.mean(scores) - 0.5) < 3 * error < 0.15


def test_it_is_the_logistic_regression_of_the_training_rows(imaged, tmp_path, cache):
    maps = run_scikit(make_spec(tmp_path, imaged, REGIONAL, cache=cache))
    fold = fold_of(imaged)
    values = {
        group: extract_features(ids.merge(imaged.table), RegionOptions(), cache).values
        for group, ids in [("train", fold.train), ("test", fold.test)]
    }
    labels = fold.train.merge(imaged.table)["diagnosis"] == "AD"
    scaler = StandardScaler().fit(values["train"])
    model = LogisticRegression(max_iter=1000).fit(
        scaler.transform(values["train"]), labels
    )
    expected = model.predict_proba(scaler.transform(values["test"]))[:, 1]
    np.testing.assert_allclose(predicted(maps)["score"], expected, atol=1e-6)


def test_what_is_not_trained_on_changes_nothing(imaged, tmp_path):
    """Other images and labels in validation and test: the same fitted pipeline."""
    plain = run_scikit(make_spec(tmp_path, imaged, REGIONAL))
    fold = fold_of(imaged)
    outside = ~imaged.table["participant_id"].isin(fold.train["participant_id"])
    table = imaged.table.copy()
    flipped = table["diagnosis"].map({"AD": "CN", "CN": "AD"})
    table.loc[outside, "diagnosis"] = flipped[outside]
    table.loc[outside, "path"] = [
        write_image(tmp_path / "other" / f"{i}.nii.gz", 50 * random_volume(900 + i))
        for i in range(int(outside.sum()))
    ]
    spec = make_spec(
        tmp_path, Cohort.from_frame(table), REGIONAL, output=tmp_path / "other-run"
    )
    changed = run_scikit(spec)
    one, two = (
        joblib.load(maps / "training/split-0/model/pipeline.joblib")
        for maps in (plain, changed)
    )
    np.testing.assert_array_equal(one[-1].coef_, two[-1].coef_)
    np.testing.assert_array_equal(one[0].mean_, two[0].mean_)
    assert not np.allclose(predicted(plain)["score"], predicted(changed)["score"])


def test_several_classes(tmp_path, cache):
    stage = np.array(["AD", "CN", "MCI"])[np.arange(60) % 3]
    cohort = people(60, diagnosis=stage)
    signal = cohort.table["diagnosis"].map({"CN": 0.0, "MCI": 6.0, "AD": 12.0})
    cohort = with_paths(cohort, tmp_path / "images", signal.to_numpy())
    for name in (LOGISTIC, "sklearn.svm.SVC"):
        config = {"type": "scikit-learn", "estimator": name}
        spec = make_spec(tmp_path, cohort, config, output=tmp_path / name)
        found = predicted(run_scikit(replace(spec, cache=cache)))
        scores = found[["score_AD", "score_CN", "score_MCI"]].to_numpy()
        np.testing.assert_allclose(scores.sum(axis=1), 1.0)
        named = np.array(["AD", "CN", "MCI"])[scores.argmax(axis=1)]
        assert (named == found["label"]).mean() > 0.7


def test_a_quantity(tmp_path):
    cohort = people(60)
    signal = np.linspace(0, 12, 60)[np.random.default_rng(0).permutation(60)]
    cohort = with_paths(cohort, tmp_path / "images", signal)
    cohort = Cohort.from_frame(cohort.table.assign(score=signal))
    config = {"type": "scikit-learn", "estimator": "sklearn.linear_model.Ridge"}
    spec = make_spec(tmp_path, cohort, config, task=cohort.task("score"))
    found = predicted(run_scikit(spec))
    assert r2_score(found["label"], found["score"]) > 0.8


def test_voxels_and_an_estimator_without_probabilities(imaged, tmp_path, cache):
    config = {
        "type": "scikit-learn",
        "features": {"name": "voxels", "smoothing": 8},
        "estimator": {"name": "sklearn.svm.LinearSVC", "C": 0.001},
    }
    maps = run_scikit(make_spec(tmp_path, imaged, config, cache=cache))
    assert auc(maps) > 0.75
    assert predicted(maps)["score"].between(0, 1, inclusive="neither").all()
    assert model_of(maps)["inputs"]["number"] > 3000


# ----------------------------------------------------------------- what it leaves


def test_a_run_leaves_what_every_run_leaves(imaged, tmp_path, cache):
    spec = make_spec(tmp_path, imaged, REGIONAL, cache=cache, seed=3)
    maps = run_scikit(spec)
    assert maps == spec.output
    assert not spec.output.with_name("tried.partial").exists()
    records = maps / "training/split-0/trust"
    run = json.loads((records / "run.json").read_text())
    assert (run["model"], run["seed"], run["config"]["leaky"]) == ("tried", 3, False)
    assert run["config"]["estimator"] == REGIONAL["estimator"]
    assert set(run["durations"]) == {"features", "fit", "predict"}
    assert {"scikit-learn", "nilearn"} <= set(run["versions"])
    lineage = read_lineage(maps)
    assert lineage.train == tuple(sorted(spec.fold.train["participant_id"]))
    assert lineage.validation == tuple(sorted(spec.fold.validation["participant_id"]))
    for group in ("validation", "test"):
        found = predicted(maps, group)
        ids = getattr(spec.fold, group)
        assert list(found["participant_id"]) == list(ids["participant_id"])
        assert set(found["group"]) == {group}
        expected = ids.merge(imaged.table)["diagnosis"].eq("AD").astype(float)
        np.testing.assert_array_equal(found["label"], expected)
    assert "Hippocampus_L" in model_of(maps)["inputs"]["names"]


def test_the_same_run_twice_is_the_same_to_the_byte(imaged, tmp_path, cache):
    config = {
        "type": "scikit-learn",
        "estimator": "sklearn.ensemble.RandomForestClassifier",
    }
    texts = []
    for name, seed in [("a", 1), ("b", 1), ("c", 2)]:
        spec = make_spec(tmp_path, imaged, config, cache=cache, seed=seed)
        maps = run_scikit(replace(spec, output=tmp_path / name))
        texts.append(predicted(maps)["score"].to_list())
    assert texts[0] == texts[1] != texts[2]


def test_a_finished_run_is_not_run_again(imaged, tmp_path, cache):
    spec = make_spec(tmp_path, imaged, REGIONAL, cache=cache)
    maps = run_scikit(spec)
    before = (maps / "training/split-0/trust/run.json").stat().st_mtime_ns
    assert run_scikit(spec) == maps
    assert (maps / "training/split-0/trust/run.json").stat().st_mtime_ns == before


def test_an_interrupted_run_starts_again(imaged, tmp_path, cache, monkeypatch):
    from clinicadl_trust.models import scikit

    spec = make_spec(tmp_path, imaged, REGIONAL, cache=cache)

    def killed(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(scikit, "write_record", killed)
        with pytest.raises(KeyboardInterrupt):
            run_scikit(spec)
    assert not spec.output.exists()
    whole = run_scikit(replace(spec, output=tmp_path / "whole"))
    resumed = run_scikit(spec)
    pd.testing.assert_frame_equal(predicted(resumed), predicted(whole))


def test_another_run_s_folder_is_left_alone(imaged, tmp_path, cache):
    spec = make_spec(tmp_path, imaged, REGIONAL, cache=cache)
    spec.output.mkdir(parents=True)
    (spec.output / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match="is not the finished MAPS"):
        run_scikit(spec)
    assert (spec.output / "notes.txt").read_text() == "mine"


def test_a_run_under_way_is_left_to_its_process(imaged, tmp_path, cache):
    spec = make_spec(tmp_path, imaged, REGIONAL, cache=cache)
    with (
        building(spec) as partial,
        pytest.raises(OutputError, match="Another process"),
    ):
        partial.mkdir()
        run_scikit(spec)


def test_a_seed_that_numpy_does_not_take_is_refused(imaged, tmp_path):
    with pytest.raises(ConfigError, match="seed 4294967296 is out of range"):
        make_spec(tmp_path, imaged, REGIONAL, seed=2**32)


def test_a_leaky_fold_is_run_and_recorded(imaged, tmp_path, cache):
    fold = fold_of(imaged)
    leaky = replace(fold, test=fold.train)
    maps = run_scikit(make_spec(tmp_path, imaged, REGIONAL, cache=cache, fold=leaky))
    run = json.loads((maps / "training/split-0/trust/run.json").read_text())
    assert run["config"]["leaky"] is True


# ------------------------------------------------------- choosing hyper-parameters


def searched(imaged: Cohort, tmp_path: Path, cache: Path, fold: Fold, **config) -> dict:
    table = {
        **REGIONAL,
        "search": {"C": [1e-6, 0.1, 10.0]},
        "search_metric": "neg_brier_score",
        **config,
    }
    spec = make_spec(tmp_path, imaged, table, cache=cache, fold=fold)
    return model_of(run_scikit(spec))


def scores_on(rows: pd.DataFrame, train: pd.DataFrame, cache: Path) -> list[float]:
    """Brier score of each C on some rows, by scikit-learn alone; less is worse."""
    x, new = (
        extract_features(part, RegionOptions(), cache).values for part in (train, rows)
    )
    scaler = StandardScaler().fit(x)
    scores = []
    for penalty in (1e-6, 0.1, 10.0):
        model = LogisticRegression(C=penalty, max_iter=1000)
        model.fit(scaler.transform(x), train["diagnosis"] == "AD")
        probability = model.predict_proba(scaler.transform(new))[:, 1]
        scores.append(-np.mean((probability - (rows["diagnosis"] == "AD")) ** 2))
    return scores


def test_a_search_goes_by_the_validation_rows(imaged, tmp_path, cache):
    fold = fold_of(imaged)
    found = searched(imaged, tmp_path, cache, fold)
    train, rows = fold.train.merge(imaged.table), fold.validation.merge(imaged.table)
    expected = scores_on(rows, train, cache)
    np.testing.assert_allclose([s["score"] for s in found["search"]], expected)
    best = [1e-6, 0.1, 10.0][int(np.argmax(expected))]
    assert found["chosen"] == {"estimator__C": best}


def test_a_nested_search_goes_by_the_inner_folds(imaged, tmp_path, cache):
    fold = fold_of(imaged)
    development = pd.concat([fold.train, fold.validation], ignore_index=True)
    parts = [development.iloc[i::3].reset_index(drop=True) for i in range(3)]
    inner = tuple(
        Fold(0, i, "", parts[i - 1], parts[i - 2], parts[i]) for i in range(3)
    )
    found = searched(imaged, tmp_path, cache, replace(fold, inner=inner))
    expected = np.mean(
        [
            scores_on(
                f.test.merge(imaged.table),
                pd.concat([f.train, f.validation]).merge(imaged.table),
                cache,
            )
            for f in inner
        ],
        axis=0,
    )
    np.testing.assert_allclose([s["score"] for s in found["search"]], expected)


def test_the_first_of_equals_is_chosen(imaged, tmp_path, cache):
    found = searched(imaged, tmp_path, cache, fold_of(imaged), search={"C": [5.0, 5.0]})
    assert found["search"][0]["score"] == found["search"][1]["score"]
    assert found["chosen"] == {"estimator__C": 5.0}


def test_a_search_over_a_step(imaged, tmp_path, cache):
    found = searched(
        imaged,
        tmp_path,
        cache,
        fold_of(imaged),
        steps=[{"name": "sklearn.feature_selection.SelectKBest"}],
        search={"selectkbest__k": [5, 50], "C": [1.0]},
    )
    assert len(found["search"]) == 2
    assert found["chosen"]["selectkbest__k"] in (5, 50)


def test_a_search_of_a_model_without_probabilities(imaged, tmp_path, cache):
    found = searched(
        imaged,
        tmp_path,
        cache,
        fold_of(imaged),
        estimator="sklearn.svm.LinearSVC",
        search_metric=None,
    )
    assert all(0 <= tried["score"] <= 1 for tried in found["search"])
    scores = predicted(tmp_path / "runs" / "tried")["score"]
    assert scores.between(0, 1, inclusive="neither").all()


def test_a_search_needs_both_classes_to_choose(imaged, tmp_path, cache):
    fold = fold_of(imaged)
    controls = fold.validation.merge(imaged.table).query("diagnosis == 'CN'")
    fold = replace(fold, validation=controls[["participant_id", "session_id"]])
    with pytest.raises(RunError, match="cannot compute 'roc_auc'"):
        searched(imaged, tmp_path, cache, fold, search_metric="roc_auc")


# -------------------------------------------------------------------- weights


def test_participants_can_count_alike(tmp_path):
    """Sessions repeated for one participant change nothing, but for the images."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(30, 4)), np.arange(30) % 2
    who = np.array([f"sub-{i}" for i in range(30)])
    again = np.r_[np.arange(30), np.zeros(9, dtype=int)]
    task = people().task("diagnosis")
    config = {**REGIONAL, "standardize": False}
    pipeline = make_pipeline(ScikitConfig.parse("tried", config), task, "tried")

    def coefficients(rows, weights):
        # The mean weight is 1, so the penalty is relative to the number of images.
        penalty = 30 / len(rows) if weights == "participant" else 1.0
        model = pipeline.set_params(estimator__C=penalty)
        train = Table(x[rows], y[rows], who[rows])
        return fit(model, task, train, weights=weights).estimator[-1].coef_

    once = coefficients(np.arange(30), "image")
    np.testing.assert_allclose(coefficients(again, "participant"), once, atol=1e-3)
    assert not np.allclose(coefficients(again, "image"), once, atol=1e-2)


# ------------------------------------------------------------------- predicting


def test_predicting_again_gives_what_was_written(imaged, tmp_path, cache):
    for estimator in (LOGISTIC, "sklearn.svm.LinearSVC"):
        config = {"type": "scikit-learn", "estimator": estimator}
        spec = make_spec(tmp_path, imaged, config, cache=cache)
        maps = run_scikit(replace(spec, output=tmp_path / estimator))
        unlabelled = imaged.table.drop(columns="diagnosis")
        rows = spec.fold.test.merge(unlabelled)
        found = predict_scikit(maps, Cohort.from_frame(rows))
        np.testing.assert_array_equal(found, predicted(maps)["score"])


def test_predicting_needs_images_of_the_same_grid(imaged, tmp_path, cache):
    maps = run_scikit(make_spec(tmp_path, imaged, REGIONAL, cache=cache))
    finer = write_image(tmp_path / "finer.nii.gz", random_volume(0)[:-1])
    cohort = Cohort.from_frame(imaged.table.head(1).assign(path=finer))
    with pytest.raises(CapsError, match="the model's training images"):
        predict_scikit(maps, cohort)
    with pytest.raises(CohortError, match="needs the path of each image"):
        predict_scikit(maps, people())


def test_a_broken_model_file_is_named(imaged, tmp_path, cache):
    maps = run_scikit(make_spec(tmp_path, imaged, REGIONAL, cache=cache))
    (maps / "training/split-0/model/pipeline.joblib").write_bytes(b"half")
    with pytest.raises(RunError, match="cannot be opened"):
        predict_scikit(maps, imaged)


# ------------------------------------------------------------------- bad input


def test_a_class_that_training_rows_lack_is_named(imaged, tmp_path, cache):
    fold = fold_of(imaged)
    controls = fold.train.merge(imaged.table).query("diagnosis == 'CN'")
    fold = replace(fold, train=controls[["participant_id", "session_id"]])
    spec = make_spec(tmp_path, imaged, REGIONAL, cache=cache, fold=fold)
    with pytest.raises(RunError, match="No training image has diagnosis = AD") as error:
        run_scikit(spec)
    assert "tried on participants, repeat 0, split 0" in str(error.value)


def test_a_third_class_that_training_rows_lack_gets_no_probability(tmp_path, cache):
    stage = ["MCI"] * 10 + ["AD", "CN"] * 15
    cohort = people(40, diagnosis=stage)
    cohort = with_paths(cohort, tmp_path / "images", np.zeros(40))
    maps = run_scikit(make_spec(tmp_path, cohort, REGIONAL, cache=cache))
    assert (predicted(maps)["score_MCI"] == 0).all()


def test_a_fold_of_another_table_is_refused(imaged, tmp_path, cache):
    fold = fold_of(people(50))
    spec = make_spec(tmp_path, imaged, REGIONAL, cache=cache, fold=fold)
    with pytest.raises(RunError, match="sub-040 ses-M000, which the participants"):
        run_scikit(spec)


def test_copies_of_one_image_are_noticed(tmp_path):
    cohort = people(40)
    path = write_image(tmp_path / "one.nii.gz", random_volume(0))
    cohort = Cohort.from_frame(cohort.table.assign(path=path))
    with pytest.raises(RunError, match="copies of one image"):
        run_scikit(make_spec(tmp_path, cohort, REGIONAL))


def test_a_bad_image_stops_the_run_by_name(imaged, tmp_path):
    table = imaged.table.copy()
    table.loc[5, "path"] = write_image(tmp_path / "bad.nii.gz", np.zeros(SHAPE))
    spec = make_spec(tmp_path, Cohort.from_frame(table), REGIONAL)
    with pytest.raises(CapsError, match=r"bad\.nii\.gz' is blank"):
        run_scikit(spec)
    assert not spec.output.exists()


def test_what_scikit_learn_refuses_is_explained(imaged, tmp_path, cache):
    config = {
        **REGIONAL,
        "steps": [{"name": "sklearn.decomposition.PCA", "n_components": 500}],
    }
    spec = make_spec(tmp_path, imaged, config, cache=cache)
    with pytest.raises(RunError, match=r"n_components=500.*'steps'"):
        run_scikit(spec)


def test_a_model_that_diverges_is_refused(imaged, tmp_path, cache):
    config = {
        "type": "scikit-learn",
        "features": {"name": "regions", "normalization": "none"},
        "standardize": False,
        "estimator": {
            "name": "sklearn.linear_model.SGDRegressor",
            "learning_rate": "constant",
            "eta0": 1e100,
        },
    }
    spec = make_spec(
        tmp_path, imaged, config, cache=cache, task=imaged.task("age", "regression")
    )
    with pytest.raises(RunError, match=r"diverged|Floating-point"):
        run_scikit(spec)


def test_the_wrong_kind_of_estimator_is_refused(imaged, tmp_path, cache):
    config = {"type": "scikit-learn", "estimator": "sklearn.linear_model.Lasso"}
    with pytest.raises(ConfigError, match="Lasso, not a classifier"):
        run_scikit(make_spec(tmp_path, imaged, config, cache=cache))


def test_what_scikit_learn_warns_of_is_kept(imaged, tmp_path, cache):
    config = {"type": "scikit-learn", "estimator": {"name": LOGISTIC, "max_iter": 1}}
    maps = run_scikit(make_spec(tmp_path, imaged, config, cache=cache))
    assert any("ConvergenceWarning" in note for note in model_of(maps)["notes"])


def test_a_run_needs_neither_torch_nor_clinicadl(imaged, tmp_path, cache):
    """And reads cached features without nilearn, which is slow to import."""
    spec = make_spec(tmp_path, imaged, REGIONAL, cache=cache)
    run_scikit(spec)
    joblib.dump(replace(spec, output=tmp_path / "again"), tmp_path / "spec.joblib")
    code = (
        "import sys, joblib\n"
        "from clinicadl_trust.models.scikit import run_scikit\n"
        "run_scikit(joblib.load(sys.argv[1]))\n"
        "print(sorted({'torch', 'clinicadl', 'monai', 'nilearn'} & set(sys.modules)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "spec.joblib")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == "[]"
