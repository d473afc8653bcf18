"""Tables as people have them: one reading, or one clear message."""

import pandas as pd
import pytest

from clinicadl_trust.exceptions import PredictionsError
from clinicadl_trust.predictions import read_predictions


def write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


def test_a_spreadsheet_with_semicolons_and_decimal_commas(tmp_path):
    text = "\ufeffParticipant ID;Label;Score\r\nP 1;1;0,75\r\nP 2;0;,5\r\n"
    table = read_predictions(write(tmp_path / "a.csv", text))
    assert table["participant_id"].tolist() == ["P 1", "P 2"]
    assert table["score"].tolist() == [0.75, 0.5]
    assert table["label"].tolist() == [1, 0]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "participant_id\tlabel\tscore\na\t1\t.5\n"),
        ("a.tsv", "participant_id,label,score\na,1,.5\n"),
        ("a.txt", "participant_id;label;score\na;1;.5\n"),
        ("a.csv", "participant_id,label,score\na,1,.5\n"),
        ("a.csv", 'participant_id,label,score\n"a","1","0.5"\n'),
    ],
)
def test_the_header_tells_what_stands_between_columns(tmp_path, name, text):
    table = read_predictions(write(tmp_path / name, text))
    assert table[["participant_id", "score"]].to_numpy().tolist() == [["a", 0.5]]


def test_quoted_commas_are_decimal_where_they_are_not_of_thousands(tmp_path):
    text = 'participant_id,label,score\n"a","1","0,25"\n"b","0","3"\n'
    table = read_predictions(write(tmp_path / "a.csv", text))
    assert table["score"].tolist() == [0.25, 3]
    with pytest.raises(PredictionsError, match="not a number"):
        read_predictions(write(tmp_path / "a.csv", text.replace("0,25", "1,250")))


def test_text_with_commas_is_no_number(tmp_path):
    text = "participant_id;label;score;site\na;AD;0,5;3,1\nb;CN;1;4,5\n"
    table = read_predictions(write(tmp_path / "a.csv", text), positive="AD")
    assert table["site"].tolist() == ["3,1", "4,5"]
    assert table["score"].tolist() == [0.5, 1]


def test_a_column_asked_for_is_not_guessed(tmp_path):
    text = "Participant ID,Score,p,Label,Group\na,7,.5,1,AD\n"
    table = read_predictions(write(tmp_path / "a.csv", text), {"score": "p"})
    assert table["score"].tolist() == [0.5]
    assert table["group"].tolist() == ["test"]


def test_two_columns_that_could_be_ours_are_not_guessed(tmp_path):
    text = "Participant ID,PARTICIPANT-ID,score,label\na,b,.5,1\n"
    with pytest.raises(PredictionsError, match="no column 'participant_id'"):
        read_predictions(write(tmp_path / "a.csv", text))


WIDE = "participant_id,label,score_cnn,svm p\na,1,.9,.8\nb,0,.1,.6\n"


def test_a_column_of_scores_per_model(tmp_path):
    path = write(tmp_path / "a.csv", WIDE)
    table = read_predictions(path, models={"cnn": "score_cnn", "svm": "svm p"})
    assert table["model"].tolist() == ["cnn", "cnn", "svm", "svm"]
    assert table["score"].tolist() == [0.9, 0.1, 0.8, 0.6]
    assert "score_cnn" not in table and "svm p" not in table


def test_models_without_their_columns_are_told(tmp_path):
    path = write(tmp_path / "a.csv", WIDE)
    with pytest.raises(PredictionsError, match="Did you mean 'score_cnn'"):
        read_predictions(path, models={"cnn": "score_cn"})
    with pytest.raises(PredictionsError, match="--model-column"):
        read_predictions(path)
    long = write(tmp_path / "b.csv", "participant_id,label,score,model\na,1,.5,m\n")
    with pytest.raises(PredictionsError, match="Leave --model-column out"):
        read_predictions(long, models={"cnn": "score"})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04rest", "is an Excel workbook"),
        ("participant_id\tlabel\n".encode("utf-16"), "is UTF-16 text"),
        ("participant_id,label,score\nJos\xe9,1,.5\n".encode("latin-1"), "as UTF-8"),
        (b"", "is empty"),
        (b"participant_id,label,score\n", "has a header but no rows"),
    ],
)
def test_what_is_no_text_table_is_told(tmp_path, content, message):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(PredictionsError, match=message):
        read_predictions(path)


def test_copies_of_a_row_are_counted(tmp_path):
    row = {"participant_id": ["a"], "label": [1], "score": [0.5]}
    pd.DataFrame(row).loc[[0, 0, 0]].to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(PredictionsError, match="2 rows are copies of another"):
        read_predictions(tmp_path / "a.csv")
