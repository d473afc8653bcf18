"""Tables and formulas that make no sense: an error that says what, or a warning."""

import warnings

import numpy as np
import pandas as pd
import pytest

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats import mixed_model

RNG = np.random.default_rng(0)
N = 60
TABLE = pd.DataFrame(
    {
        "who": np.repeat(np.arange(12), 5),
        "site": np.repeat(list("pqr"), 20),
        "x": RNG.normal(size=N),
        "arm": np.tile(list("abc"), 20),
        "one": "same",
        "empty": np.nan,
    }
)
TABLE["y"] = TABLE["x"] + RNG.normal(size=12)[TABLE["who"]] + RNG.normal(size=N)
TABLE["ill"] = (TABLE["y"] > 0).astype(int)
PLAIN = "y ~ x + (1 | who)"


@pytest.fixture(autouse=True)
def _no_numpy_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        yield


FORMULAS = {
    "y ~ age + (1 | who)": r"'age', which is no column.*\n +y ~ age.*\n +\^",
    "y ~ x + (1 | whom)": r"Did you mean 'who'\?",
    "y ~ x + (1 | who": r"never closed.*\n.*\n +\^",
    "y ~ x ++ (1 | who)": r"cannot be read.*\n.*\n +\^",
    "y ~ x[0] + (1 | who)": r"cannot be read.*\n.*\n +\^+",
    "y ~ x $ 3 + (1 | who)": r"cannot be read",
    "y x + (1 | who)": "'~' is missing",
    "lambda ~ x + (1 | who)": "lambda.*cannot be read",
    "y ~ 0 + (1 | who)": "no fixed effect",
    "y ~ x + (0 | who)": "Nothing varies",
    "y ~ x": "no random effect",
    "one ~ x + (1 | who)": "has values such as 'same'",
    "empty ~ x + (1 | who)": "Every row has a missing value",
    "y ~ x + (1 | one)": "one level",
    "y ~ x + (1 | x)": "cannot be told from the residual",
    "y ~ arm + (1 | arm)": "tell the levels of 'arm' apart",
    "y ~ C(who) + (1 | who)": "tell the levels of 'who' apart",
    "y ~ log(x) + (1 | who)": "infinite or undefined in",
    "cbind(ill, 1) ~ x + (1 | who)": "cannot be read",
}


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_that_cannot_be_fitted_is_refused(formula):
    with pytest.raises(StatisticsError, match=FORMULAS[formula]):
        mixed_model(formula, TABLE)


TABLES = {
    "a list": ([1, 2], "The data are a list"),
    "nothing": (None, "The data are a NoneType"),
    "a dictionary": ({"y": [1]}, "The data are a dict"),
    "no row": (TABLE[:0], "The table is empty"),
    "one row": (TABLE[:1], "1 rows cannot tell"),
    "as many rows as effects": (TABLE[:2], "2 rows cannot tell 2 fixed effects"),
    "one participant": (TABLE[:5], "one level"),
    "one row each": (TABLE[::5], "Repeated rows"),
    "a column twice": (pd.concat([TABLE, TABLE[["x"]]], axis=1), "'x' more than once"),
    "a response that is the same": (TABLE.assign(y=1.0), "Every response is 1"),
    "an infinite response": (TABLE.assign(y=np.inf), "infinite or undefined in 60"),
    "a complex response": (TABLE.assign(y=TABLE["y"] + 1j), "must be numbers"),
    "text": (TABLE.assign(y="high"), "'high'.*must be numbers"),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_that_cannot_be_fitted_is_refused(name):
    table, message = TABLES[name]
    with pytest.raises(StatisticsError, match=message):
        mixed_model(PLAIN, table)


KINDS = {
    "objects": TABLE.astype({"y": object, "x": object}),
    "nullable numbers": TABLE.astype({"y": "Float64", "x": "Float64", "who": "Int64"}),
    "categories": TABLE.astype({"who": "category"}),
    "text": TABLE.astype({"who": str}),
    "an index with repeats": TABLE.set_index(np.zeros(N, dtype=int)),
    "names that are numbers": TABLE.rename(columns={"empty": 3}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_any_kind_of_column_gives_the_same(kind):
    expected = mixed_model(PLAIN, TABLE).fixed_effects
    pd.testing.assert_frame_equal(
        mixed_model(PLAIN, KINDS[kind]).fixed_effects, expected
    )


@pytest.mark.parametrize("kind", [bool, "boolean", "Int64", float, object])
def test_a_response_of_two_classes_may_be_of_any_kind(kind):
    formula = "ill ~ x + (1 | who)"
    expected = mixed_model(formula, TABLE, "binomial").fixed_effects
    made = mixed_model(formula, TABLE.astype({"ill": kind}), "binomial").fixed_effects
    pd.testing.assert_frame_equal(made, expected)


def test_missing_values_of_any_kind_are_left_out_and_told():
    first = [None, *TABLE["x"][1:]]
    for column in (pd.array(first, dtype="Float64"), np.array(first, dtype=object)):
        made = mixed_model(PLAIN, TABLE.assign(x=column))
        assert made.n == N - 1 and "1 rows" in made.warnings[0]


def test_names_that_are_nested_in_part_are_told():
    made = mixed_model("y ~ x + (1 | site/who)", TABLE)
    assert not any("occur in several" in warning for warning in made.warnings)
    travelling = TABLE.assign(who=TABLE["who"].replace(11, 0))
    made = mixed_model("y ~ x + (1 | site/who)", travelling)
    assert "1 of 11 names of 'who' occur in several of 'site'" in made.warnings[0]


def test_a_response_that_is_explained_exactly_is_told():
    for formula in ("y ~ y + (1 | who)", "z ~ x + (1 | who)"):
        made = mixed_model(formula, TABLE.assign(z=2 * TABLE["x"]))
        assert "explains the response exactly" in " ".join(made.warnings)


def test_collinear_effects_are_left_out_and_told():
    made = mixed_model("y ~ x + z + (1 | who)", TABLE.assign(z=2 * TABLE["x"]))
    assert list(made.fixed_effects.index) == ["Intercept", "x"]
    assert made.warnings[0] == "Collinear fixed effects are left out: z."


def test_classes_that_are_separated_are_told():
    table = TABLE.assign(ill=(TABLE["x"] > 0).astype(int))
    made = mixed_model("ill ~ x + (1 | who)", table, "binomial")
    assert "perfectly separated" in " ".join(made.warnings)
