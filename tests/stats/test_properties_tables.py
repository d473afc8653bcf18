"""What holds for any table: rows, ids, models and scales may be exchanged."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from clinicadl_trust import stats
from clinicadl_trust.exceptions import TrustError

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")
quickly = settings(max_examples=8, deadline=None, derandomize=True)

DRAWS = {"cluster": "participant_id", "n_resamples": 99, "method": "percentile"}


@st.composite
def predictions(draw):
    """Return a small table of two models, with ties and short classes."""
    n, visits = draw(st.integers(3, 10)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    levels = draw(st.sampled_from([2, 5, 50]))
    who = np.repeat(np.arange(n), visits)
    label = rng.integers(0, 2, n)[who]
    tables = []
    for model, effect in (("a", 1.0), ("b", draw(st.sampled_from([0.0, 1.0, 4.0])))):
        raw = np.clip(
            0.5 + 0.15 * (effect * (label - 0.5) + rng.normal(size=who.size)), 0, 1
        )
        tables.append(
            pd.DataFrame(
                {
                    "participant_id": [f"sub-{i:02d}" for i in who],
                    "session_id": [f"ses-M{m:02d}" for m in np.tile(range(visits), n)],
                    "site": [f"site-{i % 3}" for i in who],
                    "split_strategy": "sealed",
                    "split": 0,
                    "seed": 0,
                    "model": model,
                    "group": "test",
                    "label": label.astype(float),
                    "score": np.clip(np.round(raw * levels) / levels, 0.02, 0.98),
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def call(function, *args, **options):
    """Return a table of what a function says, or None where it refuses."""
    try:
        made = function(*args, **options)
    except TrustError:
        return None
    return made if isinstance(made, pd.DataFrame) else made.to_frame()


def numbers(table, keys):
    """Return a table's numbers in the order of its names."""
    keys = [key for key in keys if key in table]
    table = table.sort_values(keys, kind="stable") if keys else table
    return table.select_dtypes("number").to_numpy(float)


def same(first, second, keys=("model", "reference", "metric", "level", "minus")):
    assert (first is None) == (second is None)
    if first is not None:
        assert_allclose(
            numbers(second, keys), numbers(first, keys), atol=1e-8, rtol=1e-6
        )


def one(table, model="a"):
    return table[table["model"] == model].reset_index(drop=True)


def by_model(table):
    """Return one row per image, with a column of scores per model."""
    keys = ["participant_id", "session_id", "site", "label"]
    wide = table.pivot_table(index=keys, columns="model", values="score")
    return wide.reset_index()


FUNCTIONS = {
    "evaluate": stats.evaluate,
    "compare": lambda t: stats.compare(t, reference="b"),
    "compare_models": lambda t: stats.compare_models(t, "squared_error"),
    "compare_models without sites": lambda t: stats.compare_models(t, site=None),
    "subgroups": lambda t: stats.subgroups(one(t), "site", "brier"),
    "roc_curve": stats.roc_curve,
    "calibration_curve": stats.calibration_curve,
    "fold_metrics": stats.fold_metrics,
    "site_metrics": stats.site_metrics,
}


@pytest.mark.parametrize("name", FUNCTIONS)
@quickly
@given(predictions(), st.integers(0, 10**6), st.permutations(range(10)))
def test_the_order_of_rows_and_the_names_do_not_matter(name, table, seed, names):
    changed = table.sample(frac=1, random_state=seed)
    if "curve" not in name:
        number = changed["participant_id"].str[4:].astype(int)
        other = number.map(lambda i: f"sub-{'xyz'[i % 3]}{names[i]}")
        changed = changed.assign(participant_id=other)
    same(call(FUNCTIONS[name], table), call(FUNCTIONS[name], changed))


