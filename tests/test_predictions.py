import numpy as np
import pandas as pd
import pytest

from clinicadl_trust.exceptions import PredictionsError
from clinicadl_trust.predictions import (
    COLUMNS,
    check_predictions,
    predictions_frame,
    read_predictions,
    write_predictions,
)
from clinicadl_trust.task import Task

BINARY = Task("classification", "diagnosis", ("CN", "AD"))
RUN = {
    "split_strategy": "sites",
    "repeat": 0,
    "split": 1,
    "fold": "site-B",
    "seed": 3,
    "model": "cnn",
    "group": "test",
}


def images(**columns):
    return pd.DataFrame(
        {
            "participant_id": ["sub-2", "sub-1", "sub-3"],
            "session_id": ["ses-1"] * 3,
            "site": ["B", "B", "C"],
            "age": [70.0, 71.0, 72.0],
            **columns,
        },
        index=[7, 3, 5],
    )


def own(**columns):
    base = {
        "participant_id": ["sub-1", "sub-2"],
        "label": [0, 1],
        "score": [0.25, 0.75],
    }
    return pd.DataFrame({**base, **columns})


def multiclass(**columns):
    base = {
        "participant_id": ["sub-1", "sub-2"],
        "label": ["CN", "MCI"],
        "score_CN": [0.5, 0.2],
        "score_MCI": [0.3, 0.7],
        "score_AD": [0.2, 0.1],
    }
    return pd.DataFrame({**base, **columns})


def test_several_outputs_are_told_one_by_one_and_together():
    task = Task("regression", "x, y", (), ("x", "y"), (2.0, 10.0))
    rows = images(x=[1.0, 2.0, 3.0], y=[10.0, np.nan, 30.0])
    scores = np.array([[3.0, 10.0], [5.0, 5.0], [3.0, 70.0]])
    table = check_predictions(predictions_frame(rows, task, scores, RUN))
    np.testing.assert_array_equal(table["label"], rows["x"])
    np.testing.assert_array_equal(table["score"], scores[:, 0])
    np.testing.assert_array_equal(table["label_y"], rows["y"])
    np.testing.assert_array_equal(table["predicted_y"], scores[:, 1])
    # Off by one deviation in one of two; unknown; off by four in one of two.
    np.testing.assert_allclose(table["error"], [0.5**0.5, np.nan, 8**0.5])
    unlabelled = predictions_frame(rows.drop(columns=["x", "y"]), task, scores, RUN)
    assert unlabelled[["label", "label_x", "error"]].isna().all(axis=None)


def test_a_binary_run_becomes_a_table():
    table = predictions_frame(
        images(diagnosis=["AD", "CN", None]), BINARY, np.array([0.9, 0.2, 0.5]), RUN
    )
    assert set(COLUMNS) <= set(table.columns)
    assert table["participant_id"].tolist() == ["sub-2", "sub-1", "sub-3"]
    np.testing.assert_array_equal(table["label"], [1, 0, np.nan])
    assert table["score"].tolist() == [0.9, 0.2, 0.5]
    assert table["site"].tolist() == ["B", "B", "C"] and "age" not in table
    assert (table["fold"] == "site-B").all()
    pd.testing.assert_frame_equal(
        check_predictions(table)[table.columns], table, check_dtype=False
    )


def test_two_outputs_give_the_score_of_the_second_class():
    scores = np.array([[0.1, 0.9], [0.8, 0.2], [0.5, 0.5]])
    table = predictions_frame(images(), BINARY, scores, RUN)
    assert table["score"].tolist() == [0.9, 0.2, 0.5]
    assert table["label"].isna().all()


def test_many_classes_give_a_score_each():
    task = Task("classification", "diagnosis", ("AD", "CN", "MCI"))
    scores = np.full((3, 3), 1 / 3)
    table = predictions_frame(images(diagnosis=["MCI", None, "AD"]), task, scores, RUN)
    assert table["label"].tolist()[::2] == ["MCI", "AD"] and table["label"].isna()[1]
    assert {"score_AD", "score_CN", "score_MCI"} <= set(table.columns)
    assert check_predictions(table)["label"].tolist()[::2] == ["MCI", "AD"]


def test_a_regression_keeps_its_values():
    task = Task("regression", "age")
    table = predictions_frame(images(), task, np.array([[69.0], [71.0], [73.0]]), RUN)
    assert table["label"].tolist() == [70, 71, 72]
    assert table["score"].tolist() == [69, 71, 73]


