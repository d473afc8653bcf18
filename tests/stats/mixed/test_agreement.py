"""Mixed models agree with R's lme4, lmerTest and pbkrtest (values in ../reference)."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from clinicadl_trust.stats.mixed import mixed_model

FOLDER = Path(__file__).parents[1] / "reference"
REFERENCE = json.loads((FOLDER / "mixed_models.json").read_text())


def table(name):
    return pd.read_csv(FOLDER / f"{name}.tsv", sep="\t")


def named(reference):
    kind = "reml" if reference["reml"] else "ml"
    return f"{reference['data']}: {reference['formula']}, {kind}"


def flat(values):
    return np.ravel(values).astype(float)


def renamed(group, model):
    """Return our name of lme4's c:(b:a), and our place of each of its parts."""
    theirs = re.sub("[()]", "", group.split(".")[0]).split(":")
    ours = next(g for g in model.random_effects if set(g.split(":")) == set(theirs))
    return ours, [theirs.index(part) for part in ours.split(":")]


def check_components(model, reference):
    theirs = reference["components"]
    ours = model.variance_components
    sd = {(r.group, plain(r.effect)): r.sd for r in ours.itertuples() if r.sd == r.sd}
    columns = (
        np.atleast_1d(theirs[key]) for key in ("group", "first", "second", "sdcor")
    )
    for group, first, second, value in zip(*columns, strict=True):
        if second is None or str(second) == "nan":
            # lme4 numbers several bars of one group: Subject.1.
            name = group if group == "Residual" else renamed(group, model)[0]
            key = (name, plain(str(first or "")))
            assert_allclose(
                float(value), sd[key], rtol=1e-3, atol=2e-5 * max(sd.values())
            )


def plain(effect):
    """Write lme4's and patsy's names of an effect alike."""
    for part in ("[T.", "[", "]", "(", ")", " "):
        effect = effect.replace(part, "")
    return effect.replace("**", "^")


def in_their_order(model, reference):
    """Return our fixed effects, sorted as R does: patsy puts factors first."""
    fixed = model.fixed_effects
    ours = [sorted(plain(name).split(":")) for name in fixed.index]
    theirs = [sorted(plain(n).split(":")) for n in np.atleast_1d(reference["names"])]
    return fixed.iloc[[ours.index(name) for name in theirs]]


@pytest.mark.parametrize("reference", REFERENCE["linear"], ids=named)
def test_a_linear_model_is_that_of_lme4(reference):
    model = mixed_model(
        reference["formula"], table(reference["data"]), reml=reference["reml"]
    )
    fixed = in_their_order(model, reference)
    scale = np.abs(flat(reference["beta"])).max()
    assert_allclose(
        fixed["estimate"], flat(reference["beta"]), rtol=1e-6, atol=1e-7 * scale
    )
    assert_allclose(fixed["standard_error"], flat(reference["se"]), rtol=1e-5)
    assert_allclose(fixed["df"], flat(reference["df"]), rtol=1e-4)
    assert_allclose(
        np.log(fixed["p_value"]), np.log(flat(reference["p"])), rtol=1e-4, atol=1e-6
    )
    assert_allclose(model.log_likelihood, reference["loglik"], rtol=1e-10)
    assert_allclose(model.aic, reference["aic"], rtol=1e-10)
    assert_allclose(model.bic, reference["bic"], rtol=1e-10)
    check_components(model, reference)
    assert model.singular == reference["singular"]
    assert not any("converged" in warning for warning in model.warnings)


@pytest.mark.parametrize("reference", REFERENCE["linear"], ids=named)
def test_conditional_modes_are_those_of_lme4(reference):
    model = mixed_model(
        reference["formula"], table(reference["data"]), reml=reference["reml"]
    )
    for group, theirs in reference["modes"].items():
        name, order = renamed(group, model)
        levels = (str(level).split(":") for level in theirs["levels"])
        ours = model.random_effects[name]
        ours = ours.reindex([":".join(parts[i] for i in order) for parts in levels])
        values = np.reshape(flat(theirs["values"]), (len(ours), -1))
        scale = max(np.abs(values).max(), 1e-3)
        assert_allclose(ours.to_numpy(), values, atol=2e-4 * scale)


@pytest.mark.parametrize(
    "reference", [r for r in REFERENCE["linear"] if "kr" in r], ids=named
)
def test_kenward_roger_is_that_of_pbkrtest(reference):
    model = mixed_model(
        reference["formula"], table(reference["data"]), df="kenward-roger"
    )
    kr, fixed = reference["kr"], in_their_order(model, reference)
    assert_allclose(fixed["standard_error"], flat(kr["se"]), rtol=1e-5)
    assert_allclose(fixed["df"], flat(kr["df"]), rtol=1e-4)


def test_weights_and_offset_are_those_of_lme4():
    reference = REFERENCE["weighted"]
    model = mixed_model(
        reference["formula"], table("sleepstudy"), weights="w", offset="o"
    )
    fixed = model.fixed_effects
    assert_allclose(fixed["estimate"], reference["beta"], rtol=1e-6)
    assert_allclose(fixed["standard_error"], reference["se"], rtol=1e-5)
    assert_allclose(model.log_likelihood, reference["loglik"], rtol=1e-10)


@pytest.mark.parametrize("reference", REFERENCE["logistic"], ids=lambda r: r["nodes"])
def test_a_logistic_model_is_that_of_glmer(reference):
    model = mixed_model(
        "cbind(incidence, healthy) ~ factor(period) + (1 | herd)",
        table("cbpp"),
        family="binomial",
        n_quadrature=reference["nodes"],
    )
    fixed = model.fixed_effects
    assert_allclose(fixed["estimate"], reference["beta"], rtol=1e-5)
    assert_allclose(fixed["standard_error"], reference["se"], rtol=2e-3)
    assert_allclose(fixed["p_value"], reference["p"], rtol=2e-2)
    assert_allclose(model.variance_components["sd"], reference["sd"], rtol=1e-5)
    modes = model.random_effects["herd"]["Intercept"]
    order = np.argsort([int(level) for level in modes.index])
    assert_allclose(modes.to_numpy()[order], reference["modes"], atol=1e-4)
    if reference["nodes"] == 1:
        assert_allclose(model.log_likelihood, reference["loglik"], rtol=1e-8)


def test_a_logistic_model_of_crossed_effects_is_that_of_glmer():
    reference = REFERENCE["crossed"]
    model = mixed_model(reference["formula"], table("Words"), family="binomial")
    fixed = model.fixed_effects
    assert_allclose(fixed["estimate"], reference["beta"], rtol=2e-4)
    assert_allclose(fixed["standard_error"], reference["se"], rtol=2e-3)
    assert_allclose(model.log_likelihood, reference["loglik"], rtol=1e-8)
    check_components(model, reference)


def test_the_likelihood_ratio_is_that_of_anova():
    data, reference = table("sleepstudy"), REFERENCE["ratio"]
    small = mixed_model("Reaction ~ 1 + (Days | Subject)", data)
    large = mixed_model("Reaction ~ Days + (Days | Subject)", data)
    for test in (small.compare(large), large.compare(small)):
        assert_allclose(test.statistic, reference["statistic"], rtol=1e-6)
        assert test.df == reference["df"]
        assert_allclose(test.p_value, reference["p"], rtol=1e-5)
