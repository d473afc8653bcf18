"""Splits on disk: whole or not at all, and the same when read back."""

from __future__ import annotations

import hashlib
import json

import pandas as pd
import pytest
from strategy_builder import build

from clinicadl_trust.exceptions import OutputError, SplitError
from clinicadl_trust.split import read_splits, write_splits

NESTED = {"n_splits": 3, "n_repeats": 2, "inner_splits": 2, "seed": 5}


@pytest.fixture
def written(make_cohort, tmp_path):
    cohort = make_cohort()
    strategy = build("ParticipantKFold", NESTED)
    directory = tmp_path / "participants"
    return write_splits(strategy, cohort, directory, "diagnosis"), directory


def test_same_when_read_back(written):
    folds, directory = written
    info, back = read_splits(directory)
    assert (info.name, info.strategy) == ("participants", "ParticipantKFold")
    assert (info.unit, info.leaky, info.label) == ("participant", False, "diagnosis")
    assert info.options["n_splits"] == 3 and info.options["seed"] == 5
    assert len(back) == 6

    def check(one, other):
        for group in ("train", "validation", "test"):
            pd.testing.assert_frame_equal(getattr(one, group), getattr(other, group))
        for name in ("repeat", "split", "name", "notes", "directory"):
            assert getattr(one, name) == getattr(other, name), name
        assert len(one.inner) == len(other.inner)
        for a, b in zip(one.inner, other.inner, strict=True):
            check(a, b)

    for one, other in zip(folds, back, strict=True):
        check(one, other)
        assert one.directory.is_dir() and len(one.inner) == 2


def test_same_bytes_twice(make_cohort, tmp_path):
    def digest(folder):
        write_splits(build("SiteKFold", {"n_splits": 3}), make_cohort(), folder)
        return {
            str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).digest()
            for path in folder.rglob("*.tsv")
        }

    one, other = digest(tmp_path / "a"), digest(tmp_path / "b")
    assert one == other and len(one) == 15


def test_baseline_holds_the_first_session_of_each(written):
    folds, _ = written
    for group in ("train", "validation"):
        baseline = pd.read_csv(folds[0].directory / f"{group}_baseline.tsv", sep="\t")
        expected = getattr(folds[0], group).groupby("participant_id").first()
        pd.testing.assert_series_equal(
            baseline.set_index("participant_id")["session_id"], expected["session_id"]
        )


def test_later_sessions_are_not_dragged_in(make_cohort, tmp_path):
    (fold,) = write_splits(build("TemporalSplit"), make_cohort(), tmp_path / "t")
    table = pd.read_csv(fold.directory / "train.tsv", sep="\t")
    pd.testing.assert_frame_equal(table, fold.train)
    cohort = make_cohort().table
    of_them = cohort["participant_id"].isin(fold.train["participant_id"])
    assert len(table) < of_them.sum()


def test_record_says_what_was_split(written):
    _, directory = written
    content = json.loads((directory / "split.json").read_text())
    assert content["lineage"]["participants"] == 60
    assert content["lineage"]["cohort"] == "the test cohort"
    assert len(content["lineage"]["cohort_digest"]) == 64
    first = content["folds"][0]
    assert first["test"]["participants"] == 20
    assert {"train", "validation", "test", "notes", "inner"} <= set(first)


def test_never_written_over(written, make_cohort):
    _, directory = written
    before = sorted(directory.rglob("*"))
    with pytest.raises(OutputError, match="exists already"):
        write_splits(build("ParticipantKFold"), make_cohort(), directory)
    assert sorted(directory.rglob("*")) == before


def test_empty_folder_is_used_and_leftovers_removed(make_cohort, tmp_path):
    directory, leftover = tmp_path / "new", tmp_path / "new.partial"
    directory.mkdir()
    leftover.mkdir()
    (leftover / "half.tsv").touch()
    write_splits(build("ParticipantKFold"), make_cohort(), directory)
    assert not leftover.exists() and not (directory / "half.tsv").exists()
    assert len(read_splits(directory)[1]) == 5


def test_nothing_is_written_when_the_cohort_cannot_be_split(make_cohort, tmp_path):
    with pytest.raises(SplitError):
        write_splits(build("LeaveOneSiteOut"), make_cohort(sites=1), tmp_path / "x")
    assert not list(tmp_path.iterdir())


class TestBadFolder:
    def test_no_split(self, tmp_path):
        with pytest.raises(SplitError, match=r"has no split\.json"):
            read_splits(tmp_path)

    def test_folder_above(self, written):
        _, directory = written
        with pytest.raises(SplitError, match=r"holds the splits \['participants'\]"):
            read_splits(directory.parent)

    def test_fold_gone(self, written):
        folds, directory = written
        folds[0].directory.rename(directory / "elsewhere")
        with pytest.raises(SplitError, match="should hold 6 folds"):
            read_splits(directory)

    def test_table_gone(self, written):
        folds, directory = written
        (folds[1].directory / "test.tsv").unlink()
        with pytest.raises(SplitError, match=r"split-1.test\.tsv"):
            read_splits(directory)

    def test_table_without_ids(self, written):
        folds, directory = written
        (folds[1].directory / "test.tsv").write_text("participant\tsession_id\na\tb\n")
        with pytest.raises(SplitError, match="Did you mean 'participant'"):
            read_splits(directory)

    def test_record_cut_short(self, written):
        _, directory = written
        path = directory / "split.json"
        path.write_text(path.read_text()[:50])
        with pytest.raises(SplitError, match="cannot be read"):
            read_splits(directory)

    def test_stray_folder(self, written):
        _, directory = written
        (directory / "repeat-0" / "split-copy").mkdir()
        with pytest.raises(SplitError, match="should end in a number"):
            read_splits(directory)
