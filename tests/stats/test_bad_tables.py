"""Every function of tables, with tables that are wrong in every way.

Each gives an error that a user can mend, or an answer; never a KeyError, a warning of
NumPy or pandas, or a traceback of a library.
"""

import math
import warnings

import numpy as np
import pandas as pd
import predictions_factory as factory
import pytest

from clinicadl_trust import stats
from clinicadl_trust.exceptions import TrustError

TWO = factory.held_out(participants=12)
ONE = factory.held_out({"cnn": 1.5}, participants=12)
WIDE = (
    TWO.pivot_table(
        index=["participant_id", "session_id", "site", "label"],
        columns="model",
        values="score",
    )
    .reset_index()
    .rename(columns={"cnn": "score", "metadata": "score_b"})
)
DRAWS = {"cluster": "participant_id", "n_resamples": 99}
PAIR = {"score_a": "score", "score_b": "score_b"}

FUNCTIONS = {
    "evaluate": (stats.evaluate, TWO),
    "compare": (stats.compare, TWO),
    "compare_models": (stats.compare_models, TWO),
    "compare_models by error": (
        lambda t: stats.compare_models(t, "squared_error"),
        TWO,
    ),
    "subgroups": (lambda t: stats.subgroups(t, "site"), ONE),
    "roc_curve": (stats.roc_curve, TWO),
    "calibration_curve": (stats.calibration_curve, TWO),
    "fold_metrics": (stats.fold_metrics, TWO),
    "site_metrics": (stats.site_metrics, TWO),
    "recommend": (stats.recommend, TWO),
    "bootstrap": (lambda t: stats.bootstrap("roc_auc", t, **DRAWS), WIDE),
    "bootstrap of rows": (
        lambda t: stats.bootstrap("brier", t, cluster=None, n_resamples=99),
        WIDE,
    ),
    "bootstrap_difference": (
        lambda t: stats.bootstrap_difference("roc_auc", t, **PAIR, **DRAWS),
        WIDE,
    ),
    "permutation_test": (
        lambda t: stats.permutation_test(
            t, "roc_auc", models=["score", "score_b"], **DRAWS
        ),
        WIDE,
    ),
    "pilot of an AUC": (
        lambda t: stats.required_sample_size("roc_auc", width=0.1, pilot=t),
        WIDE,
    ),
    "pilot of two shares": (
        lambda t: stats.required_sample_size(
            "proportion", power=0.8, difference=0.1, pilot=t
        ),
        WIDE,
    ),
}


def first(column, value):
    """Write a value into the first row."""

    def change(table):
        values = [value, *table[column][1:]]
        return table.assign(**{column: pd.Series(values, table.index, dtype=object)})

    return change


#: What no function can use.
HOPELESS = {
    "a list": lambda table: [1, 2],
    "nothing": lambda table: None,
    "a dictionary": lambda table: {"score": [1]},
    "no row": lambda table: table[:0],
    "no participants": lambda table: table.drop(columns="participant_id"),
    "no scores": lambda table: table.drop(columns="score"),
    "a column twice": lambda table: pd.concat([table, table[["score"]]], axis=1),
    "a score that is missing": first("score", math.nan),
    "a score that is pandas' NA": first("score", pd.NA),
    "a score that is infinite": first("score", math.inf),
    "a score that is text": first("score", "high"),
    "an index of ids": lambda table: table.set_index(["participant_id", "session_id"]),
}

#: What some functions can use.
DOUBTFUL = {
    "no labels": lambda table: table.drop(columns="label"),
    "one row": lambda table: table[:1],
    "two rows": lambda table: table[:2],
    "all rows twice": lambda table: pd.concat([table, table]),
    "scores as text": lambda table: table.assign(score=table["score"].astype(str)),
    "a label that is missing": first("label", math.nan),
    "a label that is a name": first("label", "AD"),
    "labels that are names": lambda table: table.assign(
        label=table["label"].map({0: "CN", 1: "AD"})
    ),
    "labels 1 and 2": lambda table: table.assign(label=table["label"] + 1),
    "one class": lambda table: table.assign(label=1.0),
    "an id that is missing": first("participant_id", math.nan),
    "one participant": lambda table: table.assign(
        participant_id="sub-1", session_id=[f"ses-{i}" for i in range(len(table))]
    ),
    "the same scores": lambda table: table.assign(score=0.5),
    "scores of 0 and 1": lambda table: table.assign(score=table["score"].round()),
    "scores beyond 1": lambda table: table.assign(score=3 * table["score"]),
    "no sites": lambda table: table.drop(columns="site"),
    "a site that is missing": first("site", math.nan),
}

#: The same values in another garment.
KINDS = {
    "an index with repeats": lambda table: table.set_index(np.zeros(len(table), int)),
    "labels that are booleans": lambda table: table.astype({"label": bool}),
    "labels that are nullable integers": lambda table: table.astype({"label": "Int64"}),
    "labels that are nullable booleans": lambda table: table.assign(
        label=table["label"].astype(bool).astype("boolean")
    ),
    "scores that are nullable": lambda table: table.astype({"score": "Float64"}),
    "ids that are categories": lambda table: table.astype(
        {"participant_id": "category", "site": "category"}
    ),
}


def quietly(function, table):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return function(table)


def said(result):
    return result.to_string() if isinstance(result, pd.DataFrame) else str(result)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("wrong", HOPELESS)
def test_a_table_that_says_nothing_is_refused(name, wrong):
    function, table = FUNCTIONS[name]
    if name == "bootstrap of rows" and wrong in ("no participants", "an index of ids"):
        return  # rows need none
    with pytest.raises(TrustError) as caught:
        quietly(function, HOPELESS[wrong](table))
    assert len(str(caught.value)) > 20


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("doubtful", DOUBTFUL)
def test_a_doubtful_table_is_refused_or_answered(name, doubtful):
    function, table = FUNCTIONS[name]
    try:
        result = quietly(function, DOUBTFUL[doubtful](table))
    except TrustError as error:
        assert len(str(error)) > 20
        return
    assert said(result)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_any_kind_of_column_gives_the_same(name, kind):
    function, table = FUNCTIONS[name]
    if name == "bootstrap of rows":  # refused, since participants repeat
        return
    assert said(quietly(function, KINDS[kind](table))) == said(quietly(function, table))


def test_images_are_never_counted_as_participants():
    with pytest.raises(TrustError, match="cluster='participant_id'"):
        stats.bootstrap("roc_auc", WIDE, cluster=None)
    with pytest.raises(TrustError, match="cluster='participant_id'"):
        stats.permutation_test(
            WIDE, "roc_auc", models=["score", "score_b"], cluster=None
        )
