"""Means of columns: a value that each image has is a metric of any task."""

import numpy as np
import pandas as pd
import pytest
from predictions_factory import concat, folds, held_out
from scipy.stats import t as student

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats import (
    compare,
    compare_models,
    evaluate,
    fold_metrics,
    site_metrics,
)

MODELS = {"constrained": 1.5, "plain": 1.0}


@pytest.fixture
def table():
    """Maps of patients only are measured; those of the first model are better."""
    table = held_out(MODELS)
    rng = np.random.default_rng(0)
    better = 0.3 * (table["model"] == "constrained")
    auprc = rng.uniform(0.1, 0.6, len(table)) + better
    table["lesion_auprc"] = auprc.where(table["label"] == 1)
    table["error_of_sum"] = rng.exponential(size=len(table))
    table["correlation"] = rng.uniform(-0.5, 0.5, len(table))
    return table


def test_a_column_is_a_metric(table):
    rows = evaluate(table, ["lesion_auprc", "roc_auc"]).set_index(["model", "metric"])
    for model in MODELS:
        values = table.loc[table["model"] == model, "lesion_auprc"].dropna()
        found = rows.loc[(model, "lesion_auprc")]
        assert found["value"] == pytest.approx(values.mean())
        assert found["low"] < found["value"] < found["high"]
        assert found["n_images"] == len(values)
        assert "logit scale" in found["method"]


def test_its_interval_is_clustered(table):
    """Two equal sessions of everyone say nothing more than one."""
    once = table[table["model"] == "plain"].drop_duplicates("participant_id")
    twice = pd.concat([once, once.assign(session_id="ses-2")])
    (first,), (second,) = (
        evaluate(each, "correlation").to_dict("records") for each in (once, twice)
    )
    assert first["method"].startswith("cluster sandwich, t")
    for name in ("value", "low", "high"):
        assert second[name] == pytest.approx(first[name], rel=1e-3, abs=1e-3)
    values = once["correlation"]
    half = (first["high"] - first["low"]) / 2
    expected = student.ppf(0.975, len(values) - 1) * values.std() / len(values) ** 0.5
    assert half == pytest.approx(expected, rel=1e-6)


def test_models_are_compared_by_it(table):
    (row,) = compare(table, "lesion_auprc").to_dict("records")
    wide = table.pivot_table(
        index=["participant_id", "session_id"], columns="model", values="lesion_auprc"
    )
    difference = (wide["constrained"] - wide["plain"]).mean()
    assert abs(row["value"]) == pytest.approx(difference)
    assert row["p_value"] < 1e-3


def test_within_folds_and_sites():
    table = folds(MODELS, by="site")
    table["positive"] = np.linspace(0, 7, len(table))
    assert set(fold_metrics(table, "positive")["metric"]) == {"positive"}
    by_site = site_metrics(table, "positive")
    expected = table.groupby(["model", "site"])["positive"].mean()
    made = by_site.set_index(["model", "site"])["value"]
    np.testing.assert_allclose(made, expected.reindex(made.index))
    assert evaluate(table, "positive")["value"].notna().all()


def test_with_several_classes():
    rng = np.random.default_rng(0)
    scores = rng.dirichlet(np.ones(3), 60)
    table = pd.DataFrame(scores, columns=["score_CN", "score_MCI", "score_AD"])
    table["participant_id"] = [f"sub-{n}" for n in range(60)]
    table["label"] = np.tile(["CN", "MCI", "AD"], 20)
    table["lesion_auprc"] = np.where(table["label"] == "CN", np.nan, scores[:, 0])
    (row,) = evaluate(table, "lesion_auprc").to_dict("records")
    assert row["value"] == pytest.approx(table["lesion_auprc"].mean())


def test_a_metric_of_the_task_goes_first(table):
    (row,) = evaluate(
        concat([table.assign(brier=9.0)])[lambda t: t["model"] == "plain"], "brier"
    ).to_dict("records")
    assert row["value"] < 1


def test_what_is_no_column_of_numbers_is_told(table):
    with pytest.raises(StatisticsError, match="Did you mean 'lesion_auprc'"):
        evaluate(table, "lesion_aupr")
    with pytest.raises(StatisticsError, match="Unknown metric 'site'"):
        evaluate(table, "site")
    table.loc[3, "correlation"] = np.inf
    with pytest.raises(StatisticsError, match="1 infinite values"):
        evaluate(table, "correlation")


def test_a_column_without_any_value_is_told(table):
    rows = evaluate(table.assign(nothing=np.nan), "nothing")
    assert rows["value"].isna().all()
    assert rows["warnings"].str.contains("no image").all()


def test_models_are_compared_image_by_image(table):
    """Healthy people, whom no model has a value of, are left out."""
    made = compare_models(table, "lesion_auprc", site=None)
    patients = table[table["label"] == 1]
    assert made.n == len(patients) / 2
    means = patients.groupby("model")["lesion_auprc"].mean()
    np.testing.assert_allclose(made.means[means.index], means)
    (first,) = table.index[table["lesion_auprc"].notna()][:1]
    table.loc[first, "lesion_auprc"] = np.nan
    with pytest.raises(StatisticsError, match="1 rows have no lesion_auprc"):
        compare_models(table, "lesion_auprc", site=None)
    with pytest.raises(StatisticsError, match="160 rows have no nothing"):
        compare_models(table.assign(nothing=np.nan), "nothing", site=None)
