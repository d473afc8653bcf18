"""Late splits and biased transfer, planted in the lineage of runs."""

from __future__ import annotations

import json
import shutil

import pandas as pd
import pytest
from strategy_builder import build

from clinicadl_trust.exceptions import RunError, SplitError
from clinicadl_trust.records import Lineage, RunRecord, record_dir, write_json
from clinicadl_trust.split import write_splits
from clinicadl_trust.split.audit import audit


@pytest.fixture(scope="module")
def prepared(make_cohort, tmp_path_factory):
    """A benchmark of two splits, the sealed test group apart, without runs."""
    cohort = make_cohort(family_id=None)
    root = tmp_path_factory.mktemp("prepared")
    (sealed,) = write_splits(
        build("MatchedTestSet"), cohort, root / "splits/sealed", "diagnosis"
    )
    outside = ~cohort.table["participant_id"].isin(sealed.test["participant_id"])
    write_splits(
        build("ParticipantKFold", {"n_splits": 3}),
        cohort.select(outside),
        root / "splits/people",
        "diagnosis",
    )
    cohort.table.to_csv(root / "cohort.tsv", sep="\t", index=False, na_rep="n/a")
    record = {
        "task": {"label": "diagnosis"},
        "splits": {"sealed": {"sealed": True}, "people": {"sealed": False}},
    }
    write_json(root / "benchmark.json", record)
    return root


@pytest.fixture
def benchmark(prepared, tmp_path):
    return shutil.copytree(prepared, tmp_path / "benchmark")


@pytest.fixture
def add_run(benchmark):
    def add(split=0, model="cnn", strategy="people", ancestors=(), **changes):
        """Record a run that has seen what its fold says, unless told otherwise."""
        fold = benchmark / f"splits/{strategy}/repeat-0/split-{split}"
        seen = {
            group: tuple(pd.read_csv(fold / f"{group}.tsv", sep="\t")["participant_id"])
            for group in ("train", "validation")
        }
        lineage = Lineage(**{**seen, **changes}, ancestors=tuple(ancestors), name=model)
        maps = benchmark / f"runs/{strategy}/repeat-0/split-{split}/{model}/seed-0"
        folder = record_dir(maps, split)
        write_json(folder / "run.json", RunRecord(strategy, 0, split, model, 0))
        write_json(folder / "lineage.json", lineage)
        return maps

    return add


def test_ids(benchmark, split=0, strategy="people"):
    path = benchmark / f"splits/{strategy}/repeat-0/split-{split}/test.tsv"
    return sorted(set(pd.read_csv(path, sep="\t")["participant_id"]))


test_ids.__test__ = False


def test_honest_runs_have_no_finding(benchmark, add_run):
    for split in range(3):
        add_run(split)
    add_run(0, strategy="sealed", ancestors=[Lineage(train=("sub-from-elsewhere",))])
    report = audit(benchmark)
    assert report.findings == ()
    assert not any("transfer" in text for text in report.skipped)
    assert len(report.balance) == 12


@pytest.mark.parametrize("part", ["train", "validation"])
@pytest.mark.parametrize("kind", ["model", "encoder"])
def test_biased_transfer(kind, part, benchmark, add_run):
    seen = tuple(test_ids(benchmark, 1)[:2])
    pretrained = Lineage(**{part: seen}, name="autoencoder", kind=kind)
    add_run(0, ancestors=[pretrained])
    add_run(1, ancestors=[pretrained])
    (leak,) = audit(benchmark).leaks
    assert leak.code == "biased-transfer"
    assert leak.where == "people/repeat-0/split-1"
    assert f"{kind} 'autoencoder' made with 2 participants" in leak.message
    assert all(name in leak.message for name in seen)


def test_biased_transfer_by_an_ancestor_of_an_ancestor(benchmark, add_run):
    first = Lineage(train=(test_ids(benchmark)[0],), name="first")
    second = Lineage(train=("sub-other",), ancestors=(first,), name="second")
    add_run(0, ancestors=[second])
    (leak,) = audit(benchmark).leaks
    assert leak.code == "biased-transfer" and "'first'" in leak.message


