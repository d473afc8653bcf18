import numpy as np
import pandas as pd
import pytest

from clinicadl_trust.cohort import Cohort, read_cohort
from clinicadl_trust.exceptions import CohortError

HEADER = "participant_id\tsession_id\tsite\tage\tsex\tdiagnosis\n"
ROWS = (
    "sub-B\tses-M12\t1\t71.5\tF\tAD\n"
    "sub-B\tses-M00\t1\t70.5\tF\tn/a\n"
    "sub-A\tses-M00\t2\tn/a\tM\tCN\n"
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "participants.tsv"


def frame(**columns):
    base = {"participant_id": ["sub-1", "sub-2"], "session_id": ["ses-1", "ses-1"]}
    return pd.DataFrame({**base, **columns})


def test_a_table_is_read_sorted_and_typed(path):
    path.write_text(HEADER + ROWS)
    cohort = read_cohort(path, required=["site"])
    table = cohort.table
    assert table["participant_id"].tolist() == ["sub-A", "sub-B", "sub-B"]
    assert table["session_id"].tolist() == ["ses-M00", "ses-M00", "ses-M12"]
    assert table.index.tolist() == [0, 1, 2]
    assert table["site"].tolist() == ["2", "1", "1"]
    np.testing.assert_array_equal(table["age"], [np.nan, 70.5, 71.5])
    assert table["diagnosis"].isna().tolist() == [False, True, False]
    assert cohort.participants.tolist() == ["sub-A", "sub-B"]
    assert len(cohort) == 3 and "age" in cohort.columns
    assert str(path) in cohort.source


def test_the_order_of_rows_does_not_matter(path, tmp_path):
    path.write_text(HEADER + ROWS)
    other = tmp_path / "other.tsv"
    other.write_text(HEADER + "".join(reversed(ROWS.splitlines(keepends=True))))
    pd.testing.assert_frame_equal(read_cohort(path).table, read_cohort(other).table)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        (HEADER, "a header but no rows"),
        (HEADER.replace("\t", ",") + "sub-1,ses-1,1,70,F,AD\n", "separated by commas"),
        ("session_id\tage\nses-1\t70\n", "no column 'participant_id'"),
        ("participant_id\tage\nsub-1\t70\n", "no column 'session_id'.*merge-tsv"),
        ("participant_id\tsession_id\n\tses-1\n", "no participant_id in row 1"),
        ("participant_id\tsession_id\nsub-1\tn/a\n", "no session_id in row 1"),
        ("participant_id\tsession_id\n01\tses-1\n", "'01'.*here 'sub-01'"),
        ("participant_id\tsession_id\nsub-1\tM00\n", "'M00'.*here 'ses-M00'"),
        ("participant_id\tsession_id\nsub-a_1\tses-1\n", "here 'sub-a1'"),
        ("participant_id\tsession_id\nsub-../x\tses-1\n", "letters and digits"),
        (
            "participant_id\tsession_id\n" + "sub-1\tses-1\n" * 2,
            r"lists \(sub-1, ses-1\) more than once; 2 rows",
        ),
        ("participant_id\tsession_id\tage\nsub-1\tses-1\told\n", "'age'.*not numeric"),
        ("participant_id\tsession_id\tage\nsub-1\tses-1\t72,5\n", "not numeric"),
        ("participant_id\tsession_id\tage\nsub-1\tses-1\t-3\n", "holds -3"),
        ("participant_id\tsession_id\tage\nsub-1\tses-1\tinf\n", "holds inf"),
    ],
)
def test_bad_tables_are_explained(path, content, message):
    path.write_text(content)
    with pytest.raises(CohortError, match=message) as raised:
        read_cohort(path)
    assert str(path) in str(raised.value)


def test_a_missing_file_is_explained(tmp_path):
    with pytest.raises(CohortError, match="No participants table"):
        read_cohort(tmp_path / "nothing.tsv")


def test_a_missing_column_is_answered_with_the_nearest(path):
    path.write_text(HEADER + ROWS)
    with pytest.raises(CohortError, match=r"'Site'.*Did you mean 'site'"):
        read_cohort(path, required=["Site"])


def test_spaces_around_ids_do_not_make_two_participants():
    with pytest.raises(CohortError, match="more than once"):
        Cohort.from_frame(frame(participant_id=["sub-1", " sub-1"]))


