import importlib.util
import json
import os
import re
import shutil
import signal
import time
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from clinicadl_trust.benchmark import run_benchmark
from clinicadl_trust.benchmark.results import complete
from clinicadl_trust.cli.main import cli
from clinicadl_trust.exceptions import ConfigError, LeakageError, OutputError, RunError
from clinicadl_trust.generate import image_type
from clinicadl_trust.split import read_splits

_SPEC = importlib.util.spec_from_file_location(
    "kill_resume", Path(__file__).parents[2] / "benchmarks" / "kill_resume.py"
)
kill_resume = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(kill_resume)

EXPERIMENT = """\
name = "whole"
[cohort]
label = "diagnosis"
caps = "{caps}"
participants = "people.tsv"
image = {{ data_type = "t1_linear", suffix = "T1w", with_entities = {{ {entities} }} }}
[sealed_test]
strategy = "MatchedTestSet"
fraction = 0.3
[splits.people]
strategy = "ParticipantKFold"
n_splits = 2
[splits.scans]
strategy = "ScanKFold"
n_splits = 2
[models.cnn]
type = "trainer"
splits = ["sealed", "scans"]
training = {{ epochs = 4, batch_size = 8, patience = 0 }}
[models.cnn.network]
name = "CNN"
conv_args = {{ channels = [2], stride = 4 }}
mlp_args = {{ hidden_dims = [] }}
[models.voxels]
type = "scikit-learn"
features = {{ name = "voxels" }}
[statistics]
reference = "metadata"
[run]
n_jobs = 2
"""

