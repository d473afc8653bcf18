"""Every option of every statistic, with values that make no sense."""

import inspect
import math
import warnings

import numpy as np
import pandas as pd
import predictions_factory as factory
import pytest

from clinicadl_trust import stats
from clinicadl_trust.exceptions import TrustError

LABEL = np.tile([0, 1], 20)
SCORE = np.clip(0.4 + 0.2 * LABEL + 0.2 * np.sin(np.arange(40)), 0.01, 0.99)
CLUSTER = np.repeat(np.arange(20), 2)
FOLDS = [0.02, 0.01, 0.03, -0.01, 0.02, 0.015]
TABLE = pd.DataFrame(
    {"participant_id": CLUSTER, "label": LABEL, "score": SCORE, "other": SCORE[::-1]}
)
HELD_OUT = factory.held_out()
ONE_MODEL = factory.held_out({"cnn": 1.5}).assign(sex=lambda t: t["site"].str[-1])
BY_SITE = factory.folds(by="site")
BINARY = {"label": LABEL, "score": SCORE}
SIZES = {"n_train": 100, "n_test": 20}
CROSSED = np.meshgrid(["ana", "bo"], np.arange(12), ["with", "without"])
READER, CASE, TREATMENT = (axis.ravel() for axis in CROSSED)

#: A call of each function that works, quick.
CALLS = {
    "adjust": {"p_values": [0.01, 0.2]},
    "bayesian_correlated_ttest": {"differences": FOLDS, **SIZES},
    "bayesian_signed_rank": {"differences": FOLDS, "n_draws": 100},
    "bootstrap": {
        "statistic": "roc_auc",
        "data": TABLE,
        "cluster": "participant_id",
        "n_resamples": 99,
    },
    "bootstrap_difference": {
        "statistic": "roc_auc",
        "data": TABLE,
        "score_a": "score",
        "score_b": "other",
        "cluster": "participant_id",
        "n_resamples": 99,
    },
    "brier_decomposition": BINARY,
    "brier_score": BINARY,
    "calibration_curve": {"predictions": HELD_OUT},
    "calibration_intercept": BINARY,
    "calibration_slope": BINARY,
    "cohen_kappa": {"rater_a": LABEL, "rater_b": LABEL[::-1] * (SCORE > 0.4)},
    "compare": {"predictions": HELD_OUT},
    "compare_models": {"predictions": HELD_OUT},
    "compare_net_benefit": {
        "label": LABEL,
        "score_a": SCORE,
        "score_b": SCORE[::-1],
        "thresholds": 0.5,
    },
    "compare_roc_auc": {"label": LABEL, "score_a": SCORE, "score_b": SCORE[::-1]},
    "corrected_kfold_ttest": {"differences": FOLDS, "n_folds": 6},
    "corrected_resampled_ttest": {"differences": FOLDS, **SIZES},
    "cross_validation_interval": {"values": FOLDS, **SIZES},
    "evaluate": {"predictions": HELD_OUT},
    "expected_calibration_error": {**BINARY, "n_simulations": 10},
    "fold_metrics": {"predictions": BY_SITE},
    "friedman": {"scores": np.random.default_rng(0).normal(size=(8, 4))},
    "heterogeneity": {
        "estimates": [0.7, 0.8, 0.75, 0.9],
        "standard_errors": [0.05, 0.04, 0.06, 0.05],
    },
    "icc": {"ratings": np.random.default_rng(0).normal(size=(8, 3))},
    "infer_designs": {"table": HELD_OUT},
    "mcnemar": {"correct_a": LABEL, "correct_b": (SCORE > 0.5).astype(int)},
    "mixed_model": {
        "formula": "score ~ label + (1 | participant_id)",
        "data": TABLE,
    },
    "mrmc": {
        "scores": np.sin(np.arange(CASE.size)) + CASE % 2,
        "label": CASE % 2,
        "reader": READER,
        "case": CASE,
        "treatment": TREATMENT,
    },
    "net_benefit": {**BINARY, "thresholds": 0.5},
    "permutation_test": {
        "table": TABLE,
        "statistic": "roc_auc",
        "models": ["score", "other"],
        "cluster": "participant_id",
        "n_resamples": 99,
    },
    "proportion": {"successes": 7, "n": 10},
    "recommend": {"predictions": HELD_OUT},
    "reliability_curve": {**BINARY, "n_bins": 4},
    "registration_error": {
        "estimated": np.eye(4),
        "true": np.eye(4),
        "mask": np.ones((2, 2, 2)),
        "affine": np.eye(4),
    },
    "required_sample_size": {"metric": "roc_auc", "value": 0.8, "width": 0.1},
    "roc_auc": BINARY,
    "roc_curve": {"predictions": HELD_OUT},
    "seed_ttest": {"differences": FOLDS},
    "sensitivity_at_specificity": BINARY,
    "site_metrics": {"predictions": BY_SITE},
    "subgroups": {"predictions": ONE_MODEL, "by": "sex"},
    "unit_interval": {"values": FOLDS},
    "unit_ttest": {"differences": FOLDS},
    "wilcoxon": {"differences": FOLDS},
}