@pytest.mark.parametrize(
    "site",
    [
        [1, 2],
        [1.0, 2.0],
        ["1", "2"],
        pd.Categorical([1, 2]),
        pd.array([1, 2], dtype="Int64"),
    ],
)
def test_group_columns_are_text_however_they_come(site):
    table = Cohort.from_frame(frame(site=site)).table
    assert table["site"].tolist() == ["1", "2"]


def test_a_missing_group_stays_missing():
    sites = pd.array([1, None], dtype="Int64")
    table = Cohort.from_frame(frame(site=sites)).table
    assert table["site"].isna().tolist() == [False, True]


def test_a_person_of_two_families_is_refused():
    ids = {"participant_id": ["sub-1"] * 3, "session_id": ["ses-1", "ses-2", "ses-3"]}
    known = frame(**ids, family_id=["a", None, "a"])
    assert Cohort.from_frame(known).table["family_id"].nunique() == 1
    assert len(Cohort.from_frame(known.assign(family_id=None))) == 3
    with pytest.raises(CohortError, match="sub-1 the family_id 'a' and 'b'"):
        Cohort.from_frame(known.assign(family_id=["a", None, "b"]))


def test_nullable_ages_become_floats():
    table = Cohort.from_frame(frame(age=pd.array([70, None], dtype="Int64"))).table
    assert table["age"].dtype == float
    np.testing.assert_array_equal(table["age"], [70, np.nan])


def test_duplicated_columns_are_refused():
    twice = pd.concat([frame(age=[1, 2]), pd.DataFrame({"age ": [3, 4]})], axis=1)
    with pytest.raises(CohortError, match="2 columns named 'age'"):
        Cohort.from_frame(twice)


def test_the_given_frame_is_left_alone():
    given = frame(site=[1, 2], age=[70, 80])
    before = given.copy()
    Cohort.from_frame(given.iloc[::-1])
    pd.testing.assert_frame_equal(given, before)


def test_rows_without_a_label_are_left_out(path):
    path.write_text(HEADER + ROWS)
    cohort = read_cohort(path)
    labelled = cohort.labelled("diagnosis")
    assert len(labelled) == 2
    assert labelled.table.index.tolist() == [0, 1]
    assert cohort.task("diagnosis").classes == ("CN", "AD")


def test_a_label_that_is_absent_or_never_known_is_refused():
    cohort = Cohort.from_frame(frame(diagnosis=[None, None]))
    with pytest.raises(CohortError, match="'diagnosis' is n/a in all 2 rows"):
        cohort.task("diagnosis")
    with pytest.raises(CohortError, match=r"'diagnosys'.*Did you mean 'diagnosis'"):
        cohort.task("diagnosys")


def test_a_constant_label_is_refused(path):
    path.write_text(HEADER + ROWS.replace("CN", "AD"))
    with pytest.raises(CohortError, match=r"constant in .*every row is 'AD'"):
        read_cohort(path).task("diagnosis")


def test_truth_values_of_a_file_keep_their_spelling(path):
    header = "participant_id\tsession_id\tconverter\n"
    path.write_text(header + "sub-1\tses-1\tTRUE\nsub-2\tses-1\tFALSE\n")
    assert read_cohort(path).task("converter").classes == ("FALSE", "TRUE")
    # An n/a elsewhere in the column changes nothing.
    path.write_text(path.read_text() + "sub-3\tses-1\tn/a\n")
    assert read_cohort(path).task("converter").classes == ("FALSE", "TRUE")


def test_select_keeps_a_clean_index():
    cohort = Cohort.from_frame(frame(age=[70, 80]))
    chosen = cohort.select(cohort.table["age"] > 75)
    assert chosen.table["participant_id"].tolist() == ["sub-2"]
    assert chosen.table.index.tolist() == [0]


def test_several_labels_must_all_be_known():
    cohort = Cohort.from_frame(frame(x=[1.0, 2.0], y=[np.nan, 4.0], z=[5.0, np.nan]))
    assert len(cohort.labelled(["x", "y"])) == 1
    assert cohort.task(["x"]).outputs == ("x",)
    with pytest.raises(CohortError, match="No row of table has all of the labels y, z"):
        cohort.labelled(["y", "z"])
    with pytest.raises(CohortError, match="column 'w'"):
        cohort.task(["x", "w"])
    empty = Cohort.from_frame(frame(x=[1.0, 2.0], y=[np.nan, np.nan]))
    with pytest.raises(CohortError, match="'y' is n/a in all 2 rows"):
        empty.task(["x", "y"])
