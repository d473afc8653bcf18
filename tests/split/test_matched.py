"""The classes of a matched test set differ neither in age nor in sex."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from strategy_builder import build

from clinicadl_trust.cohort import Cohort
from clinicadl_trust.exceptions import SplitError
from clinicadl_trust.split.strata import describe_participants


@pytest.fixture
def confounded(make_cohort):
    """Patients are six years older than controls, and more often women."""
    table = make_cohort(participants=200, family_id=None).table
    patient = table["diagnosis"] == "AD"
    table["age"] += np.where(patient, 6, 0)
    number = table["participant_id"].str[4:].astype(int)
    table.loc[patient & (number % 3 > 0), "sex"] = "F"
    return Cohort.from_frame(table)


def first(cohort, ids):
    table = cohort.table.drop_duplicates("participant_id").set_index("participant_id")
    return table.loc[sorted(set(ids["participant_id"]))]


@pytest.mark.parametrize("seed", range(4))
def test_classes_are_matched_where_the_cohort_is_not(seed, confounded):
    strategy = build("MatchedTestSet", {"fraction": 0.2, "seed": seed})
    (fold,) = strategy.split(confounded, "diagnosis")
    everyone = first(confounded, confounded.table).groupby("diagnosis")
    assert everyone["age"].mean().loc["AD"] - everyone["age"].mean().loc["CN"] > 4
    test = first(confounded, fold.test)
    ages = test.groupby("diagnosis")["age"].mean()
    assert abs(ages["AD"] - ages["CN"]) < 1
    women = test["sex"].eq("F").groupby(test["diagnosis"]).mean()
    # Not equal: 26 controls cannot be shared out evenly among 14 patients.
    assert abs(women["AD"] - women["CN"]) < 0.08
    assert "mean ages differ by" in fold.notes[0]


def test_each_class_gives_its_part(confounded):
    (fold,) = build("MatchedTestSet", {"fraction": 0.2}).split(confounded, "diagnosis")
    sizes = first(confounded, confounded.table)["diagnosis"].value_counts()
    held = first(confounded, fold.test)["diagnosis"].value_counts()
    for name in ("AD", "CN"):
        assert held[name] == round(0.2 * sizes[name])


def test_partners_are_within_the_caliper(confounded):
    strategy = build("MatchedTestSet", {"fraction": 0.1, "caliper": 1.0})
    (fold,) = strategy.split(confounded, "diagnosis")
    test = first(confounded, fold.test)
    patients, controls = (test[test["diagnosis"] == name] for name in ("AD", "CN"))
    for one, other in ((patients, controls), (controls, patients)):
        for person in one.itertuples():
            partners = other[other["sex"] == person.sex]
            assert (partners["age"] - person.age).abs().min() <= 1.0


def test_three_classes_are_matched_too(make_cohort):
    table = make_cohort(participants=240, family_id=None).table
    number = table["participant_id"].str[4:].astype(int)
    table["group"] = np.select([number % 4 == 0, number % 4 == 1], ["a", "b"], "c")
    table["age"] += np.where(table["group"] == "a", 4, 0)
    cohort = Cohort.from_frame(table)
    (fold,) = build("MatchedTestSet").split(cohort, "group")
    test = first(cohort, fold.test)
    assert test["group"].value_counts().to_dict() == {"c": 24, "a": 12, "b": 12}
    assert np.ptp(test.groupby("group")["age"].mean()) < 1.5


def test_too_few_partners_are_counted(make_cohort):
    table = make_cohort().table
    table["age"] = np.where(table["diagnosis"] == "AD", 80.0, 50.0)
    with pytest.raises(SplitError, match=r"needs \d+ participants .* at best 0 were"):
        build("MatchedTestSet").split(Cohort.from_frame(table), "diagnosis")


def test_who_has_no_age_is_never_tested(make_cohort):
    table = make_cohort(family_id=None).table
    ageless = {"sub-000", "sub-001", "sub-002", "sub-003"}
    table.loc[table["participant_id"].isin(ageless), "age"] = np.nan
    strategy = build("MatchedTestSet", {"fraction": 0.4})
    (fold,) = strategy.split(Cohort.from_frame(table), "diagnosis")
    assert not ageless & set(fold.test["participant_id"])
    assert fold.notes[0] == "Never tested, for want of age or sex: 4 participants."


def test_a_quantity_gives_a_test_set_like_the_rest(make_cohort):
    cohort = make_cohort(participants=200)
    (fold,) = build("MatchedTestSet", {"fraction": 0.25}).split(cohort, "score")
    test, everyone = first(cohort, fold.test), first(cohort, cohort.table)
    assert len(test) == pytest.approx(50, abs=4)
    assert abs(test["age"].mean() - everyone["age"].mean()) < 1.5
    assert abs(test["score"].mean() - everyone["score"].mean()) < 0.2
    assert abs(test["sex"].eq("F").mean() - everyone["sex"].eq("F").mean()) < 0.05


def test_relatives_of_the_test_set_are_not_trained_on(make_cohort):
    cohort = make_cohort(participants=90)
    (fold,) = build("MatchedTestSet").split(cohort, "diagnosis")
    family = cohort.table.set_index("participant_id")["family_id"].dropna()
    tested = set(family[family.index.isin(fold.test["participant_id"])])
    for group in (fold.train, fold.validation):
        seen = set(family[family.index.isin(group["participant_id"])])
        assert tested and not tested & seen


def test_chance_associations_with_age_and_sex_are_not_learned():
    """A quantity drawn by lot: what is fitted on the others predicts nothing here."""
    values = []
    for seed in range(150):
        rng = np.random.default_rng(seed)
        table = pd.DataFrame(
            {
                "participant_id": [f"sub-{n:03d}" for n in range(120)],
                "session_id": "ses-M000",
                "age": rng.normal(70, 8, 120).round(1),
                "sex": rng.choice(["F", "M"], 120),
                "score": rng.normal(size=120),
            }
        )
        strategy = build("MatchedTestSet", {"fraction": 0.3, "seed": seed})
        people = describe_participants(table, "score")
        rng = np.random.default_rng(seed)
        test = next(iter(strategy._hold_out(table, people, rng))).test
        design = np.c_[np.ones(120), table["age"] - 70, table["sex"] == "F"]
        design = design.astype(float)
        fit = np.linalg.lstsq(design[~test], table["score"][~test], rcond=None)[0]
        values.append(np.corrcoef(design[test] @ fit, table["score"][test])[0, 1])
    # Standard error .015; a draw even in age within each quartile gives .07.
    assert abs(np.mean(values)) < 0.04
