"""Leaks that the tables of a split show, each planted and caught."""

from __future__ import annotations

import dataclasses
import json
import shutil

import pandas as pd
import pytest
from strategy_builder import build

from clinicadl_trust.cohort import Cohort
from clinicadl_trust.exceptions import CohortError, SplitError
from clinicadl_trust.split import read_splits, write_splits
from clinicadl_trust.split.audit import AuditReport, Finding, audit


@pytest.fixture
def clean(make_cohort):
    """A cohort without families."""
    return make_cohort(family_id=None)


@pytest.fixture
def write(tmp_path, clean):
    def write(name, folder=None, cohort=clean, **options):
        directory = tmp_path / (folder or name)
        write_splits(build(name, options), cohort, directory, "diagnosis")
        return directory

    return write


def codes(report):
    return {finding.code for finding in report.findings}


def move(fold, source, target, rows=1):
    """Put the first rows of one group also in another, behind the writer's back."""
    table = pd.read_csv(fold.directory / f"{source}.tsv", sep="\t").head(rows)
    path = fold.directory / f"{target}.tsv"
    both = pd.concat([pd.read_csv(path, sep="\t"), table])
    both.to_csv(path, sep="\t", index=False)
    return table["participant_id"].iloc[0]


HONEST = {
    "FamilyKFold": {},
    "LeaveOneDatasetOut": {},
    "LeaveOneScannerOut": {},
    "LeaveOneSiteOut": {},
    "MatchedTestSet": {},
    "ParticipantKFold": {"inner_splits": 2, "n_repeats": 2},
    "ScannerKFold": {"n_splits": 3},
    "SiteKFold": {"n_splits": 3},
    "TemporalSplit": {"inner_splits": 2},
}


def test_clean_splits_have_no_finding(write, clean):
    for name, options in HONEST.items():
        directory = write(name, **options)
    report = audit(directory.parent, cohort=clean, label="diagnosis")
    assert report.findings == ()
    assert not report.has_leak
    assert report.to_frame().empty
    assert str(report).startswith("No finding.")


@pytest.mark.parametrize("target", ["train", "validation"])
def test_wrong_split_same_participant(target, write):
    directory = write("ParticipantKFold")
    folds = read_splits(directory)[1]
    name = move(folds[2], "test", target)
    report = audit(directory)
    (leak,) = report.leaks
    assert leak.code == "same-participant"
    assert leak.where == "ParticipantKFold/repeat-0/split-2"
    assert leak.message.startswith("1 participant is both in train or validation and")
    assert f"({name})" in leak.message
    assert "edited-split" in codes(report)


def test_wrong_split_between_train_and_validation(write):
    directory = write("ParticipantKFold")
    move(read_splits(directory)[1][0], "validation", "train")
    assert [f.code for f in audit(directory).leaks] == ["same-participant-validation"]


def test_wrong_split_in_inner_folds(write):
    directory = write("ParticipantKFold", inner_splits=2)
    fold = read_splits(directory)[1][1]
    move(fold.inner[0], "test", "train")
    (leak,) = audit(directory).leaks
    assert (leak.code, leak.where) == (
        "same-participant",
        "ParticipantKFold/repeat-0/split-1",
    )


@pytest.mark.parametrize("target", ["train", "validation", "test"])
def test_nested_folds_must_not_hold_the_outer_test_fold(target, write):
    directory = write("ParticipantKFold", inner_splits=2)
    fold = read_splits(directory)[1][1]
    stray = pd.read_csv(fold.directory / "test.tsv", sep="\t").head(1)
    path = fold.inner[1].directory / f"{target}.tsv"
    both = pd.concat([pd.read_csv(path, sep="\t"), stray])
    both.to_csv(path, sep="\t", index=False)
    (leak,) = audit(directory).leaks
    assert leak.code == "same-participant"
    assert leak.where == "ParticipantKFold/repeat-0/split-1"
    assert stray["participant_id"].iloc[0] in leak.message


def test_scan_level_folds(write):
    report = audit(write("ScanKFold"))
    assert {f.code for f in report.leaks} == {
        "same-participant",
        "same-participant-validation",
    }
    assert all(f.where == "ScanKFold (5 of 5 folds)" for f in report.leaks)


def test_a_flag_does_not_silence_the_audit(write):
    directory = write("ParticipantKFold")
    move(read_splits(directory)[1][0], "test", "train")
    path = directory / "split.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "leaky": True}))
    (directory.parent / "benchmark.json").write_text("{}")
    assert audit(directory).has_leak


