"""The participants table alone, and nothing at all."""

import numpy as np
import pandas as pd
import pytest
from scikit_data import fold_of, make_spec, people
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import Pipeline

from clinicadl_trust.cohort import Cohort
from clinicadl_trust.exceptions import ConfigError
from clinicadl_trust.models.baselines import Columns, choose_columns
from clinicadl_trust.models.scikit import predict_scikit, run_scikit
from clinicadl_trust.predictions import read_predictions


def predicted(maps) -> pd.DataFrame:
    return read_predictions(maps / "training/split-0/trust/predictions_test.tsv")


def transformed(columns: Columns, train: pd.DataFrame, rows: pd.DataFrame):
    step = Pipeline(columns.steps()).fit(columns.read(train))
    return np.asarray(step.transform(columns.read(rows)))


def test_default_columns_are_those_that_are_there():
    table = people().table
    names = choose_columns(table, ["diagnosis"], None, "x").names
    assert names == ("age", "sex", "site")
    assert choose_columns(table, ["age"], None, "x").names == ("sex", "site")
    assert choose_columns(
        table.drop(columns="sex"), ["diagnosis"], None, "x"
    ).names == (
        "age",
        "site",
    )
    unknown = table.assign(site=np.nan)
    assert choose_columns(unknown, ["diagnosis"], None, "x").names == ("age", "sex")


def test_columns_are_quantities_or_categories():
    table = people(mmse=1.0, education="long").table
    found = choose_columns(table, ["diagnosis"], ["mmse", "education", "site"], "x")
    assert found == Columns(("mmse",), ("education", "site"))
    numbered = people(site=np.tile([1, 2], 20)).table
    assert choose_columns(numbered, ["diagnosis"], ["site"], "x").categories == (
        "site",
    )


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ([], "columns is empty"),
        (["diagnosis"], "the label itself"),
        (["participant_id"], "whose image it is"),
        (["agee"], "Did you mean 'age'"),
    ],
)
def test_columns_that_cannot_be_inputs_are_refused(wanted, message):
    with pytest.raises(ConfigError, match=message):
        choose_columns(people().table, ["diagnosis"], wanted, "models.metadata")


def test_an_unknown_site_is_no_site():
    columns = Columns((), ("site",))
    train = pd.DataFrame({"site": ["A", "B", "B"]})
    rows = pd.DataFrame({"site": ["B", "C", None]})
    found = transformed(columns, train, rows)
    np.testing.assert_array_equal(found, [[0, 1], [0, 0], [0, 0]])


def test_what_is_missing_is_the_training_rows_median():
    columns = Columns(("age",), ())
    train = pd.DataFrame({"age": [50.0, 60.0, 100.0, np.nan]})
    rows = pd.DataFrame({"age": [np.nan, 60.0, 10**6]})
    found = transformed(columns, train, rows)
    assert found[0, 0] == found[1, 0]  # 60, whatever the rows that are predicted
    assert found[0, 1] > found[1, 1]  # and that it was missing is told


def test_a_column_that_training_rows_lack_does_not_fail():
    columns = Columns(("age",), ("sex",))
    train = pd.DataFrame({"age": [np.nan, np.nan], "sex": [None, None]})
    rows = pd.DataFrame({"age": [70.0], "sex": ["F"]})
    assert np.isfinite(transformed(columns, train, rows)).all()


def test_metadata_finds_what_age_tells_and_reads_no_image(tmp_path):
    cohort = people(60)
    older = cohort.table["diagnosis"].eq("AD")
    table = cohort.table.assign(age=60 + 20 * older + np.arange(60) % 7)
    cohort = Cohort.from_frame(table.assign(path="/nowhere/image.nii.gz"))
    maps = run_scikit(make_spec(tmp_path, cohort, {"type": "metadata"}))
    found = predicted(maps)
    assert roc_auc_score(found["label"], found["score"]) == 1.0
    assert not (tmp_path / "cache").exists()


