import numpy as np
import pandas as pd
import pytest

from clinicadl_trust.exceptions import CohortError, PredictionsError
from clinicadl_trust.tables import as_text, read_table, write_whole


@pytest.fixture
def read(tmp_path):
    def read(content, text=(), separator="\t", error=CohortError):
        path = tmp_path / "table.tsv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_table(path, "participants table", error, text, separator)

    return read


def test_numbers_come_back_to_the_last_digit(read):
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.random(5000), rng.normal(size=5000) * 1e-12])
    table = read("x\n" + "\n".join(map(repr, values.tolist())))
    np.testing.assert_array_equal(table["x"].to_numpy(), values)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\xef\xbb\xbfid\tage\nsub-1\t71\n", id="byte-order mark"),
        pytest.param(b"id\tage\r\nsub-1\t71\r\n", id="Windows line ends"),
        pytest.param(b"id\tage\rsub-1\t71\r", id="old Mac line ends"),
        pytest.param(b"\nid\tage\n\nsub-1\t71\n\n", id="blank lines"),
        pytest.param(b" id\tage  \n sub-1 \t 71 \n", id="spaces"),
        pytest.param(b"id\tage\t\nsub-1\t71\t\n", id="trailing tabs"),
        pytest.param(b"\tid\tage\n0\tsub-1\t71\n", id="index of pandas"),
    ],
)
def test_spellings_of_one_table(read, content):
    table = read(content)
    pd.testing.assert_frame_equal(table, pd.DataFrame({"id": ["sub-1"], "age": [71]}))


@pytest.mark.parametrize(
    "missing", ["n/a", "N/A", "NA", "NaN", "nan", "", "  ", "<NA>"]
)
def test_missing_values(read, missing):
    table = read(f"id\tage\tgroup\na\t{missing}\t{missing}\nb\t70.5\tAD\n")
    assert table["age"].isna().tolist() == [True, False]
    assert table["age"].dtype == float
    assert table["group"].isna().tolist() == [True, False]


def test_what_must_stay_text_stays_text(read):
    table = read("site\tscanner\tlabel\n007\t1\tTRUE\n008\t2\tFALSE\n", text=["site"])
    assert table["site"].tolist() == ["007", "008"]
    assert table["scanner"].tolist() == [1, 2]
    assert table["label"].tolist() == ["TRUE", "FALSE"]


def test_a_header_alone_is_a_table_without_rows(read):
    table = read("id\tage\n")
    assert list(table.columns) == ["id", "age"] and table.empty


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"id,age\nsub-1,71\n", "separated by commas, not tabs"),
        (b"id;age\nsub-1;71\n", "separated by semicolons, not tabs"),
        (b"id age\nsub-1 71\n", "separated by spaces, not tabs"),
        (b"id\tage\tage\nsub-1\t71\t72\n", "2 columns named 'age'"),
        (b"id\tage\nsub-1\t71\t3\n", "Expected 2 fields in line 2, saw 3"),
        (b'id\tage\n"sub-1\t71\n', "cannot be read as a table"),
        ("id\tage\nsub-1\t71\n".encode("utf-16"), "Save it as UTF-8"),
        (b"PK\x03\x04\xff\xfe\x00", "Save it as UTF-8"),
    ],
)
def test_what_is_no_table_is_explained(read, content, message):
    with pytest.raises(CohortError, match=message) as raised:
        read(content)
    assert "table.tsv" in str(raised.value)


def test_rows_longer_than_the_header_never_shift_columns(read):
    # pandas alone takes the first column for an index here.
    with pytest.raises(CohortError, match="saw 3"):
        read("id\tage\nsub-1\t71\tF\nsub-2\t72\tM\n")


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(PredictionsError, match=r"No predictions table at '.*absent"):
        read_table(tmp_path / "absent.tsv", "predictions table", PredictionsError)
    with pytest.raises(CohortError, match="No participants table"):
        read_table(tmp_path, "participants table", CohortError)


def test_commas_when_they_are_asked_for(read):
    assert read("id,age\nsub-1,71\n", separator=",")["age"].tolist() == [71]
    with pytest.raises(CohortError, match="separated by semicolons, not commas"):
        read("id;age\nsub-1;71\n", separator=",")
    with pytest.raises(CohortError, match="separated by semicolons, not commas"):
        read("\nid;age\nsub-1;71,5\n", separator=",")


@pytest.mark.parametrize(
    "values",
    [
        [1, 0],
        [1.0, 0.0],
        ["1", "0"],
        pd.array([1, 0], dtype="Int64"),
        pd.Categorical([1, 0]),
        np.array([1, 0], dtype=np.int8),
    ],
)
def test_one_and_one_point_zero_are_the_same_text(values):
    assert as_text(pd.Series(values)).tolist() == ["1", "0"]


def test_text_of_the_rest():
    mixed = pd.Series([True, np.bool_(False), 1.5, "AD ", None, np.nan, pd.NA])
    text = as_text(mixed)
    assert text[:4].tolist() == ["True", "False", "1.5", "AD"]
    assert text[4:].isna().all()


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "new" / "table.tsv"
    write_whole(path, "id\n\N{GREEK SMALL LETTER TAU}\n")
    assert path.read_bytes() == "id\n\N{GREEK SMALL LETTER TAU}\n".encode()

    def full(_):
        raise OSError("No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, "other")
    assert [each.name for each in path.parent.iterdir()] == ["table.tsv"]
    assert path.read_text(encoding="utf-8").startswith("id")
