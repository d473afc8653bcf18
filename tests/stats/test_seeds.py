"""Networks trained again: a paired t-test over seeds."""

import numpy as np
import pytest
from predictions_factory import cohort, concat, folds, predict
from scipy import stats as scipy_stats

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats import on_predictions, seed_ttest


@pytest.fixture
def table():
    """Two models of five seeds; maps of patients only are measured."""
    found = concat(
        predict(cohort(), model, seed=seed)
        for model in ("constrained", "plain")
        for seed in range(5)
    )
    rng = np.random.default_rng(0)
    better = 0.05 * (found["model"] == "constrained")
    value = rng.uniform(0.2, 0.6, len(found)) + better + 0.02 * found["seed"]
    return found.assign(auprc=value.where(found["label"] == 1))


def test_it_is_the_paired_t_test():
    values = [0.1, 0.3, 0.2, 0.15]
    found = seed_ttest(values)
    expected = scipy_stats.ttest_1samp(values, 0)
    interval = expected.confidence_interval(0.95)
    assert found.p_value == pytest.approx(expected.pvalue)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.df == 3 and "seeds" in found.method and "new seed" in found.estimand


def test_a_column_is_averaged_within_each_seed(table):
    answers = on_predictions.seed_ttest(table, "auprc", reference="plain")
    (answer,) = answers.answers
    means = table.groupby(["seed", "model"])["auprc"].mean().unstack()
    expected = scipy_stats.ttest_rel(means["constrained"], means["plain"])
    assert (answer.model, answer.reference) == ("constrained", "plain")
    assert answer.result.effect == pytest.approx(
        (means["constrained"] - means["plain"]).mean()
    )
    assert answer.result.p_value == pytest.approx(expected.pvalue)


def test_a_metric_of_the_task_is_computed_within_each_seed(table):
    from sklearn.metrics import roc_auc_score

    (answer,) = on_predictions.seed_ttest(table, "roc_auc", model="plain").answers
    values = {
        key: roc_auc_score(rows["label"], rows["score"])
        for key, rows in table.groupby(["model", "seed"])
    }
    each = [values["plain", s] - values["constrained", s] for s in range(5)]
    assert answer.result.effect == pytest.approx(np.mean(each))
    assert answer.result.n == 5


def test_seeds_that_one_of_them_lacks_are_left_out(table):
    gone = (table["model"] == "plain") & (table["seed"] > 2)
    (answer,) = on_predictions.seed_ttest(table[~gone], "auprc").answers
    assert answer.result.n == 3
    gone = (table["model"] == "plain") & (table["seed"] > 0)
    with pytest.raises(StatisticsError, match=r"1 seeds in common.*same seeds"):
        on_predictions.seed_ttest(table[~gone], "auprc")


def test_a_model_of_one_seed_does_not_hide_the_others(table):
    baseline = predict(cohort(), "metadata", 0.2, seed=0)
    answers = on_predictions.seed_ttest(concat([table, baseline]), "roc_auc")
    (answer,) = answers.answers
    assert {answer.model, answer.reference} == {"constrained", "plain"}
    assert sum("1 seeds in common" in note for note in answers.notes) == 2


def test_folds_are_refused():
    table = folds({"a": 1.0, "b": 1.5})
    with pytest.raises(StatisticsError, match=r"is a cross-validation.*Use `compare`"):
        on_predictions.seed_ttest(table)