def test_written_and_read_back_the_same(tmp_path):
    rng = np.random.default_rng(0)
    table = pd.concat(
        [
            predictions_frame(
                images(diagnosis=["AD", "CN", None]),
                BINARY,
                rng.random(3),
                {**RUN, "model": model, "fold": fold},
            )
            for model, fold in (("cnn", "1"), ("007", ""))
        ]
    )
    path = write_predictions(table, tmp_path / "run" / "predictions.tsv")
    assert [p.name for p in path.parent.iterdir()] == ["predictions.tsv"]
    again = read_predictions(path)
    pd.testing.assert_frame_equal(
        again, check_predictions(table), check_exact=True, check_like=True
    )
    assert again["model"].unique().tolist() == ["cnn", "007"]
    assert again["fold"].unique().tolist() == ["1", ""]


def test_a_table_of_ones_own_gets_the_defaults():
    table = check_predictions(own())
    assert (table["group"] == "test").all() and (table["split"] == 0).all()
    assert table["model"].unique().tolist() == ["model"]
    assert table["label"].dtype == float


def test_a_csv_with_other_names_is_read(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("id,truth,label,p\nsub-1,0,x,0.25\nsub-2,1,y,0.75\n")
    names = {"participant_id": "id", "label": "truth", "score": "p"}
    table = read_predictions(path, columns=names)
    assert table["label"].tolist() == [0, 1]
    assert table["score"].tolist() == [0.25, 0.75]
    with pytest.raises(PredictionsError, match=r"no column 'prob' \(asked for as 's"):
        read_predictions(path, columns={**names, "score": "prob"})


def test_tables_that_know_different_things_are_put_together(tmp_path):
    one = tmp_path / "one.tsv"
    own(model="a", seed=5).to_csv(one, sep="\t", index=False)
    two = tmp_path / "two.tsv"
    own(model="b").to_csv(two, sep="\t", index=False)
    table = read_predictions(path for path in (one, two))
    assert table.groupby("model")["seed"].first().to_dict() == {"a": 5, "b": 0}
    assert table["seed"].dtype == int


def test_binary_and_multiclass_stand_side_by_side(tmp_path):
    paths = []
    for name, table in (("a", own(model="a")), ("b", multiclass(model="b"))):
        paths.append(write_predictions(table, tmp_path / f"{name}.tsv"))
    table = read_predictions(paths)
    assert table["label"].tolist() == [0, 1, "CN", "MCI"]
    assert table["score"].notna().tolist() == [True, True, False, False]


def test_folds_that_are_only_named_are_numbered(tmp_path):
    table = pd.concat([own(fold="site-B"), own(fold="site-A")], ignore_index=True)
    assert check_predictions(table)["split"].tolist() == [1, 1, 0, 0]
    assert check_predictions(own(fold=[3, 10]))["split"].tolist() == [3, 10]
    assert check_predictions(own(fold="a", split=5))["split"].tolist() == [5, 5]
    assert check_predictions(own(fold=""))["split"].tolist() == [0, 0]
    paths = []
    for name in ("b", "a"):  # a file per fold, without a number in any
        paths.append(tmp_path / f"{name}.tsv")
        own(fold=name, model="cnn").to_csv(paths[-1], sep="\t", index=False)
    assert read_predictions(paths)["split"].tolist() == [1, 1, 0, 0]


def test_folds_that_are_named_may_be_called_split(tmp_path):
    path = tmp_path / "mine.tsv"
    own(split=["one", "two"]).to_csv(path, sep="\t", index=False)
    with pytest.raises(PredictionsError, match=r"whole numbers.*--column fold=split"):
        read_predictions(path)
    table = read_predictions(path, {"fold": "split"})
    assert table["split"].tolist() == [0, 1]
    assert table["fold"].tolist() == ["one", "two"]


def test_a_column_may_be_asked_for_twice(tmp_path):
    path = tmp_path / "mine.tsv"
    own(where=["A", "B"]).to_csv(path, sep="\t", index=False)
    table = read_predictions(path, {"site": "where", "scanner": "where"})
    assert table["site"].tolist() == table["scanner"].tolist() == ["A", "B"]


def test_files_named_alike_are_named_by_their_folders(tmp_path):
    paths = []
    for name in ("one/cnn", "one/svm", "two/cnn"):
        paths.append(tmp_path / f"{name}.tsv")
        paths[-1].parent.mkdir(exist_ok=True)
        own().to_csv(paths[-1], sep="\t", index=False)
    assert set(read_predictions(paths[1:])["model"]) == {"svm", "cnn"}
    assert set(read_predictions(paths[::2])["model"]) == {"one", "two"}
    everything = read_predictions(paths)
    assert set(everything["model"]) == {"one/cnn", "one/svm", "two/cnn"}


def test_the_given_table_is_left_alone():
    table = own(site=[1, 2])
    before = table.copy()
    assert check_predictions(table)["site"].tolist() == ["1", "2"]
    pd.testing.assert_frame_equal(table, before)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (own().drop(columns="participant_id"), "no column 'participant_id'"),
        (own().drop(columns="label"), "no column 'label'.*compare TABLE"),
        (own().rename(columns={"score": "scores"}), "Did you mean 'scores'"),
        (own()[:0], "a header but no rows"),
        (own(participant_id=["sub-1", None]), "no participant_id in row 2"),
        (own(score=[0.1, None]), r"missing or infinite in row 2.*\(sub-2\); 1 rows"),
        (own(score=[np.inf, 0.1]), "missing or infinite in row 1"),
        (own(score=["high", "low"]), "a score that is not a number"),
        (own(score=["0,5", "0,25"]), "'0,5'.*with a point"),
        (own(score_std=0.1), r"a 'score' and \['score_std'\].*rename.*row 1.*2 rows"),
        (own(fold=["a", None]), "'fold' is n/a in 1 of 2 rows"),
        (own(fold=["a", "b"], split=7), r"several folds \(a, b\) under 'split' 7"),
        (pd.concat([own(), own()]), "Visits are told apart by 'session_id'"),
        (own().drop(columns="label"), "--column 'label=ITS NAME'"),
        (own(label=["CN", "AD"]), "not a number beside a 'score'.*row 1"),
        (own(label=[0, np.inf]), "not a number beside a 'score'.*row 2"),
        (own(split=["a", "b"]), "'split' of t must hold whole numbers"),
        (own(seed=[0.5, 1]), "'seed' of t must hold whole numbers"),
        (multiclass(label=["CN", "SCD"]), r"none of the classes.*'MCI'.*row 2"),
        (multiclass(score_AD=[0.1, None]), "missing or infinite in row 2"),
        (pd.concat([own(), own()]), "more than once in one run.*average patches"),
        (
            pd.concat([own(), pd.DataFrame({"score": [0.0, 0]})], axis=1),
            "several columns named 'score'",
        ),
    ],
)
def test_wrong_tables_are_explained(table, message):
    with pytest.raises(PredictionsError, match=message):
        check_predictions(table, "t")


