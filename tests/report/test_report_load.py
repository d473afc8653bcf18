from __future__ import annotations

import dataclasses
import json
import shutil

import pandas as pd
import pytest

from clinicadl_trust.exceptions import ConfigError
from clinicadl_trust.report.load import read_benchmark


def test_strategies_and_models_come_in_the_order_of_their_weight(whole):
    names = [s.name for s in whole.strategies]
    assert names[0] == "sealed"
    assert names[-1] == "scans"
    assert whole.sealed.name == "sealed"
    assert [s.name for s in whole.honest] == ["sealed", "participants", "sites"]
    assert [m.name for m in whole.models][-2:] == ["metadata", "majority"]
    assert [m.is_baseline for m in whole.models] == [False, False, False, True, True]


def test_titles_count_their_folds_and_leave_the_leak_to_its_mark(whole):
    assert whole.strategy("participants").heading == "Participants in 4 folds"
    assert whole.strategy("scans").title == "scans in 4 folds"
    assert whole.strategy("sealed").heading == "Sealed test group"


def test_the_primary_metric_comes_first(whole):
    assert whole.primary_metric == "roc_auc"
    assert whole.metrics[0] == "roc_auc"
    assert whole.metric().title == "ROC AUC"
    assert whole.metric().chance == 0.5


def test_rows_of_the_validation_group_are_no_estimate(benchmark_dir, tmp_path):
    shutil.copytree(benchmark_dir, tmp_path / "b", ignore=_no_runs)
    table = pd.read_csv(benchmark_dir / "statistics.tsv", sep="\t")
    more = pd.concat([table, table.assign(group="validation")])
    more.to_csv(tmp_path / "b" / "statistics.tsv", sep="\t", index=False)
    found = read_benchmark(tmp_path / "b")
    assert len(found.estimates) == (table["kind"] == "estimate").sum()


def test_runs_that_lack_a_fold_are_out_of_the_curves(whole):
    folds = whole.fold_metrics
    lacking = folds[~((folds["model"] == "cnn") & (folds["seed"] == 1))]
    left = dataclasses.replace(whole, fold_metrics=lacking).evaluated
    assert len(left) < len(whole.predictions)
    assert set(left.loc[left["model"] == "cnn", "seed"]) == {0}
    assert set(left["group"]) == {"validation", "test"}


def test_a_table_without_columns_counts_as_absent(benchmark_dir, tmp_path):
    shutil.copy(benchmark_dir / "statistics.tsv", tmp_path)
    (tmp_path / "balance.tsv").write_text("\n")
    assert read_benchmark(tmp_path).balance is None


def test_a_folder_with_statistics_alone_is_enough(benchmark_dir, tmp_path):
    shutil.copy(benchmark_dir / "statistics.tsv", tmp_path)
    found = read_benchmark(tmp_path)
    assert found.info == {}
    assert found.predictions is None
    assert {m.name for m in found.models if m.is_baseline} == {"metadata", "majority"}
    assert [s.name for s in found.strategies if s.leaky] == ["scans"]


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_task_is_guessed_from_the_predictions(task, tmp_path):
    table = {
        "participant_id": ["sub-1", "sub-2"],
        "label": [0, 1],
        "score": [0.2, 0.7],
    }
    if task == "regression":
        table["label"] = [70.5, 61.0]
    if task == "multiclass":
        table = {"participant_id": ["sub-1"], "label": ["a"]}
        table |= {f"score_{name}": [1 / 3] for name in "abc"}
    pd.DataFrame(table).to_csv(tmp_path / "predictions.tsv", sep="\t", index=False)
    found = read_benchmark(tmp_path).task
    classes = {"binary": ("0", "1"), "multiclass": ("a", "b", "c"), "regression": ()}
    assert found.kind == ("regression" if task == "regression" else "classification")
    assert found.classes == classes[task]


def test_a_folder_that_is_none_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="no such folder"):
        read_benchmark(tmp_path / "absent")


def test_an_empty_folder_is_no_benchmark(tmp_path):
    with pytest.raises(ConfigError, match="it has none of"):
        read_benchmark(tmp_path)


@pytest.mark.parametrize("content", ["{", "[1]"])
def test_a_damaged_benchmark_json_is_named(content, tmp_path):
    (tmp_path / "benchmark.json").write_text(content)
    with pytest.raises(ConfigError, match=r"benchmark\.json"):
        read_benchmark(tmp_path)


def test_a_statistics_table_that_is_none_is_named(tmp_path):
    (tmp_path / "statistics.tsv").write_text("a\tb\n1\t2\n")
    with pytest.raises(ConfigError, match="no column 'kind'"):
        read_benchmark(tmp_path)


def test_a_damaged_run_record_is_named(tmp_path):
    (tmp_path / "benchmark.json").write_text("{}")
    folder = tmp_path / "runs/a/repeat-0/split-0/m/seed-0/training/split-0/trust"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text("{")
    with pytest.raises(ConfigError, match=r"run\.json"):
        read_benchmark(tmp_path)


def test_runs_are_read_but_not_those_being_built(benchmark_dir, whole, tmp_path):
    run = "runs/sealed/repeat-0/split-0/cnn/seed-0"
    shutil.copytree(benchmark_dir / run, tmp_path / run)
    shutil.copytree(
        benchmark_dir / run, tmp_path / run.replace("seed-0", "seed-1.partial")
    )
    (tmp_path / "benchmark.json").write_text(json.dumps(dict(whole.info)))
    assert len(read_benchmark(tmp_path).runs) == 1


def _no_runs(_, names):
    return [name for name in names if name == "runs"]