@quickly
@given(predictions())
def test_the_scale_of_scores_does_not_matter_to_the_auc(table):
    changed = table.assign(score=table["score"] ** 3 / 2)
    for function in (stats.evaluate, stats.compare):
        same(call(function, table, "roc_auc"), call(function, changed, "roc_auc"))
    first, second = call(stats.roc_curve, table), call(stats.roc_curve, changed)
    same(first, second, keys=("model", "fpr", "tpr"))


@pytest.mark.parametrize(
    "function",
    [
        lambda t: stats.compare(t, reference="b"),
        lambda t: stats.compare_models(t, "squared_error"),
        lambda t: stats.compare_models(t, site=None),
    ],
)
@quickly
@given(predictions())
def test_exchanging_the_models_turns_the_difference_round(function, table):
    made = call(function, table)
    turned = call(
        function, table.assign(model=table["model"].map({"a": "b", "b": "a"}))
    )
    assert (made is None) == (turned is None)
    if made is None:
        return
    effect = "effect" if "effect" in made else "value"
    for one_end, other_end, sign in (
        (effect, effect, -1),
        ("low", "high", -1),
        ("p_value", "p_value", 1),
    ):
        assert_allclose(
            turned[one_end].to_numpy(float),
            sign * made[other_end].to_numpy(float),
            atol=1e-7,
            rtol=1e-5,
        )


@quickly
@given(predictions(), st.integers(0, 10**6))
def test_resampling_knows_neither_the_order_nor_the_scale(table, seed):
    wide = by_model(table)
    shuffled = wide.sample(frac=1, random_state=seed)
    for changed in (wide.assign(a=wide["a"] ** 3), shuffled):
        same(
            call(stats.bootstrap, "roc_auc", wide, score="a", **DRAWS),
            call(stats.bootstrap, "roc_auc", changed, score="a", **DRAWS),
        )
        same(
            call(
                stats.bootstrap_difference,
                "roc_auc",
                wide,
                score_a="a",
                score_b="b",
                **DRAWS,
            ),
            call(
                stats.bootstrap_difference,
                "roc_auc",
                changed,
                score_a="a",
                score_b="b",
                **DRAWS,
            ),
        )


@quickly
@given(predictions())
def test_resampling_a_cluster_per_image_is_resampling_images(table):
    wide = by_model(table).drop(columns="participant_id")
    # Names in the order of the rows, so that a seed draws the same.
    wide["image"] = [f"{i:03d}" for i in range(len(wide))]
    options = {**DRAWS, "score": "a"}
    same(
        call(stats.bootstrap, "roc_auc", wide, **{**options, "cluster": "image"}),
        call(stats.bootstrap, "roc_auc", wide, **{**options, "cluster": None}),
    )


@quickly
@given(predictions(), st.integers(0, 10**6))
def test_permutations_know_no_order_and_turn_round(table, seed):
    wide = by_model(table)
    options = {"cluster": "participant_id", "n_resamples": 2000}
    for statistic in ("roc_auc", "brier"):
        made = call(
            stats.permutation_test, wide, statistic, models=["a", "b"], **options
        )
        turned = call(
            stats.permutation_test, wide, statistic, models=["b", "a"], **options
        )
        shuffled = call(
            stats.permutation_test,
            wide.sample(frac=1, random_state=seed),
            statistic,
            models=["a", "b"],
            **options,
        )
        same(made, shuffled)
        assert (made is None) == (turned is None)
        if made is not None:
            assert_allclose(turned["effect"], -made["effect"], atol=1e-12)
            assert_allclose(turned["p_value"], made["p_value"])


@quickly
@given(predictions())
def test_a_table_says_what_the_arrays_say(table):
    group = one(table)
    arrays = call(
        stats.roc_auc, group["label"], group["score"], group["participant_id"]
    )
    made = call(stats.evaluate, group, "roc_auc")
    if arrays is None or made is None:
        return
    for name in ("value", "low", "high", "standard_error"):
        assert_allclose(
            made[name].to_numpy(float), arrays[name].to_numpy(float), atol=1e-9
        )