FAILING = """\
[models.failing]
type = "scikit-learn"
features = { name = "voxels" }
estimator = { name = "sklearn.naive_bayes.MultinomialNB" }
splits = ["people"]
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory, caps_dir, caps_options, cohort):
    """The experiment file, and the table beside it."""
    folder = tmp_path_factory.mktemp("files")
    entities = image_type(caps_options).with_entities.items()
    text = EXPERIMENT.format(
        caps=caps_dir, entities=", ".join(f'{k} = "{v}"' for k, v in entities)
    )
    (folder / "experiment.toml").write_text(text)
    cohort.table.to_csv(folder / "people.tsv", sep="\t", index=False, na_rep="n/a")
    return folder


@pytest.fixture(scope="module")
def done(files):
    """A benchmark that was run once; do not write into it."""
    return run_benchmark(files / "experiment.toml", files / "done")


@pytest.fixture
def copy(done, files, tmp_path):
    """A copy of it that a test may continue."""
    for name in ("experiment.toml", "people.tsv"):
        shutil.copy(files / name, tmp_path)
    shutil.copytree(done.directory, tmp_path / "benchmark")
    return tmp_path / "benchmark"


def table(directory, name):
    return pd.read_csv(directory / f"{name}.tsv", sep="\t", na_values=["n/a"])


def moments(directory):
    return {p: p.stat().st_mtime_ns for p in directory.glob("runs/**/run.json")}


def test_every_run_is_done_and_recorded(done):
    assert not done.failed
    models = {
        (run.spec.split_strategy, run.spec.model): run.is_done for run in done.runs
    }
    assert all(models.values())
    assert set(models) == {
        *(("sealed", m) for m in ("cnn", "voxels", "metadata", "majority")),
        *(("people", m) for m in ("voxels", "metadata", "majority")),
        *(("scans", m) for m in ("voxels", "metadata", "majority")),
    }
    assert table(done.directory, "failures").empty
    info = json.loads((done.directory / "benchmark.json").read_text())
    assert info["task"] == {
        "kind": "classification",
        "label": "diagnosis",
        "classes": ["CN", "AD"],
        "outputs": [],
        "deviations": [],
    }
    assert info["primary_metric"] == "roc_auc"
    assert info["splits"]["sealed"]["sealed"] is True
    assert info["splits"]["scans"]["leaky"] is True
    assert info["cohort"]["image"]["data_type"] == "t1_linear"
    assert info["reference"] == "metadata"
    assert info["started"] <= info["finished"]
    assert done.report == done.directory / "report.html"
    assert done.report.is_file()


def test_the_sealed_group_is_seen_by_no_other_split(done):
    _, (sealed,) = read_splits(done.directory / "splits" / "sealed")
    hidden = set(sealed.test["participant_id"])
    assert hidden
    for name in ("people", "scans"):
        _, folds = read_splits(done.directory / "splits" / name)
        for fold in folds:
            for group in (fold.train, fold.validation, fold.test):
                assert hidden.isdisjoint(group["participant_id"])


def test_predictions_are_those_of_every_run_and_statistics_cover_them(done):
    predictions = table(done.directory, "predictions")
    runs = predictions.groupby(["split_strategy", "repeat", "split", "model", "seed"])
    assert len(runs) == len(done.runs)
    assert set(predictions["group"]) == {"validation", "test"}
    statistics = table(done.directory, "statistics")
    estimates = statistics[statistics["kind"] == "estimate"]
    assert set(zip(estimates["split_strategy"], estimates["model"], strict=True)) == {
        (run.spec.split_strategy, run.spec.model) for run in done.runs
    }
    comparisons = statistics[statistics["kind"] == "comparison"]
    assert set(comparisons["metric"]) == {"roc_auc"}
    primary = comparisons[comparisons["primary"]]
    assert set(primary["split_strategy"]) == {"sealed"}
    assert primary["model"].tolist() == ["cnn", "voxels"]
    assert set(primary["reference"]) == {"metadata"}
    folds = table(done.directory, "fold_metrics")
    assert len(folds) == len(done.runs) * estimates["metric"].nunique()


def test_only_the_leak_on_purpose_is_found(done):
    audit = table(done.directory, "audit")
    leaks = audit[audit["severity"] == "leak"]
    assert len(leaks)
    assert leaks["where"].str.startswith("scans").all()
    assert done.leaks.empty


def test_a_second_call_repeats_nothing(files, copy, here):
    before = moments(copy), (copy / "statistics.tsv").read_bytes()
    info = (copy / "benchmark.json").read_text()
    result = run_benchmark(files / "experiment.toml", copy, report=False)
    assert not result.failed
    assert (moments(copy), (copy / "statistics.tsv").read_bytes()) == before
    assert (copy / "benchmark.json").read_text() == info


def test_a_run_that_is_missing_is_done_again_to_the_same_statistics(copy, here):
    expected = (copy / "statistics.tsv").read_bytes()
    shutil.rmtree(copy / "runs" / "people" / "repeat-0" / "split-1")
    (copy / "statistics.tsv").unlink()
    before = moments(copy)
    run_benchmark(copy.parent / "experiment.toml", copy, n_jobs=1, report=False)
    assert (copy / "statistics.tsv").read_bytes() == expected
    assert moments(copy).items() > before.items()


def test_interrupted_then_killed_in_a_checkpoint_it_ends_the_same(
    done, files, tmp_path, here
):
    experiment, output = files / "experiment.toml", tmp_path / "killed"
    process = start_and_strike(experiment, output, kill_resume.in_checkpoint(1))
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=60) in (1, 130)
    said = output.with_suffix(".log").read_text()
    assert "Interrupted. What was complete is kept; the same command" in said
    assert "Traceback" not in said
    alone = files / "alone.toml"
    alone.write_text(experiment.read_text().replace("n_jobs = 2", "n_jobs = 1"))
    process = start_and_strike(alone, output, kill_resume.in_checkpoint(2))
    kill_resume.kill(process, with_workers=False)
    assert json.loads((output / "benchmark.json").read_text())["finished"] is None
    assert not (output / "statistics.tsv").exists()
    run_benchmark(experiment, output, report=False)
    expected = (done.directory / "statistics.tsv").read_bytes()
    assert (output / "statistics.tsv").read_bytes() == expected


def start_and_strike(experiment, output, strike):
    process = kill_resume.start(experiment, output)
    deadline = time.monotonic() + 120
    while process.poll() is None and not strike(output, 0):
        assert time.monotonic() < deadline
        time.sleep(0.001)
    assert process.poll() is None, output.with_suffix(".log").read_text()
    return process


def test_a_failing_model_is_added_recorded_and_left_out(copy, here):
    path = copy.parent / "experiment.toml"
    path.write_text(path.read_text() + FAILING)
    before = moments(copy)
    ran = CliRunner().invoke(
        cli, ["benchmark", str(path), "--output", str(copy), "--no-report"]
    )
    assert ran.exit_code == 1
    assert "2 of 18 runs failed" in ran.output
    failures = table(copy, "failures")
    assert failures["model"].tolist() == ["failing", "failing"]
    assert failures["split"].tolist() == [0, 1]
    assert failures["message"].str.contains("Negative values").all()
    assert "failing" not in set(table(copy, "statistics")["model"])
    assert moments(copy) == before
    info = json.loads((copy / "benchmark.json").read_text())
    (addition,) = info["history"]
    assert info["finished"] >= addition["date"]
    assert re.search(r"roc_auc +sealed +people +scans \(leaky\)", ran.output)
    assert addition["added"] == ["models.failing"]
    # Mended, it is done; what is done is not repeated.
    path.write_text(path.read_text().replace("naive_bayes.MultinomialNB", "svm.SVC"))
    ran = CliRunner().invoke(
        cli, ["benchmark", str(path), "--output", str(copy), "--no-report"]
    )
    assert ran.exit_code == 0
    assert "failing" in set(table(copy, "statistics")["model"])
    assert moments(copy).items() > before.items()


def test_another_experiment_is_refused(copy, here):
    path = copy.parent / "experiment.toml"
    path.write_text(path.read_text().replace("fraction = 0.3", "fraction = 0.5"))
    with pytest.raises(ConfigError, match=r"sealed_test.fraction: was 0.3, now 0.5"):
        run_benchmark(path, copy)


def test_a_full_disk_is_told_and_nothing_is_lost(copy, here):
    before = moments(copy)
    # What is written to it meets a disk without space.
    (copy / ".predictions.tsv.tmp").symlink_to("/dev/full")
    with pytest.raises(OutputError, match="full"):
        run_benchmark(copy.parent / "experiment.toml", copy, report=False)
    assert moments(copy) == before


def test_a_copied_image_stops_before_anything_is_trained(
    files, caps_dir, tmp_path, here
):
    caps = tmp_path / "caps"
    shutil.copytree(caps_dir, caps)
    people = table(files, "people")
    twins = people.groupby("diagnosis")["participant_id"].unique()["AD"][:6]
    # Enough pairs that no draw could keep all of them on one side.
    for first, second in zip(twins[:3], twins[3:], strict=True):
        for source in (caps / "subjects" / first).glob("*/t1_linear/*T1w.nii*"):
            name = str(source.relative_to(caps)).replace(first, second)
            shutil.copy(source, caps / name)
    shutil.copy(files / "people.tsv", tmp_path)
    text = (files / "experiment.toml").read_text().replace(str(caps_dir), str(caps))
    (tmp_path / "experiment.toml").write_text(text)
    with pytest.raises(LeakageError, match="nothing was trained"):
        run_benchmark(tmp_path / "experiment.toml", tmp_path / "benchmark")
    assert not list((tmp_path / "benchmark").glob("runs/**/run.json"))
    assert (tmp_path / "benchmark" / "audit.tsv").is_file()


def test_when_every_run_fails(files, tmp_path, here):
    text = (files / "experiment.toml").read_text()
    text = text.replace("people.tsv", str(files / "people.tsv"))
    text = text[: text.index("[models.cnn]")] + FAILING
    # The baselines fail too: nothing can be written where their runs go.
    (tmp_path / "experiment.toml").write_text(text)
    folder = tmp_path / "benchmark"
    for split in ("sealed", "people", "scans"):
        for fold in (0, 1):
            place = folder / "runs" / split / "repeat-0" / f"split-{fold}"
            for model in ("metadata", "majority"):
                (place / model / "seed-0").mkdir(parents=True)
    (folder / ".lock").touch()
    with pytest.raises(RunError, match=r"All 12 runs failed.*failures.tsv"):
        run_benchmark(tmp_path / "experiment.toml", folder, n_jobs=1)
    assert len(table(folder, "failures")) == 12


def test_series_with_a_missing_fold_are_incomplete(done):
    class Lost:
        is_done = False

        def __init__(self, run):
            self.spec = run.spec

    runs = list(done.runs)
    place = next(k for k, r in enumerate(runs) if r.spec.split_strategy == "people")
    lost = runs[place].spec
    runs[place] = Lost(runs[place])
    whole = complete(runs)
    assert len(whole) == len(runs) - 2
    assert not any(
        (r.spec.split_strategy, r.spec.model) == (lost.split_strategy, lost.model)
        for r in whole
    )


def test_check_runs_nothing(files, tmp_path):
    path = str(files / "experiment.toml")
    ran = CliRunner().invoke(cli, ["benchmark", path, "--check"])
    assert ran.exit_code == 0
    assert (
        "4 models, two of them baselines, on 3 splits: sealed, people, scans"
        in ran.output
    )


def test_usage(files, tmp_path):
    path = str(files / "experiment.toml")
    assert CliRunner().invoke(cli, ["benchmark", path]).exit_code == 2
    assert CliRunner().invoke(cli, ["benchmark", "absent.toml"]).exit_code == 2
    (tmp_path / "thesis.tex").touch()
    ran = CliRunner().invoke(cli, ["benchmark", path, "--output", str(tmp_path)])
    assert ran.exit_code == 1
    assert "exists and is no benchmark" in ran.output
