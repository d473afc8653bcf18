"""Mixed models on planted truth, on awkward data and on mistakes."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import optimize
from scipy.special import expit
from visits_factory import CROSSED, visits

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.mixed import alike, cross_products, mixed_model, systems
from clinicadl_trust.stats.mixed.covariance import CovarianceFactor
from clinicadl_trust.stats.mixed.design import build_design
from clinicadl_trust.stats.mixed.laplace import LaplaceLikelihood
from clinicadl_trust.stats.mixed.rescaling import Rescaled


def test_the_planted_slope_is_found():
    model = mixed_model(CROSSED, visits(200))
    low, high = model.fixed_effects.loc["age", ["low", "high"]]
    assert low < 1 < high and high - low < 0.15


def test_balanced_one_way_data_have_the_closed_form():
    rng = np.random.default_rng(3)
    y = rng.normal(size=(12, 1)) * 2 + rng.normal(size=(12, 5))
    data = pd.DataFrame({"y": y.ravel(), "g": np.repeat(np.arange(12), 5)})
    model = mixed_model("y ~ 1 + (1 | g)", data)
    within = y.var(axis=1, ddof=1).mean()
    between = y.mean(axis=1).var(ddof=1) - within / 5
    components = model.variance_components.set_index("group")["variance"]
    assert_allclose(components["Residual"], within, rtol=1e-7)
    assert_allclose(components["g"], between, rtol=1e-6)
    effect = model.fixed_effects.loc["Intercept"]
    assert_allclose(
        effect["standard_error"], y.mean(1).std(ddof=1) / 12**0.5, rtol=1e-6
    )
    assert_allclose(effect["df"], 11, rtol=1e-5)
    assert_allclose(model.icc["g"], between / (between + within), rtol=1e-6)


def test_the_order_of_rows_and_the_names_of_levels_do_not_matter():
    data = visits()
    other = data.sample(frac=1, random_state=1).replace({"site": {0: 99, 1: -1}})
    one, two = (mixed_model(CROSSED, table) for table in (data, other))
    for column in ("estimate", "standard_error", "df"):
        assert_allclose(one.fixed_effects[column], two.fixed_effects[column], rtol=1e-6)


@pytest.mark.parametrize(
    "random", ["(1 | participant_id)", "(age | participant_id)", "(age || site)"]
)
def test_units_do_not_matter(random):
    data = visits()
    plain = mixed_model(f"score ~ age + {random}", data)
    data = data.assign(score=1e-9 * data["score"], age=1e6 * data["age"])
    other = mixed_model(f"score ~ age + {random}", data)
    for column in ("df", "statistic", "p_value"):
        assert_allclose(
            other.fixed_effects[column], plain.fixed_effects[column], rtol=1e-4
        )
    assert_allclose(other.icc, plain.icc, rtol=1e-4)
    assert other.singular == plain.singular


@pytest.mark.parametrize("family", ["gaussian", "binomial"])
def test_a_slope_may_be_counted_from_anywhere(family):
    data = visits(slope=0.5)
    data["late"] = 2000 + data["age"]
    response = "score" if family == "gaussian" else "ill"
    plain, late = (
        mixed_model(f"{response} ~ {x} + ({x} | site)", data, family)
        for x in ("age", "late")
    )
    assert_allclose(late.criterion, plain.criterion, rtol=1e-9)
    for column in ("estimate", "standard_error", "df"):
        one, two = plain.fixed_effects[column], late.fixed_effects[column]
        assert_allclose(two["late"], one["age"], rtol=1e-4)
    slopes = late.random_effects["site"]["late"]
    assert_allclose(slopes, plain.random_effects["site"]["age"], atol=1e-3)
    assert not any("converged" in warning for warning in late.warnings)


def test_the_response_is_arithmetic():
    data = visits()
    data["before"] = data["score"] * 0.5
    data["gain"] = data["score"] - data["before"]
    data["n"], data["no"] = 3, 3 - data["ill"]
    pairs = [
        ("gain", "score - before", "gaussian"),
        ("cbind(ill, no)", "cbind(ill, n - ill)", "binomial"),
    ]
    for *responses, family in pairs:
        one, two = (
            mixed_model(f"{y} ~ age + (1 | participant_id)", data, family)
            for y in responses
        )
        assert_allclose(one.fixed_effects["estimate"], two.fixed_effects["estimate"])


def test_an_offset_in_the_formula_is_that_of_the_option():
    data = visits()
    formula = "score ~ age + offset(0.5 * age) + (1 | factor(site))"
    inside = mixed_model(formula, data)
    outside = mixed_model("score ~ age + (1 | site)", data, offset=0.5 * data["age"])
    assert_allclose(inside.criterion, outside.criterion, rtol=1e-12)


def test_sparse_and_dense_elimination_agree(monkeypatch):
    data = visits(30, n_sites=12)
    formula = "score ~ age + (age | participant_id) + (1 | site) + (1 | scanner)"
    dense = mixed_model(formula, data)
    settings = [{cross_products: {"_SMALL": 0}}, {systems: {"_LARGE": 0, "_FEW": 1.1}}]
    for module, values in (pair for each in settings for pair in each.items()):
        for name, value in values.items():
            monkeypatch.setattr(module, name, value)
        sparse = mixed_model(formula, data)
        assert_allclose(dense.criterion, sparse.criterion, rtol=1e-10)
        assert_allclose(
            dense.fixed_effects["estimate"], sparse.fixed_effects["estimate"], rtol=1e-6
        )


@pytest.mark.parametrize("random", ["(1 | id)", "(visit | id)", "(visit || id)"])
@pytest.mark.parametrize("small", [0, 2e7])
def test_levels_taken_together_change_nothing(random, small, monkeypatch):
    monkeypatch.setattr(cross_products, "_SMALL", small)
    data = visits(30, n_sites=3).rename(columns={"participant_id": "id"})
    data["visit"] = np.tile(np.arange(4), 30)
    data = data[data["visit"] < 3 + data["id"] % 2]
    formula = f"score ~ age + visit + {random} + (1 | site)"
    together = mixed_model(formula, data)
    design = build_design(formula, data)
    products = cross_products.CrossProducts(CovarianceFactor(design.groupings))
    products.weigh(design.weights)
    found = alike.alike_levels(products)
    assert found is not None and len(found.products.counts) == 6
    monkeypatch.setattr(alike, "_MOST", 0)
    apart = mixed_model(formula, data)
    assert_allclose(together.criterion, apart.criterion, rtol=1e-11)
    for column in ("estimate", "standard_error", "df"):
        one, two = together.fixed_effects[column], apart.fixed_effects[column]
        assert_allclose(one, two, rtol=1e-5)
    assert_allclose(together.fitted, apart.fitted, atol=1e-5)


@pytest.mark.parametrize(
    "random",
    [
        "(1 | participant_id)",
        "(age | participant_id)",
        "(1 | participant_id) + (1 | site)",
        "(age | participant_id) + (age || scanner)",
    ],
)
@pytest.mark.parametrize("small", [0, 2e7])
def test_the_gradient_of_laplaces_likelihood_is_its_derivative(
    random, small, monkeypatch
):
    monkeypatch.setattr(cross_products, "_SMALL", small)
    likelihood = LaplaceLikelihood(build_design(f"ill ~ age + {random}", visits()))
    point = np.append(likelihood.factor.start * 0.7 + 0.1, [-0.2, 0.5])
    _, gradient = likelihood.deviance_and_gradient(point)
    for place, step in enumerate(1e-4 * np.eye(len(point))):
        rise = likelihood.deviance(point + step) - likelihood.deviance(point - step)
        assert_allclose(gradient[place], rise / 2e-4, atol=1e-5)


@pytest.mark.parametrize("nodes", [1, 3, 9])
@pytest.mark.parametrize("random", ["(1 | participant_id)", "(0 + age | site)"])
def test_the_gradient_of_quadrature_is_its_derivative(nodes, random):
    from clinicadl_trust.stats.mixed.quadrature import QuadratureLikelihood

    design = build_design(f"ill ~ age + {random}", visits(30))
    likelihood, point = QuadratureLikelihood(design, nodes), np.array([1.3, -0.1, 0.9])
    _, gradient = likelihood.deviance_and_gradient(point)
    for place, step in enumerate(1e-4 * np.eye(3)):
        rise = likelihood.deviance(point + step) - likelihood.deviance(point - step)
        assert_allclose(gradient[place], rise / 2e-4, atol=1e-5)


def test_one_node_of_quadrature_is_laplaces_approximation():
    from clinicadl_trust.stats.mixed.quadrature import QuadratureLikelihood

    design = build_design("ill ~ age + (1 | participant_id)", visits())
    point = np.array([0.8, -0.1, 0.9])
    laplace = LaplaceLikelihood(design).deviance(point)
    assert_allclose(
        QuadratureLikelihood(design, 1).deviance(point), laplace, rtol=1e-12
    )


def test_quadrature_is_right_where_laplace_is_not():
    rng = np.random.default_rng(1)
    patient, x = np.repeat(np.arange(600), 2), np.tile([0, 1], 600)
    eta = x + 3 * rng.normal(size=600)[patient]
    y = (rng.uniform(size=1200) < expit(eta)).astype(int)
    data = pd.DataFrame({"y": y, "x": x, "patient": patient})
    formula = "y ~ x + (1 | patient)"
    good = mixed_model(formula, data, family="binomial")
    bad = mixed_model(formula, data, family="binomial", n_quadrature=1)
    assert good.fixed_effects.loc["x", "low"] < 1 < good.fixed_effects.loc["x", "high"]
    assert 2.5 < good.variance_components["sd"][0] < 3.5
    assert bad.variance_components["sd"][0] < 2.3  # 2.09 by glmer too
    assert not good.warnings
    assert any("Laplace" in warning for warning in bad.warnings)


def test_contrasts_have_degrees_of_freedom_of_their_own():
    model = mixed_model(CROSSED, visits())
    age = model.contrast({"age": 1})
    row = model.fixed_effects.loc["age"]
    assert_allclose(
        [age.value, age.df, age.p_value], row[["estimate", "df", "p_value"]]
    )
    double = model.contrast([0, 2])
    assert_allclose([double.value, double.df], [2 * age.value, age.df])
    with pytest.raises(
        StatisticsError, match=r"'sex' is no fixed effect.*Intercept, age"
    ):
        model.contrast({"sex": 1})
    with pytest.raises(StatisticsError, match="needs as many weights"):
        model.contrast([1])


def test_awkward_data_end_in_a_warning_and_an_answer():
    data = visits()
    data["months"] = 12 * data["age"]
    model = mixed_model("score ~ age + months + (1 | participant_id)", data)
    assert list(model.fixed_effects.index) == ["Intercept", "age"]
    assert any("Collinear" in w and "months" in w for w in model.warnings)
    data.loc[3, "age"] = np.nan
    model = mixed_model(CROSSED, data)
    assert model.n == len(data) - 1 and "1 rows" in model.warnings[0]
    data = visits()
    data["noise"] = np.random.default_rng(0).normal(size=len(data))
    data["noise"] -= data.groupby("site")["noise"].transform("mean")
    model = mixed_model("noise ~ age + (1 | site)", data)
    assert model.singular and any("singular" in w for w in model.warnings)
    assert np.isfinite(model.fixed_effects.loc["age"]).all()


def test_perfect_separation_is_told():
    data = visits()
    data["ill"] = (data["age"] > 0).astype(int)
    model = mixed_model("ill ~ age + (1 | site)", data, family="binomial")
    assert any("separated" in warning for warning in model.warnings)


def test_levels_of_one_class_each_are_told():
    data = visits()
    data["ill"] = data["participant_id"] % 2
    model = mixed_model("ill ~ age + (1 | participant_id)", data, family="binomial")
    assert any("without bound" in warning for warning in model.warnings)


def test_a_nearly_singular_logistic_model_reaches_its_optimum():
    rng = np.random.default_rng(52)
    data = pd.DataFrame({"a": np.arange(140) % 7, "x": rng.normal(size=140)})
    eta = rng.normal(size=7)[data["a"]] * data["x"]
    data["y"] = (rng.uniform(size=140) < expit(eta)).astype(int)
    model = mixed_model("y ~ x + (x | a)", data, family="binomial")
    rescaled = Rescaled(build_design("y ~ x + (x | a)", data)).design
    likelihood = LaplaceLikelihood(rescaled)
    for start in ([1.0, 0.0, 1.0], [0.1, 0.5, 0.1], [0.5, -1.0, 0.01]):
        begun = np.append(start, model.fixed_effects["estimate"])
        other = optimize.minimize(
            likelihood.deviance_and_gradient, begun, jac=True, method="BFGS"
        )
        assert model.criterion < other.fun + 1e-6
    assert not any("converged" in warning for warning in model.warnings)


def test_models_that_cannot_be_compared_are_refused():
    data = visits()
    model = mixed_model(CROSSED, data)
    with pytest.raises(StatisticsError, match="same rows"):
        model.compare(mixed_model(CROSSED, data.head(200)))
    with pytest.raises(StatisticsError, match="neither is nested"):
        model.compare(mixed_model(CROSSED, data))


def test_quadrature_is_not_compared_with_laplaces_approximation():
    data = visits()
    small = mixed_model("ill ~ age + (1 | participant_id)", data, "binomial")
    large = mixed_model(
        "ill ~ age + (1 | participant_id) + (1 | site)", data, "binomial"
    )
    laplace = mixed_model(
        "ill ~ age + (1 | participant_id)", data, "binomial", n_quadrature=1
    )
    test = small.compare(large)
    assert_allclose(test.statistic, laplace.compare(large).statistic, atol=1e-6)
    assert any("fitted again" in warning for warning in test.warnings)


def test_a_variance_tested_at_its_edge_is_told():
    data = visits()
    small = mixed_model("score ~ age + (1 | participant_id)", data)
    test = mixed_model(CROSSED, data).compare(small)
    assert test.df == 2 and any("edge" in warning for warning in test.warnings)
    assert "chi2(2)" in str(test) and test.to_frame()["p_value"].iloc[1] == test.p_value


def test_the_result_reads_as_a_table():
    model = mixed_model(CROSSED, visits())
    text = str(model)
    assert "participant_id: 60 levels" in text and "age" in text
    assert f"REML criterion {model.criterion:.2f}" in text
    assert f"ICC: participant_id {model.icc['participant_id']:.3f}, " in text
    assert list(model.to_frame()["effect"]) == ["Intercept", "age"]
    residuals = visits()["score"] - model.fitted
    assert residuals.std() < 0.6


def test_a_model_says_what_is_known_of_its_intervals():
    rng = np.random.default_rng(0)
    who = np.repeat(np.arange(12), 4)
    table = pd.DataFrame({"y": rng.normal(size=48) + who, "who": who, "two": who % 2})
    table["ill"] = (table["y"] > table["y"].median()).astype(int)
    made = mixed_model("y ~ 1 + (1 | who)", table)
    assert made.calibration == "calibrated" and "calibrated" in str(made)
    assert set(made.to_frame()["calibration"]) == {"calibrated"}
    for formula, options in (
        ("y ~ 1 + (1 | two)", {}),
        ("y ~ 1 + (1 | who)", {"reml": False}),
        ("ill ~ 1 + (1 | who)", {"family": "binomial"}),
    ):
        assert mixed_model(formula, table, **options).calibration == "approximate"