@pytest.mark.parametrize("kind", ["features", "threshold"])
def test_late_split(kind, benchmark, add_run):
    everyone = tuple(pd.read_csv(benchmark / "cohort.tsv", sep="\t")["participant_id"])
    for split in range(3):
        fitted = Lineage(train=everyone, kind=kind, name="chosen before")
        add_run(split, ancestors=[fitted])
    found = {finding.code: finding for finding in audit(benchmark).leaks}
    assert set(found) == {"late-split", "sealed-test-used"}
    assert found["late-split"].where == "people"
    assert "in 3 runs" in found["late-split"].message
    assert f"{kind} 'chosen before'" in found["late-split"].message


def test_trained_on_another_split(benchmark, add_run):
    add_run(2, train=tuple(test_ids(benchmark, 2)[:1]))
    (leak,) = audit(benchmark).leaks
    assert (leak.code, leak.where) == ("trained-on-test", "people/repeat-0/split-2")
    assert "The model 'cnn' was trained or chosen on 1 participant" in leak.message


def test_sealed_group_seen_by_a_run(benchmark, add_run):
    sealed = test_ids(benchmark, strategy="sealed")
    add_run(0, ancestors=[Lineage(train=tuple(sealed[:3]))])
    (leak,) = audit(benchmark).leaks
    assert leak.code == "sealed-test-used" and "3 participants" in leak.message


def test_demonstration_is_expected_to_train_on_test(make_cohort, benchmark, add_run):
    scans = build("ScanKFold", {"n_splits": 3})
    outside = pd.read_csv(
        benchmark / "splits/people/repeat-0/split-0/test.tsv", sep="\t"
    )
    cohort = make_cohort(family_id=None)
    chosen = cohort.select(cohort.table["participant_id"].isin(outside.participant_id))
    write_splits(scans, chosen, benchmark / "splits/scans", "diagnosis")
    add_run(0, strategy="scans")
    report = audit(benchmark)
    assert not report.has_leak
    assert "trained-on-test" in {f.code for f in report.findings if f.expected}
    # An ancestor that has seen the test set is nobody's demonstration.
    seen = tuple(test_ids(benchmark, strategy="scans"))
    add_run(0, strategy="scans", model="tuned", ancestors=[Lineage(train=seen)])
    assert [f.code for f in audit(benchmark).leaks] == ["biased-transfer"]


def test_run_whose_split_is_gone_is_judged_by_its_predictions(benchmark, add_run):
    maps = add_run(0)
    folder = record_dir(maps, 0)
    record = json.loads((folder / "run.json").read_text())
    write_json(folder / "run.json", {**record, "split_strategy": "forgotten"})
    trained = json.loads((folder / "lineage.json").read_text())["train"]
    lines = ["participant_id\tsession_id", f"{trained[0]}\tses-M000"]
    (folder / "predictions_test.tsv").write_text("\n".join(lines) + "\n")
    for path in (benchmark, maps):
        (leak,) = audit(path).leaks
        assert leak.code == "trained-on-test" and trained[0] in leak.message


def test_unknown_lineage_is_a_warning(benchmark, add_run):
    folder = record_dir(add_run(0), 0)
    (folder / "lineage.json").unlink()
    (finding,) = audit(benchmark).findings
    assert (finding.severity, finding.code) == ("warning", "unknown-lineage")


def test_damaged_run_is_named(benchmark, add_run):
    path = record_dir(add_run(0), 0) / "run.json"
    path.write_text("{}")
    with pytest.raises(SplitError, match=r"run\.json' is no run: KeyError"):
        audit(benchmark)


class TestAncestors:
    """A pretrained model, before anything is trained from it."""

    def test_one_that_has_seen_a_test_participant(self, benchmark, add_run):
        maps = add_run(1)  # trained on the test participants of splits 0 and 2
        report = audit(benchmark / "splits/people", ancestors=[maps])
        (leak,) = report.leaks
        assert leak.code == "biased-transfer"
        assert leak.where == "people (2 of 3 folds)"
        assert str(maps) in leak.message

    def test_one_that_has_not(self, benchmark, tmp_path):
        stranger = tmp_path / "stranger"
        write_json(
            record_dir(stranger, 0) / "lineage.json", Lineage(train=("sub-stranger",))
        )
        assert not audit(benchmark / "splits/people", ancestors=[stranger]).findings

    def test_one_without_lineage(self, benchmark, tmp_path):
        with pytest.raises(RunError, match=r"0 lineage\.json"):
            audit(benchmark / "splits/people", ancestors=[tmp_path])