def test_demonstration_of_a_benchmark_is_expected(write):
    scans, other = write("ScanKFold"), write("ParticipantKFold")
    root = scans.parent
    assert audit(root).has_leak
    (root / "benchmark.json").write_text("{}")
    report = audit(root)
    assert not report.has_leak
    assert {f.severity for f in report.findings if f.expected} == {"leak"}
    assert "leak (expected)" in str(report)
    move(read_splits(other)[1][0], "test", "train")
    report = audit(root)
    assert [f.where for f in report.leaks] == ["ParticipantKFold/repeat-0/split-0"]
    assert report.findings[0] == report.leaks[0]


def test_same_family(make_cohort, write):
    cohort = make_cohort()
    report = audit(write("ParticipantKFold", cohort=cohort), cohort=cohort)
    (leak,) = report.leaks
    assert leak.code == "same-family" and "FamilyKFold" in leak.what_to_do
    assert not audit(write("FamilyKFold", cohort=cohort), cohort=cohort).findings


def test_one_person_is_no_family(make_cohort, write):
    cohort = make_cohort()
    ids = cohort.table["participant_id"]
    alone = Cohort(cohort.table.assign(family_id="family of " + ids))
    report = audit(write("ScanKFold", cohort=alone), cohort=alone)
    assert not any("family" in code for code in codes(report))


class TestNoIndependentTestSet:
    def test_missing(self, write):
        directory = write("ParticipantKFold")
        for fold in read_splits(directory)[1][:2]:
            (fold.directory / "test.tsv").unlink()
        (leak,) = audit(directory).leaks
        assert leak.code == "no-test-set"
        assert leak.where == "ParticipantKFold (2 of 5 folds)"

    def test_is_validation(self, write):
        directory = write("ParticipantKFold")
        fold = read_splits(directory)[1][3].directory
        (fold / "test.tsv").write_bytes((fold / "validation.tsv").read_bytes())
        found = {f.code: f for f in audit(directory).leaks}
        assert set(found) == {"test-is-validation", "same-participant"}
        assert found["test-is-validation"].where == "ParticipantKFold/repeat-0/split-3"

    def test_sealed_group_used_elsewhere(self, write, clean):
        sealed = write("MatchedTestSet", folder="sealed")
        test = read_splits(sealed)[1][0].test["participant_id"]
        outside = ~clean.table["participant_id"].isin(test)
        development = dataclasses.replace(
            clean, table=clean.table[outside].reset_index(drop=True)
        )
        write("ParticipantKFold", cohort=development)
        assert not audit(sealed.parent, cohort=clean).findings
        write("LeaveOneSiteOut")
        (leak,) = audit(sealed.parent, cohort=clean).leaks
        assert leak.code == "sealed-test-used"
        assert leak.where == "LeaveOneSiteOut (3 of 3 folds)"
        assert f"{test.nunique()} participants of the sealed" in leak.message


def test_folds_without_a_class(clean, write):
    table = clean.table.copy()
    table.loc[table["site"] == "site-1", "diagnosis"] = "CN"
    cohort = Cohort.from_frame(table)
    directory = write("LeaveOneSiteOut", cohort=cohort, allow_missing_class=True)
    report = audit(directory, cohort=cohort)
    found = {f.code: f for f in report.findings}
    missing = found["class-missing-in-test"]
    assert missing.severity == "warning" and not report.has_leak
    assert missing.where == "LeaveOneSiteOut/repeat-0/split-1"
    assert "diagnosis = AD" in missing.message


def test_balance_counts_everyone(clean, write):
    directory = write("ParticipantKFold", n_splits=3)
    balance = audit(directory, cohort=clean).balance
    assert len(balance) == 9
    per_fold = balance.groupby("split")[["participants", "images"]].sum()
    assert (per_fold["participants"] == 60).all()
    assert (per_fold["images"] == len(clean)).all()
    test = balance[balance["group"] == "test"].iloc[0]
    fold = read_splits(directory)[1][0]
    first = fold.test.merge(clean.table).drop_duplicates("participant_id")
    assert test["age_mean"] == round(first["age"].mean(), 2)
    assert test["diagnosis=AD"] == round((first["diagnosis"] == "AD").mean(), 3)
    assert test["sex=F"] == round((first["sex"] == "F").mean(), 3)
    assert test["sites"] == 3


def test_what_is_not_checked_is_said(write, clean):
    directory = write("ParticipantKFold")
    skipped = " ".join(audit(directory).skipped)
    for word in ("families", "confounding", "duplicated images", "biased transfer"):
        assert word in skipped
    bare = Cohort(clean.table[["participant_id", "session_id", "diagnosis"]])
    skipped = " ".join(audit(directory, cohort=bare).skipped)
    assert "no column 'family_id'" in skipped and "confounding" in skipped


