import numpy as np
import pandas as pd
import pytest
from fake_runs import make_experiment

from clinicadl_trust.benchmark.comparing import compare_models
from clinicadl_trust.stats import adjust, compare

SKILL = {"svm": 1.2, "cnn": 0.9, "metadata": 0.1, "majority": 0.0}


@pytest.fixture(scope="module")
def predictions():
    """Four models on a sealed group, and in three folds."""
    rng = np.random.default_rng(0)
    label = np.arange(60) % 2
    tables = []
    for strategy, folds in (("sealed", 1), ("people", 3)):
        for model, skill in SKILL.items():
            noise = 0 if model == "majority" else rng.normal(size=label.size)
            table = pd.DataFrame(
                {
                    "participant_id": [f"sub-{n:02d}" for n in range(label.size)],
                    "session_id": "ses-M000",
                    "split_strategy": strategy,
                    "repeat": 0,
                    "split": np.arange(label.size) // 2 % folds,
                    "fold": "",
                    "seed": 0,
                    "model": model,
                    "group": "test",
                    "label": label,
                    "score": 1 / (1 + np.exp(skill * (1 - 2 * label) + noise)),
                }
            )
            tables.append(table[table["participant_id"] < "sub-30"].copy())
            if strategy == "people":
                tables[-1] = table
    return pd.concat(tables, ignore_index=True)


def experiment(**statistics):
    models = {name: {"type": "scikit-learn"} for name in ("svm", "cnn")}
    return make_experiment(
        name="x",
        cohort={"label": "diagnosis", "generate": {}},
        models=models,
        statistics={"metrics": ["roc_auc"], "primary": "roc_auc", **statistics},
    )


def pairs(table):
    return list(zip(table["model"], table["reference"], strict=True))


def test_without_a_reference_all_pairs_are_one_question(predictions):
    found = compare_models(predictions, experiment())
    pd.testing.assert_frame_equal(found, compare(predictions, "roc_auc"))


def test_the_question_is_each_image_model_against_the_reference(predictions):
    found = compare_models(predictions, experiment(reference="metadata"))
    primary = found[found["primary"]]
    assert pairs(primary) == [("svm", "metadata"), ("cnn", "metadata")]
    assert set(primary["split_strategy"]) == {"sealed"}
    for strategy, rows in found.groupby("split_strategy"):
        assert len(rows) == 6, strategy
        asked = rows["reference"].eq("metadata") & rows["model"].isin(["svm", "cnn"])
        for family in (rows[asked], rows[~asked]):
            expected = adjust(family["p_value"].tolist())
            np.testing.assert_allclose(family["p_adjusted"], expected)


def test_the_reference_stands_second_whatever_the_order(predictions):
    plain = compare_models(predictions, experiment())
    found = compare_models(predictions, experiment(reference="svm"))
    assert pairs(found[found["primary"]]) == [("cnn", "svm")]
    assert "svm" not in set(found["model"])
    old, new = plain.iloc[0], found.iloc[0]
    assert (old["model"], old["reference"]) == (new["reference"], new["model"])
    for one, other in (("value", "value"), ("low", "high"), ("statistic", "statistic")):
        assert new[one] == -old[other]
    assert new["p_value"] == old["p_value"]
    assert new["p_adjusted"] == new["p_value"]  # one test needs no adjustment


def test_a_reference_that_failed_leaves_the_question_without_an_answer(predictions):
    lacking = predictions[predictions["model"] != "metadata"]
    found = compare_models(lacking, experiment(reference="metadata"))
    assert len(found) == 6
    assert not found["primary"].any()