def test_one_image_in_several_runs_is_no_duplicate():
    runs = [own(seed=0), own(seed=1), own(model="b"), own(group="validation")]
    assert len(check_predictions(pd.concat([*runs, own(session_id="ses-M012")]))) == 10


def test_unlabelled_predictions_are_allowed():
    assert check_predictions(own(label=[None, None]))["label"].isna().all()
    assert check_predictions(multiclass(label=[None, "AD"]))["label"].isna()[0]


@pytest.mark.parametrize("label", [[False, True], pd.array([0, 1], dtype="Int64")])
def test_labels_of_other_types_become_numbers(label):
    assert check_predictions(own(label=label))["label"].tolist() == [0.0, 1.0]


def test_absent_and_empty_files_are_explained(tmp_path):
    with pytest.raises(PredictionsError, match="No predictions table at"):
        read_predictions(tmp_path / "absent.tsv")
    with pytest.raises(PredictionsError, match="No predictions table was given"):
        read_predictions([])
    (tmp_path / "empty.tsv").write_text("")
    with pytest.raises(PredictionsError, match="is empty"):
        read_predictions(tmp_path / "empty.tsv")


def test_a_table_that_cannot_be_checked_is_not_written(tmp_path):
    with pytest.raises(PredictionsError, match="missing or infinite"):
        write_predictions(own(score=[np.nan, 1]), tmp_path / "p.tsv")
    assert not list(tmp_path.iterdir())


def test_a_positive_class_makes_numbers_of_names(tmp_path):
    path = tmp_path / "mine.tsv"
    own(label=["CN", "AD"]).to_csv(path, sep="\t", index=False)
    assert read_predictions(path, positive="AD")["label"].tolist() == [0, 1]
    assert read_predictions(path, positive="CN")["label"].tolist() == [1, 0]
    with pytest.raises(PredictionsError, match=r"'ADD' is no value.*mean 'AD'"):
        read_predictions(path, positive="ADD")
    several = tmp_path / "several.tsv"
    multiclass().to_csv(several, sep="\t", index=False)
    with pytest.raises(PredictionsError, match=r"'MCI'\) is for a column 'score'"):
        read_predictions(several, positive="MCI")
    other = tmp_path / "other.tsv"
    own(label=["MCI", "AD"]).to_csv(other, sep="\t", index=False)
    with pytest.raises(PredictionsError, match="is for two classes, and the labels"):
        read_predictions([path, other], positive="AD")


def test_of_several_files_each_without_a_name_is_named_as_its_file(tmp_path):
    paths = [tmp_path / "cnn.tsv", tmp_path / "svm.tsv"]
    for path in paths:
        own().to_csv(path, sep="\t", index=False)
    assert set(read_predictions(paths)["model"]) == {"cnn", "svm"}
    assert set(read_predictions(paths[0])["model"]) == {"model"}