LEVEL = [95, 0, 1, -0.5, math.nan, math.inf, "0.95", None, [0.95]]
SEED = [-1, 1.5, "first", None, math.nan]
COUNT = [-1, 0, 2.5, "many", None, math.nan, math.inf]
CHOICE = ["nonsense", 5, ["a"]]
NUMBER = [math.nan, "x", -1, math.inf, [1, 2]]
TEXT = ["nonsense", 5]

#: Values that no option of this name may have.
WRONG = {
    "confidence_level": LEVEL,
    "credible_level": LEVEL,
    "seed": SEED,
    **dict.fromkeys(("n_resamples", "n_draws", "n_simulations", "n_bins"), COUNT),
    **dict.fromkeys(("n_points", "n_folds", "n_repeats", "n_jobs"), COUNT),
    **dict.fromkeys(("method", "bins", "form", "post_hoc", "zero_method"), CHOICE),
    **dict.fromkeys(("transform", "family", "df", "variance", "weights"), CHOICE),
    **dict.fromkeys(("metric", "metrics", "statistic", "unit"), CHOICE),
    "estimand": TEXT,
    **dict.fromkeys(("rope", "clip", "specificity", "prior_strength"), NUMBER),
    **dict.fromkeys(("n_train", "n_test", "n"), NUMBER),
    **dict.fromkeys(("width", "power", "value", "prevalence", "icc"), NUMBER),
    **dict.fromkeys(("group", "split_strategy", "primary", "reference"), TEXT),
    **dict.fromkeys(("by", "cluster", "strata", "models", "score_a"), TEXT),
}

#: What looks wrong and is not.
FINE = {
    ("bootstrap", "n_jobs", -1),  # all processors, as everywhere
    ("bootstrap_difference", "n_jobs", -1),
    ("infer_designs", "group", "nonsense"),  # no design
    ("infer_designs", "group", 5),
}
#: Any word will do.
FREE = [("unit_interval", "unit"), ("unit_ttest", "unit")]
FREE += [("proportion", "cluster"), ("cross_validation_interval", "metric")]


def options():
    for name in CALLS:
        for option in inspect.signature(getattr(stats, name)).parameters:
            for value in WRONG.get(option, ()):
                fine = not isinstance(value, list) and (name, option, value) in FINE
                if not fine and (name, option) not in FREE:
                    yield name, option, value


@pytest.mark.parametrize("name", CALLS)
def test_the_calls_work(name):
    assert getattr(stats, name)(**CALLS[name]) is not None


def test_every_function_is_there():
    functions = {n for n in stats.__all__ if inspect.isfunction(getattr(stats, n))}
    others = {"get_metric", "metric_names", "register"}  # by name alone
    others |= {"read_statistics", "write_statistics"}  # files
    others |= {"nested_cross_validation", "nested_cross_validation_interval"}
    others |= {"refit_permutation_test"}  # a model to fit
    assert functions - set(CALLS) - others == set()


@pytest.mark.parametrize(("name", "option", "value"), options(), ids=str)
def test_nonsense_is_refused(name, option, value):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(TrustError) as caught:
            getattr(stats, name)(**{**CALLS[name], option: value})
    message = str(caught.value)
    shown = [str(value), repr(value)]
    shown += [str(value[0])] if isinstance(value, list) else []
    shown += ["not both"] if option in ("width", "power") else []
    assert any(each in message for each in shown), message
