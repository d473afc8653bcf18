"""What holds for any mixed model: rows, names, units and columns may be exchanged."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from clinicadl_trust.stats import mixed_model

quickly = settings(max_examples=6, deadline=None, derandomize=True)
FORMULA = "y ~ age + arm + (1 | who) + (1 | site)"
COLUMNS = ["estimate", "standard_error", "df", "statistic", "p_value", "low", "high"]


@st.composite
def tables(draw):
    n, visits = draw(st.integers(8, 14)), draw(st.integers(2, 4))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    who = np.repeat(np.arange(n), visits)
    sds = draw(st.sampled_from([(1.0, 0.5), (3.0, 0.0), (0.0, 2.0)]))
    table = pd.DataFrame(
        {"who": who, "site": who % 4, "age": rng.normal(size=who.size).round(2)}
    )
    table["arm"] = np.array(list("abc"))[rng.permutation(np.arange(n) % 3)[who]]
    table["y"] = 0.5 * table["age"] + rng.normal(size=who.size)
    table["y"] += (
        sds[0] * rng.normal(size=n)[who] + sds[1] * rng.normal(size=4)[who % 4]
    )
    return table


def near(first, second, **scaled):
    """Compare fixed effects, by name."""
    for column in COLUMNS:
        expected = first[column] * scaled.get(column, 1.0)
        assert_allclose(second[column], expected, rtol=2e-3, atol=2e-4, err_msg=column)


@quickly
@given(tables(), st.integers(0, 10**6))
def test_rows_and_names_may_be_exchanged(table, seed):
    rng = np.random.default_rng(seed)
    made = mixed_model(FORMULA, table)
    names = rng.permutation(table["who"].max() + 1)
    changed = table.assign(
        who=[f"sub-{names[i]}" for i in table["who"]],
        site=["xyzw"[i] for i in table["site"]],
    ).sample(frac=1, random_state=seed)
    other = mixed_model(FORMULA, changed)
    near(made.fixed_effects, other.fixed_effects)
    assert_allclose(other.log_likelihood, made.log_likelihood, atol=1e-6)


@quickly
@given(tables(), st.sampled_from([1e-3, 7.0, 1e4]), st.sampled_from([-20.0, 0.0, 3.0]))
def test_the_unit_of_the_response_only_scales(table, unit, shift):
    made = mixed_model(FORMULA, table)
    other = mixed_model(FORMULA, table.assign(y=unit * table["y"] + shift))
    sizes = ("estimate", "standard_error", "low", "high")
    first = made.fixed_effects.drop("Intercept")
    second = other.fixed_effects.drop("Intercept") / pd.Series(
        {c: unit if c in sizes else 1.0 for c in COLUMNS}
    )
    near(first, second[COLUMNS])
    assert_allclose(other.residual_sd, unit * made.residual_sd, rtol=1e-4)
    assert_allclose(other.icc, made.icc, atol=1e-3)
    assert other.singular == made.singular


@quickly
@given(tables())
def test_the_order_of_terms_and_the_reference_only_rename(table):
    made = mixed_model(FORMULA, table)
    other = mixed_model("y ~ arm + (1 | site) + age + (1 | who)", table)
    near(made.fixed_effects, other.fixed_effects.loc[made.fixed_effects.index])
    turned = mixed_model(
        FORMULA, table.assign(arm=table["arm"].map({"a": "z", "b": "b", "c": "c"}))
    )
    assert_allclose(turned.log_likelihood, made.log_likelihood, atol=1e-6)
    near(made.fixed_effects.loc[["age"]], turned.fixed_effects.loc[["age"]])


@quickly
@given(tables())
def test_levels_nest_and_p_values_agree_with_intervals(table):
    made = mixed_model(FORMULA, table).fixed_effects
    wide = mixed_model(FORMULA, table, confidence_level=0.99).fixed_effects
    assert (wide["low"] < made["low"]).all() and (wide["high"] > made["high"]).all()
    excludes = (made["low"] > 0) | (made["high"] < 0)
    assert (excludes == (made["p_value"] < 0.05)).all()