def test_metadata_is_the_logistic_regression_of_its_columns(tmp_path):
    cohort = people(60, seed=3)
    config = {
        "type": "metadata",
        "columns": ["age"],
        "estimator": {"name": "sklearn.linear_model.LogisticRegression", "C": 0.5},
    }
    found = predicted(run_scikit(make_spec(tmp_path, cohort, config)))
    fold = fold_of(cohort)
    ids = ["participant_id", "session_id"]
    train, test = (g[ids].merge(cohort.table) for g in (fold.train, fold.test))
    mean, deviation = train["age"].mean(), train["age"].std(ddof=0)
    model = LogisticRegression(C=0.5).fit(
        (train[["age"]] - mean) / deviation, train["diagnosis"] == "AD"
    )
    expected = model.predict_proba((test[["age"]] - mean) / deviation)[:, 1]
    np.testing.assert_allclose(found["score"], expected, atol=1e-4)


def test_metadata_without_columns_is_the_majority(tmp_path, caplog):
    cohort = people(40)
    bare = Cohort.from_frame(cohort.table.drop(columns=["age", "sex", "site"]))
    metadata = run_scikit(make_spec(tmp_path, bare, {"type": "metadata"}))
    assert "predicts as the majority baseline" in caplog.text
    majority = run_scikit(
        make_spec(tmp_path, bare, {"type": "majority"}, output=tmp_path / "majority")
    )
    np.testing.assert_array_equal(
        predicted(metadata)["score"], predicted(majority)["score"]
    )
    np.testing.assert_array_equal(
        predict_scikit(metadata, bare), predict_scikit(majority, bare)
    )


def test_majority_is_the_share_among_training_rows(tmp_path):
    diagnosis = ["AD"] * 10 + ["CN"] * 8 + ["AD"] * 5 + ["CN"] * 17
    cohort = people(40, diagnosis=diagnosis)
    found = predicted(run_scikit(make_spec(tmp_path, cohort, {"type": "majority"})))
    np.testing.assert_allclose(found["score"], 5 / 22)
    assert found["label"].mean() == 1.0


def test_majority_can_count_participants(tmp_path):
    """One patient comes ten times: by images half, by participants one in eleven."""
    cohort = people(29)
    table = cohort.table.assign(diagnosis=["AD", "CN"] * 9 + ["AD"] + ["CN"] * 10)
    again = [
        table.iloc[[18]].assign(session_id=f"ses-M{12 * i:03d}") for i in range(1, 10)
    ]
    cohort = Cohort.from_frame(pd.concat([table, *again]))
    shares = {}
    for weights in ("image", "participant"):
        config = {"type": "majority", "weights": weights}
        spec = make_spec(tmp_path, cohort, config, output=tmp_path / weights)
        shares[weights] = predicted(run_scikit(spec))["score"].iloc[0]
    assert shares == pytest.approx({"image": 0.5, "participant": 1 / 11})


def test_baselines_of_a_quantity(tmp_path):
    cohort = people(60)
    table = cohort.table.assign(score=2 * cohort.table["age"] + 1)
    cohort = Cohort.from_frame(table)
    given = {"task": cohort.task("score"), "output": tmp_path / "a"}
    metadata = predicted(
        run_scikit(make_spec(tmp_path, cohort, {"type": "metadata"}, **given))
    )
    assert np.corrcoef(metadata["label"], metadata["score"])[0, 1] > 0.99
    given["output"] = tmp_path / "b"
    mean = predicted(
        run_scikit(make_spec(tmp_path, cohort, {"type": "majority"}, **given))
    )
    train = fold_of(cohort).train.merge(table)
    np.testing.assert_allclose(mean["score"], train["score"].mean())


def test_the_label_is_never_an_input(tmp_path):
    cohort = people(60)
    spec = make_spec(
        tmp_path, cohort, {"type": "metadata"}, task=cohort.task("age", "regression")
    )
    run_scikit(spec)
    text = (spec.output / "training/split-0/model/model.json").read_text()
    assert '"age"' not in text


def test_predicting_needs_the_columns_that_were_fitted(tmp_path):
    cohort = people(40)
    maps = run_scikit(make_spec(tmp_path, cohort, {"type": "metadata"}))
    bare = Cohort.from_frame(cohort.table.drop(columns="age"))
    with pytest.raises(ConfigError, match="needs the column 'age'"):
        predict_scikit(maps, bare)
