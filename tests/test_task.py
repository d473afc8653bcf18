import numpy as np
import pandas as pd
import pytest

from clinicadl_trust.exceptions import CohortError
from clinicadl_trust.task import Task


def labels(*values):
    return pd.Series(values, name="diagnosis")


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        (("CN", "AD"), ("CN", "AD")),
        (("AD", "CN"), ("CN", "AD")),
        (("control", "patient"), ("control", "patient")),
        (("patient", "Healthy"), ("Healthy", "patient")),
        ((0, 1), ("0", "1")),
        ((1.0, 0.0), ("0", "1")),
        ((True, False), ("False", "True")),
        (("MS", "EP"), ("EP", "MS")),
        (("pMCI", "sMCI"), ("sMCI", "pMCI")),
        (("affected", "unaffected"), ("unaffected", "affected")),
        ((1, 2), ("1", "2")),
        (("AD", "CN", "MCI"), ("AD", "CN", "MCI")),
        ((0, "AD", "0"), ("0", "AD")),
    ],
)
def test_the_positive_class_is_the_one_that_is_no_control(values, classes):
    task = Task.infer(labels(*values))
    assert task == Task("classification", "diagnosis", classes)
    assert task.is_binary == (len(classes) == 2)


@pytest.mark.parametrize(
    ("values", "positive", "last"),
    [
        (("CN", "AD"), "CN", "CN"),
        (("CN", "AD"), "ad", "AD"),
        ((0, 1), 0, "0"),
        ((0.0, 1.0), "1", "1"),
        ((True, False), False, "False"),
        (("AD", "CN", "MCI"), "CN", "CN"),
    ],
)
def test_the_positive_class_can_be_named(values, positive, last):
    assert Task.infer(labels(*values), positive=positive).classes[-1] == last


def test_an_unknown_positive_class_is_answered_with_the_nearest():
    with pytest.raises(CohortError, match="Did you mean 'AD'"):
        Task.infer(labels("CN", "AD"), positive="ADD")


def test_many_numbers_are_a_quantity():
    ages = pd.Series(np.linspace(50, 90, 40), name="age")
    assert Task.infer(ages) == Task("regression", "age")
    assert Task.infer(pd.Series(range(11), name="n")).kind == "regression"
    assert Task.infer(pd.Series(range(10), name="n")).kind == "classification"
    assert Task.infer(ages.round(-1), kind="regression").kind == "regression"


@pytest.mark.parametrize("kind", [None, "classification", "regression"])
@pytest.mark.parametrize("values", [("AD", "AD"), (1, 1.0, "1"), (3.0, 3.0, None)])
def test_a_constant_label_is_refused(values, kind):
    with pytest.raises(CohortError, match=r"'diagnosis' is constant in 'p\.tsv'"):
        Task.infer(labels(*values), kind=kind, source="'p.tsv'")


def test_a_label_without_a_value_is_refused():
    with pytest.raises(CohortError, match="no row has one"):
        Task.infer(labels(None, None))


def test_a_regression_of_words_is_refused():
    with pytest.raises(CohortError, match=r"numeric label.*'72,5'"):
        Task.infer(labels("72,5", "70,1"), kind="regression")


def test_a_regression_of_infinity_is_refused():
    with pytest.raises(CohortError, match="infinite"):
        Task.infer(labels(*range(20), np.inf), kind="regression")


def test_names_or_ids_are_no_classes():
    with pytest.raises(CohortError, match="60 classes"):
        Task.infer(labels(*(f"name-{n}" for n in range(60))))


def test_classes_are_encoded_in_their_order():
    task = Task("classification", "diagnosis", ("CN", "AD"))
    codes = task.encode(labels("AD", "CN", "AD"))
    assert codes.dtype.kind == "i" and codes.tolist() == [1, 0, 1]
    assert Task("classification", "x", ("0", "1")).encode(
        pd.Series([1.0, 0.0])
    ).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("values", "message"),
    [(("AD", "MCI"), r"\['MCI'\], not among"), (("AD", None), "n/a in 1 of 2 rows")],
)
def test_what_is_no_class_is_not_encoded(values, message):
    with pytest.raises(CohortError, match=message):
        Task("classification", "diagnosis", ("CN", "AD")).encode(labels(*values))


@pytest.mark.parametrize(
    "values",
    [
        pd.Series([1.5, None, 3]),
        pd.Series([1.5, None, 3], dtype="Float64"),
        pd.Series(["1.5", None, "3"]),
    ],
)
def test_quantities_are_floats_and_nan(values):
    np.testing.assert_array_equal(
        Task("regression", "age").encode(values), [1.5, np.nan, 3]
    )


def test_words_are_no_quantities():
    with pytest.raises(CohortError, match="'age' is not a number"):
        Task("regression", "age").encode(pd.Series(["old"]))


def quantities(**columns):
    base = {"x": [1.0, 2.0, 3.0], "y": [0.0, 0.0, 6.0], "label": ["a", "b", "c"]}
    return pd.DataFrame({**base, **columns})


def test_several_quantities_are_one_regression():
    task = Task.several(quantities(), ["y", "x"])
    assert (task.kind, task.label) == ("regression", "y, x")
    assert task.columns == task.outputs == ("y", "x")
    assert task.deviations == pytest.approx((8**0.5, (2 / 3) ** 0.5))
    rows = quantities(x=[1.0, np.nan, 3.0])
    np.testing.assert_array_equal(task.targets(rows), [[0, 1], [0, np.nan], [6, 3]])
    assert task.known(rows).tolist() == [True, False, True]
    assert not task.known(rows.drop(columns="y")).any()
    many = quantities(**{name: [1, 2, 3] for name in "abcdef"})
    assert Task.several(many, "abcdef").label == "a, b, ..., f"


def test_one_label_is_a_column_of_its_own():
    task = Task("regression", "x")
    assert task.columns == ("x",)
    np.testing.assert_array_equal(task.targets(quantities()), [1, 2, 3])


@pytest.mark.parametrize(
    ("names", "kind", "message"),
    [
        (["x", "x"], None, "name a column twice"),
        (["x", "label"], None, "needs a numeric label; 'label'"),
        (["x", "z"], None, "'z' is constant"),
        (["x", "y"], "classification", "not by a classification"),
    ],
)
def test_several_labels_that_cannot_be_predicted(names, kind, message):
    with pytest.raises(CohortError, match=message):
        Task.several(quantities(z=[4.0, 4.0, 4.0]), names, kind)
