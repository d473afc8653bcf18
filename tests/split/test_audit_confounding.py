"""Site, age and sex predict a confounded label, and no other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from clinicadl_trust.split.audit.auditing import _confounded
from clinicadl_trust.split.audit.confounding import estimate_confounding


def make_table(participants=120, spread=0.0, age_gap=0.0, seed=0):
    rng = np.random.default_rng(seed)
    site = rng.integers(4, size=participants)
    patient = (
        rng.uniform(size=participants) < 0.5 + spread * np.linspace(-1, 1, 4)[site]
    )
    age = rng.normal(70, 8, participants) + age_gap * patient
    table = pd.DataFrame(
        {
            "participant_id": [f"sub-{n:03d}" for n in range(participants)],
            "session_id": "ses-M000",
            "site": site.astype(str),
            "age": age,
            "sex": rng.choice(["F", "M"], participants),
            "diagnosis": np.where(patient, "AD", "CN"),
            "stage": rng.choice(["a", "b", "c"], participants),
            "volume": rng.normal(size=participants) + spread * site,
        }
    )
    return pd.concat([table, table.assign(session_id="ses-M012")])


@pytest.mark.parametrize(
    ("options", "guilty"), [({"spread": 0.4}, "site"), ({"age_gap": 10}, "age")]
)
def test_confounded_label_is_found_with_its_cause(options, guilty):
    found = estimate_confounding(make_table(**options), "diagnosis")
    assert found.is_confounded and found.low > 0.55
    assert min(found.p_values, key=found.p_values.get) == guilty
    (finding,) = _confounded(found)
    assert (finding.severity, finding.code) == ("warning", "label-confounded")
    assert f"{guilty} (p = " in finding.message
    assert "ROC AUC 0." in finding.message


def test_clean_labels_are_not_accused():
    found = [
        estimate_confounding(make_table(60, seed=seed), label)
        for seed in range(3)
        for label in ("diagnosis", "volume")
    ]
    assert not any(f.is_confounded for f in found)
    assert not [x for f in found for x in _confounded(f)]
    values = [f.value for f in found[::2]]
    assert 0.4 < np.mean(values) < 0.6


def test_sessions_do_not_count_twice():
    found = estimate_confounding(make_table(), "diagnosis")
    assert found.n_participants == 120
    half = make_table().query("session_id == 'ses-M000'")
    assert estimate_confounding(half, "diagnosis") == found


def test_classes_and_quantities():
    table = make_table(spread=0.45)
    assert estimate_confounding(table, "stage").metric == "ROC AUC"
    quantity = estimate_confounding(table.assign(volume=table["age"] * 2), "volume")
    assert quantity.metric == "R2" and quantity.chance == 0
    assert quantity.value > 0.95 and quantity.is_confounded


def test_label_does_not_predict_itself():
    found = estimate_confounding(make_table(), "age")
    assert found.covariates == ["site", "sex"]
    assert "From site and sex alone, age" in str(found)


def test_missing_covariates_are_no_obstacle():
    table = make_table(spread=0.4)
    table.loc[table["participant_id"] < "sub-020", ["age", "site", "sex"]] = None
    found = estimate_confounding(table, "diagnosis")
    assert found.is_confounded and found.n_participants == 120


def test_nothing_to_estimate():
    table = make_table()
    bare = table[["participant_id", "session_id", "diagnosis"]]
    assert estimate_confounding(bare, "diagnosis") is None
    constant = table.assign(site="a", age=70.0, sex="F")
    assert estimate_confounding(constant, "diagnosis") is None
    rare = table.assign(diagnosis=np.where(table["participant_id"] < "sub-003", 1, 0))
    assert estimate_confounding(rare, "diagnosis") is None
    assert estimate_confounding(make_table(12), "volume") is None
    assert list(_confounded(None)) == []
