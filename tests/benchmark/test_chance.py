import json
import shutil
from dataclasses import replace

import fake_runs
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from clinicadl_trust.benchmark import run_benchmark
from clinicadl_trust.benchmark.against_chance import hold_against_chance
from clinicadl_trust.benchmark.chance import Series, chance_series
from clinicadl_trust.benchmark.changes import additions
from clinicadl_trust.benchmark.progress import Lines
from clinicadl_trust.benchmark.refit import Refit
from clinicadl_trust.benchmark.splitting import Splits
from clinicadl_trust.cli.main import cli
from clinicadl_trust.cohort import Cohort
from clinicadl_trust.exceptions import ConfigError, RunError
from clinicadl_trust.models import run as models_run
from clinicadl_trust.split import Fold
from clinicadl_trust.stats import read_statistics

EXPERIMENT = """\
name = "chance"
[cohort]
label = "diagnosis"
[cohort.generate]
participants = 24
sites = 2
sessions = 2
resolution = 8
seed = 1
[splits.people]
strategy = "ParticipantKFold"
n_splits = 2
n_repeats = 2
[splits.scans]
strategy = "ScanKFold"
n_splits = 2
[models.voxels]
type = "scikit-learn"
features = { name = "voxels" }
seeds = [3, 4]
[chance_test]
permutations = 19
models = ["voxels", "metadata"]
[run]
report = false
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chance")
    (folder / "experiment.toml").write_text(EXPERIMENT)
    return run_benchmark(folder / "experiment.toml", folder / "done", n_jobs=2)


def chance(directory):
    table = read_statistics(directory / "statistics.tsv")
    return table[table["kind"] == "chance"].set_index("model")


def test_each_model_on_an_honest_split_has_a_row(done):
    rows = chance(done.directory)
    assert list(rows.index) == ["voxels", "metadata"]
    assert set(rows["split_strategy"]) == {"people"}
    row = rows.loc["voxels"]
    files = sorted((done.directory / "chance/people/voxels/seed-3").iterdir())
    drawn = np.array([json.loads(file.read_text())["value"] for file in files])
    assert [file.name for file in files] == [f"draw-{k:04d}.json" for k in range(19)]
    assert row["p_value"] == (1 + (drawn >= row["value"] - 1e-12).sum()) / 20
    # The first seed and repeat, within the fold, then averaged.
    folds = pd.read_csv(done.directory / "fold_metrics.tsv", sep="\t")
    folds = folds[(folds["model"] == "voxels") & (folds["split_strategy"] == "people")]
    folds = folds[(folds["seed"] == 3) & (folds["repeat"] == 0)]
    observed = folds.loc[folds["metric"] == "roc_auc", "value"]
    assert len(observed) == row["n_folds"] == 2
    assert row["value"] == pytest.approx(observed.mean())
    assert "between" in row["warnings"] and "0.05" in row["warnings"]
    assert "retrained" in row["estimand"]
    assert row["n_participants"] == 24


def test_what_was_killed_goes_on_and_one_process_gives_the_same(
    done, tmp_path, capsys, here
):
    shutil.copytree(done.directory, tmp_path / "copy")
    shutil.copy(done.directory.parent / "experiment.toml", tmp_path)
    folder = tmp_path / "copy" / "chance" / "people" / "voxels" / "seed-3"
    for number in range(5, 19):
        (folder / f"draw-{number:04d}.json").unlink()
    (folder / "draw-0005.json.tmp").touch()
    kept = {path: path.stat().st_mtime_ns for path in folder.glob("*.json")}
    before = (tmp_path / "copy" / "statistics.tsv").read_bytes()
    (tmp_path / "copy" / "statistics.tsv").unlink()
    run_benchmark(
        tmp_path / "experiment.toml", tmp_path / "copy", n_jobs=1, display=Lines()
    )
    assert (tmp_path / "copy" / "statistics.tsv").read_bytes() == before
    assert all(path.stat().st_mtime_ns == at for path, at in kept.items())
    told = capsys.readouterr().out
    assert "Against chance: voxels on people, 14 draws of labels x 2 folds, " in told
    assert "38 refits, 24 of them done before" in told
    assert "Against chance: metadata" not in told


def test_a_refit_that_fails_is_told_and_gives_no_p_value(done, tmp_path, here):
    shutil.copytree(done.directory, tmp_path / "copy")
    shutil.copy(done.directory.parent / "experiment.toml", tmp_path)
    folder = tmp_path / "copy" / "chance" / "people" / "metadata" / "seed-0"
    (folder / "draw-0004.json").unlink()
    (folder / "draw-0004.json").mkdir()  # where nothing can be written
    result = CliRunner().invoke(
        cli,
        [
            "benchmark",
            str(tmp_path / "experiment.toml"),
            "--output",
            str(tmp_path / "copy"),
        ],
    )
    assert result.exit_code == 1
    assert "Refits on redrawn labels that failed: 1, see" in result.output
    rows = chance(tmp_path / "copy")
    assert pd.isna(rows.loc["metadata", "p_value"])
    assert "1 of 19 refits failed" in rows.loc["metadata", "warnings"]
    assert rows.loc["voxels", "p_value"] >= 0.05
    failures = pd.read_csv(tmp_path / "copy" / "failures.tsv", sep="\t")
    assert failures["model"].tolist() == ["metadata"]


PEOPLE = [f"sub-{k:02d}" for k in range(16)]


def make_series(tmp_path, n_draws=19, labels=None, unit="participant"):
    """Two folds of sixteen people with two visits, eight of whom are tested in each."""
    table = pd.DataFrame(
        [(person, session) for person in PEOPLE for session in ("ses-1", "ses-2")],
        columns=["participant_id", "session_id"],
    )
    number = table["participant_id"].str[-2:].astype(int)
    table["site"] = np.where(number % 4 < 2, "A", "B")
    table["diagnosis"] = np.where(number % 2, "AD", "CN") if labels is None else labels
    runs = []
    for split in range(2):
        tested = number // 8 == split
        run = fake_runs.make_run(tmp_path, "ridge", split)
        fold = Fold(0, split, "", table[~tested], table[:0], table[tested])
        spec = replace(run.spec, cohort=Cohort(table), fold=fold)
        runs.append(replace(run, spec=spec))
    return Series(tuple(runs), "roc_auc", unit, seed=0, n_draws=n_draws)


def labels_of(refit: Refit) -> pd.Series:
    specs = refit._redrawn()
    assert specs[0].cohort is specs[1].cohort
    return specs[0].cohort.table.groupby("participant_id")["diagnosis"]


@pytest.mark.parametrize("unit", ["participant", "site"])
def test_labels_are_redrawn_by_participant_within_the_test_fold(tmp_path, unit):
    series = make_series(tmp_path, unit=unit)
    refits = series.refits()
    drawn = [labels_of(refit) for refit in refits]
    assert all((each.nunique() == 1).all() for each in drawn)
    first = pd.DataFrame([each.first() for each in drawn])
    assert len(first.drop_duplicates()) > 10
    table = refits[0].spec.cohort.table.drop_duplicates("participant_id")
    fold = (table["participant_id"].str[-2:].astype(int) // 8).to_numpy()
    within = [fold] if unit == "participant" else [fold, table["site"].to_numpy()]
    for labels in first.to_numpy():
        counts = pd.Series(labels == "AD").groupby(within).mean()
        assert (counts == 0.5).all()
    assert str(refits[3]) == "people: ridge, redrawn labels 3"
    assert refits[3].key["split"] is None


def test_a_draw_is_the_same_in_any_process_and_for_more_draws(tmp_path):
    one, other = make_series(tmp_path).refits(), make_series(tmp_path, 40).refits()
    assert labels_of(one[7]).first().equals(labels_of(other[7]).first())


def test_a_model_trained_by_clinicadl_leaves_no_maps(tmp_path, monkeypatch):
    refit = make_series(tmp_path).refits()[0]
    config = {"type": "trainer"}
    refit = replace(refit, specs=tuple(replace(s, config=config) for s in refit.specs))
    trained = []

    def train(spec, tell):
        tell(0.5, "epoch 1")
        folder = spec.output / "training" / f"split-{spec.fold.split}" / "trust"
        folder.mkdir(parents=True)
        rows = spec.rows("test")
        label = (rows["diagnosis"] == "AD").astype(int)
        frame = rows[["participant_id", "session_id"]].assign(
            label=label, score=label, **spec.run_columns("test")
        )
        frame.to_csv(folder / "predictions_test.tsv", sep="\t", index=False)
        trained.append(spec.output)
        return spec.output

    monkeypatch.setattr(models_run, "run", train)
    told = []
    assert not refit.is_done
    refit.do(lambda fraction, phrase: told.append(fraction))
    assert refit.is_done
    assert refit.value == 1.0
    assert refit.seconds >= 0
    assert told == [0.25, 0.75]
    assert len(trained) == 2 and not refit.spec.output.exists()


def test_a_metric_without_a_value_is_no_draw(tmp_path, monkeypatch):
    refit = make_series(tmp_path).refits()[0]
    monkeypatch.setattr(
        "clinicadl_trust.benchmark.refit.primary_value", lambda *_: float("nan")
    )
    monkeypatch.setattr(
        models_run, "predict_test_rows", lambda spec, tell: pd.DataFrame()
    )
    with pytest.raises(RunError, match="undefined with the labels of draw 0"):
        refit.do(lambda *_: None)
    assert not refit.is_done


def test_labels_that_cannot_be_redrawn_are_told_in_the_row(tmp_path, monkeypatch):
    alike = ["AD"] * 16 + ["CN"] * 16  # each fold has one class
    series = make_series(tmp_path, labels=alike)
    monkeypatch.setattr(
        "clinicadl_trust.benchmark.against_chance.chance_series", lambda *_: [series]
    )
    monkeypatch.setattr(
        "clinicadl_trust.benchmark.against_chance.collect",
        lambda runs: pd.DataFrame(
            {
                "participant_id": PEOPLE,
                "session_id": "ses-1",
                "group": "test",
                "label": [0, 1] * 8,
                "score": np.linspace(0, 1, 16),
            }
        ),
    )
    experiment = fake_runs.make_experiment(
        name="x",
        cohort={"label": "diagnosis", "caps": "x"},
        models={"ridge": {"type": "scikit-learn"}},
        chance_test={},
    )
    failed, rows = hold_against_chance(
        experiment, {}, [], None, Lines(), failed=[], directory=tmp_path
    )
    assert failed == []
    assert "p_value" not in rows[0]
    assert "all have the same label" in rows[0]["warnings"]


BASE = {
    "name": "x",
    "cohort": {"label": "diagnosis", "caps": "x"},
    "models": {"ridge": {"type": "scikit-learn"}, "cnn": {"type": "trainer"}},
    "splits": {"people": {"strategy": "ParticipantKFold"}},
}


@pytest.mark.parametrize(
    ("before", "after", "added"),
    [
        (None, {}, ["chance_test.permutations"]),
        ({"permutations": 99}, {"permutations": 200}, ["chance_test.permutations"]),
        (
            {"models": ["ridge"]},
            {"models": ["cnn", "ridge"]},
            ["chance_test.models"],
        ),
        ({"permutations": 200}, {"permutations": 99}, None),
        ({"models": ["cnn", "ridge"]}, {"models": ["ridge"]}, None),
        ({"splits": ["people"]}, {}, None),
        ({}, None, None),
    ],
)
def test_more_may_be_held_against_chance_but_nothing_less(
    tmp_path, before, after, added
):
    old = fake_runs.make_experiment(**BASE, chance_test=before)
    new = fake_runs.make_experiment(**BASE, chance_test=after)
    if added is None:
        with pytest.raises(ConfigError, match="chance_test"):
            additions(old, new, tmp_path)
    else:
        assert additions(old, new, tmp_path) == added


def test_only_what_is_asked_is_refitted(tmp_path):
    def info(leaky):
        return type("Info", (), {"leaky": leaky, "unit": "participant"})()

    runs = [
        fake_runs.make_run(tmp_path, model, split, seed)
        for model in ("ridge", "cnn")
        for split in range(2)
        for seed in (0, 1)
    ]

    def asked(**section):
        experiment = fake_runs.make_experiment(
            **{**BASE, "statistics": {"primary": "roc_auc"}}, chance_test=section
        )
        splits = {"people": Splits(info(leaky=False), [])}
        return [str(each) for each in chance_series(experiment, splits, runs)]

    assert asked() == ["ridge on people"]
    assert asked(models=["cnn", "ridge"]) == ["ridge on people", "cnn on people"]
    assert asked(splits=["sealed"]) == []


def test_the_cost_leaves_out_features_that_are_kept(tmp_path):
    series = make_series(tmp_path)
    for run, features in zip(series.runs, (30.0, 0.5), strict=True):
        run.record.mkdir(parents=True)
        took = {"features": features, "fit": 2.0, "predict": 1.0}
        run.record.joinpath("run.json").write_text(json.dumps({"durations": took}))
    assert series.seconds() == 7.0
    assert replace(series, runs=series.runs[:1]).seconds() == 3.0