def test_table_is_found_where_it_was_split(clean, tmp_path):
    from clinicadl_trust.cohort import read_cohort

    path = tmp_path / "participants.tsv"
    clean.table.to_csv(path, sep="\t", index=False, na_rep="n/a")
    write_splits(
        build("ParticipantKFold"), read_cohort(path), tmp_path / "s", "diagnosis"
    )
    assert not audit(tmp_path / "s").balance.empty
    path.write_text("something else\n")
    assert audit(tmp_path / "s").balance.empty


def test_a_table_found_by_itself_lists_everyone(clean, tmp_path):
    """Another study's participants.tsv may lie where this one was split."""
    from clinicadl_trust.cohort import read_cohort

    path = tmp_path / "participants.tsv"
    clean.table.to_csv(path, sep="\t", index=False, na_rep="n/a")
    write_splits(
        build("ParticipantKFold"), read_cohort(path), tmp_path / "s", "diagnosis"
    )
    others = clean.table.assign(
        participant_id="sub-X" + clean.table.participant_id.str[4:]
    )
    others.to_csv(path, sep="\t", index=False, na_rep="n/a")
    report = audit(tmp_path / "s")
    assert report.findings == () and report.balance.empty
    assert "no participants table" in " ".join(report.skipped)


def test_images_that_the_given_table_does_not_list(clean, write):
    directory = write("ParticipantKFold")
    some = clean.select(clean.table["site"] != "site-1")
    lost = len(clean) - len(some)
    found = {f.code: f for f in audit(directory, cohort=some).findings}
    assert found["not-in-table"].severity == "warning"
    assert f"list {lost} of the {len(clean)} images" in found["not-in-table"].message


def test_leftovers_of_an_interruption_are_no_split(write):
    directory = write("ParticipantKFold")
    partial = directory.with_name("ParticipantKFold.partial")
    shutil.copytree(directory, partial)
    (partial / "split.json").unlink()
    (partial / "repeat-0/split-0/test.tsv").unlink()
    report = audit(directory.parent)
    assert report.findings == ()


def test_one_with_most_images_is_a_warning(clean, write):
    many = [f"ses-X{n:03d}" for n in range(200)]
    person = clean.table.loc[[0] * 200].assign(session_id=many)
    cohort = Cohort.from_frame(pd.concat([clean.table, person]))
    report = audit(write("ParticipantKFold", cohort=cohort), cohort=cohort)
    assert not report.has_leak
    found = [f for f in report.findings if f.code == "one-participant"]
    assert found and all(f.severity == "warning" for f in found)
    assert clean.table["participant_id"][0] in found[0].message


def test_folds_that_are_gone_are_noticed(clean, write):
    directory = write("ParticipantKFold")
    shutil.rmtree(directory / "repeat-0")
    (finding,) = audit(directory, cohort=clean).findings
    assert finding.code == "edited-split"


def test_report_is_written(tmp_path, write, clean):
    report = audit(write("ScanKFold"), cohort=clean)
    audit_tsv, balance_tsv = report.write(tmp_path / "out")
    table = pd.read_csv(audit_tsv, sep="\t")
    assert list(table["code"]) == [f.code for f in report.findings]
    assert len(pd.read_csv(balance_tsv, sep="\t")) == 15


def test_worst_comes_first():
    note = Finding("note", "a", "b", "c", "d")
    report = AuditReport((note,))
    assert not report.has_leak and report.leaks == ()
    assert str(report) == "note: c [b] d"


class TestErrors:
    def test_nothing_there(self, tmp_path):
        with pytest.raises(SplitError, match="holds no split and no run"):
            audit(tmp_path)

    def test_no_folder(self, tmp_path):
        with pytest.raises(SplitError, match="No folder at"):
            audit(tmp_path / "nowhere")

    def test_label_not_in_the_table(self, write, clean):
        with pytest.raises(CohortError, match=r"'diagnoses'.*Did you mean 'diagnosis'"):
            audit(write("ParticipantKFold"), cohort=clean, label="diagnoses")

    def test_record_of_the_benchmark_cut_short(self, write):
        directory = write("ParticipantKFold")
        (directory.parent / "benchmark.json").write_text("{")
        with pytest.raises(SplitError, match=r"benchmark.json' is not valid JSON"):
            audit(directory.parent)

    def test_foreign_record(self, tmp_path):
        (tmp_path / "kfold_config.json").write_text("[]")
        with pytest.raises(SplitError, match="is not ClinicaDL's"):
            audit(tmp_path)
