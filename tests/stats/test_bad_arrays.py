"""Every function of arrays, with every argument wrong in every way.

Each gives an error that a user can mend, or a usable answer; never a NumPy warning, an
IndexError or a nan of which nothing is said.
"""

import math
import warnings

import numpy as np
import pandas as pd
import pytest

from clinicadl_trust import stats
from clinicadl_trust.exceptions import StatisticsError

N = 40
RNG = np.random.default_rng(0)
LABEL = np.tile([0, 1], N // 2)
SCORE, OTHER = (
    np.clip(0.4 + effect * LABEL + 0.15 * RNG.normal(size=N), 0.01, 0.99)
    for effect in (0.2, 0.1)
)
CLUSTER = np.repeat([f"sub-{i:02d}" for i in range(N // 2)], 2)
RIGHT, OTHER_RIGHT = ((s > 0.5).astype(int) == LABEL for s in (SCORE, OTHER))
FOLDS = np.array([0.02, 0.01, 0.03, -0.01, 0.02, 0.015])
BINARY = {"label": LABEL, "score": SCORE, "cluster": CLUSTER}
PAIRED = {"label": LABEL, "score_a": SCORE, "score_b": OTHER, "cluster": CLUSTER}
READER, CASE, TREATMENT = (
    axis.ravel()
    for axis in np.meshgrid(["ana", "bo"], np.arange(12), ["with", "without"])
)

#: Arguments that are names, which may be text.
IDS = ("cluster", "reader", "case", "treatment", "rater_a", "rater_b")

#: Function, arguments that are arrays, and the others.
FUNCTIONS = {
    "roc_auc": (BINARY, {}),
    "compare_roc_auc": (PAIRED, {}),
    "sensitivity_at_specificity": (BINARY, {"specificity": 0.8}),
    "calibration_slope": (BINARY, {}),
    "calibration_intercept": (BINARY, {}),
    "expected_calibration_error": (BINARY, {"n_simulations": 20}),
    "brier_score": (BINARY, {}),
    "brier_decomposition": ({"label": LABEL, "score": SCORE}, {}),
    "reliability_curve": (BINARY, {"n_bins": 4}),
    "net_benefit": ({**BINARY, "thresholds": np.array([0.3, 0.5])}, {}),
    "compare_net_benefit": (PAIRED, {"thresholds": 0.5}),
    "proportion": ({"successes": RIGHT, "cluster": CLUSTER}, {}),
    "mcnemar": (
        {"correct_a": RIGHT, "correct_b": OTHER_RIGHT, "cluster": CLUSTER},
        {},
    ),
    "cohen_kappa": ({"rater_a": LABEL, "rater_b": RIGHT.astype(int)}, {}),
    "mrmc": (
        {
            "scores": np.round(CASE % 2 + RNG.normal(size=CASE.size), 1),
            "label": CASE % 2,
            "reader": READER,
            "case": CASE,
            "treatment": TREATMENT,
        },
        {},
    ),
    "heterogeneity": (
        {
            "estimates": np.array([0.7, 0.8, 0.75, 0.9]),
            "standard_errors": np.array([0.05, 0.04, 0.06, 0.05]),
        },
        {},
    ),
    "seed_ttest": ({"differences": FOLDS}, {}),
    "unit_interval": ({"values": FOLDS}, {}),
    "unit_ttest": ({"differences": FOLDS}, {}),
    "wilcoxon": ({"differences": FOLDS}, {}),
    "bayesian_signed_rank": ({"differences": FOLDS}, {"n_draws": 200}),
    "cross_validation_interval": ({"values": FOLDS}, {"n_train": 100, "n_test": 20}),
    "corrected_resampled_ttest": (
        {"differences": FOLDS},
        {"n_train": 100, "n_test": 20},
    ),
    "corrected_kfold_ttest": ({"differences": FOLDS}, {"n_folds": 6}),
    "bayesian_correlated_ttest": (
        {"differences": FOLDS},
        {"n_train": 100, "n_test": 20},
    ),
    "adjust": ({"p_values": np.array([0.01, 0.2, 0.03])}, {}),
}
ARGUMENTS = [
    (name, argument) for name, (made, _) in FUNCTIONS.items() for argument in made
]

#: What is no list of values at all, whatever the argument.
NO_LIST = {
    "text": "score",
    "a dictionary": {},
    "nothing": None,
    "ragged": [[1], [2, 3]],
    "columns": np.ones((N, 2)),
}

#: What a list of numbers must not hold, but names may.
NO_NUMBERS = {
    "class names": lambda values: ["AD", *["CN"] * (len(values) - 1)],
    "numbers as text": lambda values: [str(float(value)) for value in values],
    "a complex number": lambda values: [1j, *values[1:]],
    "a date": lambda values: [pd.Timestamp("2020"), *values[1:]],
    "a huge number": lambda values: [10**400, *values[1:]],
    "infinity": lambda values: [math.inf, *values[1:]],
}

#: What is missing, of whatever kind.
MISSING = {
    "nan": lambda values: [math.nan, *values[1:]],
    "None": lambda values: [None, *values[1:]],
    "pandas' NA": lambda values: pd.Series([pd.NA, *values[1:]]),
    "a nullable integer": lambda values: pd.array(
        [None, *[1] * (len(values) - 1)], dtype="Int64"
    ),
    "all": lambda values: [math.nan] * len(values),
}


def _read_only(values):
    array = np.array(values)
    array.setflags(write=False)
    return array


#: The same values in another garment.
KINDS = {
    "a list": list,
    "a tuple": tuple,
    "a generator": lambda values: (value for value in values),
    "a series": pd.Series,
    "a series in another order of index": lambda values: pd.Series(
        values, index=range(len(values), 0, -1)
    ),
    "a nullable series": lambda values: pd.Series(values).convert_dtypes(),
    "a categorical": pd.Categorical,
    "objects": lambda values: np.array(values, dtype=object),
    "an array that cannot be written to": _read_only,
    "every second of an array": lambda values: np.repeat(values, 2)[::2],
}


def call(name, **changed):
    arguments, others = FUNCTIONS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return getattr(stats, name)(**{**arguments, **changed}, **others)


def said(result) -> str:
    """Return all that a result shows."""
    return result.to_string() if isinstance(result, pd.DataFrame) else str(result)


def refused(name, argument, value):
    with pytest.raises(StatisticsError) as caught:
        call(name, **{argument: value})
    message = str(caught.value)
    assert len(message) > 20 and message.endswith((".", ")")), message


@pytest.mark.parametrize(("name", "argument"), ARGUMENTS)
@pytest.mark.parametrize("wrong", NO_LIST)
def test_what_is_no_list_is_refused(name, argument, wrong):
    if wrong == "nothing" and argument == "cluster":
        return  # without clusters
    refused(name, argument, NO_LIST[wrong])


@pytest.mark.parametrize(("name", "argument"), ARGUMENTS)
@pytest.mark.parametrize("wrong", NO_NUMBERS)
def test_what_is_no_number_is_refused(name, argument, wrong):
    if argument not in IDS:
        refused(name, argument, NO_NUMBERS[wrong](FUNCTIONS[name][0][argument]))


@pytest.mark.parametrize(("name", "argument"), ARGUMENTS)
@pytest.mark.parametrize("wrong", MISSING)
def test_missing_values_are_refused(name, argument, wrong):
    if name != "adjust":  # a test that was not made has no p-value
        refused(name, argument, MISSING[wrong](FUNCTIONS[name][0][argument]))


@pytest.mark.parametrize(("name", "argument"), ARGUMENTS)
@pytest.mark.parametrize("n", [0, 1, -1])
def test_another_length_is_refused_or_answered(name, argument, n):
    shorter = FUNCTIONS[name][0][argument][:n]
    alone = len(FUNCTIONS[name][0]) == 1 or argument == "thresholds"
    if not alone or (n == 0 and name != "adjust"):
        refused(name, argument, shorter)
    else:
        try:
            result = call(name, **{argument: shorter})
        except StatisticsError:
            return
        assert "nan" not in said(result) or result.warnings


@pytest.mark.parametrize(("name", "argument"), ARGUMENTS)
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_values_that_are_all_the_same_are_told(name, argument, value):
    same = np.full(len(FUNCTIONS[name][0][argument]), value)
    try:
        result = call(name, **{argument: same})
    except StatisticsError:
        return
    told = said(result).lower()
    assert "nan" not in told or "!" in told or "warnings" in told


@pytest.mark.parametrize(("name", "argument"), ARGUMENTS)
@pytest.mark.parametrize("kind", KINDS)
def test_any_kind_of_list_gives_the_same(name, argument, kind):
    changed = KINDS[kind](FUNCTIONS[name][0][argument])
    assert said(call(name, **{argument: changed})) == said(call(name))


def test_one_participant_has_no_interval_and_is_told():
    made = stats.roc_auc(LABEL, SCORE, ["sub-01"] * N)
    assert math.isnan(made.low) and "1 participant" in made.warnings[0]
    slope = stats.calibration_slope(LABEL, SCORE, ["sub-01"] * N)
    assert math.isnan(slope.low) and "one participant" in " ".join(slope.warnings)


def test_labels_of_two_names_say_how_to_write_them():
    with pytest.raises(StatisticsError, match=r"'CN'.*1 for the positive class"):
        stats.roc_auc(np.where(LABEL == 1, "AD", "CN"), SCORE)
    with pytest.raises(StatisticsError, match=r"such as 2.*0 for the other"):
        stats.roc_auc(LABEL + 1, SCORE)


def test_a_missing_id_among_names_is_not_one_more_name():
    with pytest.raises(StatisticsError, match="1 of 4 cluster ids are missing"):
        stats.roc_auc([0, 1, 0, 1], [1, 2, 3, 4], ["a", "b", math.nan, "c"])
    made = stats.roc_auc([0, 1, 0, 1], [1, 2, 3, 4], [1, "1", 2, "2"])
    assert made.n_clusters == 4


def test_raters_who_agree_or_of_whom_one_says_nothing_have_an_honest_interval():
    perfect = stats.cohen_kappa(["a", "b", "a", "b"] * 5, ["a", "b", "a", "b"] * 5)
    assert perfect.value == 1 and 0.6 < perfect.low < 0.8
    assert "agree on every image" in perfect.warnings[0]
    constant = stats.cohen_kappa([0] * 8, [0, 1] * 4)
    assert constant.value == 0 and math.isnan(constant.low) and constant.warnings
    apart = stats.cohen_kappa([0, 1] * 4, [1, 0] * 4)
    assert apart.value == -1 and math.isnan(apart.low) and apart.warnings


def test_clusters_that_differ_alike_have_the_p_value_of_a_sign_test():
    made = stats.mcnemar(np.ones(40), np.tile([0, 1], 20), CLUSTER)
    assert made.calibration == "conservative" and "alike" in made.warnings[0]
    assert made.low < 0.5 < made.high
    assert made.p_value == pytest.approx(2 * 0.5**20)


def test_sites_that_are_all_the_same_do_not_make_certainty():
    made = stats.heterogeneity([0.8] * 4, [0.05] * 4)
    assert (
        made.low < 0.75 and made.high > 0.85 and "no width" in " ".join(made.warnings)
    )
    close = stats.heterogeneity([0.80, 0.81, 0.80, 0.79], [0.05] * 4)
    assert "shorter" in " ".join(close.warnings)
