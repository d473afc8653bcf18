"""Variances of conditional modes and residuals agree with R's lme4."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats import mixed_model

FOLDER = Path(__file__).parents[1] / "reference"
REFERENCE = json.loads((FOLDER / "conditional_variances.json").read_text())


def table(name):
    return pd.read_csv(FOLDER / f"{name}.tsv", sep="\t")


def turned(name):
    """Turn lme4's cask:batch into our batch:cask."""
    return ":".join(reversed(name.split(":")))


def theirs(group):
    """Standard deviations of one factor's levels, terms side by side."""
    terms = [np.asarray(each, float) for each in group["variances"]]
    found = [np.sqrt(np.diagonal(each, axis1=1, axis2=2)) for each in terms]
    levels = [turned(str(level)) for level in group["levels"]]
    return pd.DataFrame(np.hstack(found), index=levels)


def check(model, reference, rtol):
    modes = model.conditional_modes()
    for name, group in reference["groups"].items():
        ours = modes[modes["group"] == turned(name)]
        ours = ours.pivot(index="level", columns="effect", values="standard_error")
        ours = ours[model.random_effects[turned(name)].columns]
        ours.index = ours.index.astype(str)
        expected = theirs(group)
        assert_allclose(ours.loc[expected.index], expected, rtol=rtol, atol=1e-6)
    assert_allclose(model.residuals, reference["residuals"], rtol=rtol, atol=1e-4)


@pytest.mark.parametrize("reference", REFERENCE["linear"], ids=lambda r: r["formula"])
def test_a_linear_model_knows_its_modes_as_lme4_does(reference):
    data = table(reference["data"])
    data["w"] = 1 + np.arange(1, len(data) + 1) % 3
    model = mixed_model(reference["formula"], data, weights=reference.get("weights"))
    check(model, reference, 1e-4)


@pytest.mark.parametrize("reference", REFERENCE["logistic"], ids=lambda r: r["nodes"])
def test_a_logistic_model_knows_its_modes_as_glmer_does(reference):
    model = mixed_model(
        "cbind(incidence, healthy) ~ factor(period) + (1 | herd)",
        table("cbpp"),
        family="binomial",
        n_quadrature=reference["nodes"],
    )
    check(model, reference, 1e-3)


def test_crossed_logistic_effects_know_their_modes_as_glmer_does():
    model = mixed_model(
        "cbind(incidence, healthy) ~ 1 + (1 | herd) + (1 | period)",
        table("cbpp"),
        family="binomial",
    )
    check(model, REFERENCE["crossed"], 1e-3)


def test_intervals_of_modes_are_normal_and_ask_for_a_level():
    model = mixed_model("Reaction ~ Days + (Days | Subject)", table("sleepstudy"))
    modes = model.conditional_modes(0.9)
    assert len(modes) == 36
    assert_allclose(modes["high"] - modes["value"], 1.6448536 * modes["standard_error"])
    assert_allclose(modes["value"] - modes["low"], modes["high"] - modes["value"])
    with pytest.raises(StatisticsError, match="between 0 and 1"):
        model.conditional_modes(1.5)
